"""the pipeline of cases, introductions and what managers say of themselves

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op


revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Rebuild the three tables that gain constraints first, while nothing refers to them; then add what is new."""
    _give_cases_a_stage()
    with op.batch_alter_table('managerprofile') as table:
        table.add_column(sa.Column('industries', sa.JSON(), nullable=False, server_default='[]'))
        table.add_column(sa.Column('languages', sa.JSON(), nullable=False, server_default='[]'))
        table.add_column(sa.Column('certification', sa.String(length=10), nullable=True))
        table.add_column(sa.Column('learning_since', sa.DateTime(timezone=True), nullable=True))
        table.create_check_constraint('capacity_in_range', 'capacity BETWEEN 1 AND 200')
    with op.batch_alter_table('recommendation') as table:
        table.add_column(sa.Column('handed_by_id', sa.Uuid(), nullable=True))
        table.create_foreign_key(
            op.f('fk_recommendation_handed_by_id_account'), 'account', ['handed_by_id'], ['id']
        )
    op.create_table('managerabsence',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('account_id', sa.Uuid(), nullable=False),
    sa.Column('from_on', sa.Date(), nullable=False),
    sa.Column('until_on', sa.Date(), nullable=False),
    sa.CheckConstraint('until_on >= from_on', name=op.f('ck_managerabsence_absence_ordered')),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_managerabsence_account_id_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_managerabsence'))
    )
    op.create_index(op.f('ix_managerabsence_account_id'), 'managerabsence', ['account_id'], unique=False)
    op.create_table('casefile',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('case_id', sa.Uuid(), nullable=False),
    sa.Column('name', sa.String(length=120), nullable=False),
    sa.Column('media_type', sa.String(length=100), nullable=False),
    sa.Column('size_bytes', sa.Integer(), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('by_id', sa.Uuid(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('removed_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['by_id'], ['account.id'], name=op.f('fk_casefile_by_id_account')),
    sa.ForeignKeyConstraint(['case_id'], ['deskcase.id'], name=op.f('fk_casefile_case_id_deskcase')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_casefile'))
    )
    op.create_index(op.f('ix_casefile_case_id'), 'casefile', ['case_id'], unique=False)
    op.create_table('casestep',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('case_id', sa.Uuid(), nullable=False),
    sa.Column('kind', sa.String(length=12), nullable=False),
    sa.Column('from_stage', sa.String(length=12), nullable=True),
    sa.Column('to_stage', sa.String(length=12), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('detail', sa.JSON(), nullable=False),
    sa.Column('by_id', sa.Uuid(), nullable=True),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['by_id'], ['account.id'], name=op.f('fk_casestep_by_id_account')),
    sa.ForeignKeyConstraint(['case_id'], ['deskcase.id'], name=op.f('fk_casestep_case_id_deskcase')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_casestep'))
    )
    op.create_index(op.f('ix_casestep_at'), 'casestep', ['at'], unique=False)
    op.create_index(op.f('ix_casestep_case_id'), 'casestep', ['case_id'], unique=False)
    op.create_table('deskcontract',
    sa.Column('case_id', sa.Uuid(), nullable=False),
    sa.Column('kind', sa.String(length=12), nullable=False),
    sa.Column('number', sa.String(length=60), nullable=False),
    sa.Column('total_yuan', sa.BigInteger(), nullable=False),
    sa.Column('technology_yuan', sa.BigInteger(), nullable=False),
    sa.Column('ip_kind', sa.String(length=20), nullable=True),
    sa.Column('buyer_region', sa.String(length=6), nullable=False),
    sa.Column('seller_region', sa.String(length=6), nullable=False),
    sa.Column('plan_source', sa.String(length=100), nullable=False),
    sa.Column('signed_on', sa.Date(), nullable=False),
    sa.Column('registration_number', sa.String(length=60), nullable=False),
    sa.Column('registered_on', sa.Date(), nullable=True),
    sa.Column('by_id', sa.Uuid(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("(registered_on IS NULL) = (registration_number = '')", name=op.f('ck_deskcontract_registration_whole')),
    sa.CheckConstraint('technology_yuan BETWEEN 0 AND total_yuan', name=op.f('ck_deskcontract_technology_within_total')),
    sa.CheckConstraint('total_yuan >= 0', name=op.f('ck_deskcontract_total_not_negative')),
    sa.ForeignKeyConstraint(['by_id'], ['account.id'], name=op.f('fk_deskcontract_by_id_account')),
    sa.ForeignKeyConstraint(['case_id'], ['deskcase.id'], name=op.f('fk_deskcontract_case_id_deskcase')),
    sa.PrimaryKeyConstraint('case_id', name=op.f('pk_deskcontract'))
    )
    op.create_index(op.f('ix_deskcontract_buyer_region'), 'deskcontract', ['buyer_region'], unique=False)
    op.create_index(op.f('ix_deskcontract_kind'), 'deskcontract', ['kind'], unique=False)
    op.create_index(op.f('ix_deskcontract_seller_region'), 'deskcontract', ['seller_region'], unique=False)
    op.create_index(op.f('ix_deskcontract_signed_on'), 'deskcontract', ['signed_on'], unique=False)
    op.create_table('introduction',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('case_id', sa.Uuid(), nullable=False),
    sa.Column('message', sa.String(length=500), nullable=False),
    sa.Column('by_id', sa.Uuid(), nullable=False),
    sa.Column('sent_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('revealed_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['by_id'], ['account.id'], name=op.f('fk_introduction_by_id_account')),
    sa.ForeignKeyConstraint(['case_id'], ['deskcase.id'], name=op.f('fk_introduction_case_id_deskcase')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_introduction')),
    sa.UniqueConstraint('case_id', name=op.f('uq_introduction_case_id'))
    )
    op.create_index(op.f('ix_introduction_sent_at'), 'introduction', ['sent_at'], unique=False)
    op.create_table('unansweredlisting',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('listing_id', sa.Uuid(), nullable=False),
    sa.Column('case_id', sa.Uuid(), nullable=True),
    sa.Column('why', sa.String(length=10), nullable=False),
    sa.Column('since', sa.DateTime(timezone=True), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('answered_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['case_id'], ['deskcase.id'], name=op.f('fk_unansweredlisting_case_id_deskcase')),
    sa.ForeignKeyConstraint(['listing_id'], ['listing.id'], name=op.f('fk_unansweredlisting_listing_id_listing')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_unansweredlisting'))
    )
    op.create_index(op.f('ix_unansweredlisting_case_id'), 'unansweredlisting', ['case_id'], unique=False)
    op.create_index(op.f('ix_unansweredlisting_listing_id'), 'unansweredlisting', ['listing_id'], unique=False)
    op.create_index(op.f('ix_unansweredlisting_recorded_at'), 'unansweredlisting', ['recorded_at'], unique=False)
    op.create_table('contactconsent',
    sa.Column('introduction_id', sa.Uuid(), nullable=False),
    sa.Column('side', sa.String(length=10), nullable=False),
    sa.Column('listing_id', sa.Uuid(), nullable=False),
    sa.Column('account_id', sa.Uuid(), nullable=False),
    sa.Column('answer', sa.String(length=10), nullable=False),
    sa.Column('wording', sa.String(length=20), nullable=False),
    sa.Column('answered_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_contactconsent_account_id_account')),
    sa.ForeignKeyConstraint(['introduction_id'], ['introduction.id'], name=op.f('fk_contactconsent_introduction_id_introduction')),
    sa.ForeignKeyConstraint(['listing_id'], ['listing.id'], name=op.f('fk_contactconsent_listing_id_listing')),
    sa.PrimaryKeyConstraint('introduction_id', 'side', name=op.f('pk_contactconsent'))
    )
    op.create_index(op.f('ix_contactconsent_account_id'), 'contactconsent', ['account_id'], unique=False)
    op.create_index(op.f('ix_contactconsent_listing_id'), 'contactconsent', ['listing_id'], unique=False)
    op.execute(
        "INSERT INTO casestep (case_id, kind, to_stage, text, detail, by_id, at) "
        "SELECT id, 'taken', 'recommended', '', '{}', manager_id, taken_at FROM deskcase"
    )


def _give_cases_a_stage() -> None:
    op.drop_index('uq_deskcase_open_pair', table_name='deskcase')
    op.add_column('deskcase', sa.Column('stage', sa.String(length=12), nullable=False, server_default='recommended'))
    op.add_column('deskcase', sa.Column('exit_reason', sa.String(length=12), nullable=True))
    op.add_column('deskcase', sa.Column('staged_at', sa.DateTime(timezone=True), nullable=True))
    op.add_column('deskcase', sa.Column('stepped_at', sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE deskcase SET staged_at = taken_at, stepped_at = taken_at")
    op.execute("UPDATE deskcase SET exit_reason = 'mismatch' WHERE closed_at IS NOT NULL")
    with op.batch_alter_table('deskcase') as table:
        table.alter_column('staged_at', existing_type=sa.DateTime(timezone=True), nullable=False)
        table.alter_column('stepped_at', existing_type=sa.DateTime(timezone=True), nullable=False)
        table.add_column(sa.Column('nudges', sa.Integer(), nullable=False, server_default='0'))
        table.add_column(sa.Column('next_step', sa.String(length=200), nullable=False, server_default=''))
        table.add_column(sa.Column('next_on', sa.Date(), nullable=True))
        table.add_column(sa.Column('version', sa.Integer(), nullable=False, server_default='1'))
        table.create_check_constraint(
            'end_has_reason', "(closed_at IS NULL) = (exit_reason IS NULL AND stage <> 'registered')"
        )
        table.create_check_constraint(
            'signed_has_no_exit', "exit_reason IS NULL OR stage NOT IN ('signed', 'registered')"
        )
    op.create_index('ix_deskcase_stage', 'deskcase', ['stage', 'closed_at'], unique=False)
    _create_open_pair_index()


def _create_open_pair_index() -> None:
    op.create_index(
        'uq_deskcase_open_pair', 'deskcase', ['supply_id', 'demand_id'], unique=True,
        sqlite_where=sa.text('closed_at IS NULL'), postgresql_where=sa.text('closed_at IS NULL'),
    )


def downgrade() -> None:
    """Drop what belongs to cases first, then give the three tables their old shape."""
    op.drop_index(op.f('ix_contactconsent_listing_id'), table_name='contactconsent')
    op.drop_index(op.f('ix_contactconsent_account_id'), table_name='contactconsent')
    op.drop_table('contactconsent')
    op.drop_index(op.f('ix_unansweredlisting_recorded_at'), table_name='unansweredlisting')
    op.drop_index(op.f('ix_unansweredlisting_listing_id'), table_name='unansweredlisting')
    op.drop_index(op.f('ix_unansweredlisting_case_id'), table_name='unansweredlisting')
    op.drop_table('unansweredlisting')
    op.drop_index(op.f('ix_introduction_sent_at'), table_name='introduction')
    op.drop_table('introduction')
    op.drop_index(op.f('ix_deskcontract_signed_on'), table_name='deskcontract')
    op.drop_index(op.f('ix_deskcontract_seller_region'), table_name='deskcontract')
    op.drop_index(op.f('ix_deskcontract_kind'), table_name='deskcontract')
    op.drop_index(op.f('ix_deskcontract_buyer_region'), table_name='deskcontract')
    op.drop_table('deskcontract')
    op.drop_index(op.f('ix_casestep_case_id'), table_name='casestep')
    op.drop_index(op.f('ix_casestep_at'), table_name='casestep')
    op.drop_table('casestep')
    op.drop_index(op.f('ix_casefile_case_id'), table_name='casefile')
    op.drop_table('casefile')
    op.drop_index(op.f('ix_managerabsence_account_id'), table_name='managerabsence')
    op.drop_table('managerabsence')
    op.execute("UPDATE recommendation SET progress = 'dismissed' WHERE progress = 'handed'")
    with op.batch_alter_table('recommendation') as table:
        table.drop_constraint(op.f('fk_recommendation_handed_by_id_account'), type_='foreignkey')
        table.drop_column('handed_by_id')
    with op.batch_alter_table('managerprofile') as table:
        table.drop_constraint(op.f('ck_managerprofile_capacity_in_range'), type_='check')
        for name in ('learning_since', 'certification', 'languages', 'industries'):
            table.drop_column(name)
    op.drop_index('uq_deskcase_open_pair', table_name='deskcase')
    op.drop_index('ix_deskcase_stage', table_name='deskcase')
    with op.batch_alter_table('deskcase') as table:
        table.drop_constraint(op.f('ck_deskcase_signed_has_no_exit'), type_='check')
        table.drop_constraint(op.f('ck_deskcase_end_has_reason'), type_='check')
        for name in ('version', 'next_on', 'next_step', 'nudges', 'stepped_at', 'staged_at', 'exit_reason', 'stage'):
            table.drop_column(name)
    _create_open_pair_index()
