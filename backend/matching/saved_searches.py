"""Saved searches: what somebody wants to look for again, and what others posted or changed in it lately."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlmodel import Session

from backend.accounts import own_account, trail
from backend.accounts.tables import Account
from backend.errors import Conflict, FieldError, Invalid, NotFound
from backend.matching import repository_saved as repository
from backend.matching.query import PANEL, SearchQuery, read_query
from backend.matching.search import find_changed_ids
from backend.matching.search_page import value_label
from backend.matching.tables import SavedSearch
from backend.platform import Platform
from backend.policy.catalogue import Catalogue
from models.text import normalise

MOST_SAVED = 20
LONGEST_NAME = 60
# Longer than the longest time between two digests, so that one that was missed or put off loses nothing.
LOOKS_BACK = timedelta(weeks=8)
MOST_LOOKED_AT = 200


def save_search(
    session: Session, account: Account, query: SearchQuery, *, catalogue: Catalogue, now: datetime, source: str = ""
) -> tuple[SavedSearch, bool]:
    """Keep a search for an account and tell whether it is new; one that asks the same is kept once.

    Raises: Invalid for a search without words or filters, Conflict when the account has as many as it may.
    """
    if not query.asks_something:
        raise Invalid([FieldError("q", "请先写搜索词，或者选一个筛选条件，再保存。")])
    repository.lock_account(session, account.id)
    known = find_saved(session, account, query)
    if known is not None:
        return known, False
    if repository.count_saved(session, account.id) >= MOST_SAVED:
        raise Conflict(
            f"最多保存 {MOST_SAVED} 个搜索，没有再存。", remedy="请在“我的保存搜索”里删除不再需要的，再保存这一个。"
        )
    saved = SavedSearch(
        account_id=account.id,
        name=describe_query(query, catalogue)[:LONGEST_NAME],
        parameters=replace(query, page=1).parameters(),
        fingerprint=_fingerprint(query),
        in_digest=account.role.reads_digest,
        created_at=now,
    )
    session.add(saved)
    session.flush()
    _record(session, account, "matching.save_search", saved, now=now, source=source)
    return saved, True


def find_saved(session: Session, account: Account, query: SearchQuery) -> SavedSearch | None:
    """Return the saved search of an account that asks the same, in whatever order it is shown."""
    return repository.find_by_fingerprint(session, account.id, _fingerprint(query))


def _fingerprint(query: SearchQuery) -> str:
    filters = {facet.value: sorted(query.chosen(facet)) for facet in PANEL if query.chosen(facet)}
    asked = [normalise(query.text).lower(), query.kind.value if query.kind else "", filters]
    return hashlib.sha256(json.dumps(asked, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def describe_query(query: SearchQuery, catalogue: Catalogue) -> str:
    """Return what a search asks, in words: 固态电池 · 需求 · 天津."""
    kind = [query.kind.label] if query.kind else []
    chosen = [value_label(facet, value, catalogue) for facet in PANEL for value in query.chosen(facet)]
    return " · ".join([*filter(None, [query.text]), *kind, *chosen])


def query_of(saved: SavedSearch, catalogue: Catalogue) -> SearchQuery:
    """Return what a saved search asks, without what the platform no longer knows."""
    held = saved.parameters.items()
    pairs = [(name, one) for name, value in held for one in ([value] if isinstance(value, str) else value)]
    return read_query(pairs, catalogue)[0]


def rename_search(
    session: Session, search_id: UUID, name: str, *, by: Account, now: datetime, source: str = ""
) -> SavedSearch:
    """Give a saved search another name."""
    saved = _get_own(session, search_id, by)
    if saved.name != name:
        saved.name = name
        _record(session, by, "matching.rename_search", saved, now=now, source=source)
    return saved


def put_in_digest(
    session: Session, search_id: UUID, wanted: bool, *, by: Account, now: datetime, source: str = ""
) -> SavedSearch:
    """Settle whether the weekly digest tells what is new in a saved search."""
    saved = _get_own(session, search_id, by)
    if wanted and not by.role.reads_digest:
        raise Conflict("周报只发给技术经理人和会员，您的账号没有周报。")
    if saved.in_digest != wanted:
        saved.in_digest = wanted
        detail = {"in_digest": "是" if wanted else "否"}
        _record(session, by, "matching.search_in_digest", saved, now=now, source=source, detail=detail)
    return saved


def delete_search(session: Session, search_id: UUID, *, by: Account, now: datetime, source: str = "") -> None:
    """Forget a saved search."""
    saved = _get_own(session, search_id, by)
    _record(session, by, "matching.delete_search", saved, now=now, source=source)
    session.delete(saved)
    session.flush()


def _get_own(session: Session, search_id: UUID, account: Account) -> SavedSearch:
    saved = repository.lock_saved(session, search_id)
    if saved is None or saved.account_id != account.id:
        raise NotFound("没有这个保存的搜索，它可能已经删除。")
    return saved


def find_changed(session: Session, saved: SavedSearch, *, platform: Platform) -> Sequence[UUID]:
    """Return what other people published or changed in a saved search since it was saved, newest first."""
    since = max(saved.created_at, platform.clock() - LOOKS_BACK)
    query = query_of(saved, platform.catalogue)
    if not query.asks_something:
        return []  # What it asked for is no longer known: everything would be the wrong answer.
    return find_changed_ids(session, query, platform, after=since, not_owned_by=saved.account_id, limit=MOST_LOOKED_AT)


def note_told(session: Session, search_ids: Sequence[UUID], *, now: datetime) -> None:
    """Remember when a digest told of these saved searches: the others have their turn before them next time."""
    for saved in repository.load_saved(session, search_ids) if search_ids else ():
        saved.told_at = now
        session.add(saved)


def _record(
    session: Session,
    account: Account,
    action: str,
    saved: SavedSearch,
    *,
    now: datetime,
    source: str,
    detail: dict[str, Any] | None = None,
) -> None:
    # What people look for is their own affair: the trail, which keeps everything for good, does not repeat it.
    subject = f"search:{saved.id}"
    trail.record(session, account, action=action, subject=subject, source=source, detail=detail, now=now)


@own_account.export_part("saved_searches")
def _export(session: Session, account_id: UUID) -> list[dict[str, Any]]:
    return [own_account.plain(saved, without=("fingerprint",)) for saved in repository.find_own(session, account_id)]


trail.name_entries(
    actions={
        "matching.save_search": "保存搜索",
        "matching.rename_search": "给保存的搜索改名",
        "matching.search_in_digest": "设置保存的搜索是否进周报",
        "matching.delete_search": "删除保存的搜索",
    },
    details={"in_digest": "进周报"},
    subjects={"search": "保存的搜索"},
)
