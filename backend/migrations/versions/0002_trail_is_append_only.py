"""the trail is append-only

Revision ID: 0002
Revises: 0001
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

REFUSAL = "the trail is append-only"


def upgrade() -> None:
    """Let the database itself refuse to change or delete an entry."""
    if op.get_bind().dialect.name == "sqlite":
        for deed in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER trailentry_refuse_{deed.lower()} BEFORE {deed} ON trailentry "
                f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION refuse_trail_change() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{REFUSAL}'; END $$"
    )
    op.execute(
        "CREATE TRIGGER trailentry_refuse_change BEFORE UPDATE OR DELETE ON trailentry "
        "FOR EACH ROW EXECUTE FUNCTION refuse_trail_change()"
    )


def downgrade() -> None:
    """Let entries be changed again."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER trailentry_refuse_update")
        op.execute("DROP TRIGGER trailentry_refuse_delete")
        return
    op.execute("DROP TRIGGER trailentry_refuse_change ON trailentry")
    op.execute("DROP FUNCTION refuse_trail_change")
