"""how often organisations stand in open queues

Revision ID: 0006
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op


revision = '0006'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('organisationexposure',
    sa.Column('organisation_id', sa.Uuid(), nullable=False),
    sa.Column('shown', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisation.id'], name=op.f('fk_organisationexposure_organisation_id_organisation')),
    sa.PrimaryKeyConstraint('organisation_id', name=op.f('pk_organisationexposure'))
    )


def downgrade() -> None:
    op.drop_table('organisationexposure')
