"""digest preferences, frozen words, bounces and pauses

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op


revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('mail_address',
    sa.Column('address', sa.String(length=254), nullable=False),
    sa.Column('cleared_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('suppressed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('reason', sa.String(length=200), nullable=False),
    sa.PrimaryKeyConstraint('address', name=op.f('pk_mail_address'))
    )
    op.create_index(op.f('ix_mail_address_suppressed_at'), 'mail_address', ['suppressed_at'], unique=False)
    op.create_table('mail_pause',
    sa.Column('category', sa.String(length=30), nullable=False),
    sa.Column('paused_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('paused_by', sa.String(length=60), nullable=False),
    sa.PrimaryKeyConstraint('category', name=op.f('pk_mail_pause'))
    )
    op.create_table('bounce',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('outbox_id', sa.Uuid(), nullable=False),
    sa.Column('address', sa.String(length=254), nullable=False),
    sa.Column('kind', sa.String(length=10), nullable=False),
    sa.Column('status', sa.String(length=12), nullable=False),
    sa.Column('text', sa.String(length=500), nullable=False),
    sa.Column('bounced_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['outbox_id'], ['outboxmessage.id'], name=op.f('fk_bounce_outbox_id_outboxmessage')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_bounce')),
    sa.UniqueConstraint('outbox_id', name=op.f('uq_bounce_outbox_id'))
    )
    op.create_index(op.f('ix_bounce_address'), 'bounce', ['address'], unique=False)
    op.create_index(op.f('ix_bounce_bounced_at'), 'bounce', ['bounced_at'], unique=False)
    op.create_table('digestnotice',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('digest_id', sa.Uuid(), nullable=False),
    sa.Column('account_id', sa.Uuid(), nullable=False),
    sa.Column('key', sa.String(length=160), nullable=False),
    sa.Column('listing_id', sa.Uuid(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('words', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_digestnotice_account_id_account')),
    sa.ForeignKeyConstraint(['digest_id'], ['digest.id'], name=op.f('fk_digestnotice_digest_id_digest')),
    sa.ForeignKeyConstraint(['listing_id'], ['listing.id'], name=op.f('fk_digestnotice_listing_id_listing')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_digestnotice')),
    sa.UniqueConstraint('account_id', 'key', name='uq_digest_notice')
    )
    op.create_index(op.f('ix_digestnotice_digest_id'), 'digestnotice', ['digest_id'], unique=False)
    op.add_column('digest', sa.Column('is_due', sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column('digestitem', sa.Column('words', sa.JSON(), nullable=True))
    op.add_column('digestsubscription', sa.Column('paused_until', sa.Date(), nullable=True))
    op.add_column('digestsubscription', sa.Column('floor', sa.String(length=10), server_default='fair', nullable=False))
    op.add_column('mail_route', sa.Column('opened_on', sa.Date(), nullable=True))
    op.add_column('mail_route', sa.Column('counted_on', sa.Date(), nullable=True))
    op.add_column('mail_route', sa.Column('sent_count', sa.Integer(), server_default='0', nullable=False))
    op.add_column('outboxmessage', sa.Column('first_tried_at', sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column('outboxmessage', 'first_tried_at')
    op.drop_column('mail_route', 'sent_count')
    op.drop_column('mail_route', 'counted_on')
    op.drop_column('mail_route', 'opened_on')
    op.drop_column('digestsubscription', 'floor')
    op.drop_column('digestsubscription', 'paused_until')
    op.drop_column('digestitem', 'words')
    op.drop_column('digest', 'is_due')
    op.drop_index(op.f('ix_digestnotice_digest_id'), table_name='digestnotice')
    op.drop_table('digestnotice')
    op.drop_index(op.f('ix_bounce_bounced_at'), table_name='bounce')
    op.drop_index(op.f('ix_bounce_address'), table_name='bounce')
    op.drop_table('bounce')
    op.drop_table('mail_pause')
    op.drop_index(op.f('ix_mail_address_suppressed_at'), table_name='mail_address')
    op.drop_table('mail_address')
