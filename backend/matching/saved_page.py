"""The page of one's saved searches."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from backend.accounts.tables import Account
from backend.matching.query import SearchQuery
from backend.matching.saved_searches import MOST_SAVED, describe_query, query_of
from backend.matching.tables import SavedSearch
from backend.policy.catalogue import Catalogue
from backend.web.pages import LOCAL_ZONE, Page


@dataclass(frozen=True)
class SavedRow:
    """One saved search; `why` says what is wrong with the name that was `typed` for it."""

    id: UUID
    name: str
    asks: str
    href: str
    in_digest: bool
    created_at: datetime
    told_at: datetime | None
    typed: str
    why: str


@dataclass(frozen=True)
class SavedPage(Page):
    """All saved searches of one account."""

    template: ClassVar[str] = "matching/saved.html"

    rows: tuple[SavedRow, ...]
    has_digest: bool
    most: int
    errors: tuple[tuple[str, str], ...]


def make_saved_page(
    found: Sequence[SavedSearch],
    reader: Account,
    *,
    catalogue: Catalogue,
    link: Callable[[SearchQuery], str],
    renamed: UUID | None = None,
    typed: str = "",
    why: str = "",
) -> SavedPage:
    """Return the page of an account's saved searches, with what is wrong with one of their names."""

    def row(saved: SavedSearch) -> SavedRow:
        query, is_renamed = query_of(saved, catalogue), saved.id == renamed
        return SavedRow(
            id=saved.id,
            name=saved.name,
            asks=describe_query(query, catalogue),
            href=link(query),
            in_digest=saved.in_digest,
            created_at=saved.created_at.astimezone(LOCAL_ZONE),
            told_at=saved.told_at.astimezone(LOCAL_ZONE) if saved.told_at else None,
            typed=typed if is_renamed else saved.name,
            why=why if is_renamed else "",
        )

    rows = tuple(row(saved) for saved in found)
    errors = tuple((f"name-{one.id}", one.why) for one in rows if one.why)
    return SavedPage(rows, reader.role.reads_digest, MOST_SAVED, errors)
