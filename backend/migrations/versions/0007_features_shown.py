"""what a judgement rested on, kept with judged pairs and with what people said of them

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op


revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what may be unknown; what was said before stays without."""
    op.add_column('matchfeedback', sa.Column('features', sa.JSON(none_as_null=True), nullable=True))
    op.add_column('matchfeedback', sa.Column('ranker_shown', sa.String(length=80), nullable=True))
    op.add_column('judgedpair', sa.Column('features', sa.JSON(none_as_null=True), nullable=True))
    op.add_column('judgedpair', sa.Column('ranker', sa.String(length=80), nullable=True))


def downgrade() -> None:
    op.drop_column('judgedpair', 'ranker')
    op.drop_column('judgedpair', 'features')
    op.drop_column('matchfeedback', 'ranker_shown')
    op.drop_column('matchfeedback', 'features')
