"""saved searches

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op


revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('savedsearch',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('account_id', sa.Uuid(), nullable=False),
    sa.Column('name', sa.String(length=60), nullable=False),
    sa.Column('parameters', sa.JSON(), nullable=False),
    sa.Column('fingerprint', sa.String(length=64), nullable=False),
    sa.Column('in_digest', sa.Boolean(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('told_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_savedsearch_account_id_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_savedsearch')),
    sa.UniqueConstraint('account_id', 'fingerprint', name='uq_saved_search')
    )
    op.create_index(op.f('ix_savedsearch_account_id'), 'savedsearch', ['account_id'], unique=False)


def downgrade() -> None:
    op.drop_index(op.f('ix_savedsearch_account_id'), table_name='savedsearch')
    op.drop_table('savedsearch')
