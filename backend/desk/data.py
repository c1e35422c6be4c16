"""A manager's recommendations as plain data, for the API."""

from typing import Any

from sqlmodel import Session

from backend.accounts.paging import last_page
from backend.accounts.tables import Account
from backend.desk import repository
from backend.desk.pages import show_pairs
from backend.desk.repository import Tab
from backend.listings.cards import make_card
from backend.matching.data import card_as_data
from backend.platform import Platform

PER_PAGE = 20


def recommendations_as_data(session: Session, account: Account, *, platform: Platform, page: int) -> dict[str, Any]:
    """Return one page of what waits in a manager's queue, with the same reasons as on the desk."""
    now = platform.clock()
    total = repository.count_tabs(session, account.id, now=now)[Tab.OPEN]
    page = min(page, last_page(total, PER_PAGE))
    offset = (page - 1) * PER_PAGE
    rows = repository.find_rows(session, account.id, Tab.OPEN, now=now, limit=PER_PAGE, offset=offset)
    results = [
        {
            "id": shown.row.id,
            "progress": shown.row.progress.value,
            "level": shown.bridge.level,
            "reason": shown.bridge.plain_reason,
            "made_at": shown.row.made_at,
            "demand": card_as_data(make_card(shown.pair.demand, platform.catalogue, reader=account)),
            "supply": card_as_data(make_card(shown.pair.supply, platform.catalogue, reader=account)),
        }
        for shown in show_pairs(session, rows, manager=account, platform=platform)
    ]
    return {"total": total, "page": page, "results": results}
