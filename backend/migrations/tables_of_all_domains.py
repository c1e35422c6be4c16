"""Every module that declares tables, so that their metadata is complete."""

from typing import Any

from sqlmodel import SQLModel

from backend.accounts import tables as accounts
from backend.desk import tables as desk
from backend.desk import tables_pipeline as pipeline
from backend.digests import tables as digests
from backend.listings import tables as listings
from backend.mail import tables as mail
from backend.matching import tables as matching

MODULES = (accounts, listings, matching, desk, pipeline, digests, mail)


def is_ours(name: str | None, kind: str, _parents: Any) -> bool:
    """Tell whether a table belongs to us; DBOS keeps its own beside ours in SQLite."""
    return kind != "table" or name in SQLModel.metadata.tables
