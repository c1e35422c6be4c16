"""What a digest tells beside pairs: listings that end soon, and what moved in a manager's own cases. Each once."""

from collections.abc import Collection, Iterable, Iterator
from datetime import date, datetime, timedelta

from sqlmodel import Session

from backend.accounts.tables import Account
from backend.desk.tables import Case
from backend.digests import repository
from backend.digests.items import LONGEST_TITLE, Notice, one_line, shortened
from backend.listings.tables import Listing, State
from backend.web.pages import LOCAL_ZONE

SOON = timedelta(days=14)
MOST_NOTICES = 5
EXPIRING, MOVED = "expiring", "moved"


def find_expiring_of_manager(
    session: Session, manager: Account, *, told: Collection[str], base: str, now: datetime
) -> list[Notice]:
    """Return what ends within two weeks among the listings that a manager works on or is recommended."""
    found = repository.find_concerning(session, manager.id, now=now, until=now + SOON)
    return _told_once(told, _expiring(found, base=base, path="/listings", now=now))


def find_expiring_own(
    session: Session, member: Account, *, told: Collection[str], base: str, now: datetime
) -> list[Notice]:
    """Return what ends within two weeks among a member's own listings."""
    found = repository.find_ending_own(session, member.id, now=now, until=now + SOON)
    return _told_once(told, _expiring(found, base=base, path="/my/listings", now=now))


def _expiring(found: Iterable[Listing], *, base: str, path: str, now: datetime) -> Iterator[Notice]:
    today = now.astimezone(LOCAL_ZONE).date()
    for listing in found:
        day, what = _end_of(listing, today)
        yield Notice(
            key=f"{EXPIRING}:{listing.id}:{day}",
            kind=EXPIRING,
            listing_id=listing.id,
            title=_title(listing),
            text=f"{listing.kind.label}，{day.month} 月 {day.day} 日{what}",
            href=f"{base}{path}/{listing.id}",
        )


def _end_of(listing: Listing, today: date) -> tuple[date, str]:
    """Return the day that comes first: its own deadline, or the end of its publication."""
    ends = [(listing.deadline_on, "截止")] if listing.deadline_on and listing.deadline_on >= today else []
    if listing.expires_at:
        ends.append((listing.expires_at.astimezone(LOCAL_ZONE).date(), "到期下架"))
    return min(ends)


def find_moves(session: Session, manager: Account, *, told: Collection[str], base: str) -> list[Notice]:
    """Return what happened to the listings of a manager's open cases since each case was taken."""
    cases = repository.find_open_cases(session, manager.id)
    return _told_once(told, _moves(cases, base=base))


def _moves(cases: Iterable[tuple[Case, Listing]], *, base: str) -> Iterator[Notice]:
    for case, listing in cases:
        if listing.state is not State.PUBLISHED:
            what, stamp = f"{listing.state.label}，请与对方确认是否继续", listing.state.value
        elif listing.updated_at > case.taken_at:
            what, stamp = "内容有修改，请看是否仍然合适", f"v{listing.version}"
        else:
            continue
        yield Notice(
            key=f"{MOVED}:{case.id}:{listing.id}:{stamp}",
            kind=MOVED,
            listing_id=listing.id,
            title=_title(listing),
            text=f"您接洽的{listing.kind.label}{what}",
            href=f"{base}/desk/cases/{case.id}",
        )


def _told_once(told: Collection[str], found: Iterable[Notice]) -> list[Notice]:
    return [notice for notice in found if notice.key not in told][:MOST_NOTICES]


def _title(listing: Listing) -> str:
    return shortened(one_line(listing.title), LONGEST_TITLE)
