"""how often organisations stand in open queues, and recommendations by pair

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op


revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('organisationexposure',
    sa.Column('organisation_id', sa.Uuid(), nullable=False),
    sa.Column('shown', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisation.id'], name=op.f('fk_organisationexposure_organisation_id_organisation')),
    sa.PrimaryKeyConstraint('organisation_id', name=op.f('pk_organisationexposure'))
    )
    op.create_index('ix_recommendation_pair', 'recommendation', ['supply_id', 'demand_id'], unique=False)
    op.drop_index(op.f('ix_recommendation_supply_id'), table_name='recommendation')


def downgrade() -> None:
    op.create_index(op.f('ix_recommendation_supply_id'), 'recommendation', ['supply_id'], unique=False)
    op.drop_index('ix_recommendation_pair', table_name='recommendation')
    op.drop_table('organisationexposure')
