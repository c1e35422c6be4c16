"""A listing's steps from state to state: kept in its history and in the trail, and what follows from them is queued."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from backend.accounts import trail
from backend.accounts.tables import Account
from backend.jobs import enqueue
from backend.listings.tables import Listing, ListingEvent, State

CLOCK = "定时任务"
ENDED = frozenset({State.MATCHED, State.CLOSED, State.EXPIRED, State.WITHDRAWN})
# The owner hears by mail of these steps when somebody else took them.
TOLD = frozenset({State.PUBLISHED, State.RETURNED, State.WITHDRAWN})
ACTIONS = {
    State.DRAFT: "listings.draft",
    State.PENDING: "listings.submit",
    State.RETURNED: "listings.return",
    State.PUBLISHED: "listings.publish",
    State.MATCHED: "listings.match",
    State.CLOSED: "listings.close",
    State.EXPIRED: "listings.expire",
    State.WITHDRAWN: "listings.withdraw",
}
RENEW = "listings.renew"
EDIT = "listings.edit"


@dataclass(frozen=True)
class Step:
    """Where a listing goes, who sends it there (None: the clock), when, from which address and why."""

    to: State
    by: Account | None
    now: datetime
    source: str = ""
    reason: str = ""


def begin(session: Session, listing: Listing, step: Step) -> None:
    """Take a new listing's first step."""
    _take(session, listing, None, step)


def move(session: Session, listing: Listing, step: Step) -> None:
    """Bring a listing from the state it is in to another."""
    _take(session, listing, listing.state, step)


def note_edit(session: Session, listing: Listing, *, by: Account, now: datetime, source: str) -> None:
    """Write into the trail that a listing says something new."""
    trail.record(
        session,
        by,
        action=EDIT,
        subject=subject(listing),
        source=source,
        detail={"version": listing.version, "state": listing.state.label},
        now=now,
    )


def tell_index(session: Session, listing: Listing) -> None:
    """Queue the embedding of what is new, or the removal of what is gone: the job looks at the state it finds."""
    enqueue(session, "matching.follow", listing_id=listing.id)


def subject(listing: Listing) -> str:
    """Return how the trail names a listing."""
    return f"listing:{listing.id}"


def _take(session: Session, listing: Listing, before: State | None, step: Step) -> None:
    listing.state = step.to
    listing.ended_at = step.now if step.to in ENDED else None
    if step.to is State.PENDING:
        listing.submitted_at = step.now
    session.add(listing)
    session.add(
        ListingEvent(
            listing_id=listing.id,
            from_state=before,
            to_state=step.to,
            reason=step.reason,
            by_id=step.by.id if step.by else None,
            at=step.now,
        )
    )
    is_renewal = before is step.to is State.PUBLISHED
    trail.record(
        session,
        step.by or CLOCK,
        action=RENEW if is_renewal else ACTIONS[step.to],
        subject=subject(listing),
        source=step.source,
        detail=_detail(listing, before, step),
        now=step.now,
    )
    session.flush()
    if State.PUBLISHED in {before, step.to}:
        tell_index(session, listing)
    if step.by is not None and step.by.id != listing.owner_id and step.to in TOLD:
        enqueue(session, "listings.tell_owner", listing_id=listing.id, state=step.to)


def _detail(listing: Listing, before: State | None, step: Step) -> dict[str, Any]:
    states = {"from": before.label, "to": step.to.label} if before else {"to": step.to.label}
    return {"version": listing.version, **states, **({"reason": step.reason} if step.reason else {})}


trail.name_entries(
    actions={
        "listings.draft": "保存草稿",
        "listings.submit": "提交审核",
        "listings.return": "退回",
        "listings.publish": "审核通过",
        "listings.renew": "续期",
        "listings.match": "标记为已对接",
        "listings.close": "结束",
        "listings.expire": "到期",
        "listings.withdraw": "下架",
        "listings.edit": "修改内容",
    },
    details={"version": "第几稿", "state": "状态"},
    subjects={"listing": "清单条目"},
)
