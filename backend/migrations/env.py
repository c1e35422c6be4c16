"""Run migrations on the connection that the caller hands in."""

from typing import Any, Literal

from alembic import context
from sqlmodel import AutoString, SQLModel

from backend.database import EnumText, UtcTime
from backend.migrations import tables_of_all_domains


def render_plainly(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Write our column types as what they are in the database: a migration must not change when the code does."""
    if kind == "type" and isinstance(item, UtcTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, EnumText | AutoString):
        length = getattr(item.impl, "length", None)
        return f"sa.String(length={length})" if length else "sa.String()"
    return False


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=SQLModel.metadata,
    render_as_batch=False,
    compare_type=True,
    include_name=tables_of_all_domains.is_ours,
    render_item=render_plainly,
)
with context.begin_transaction():
    context.run_migrations()
