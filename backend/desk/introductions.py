"""Both sides of a case are asked whether they want to know each other; contact is shown only when both agree.

The consent is a separate one (PIPL, Articles 23 and 29): each side gives it for this one introduction, and can take it
back, which hides the details again. Until then an anonymous poster stays anonymous.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlmodel import Session

from backend.accounts import trail
from backend.accounts.tables import Account
from backend.desk import cases, repository_cases
from backend.desk.cases import Deed, Happening
from backend.desk.stages import Exit, Stage
from backend.desk.tables import Case
from backend.desk.tables_pipeline import Answer, ContactConsent, Introduction, StepKind
from backend.errors import Conflict, NotFound
from backend.jobs import enqueue
from backend.listings.tables import Kind, Listing, State

# Names the text of the consent on the page; a changed text gets a new name.
WORDING = "2026-11"
NO_INTRODUCTION = "没有这次引荐，或者它不是发给您的。"
WHAT_IS_SHOWN = "单位名称、联系人、电话、邮箱"


@dataclass(frozen=True)
class Contact:
    """How one side can be reached."""

    organisation: str
    name: str
    phone: str
    email: str


def introduce(session: Session, case_id: UUID, *, message: str, deed: Deed) -> Introduction:
    """Send an expression of interest to both sides of one's own case. Raises: Conflict, when a listing is gone."""
    case = cases.lock_own(session, case_id, deed)
    known = repository_cases.find_introduction(session, case.id)
    return known or send(session, case, message=message, deed=deed)


def send(session: Session, case: Case, *, message: str, deed: Deed, is_recorded: bool = True) -> Introduction:
    """Keep an introduction with both questions open and queue the mail to each side."""
    if case.closed_at is not None:
        raise Conflict("这次接洽已经结束，不能再推荐给双方。", remedy=cases.LOOK_AGAIN)
    sides = _published_sides(session, case)
    introduction = Introduction(case_id=case.id, message=message, by_id=deed.by.id, sent_at=deed.now)
    session.add(introduction)
    session.flush()
    for side, listing in sides.items():
        consent = ContactConsent(
            introduction_id=introduction.id, side=side, listing_id=listing.id, account_id=listing.owner_id
        )
        session.add(consent)
        enqueue(session, "desk.tell_side", introduction_id=introduction.id, side=side.value, what="introduced")
    cases.step(
        session, case, Happening(StepKind.INTRODUCED, "desk.introduce", text=message), deed, is_recorded=is_recorded
    )
    return introduction


def answer(session: Session, introduction_id: UUID, *, side: Kind, agrees: bool, deed: Deed) -> ContactConsent:
    """Keep what one side says; the second consent opens the contact details to both, a refusal ends the case."""
    introduction, case, consents = _lock(session, introduction_id)
    own = _own(consents, side, deed.by)
    wanted = Answer.AGREED if agrees else Answer.DECLINED
    if own.answer is wanted:
        return own
    if case.closed_at is not None:
        raise Conflict("这次引荐已经结束，不需要再答复。", remedy="没有改变任何记录，您的联系方式没有交给对方。")
    own.answer, own.answered_at, own.wording = wanted, deed.now, WORDING
    session.add(own)
    said = {"side": side.label, "wording": WORDING}
    if not agrees:
        happening = Happening(StepKind.DECLINED, "desk.decline", detail=said)
        cases.close(session, case, Exit.DECLINED, happening, deed)
        _tell(session, introduction, side.other, what="declined")
    elif all(consent.answer is Answer.AGREED for consent in consents.values()):
        introduction.revealed_at = deed.now
        session.add(introduction)
        _reveal(session, case, said, deed)
        for each in Kind:
            _tell(session, introduction, each, what="revealed")
    else:
        cases.step(session, case, Happening(StepKind.AGREED, "desk.agree", detail=said), deed)
    return own


def _reveal(session: Session, case: Case, said: Mapping[str, str], deed: Deed) -> None:
    """Write down what becomes visible to whom; a pair that was only recommended is in contact now."""
    detail = {**said, "revealed": WHAT_IS_SHOWN, "to": "双方与负责的技术经理人"}
    to = Stage.CONTACTED if case.stage is Stage.RECOMMENDED else None
    cases.step(session, case, Happening(StepKind.REVEALED, "desk.reveal", to=to, detail=detail), deed)


def take_back(session: Session, introduction_id: UUID, *, side: Kind, deed: Deed) -> ContactConsent:
    """Withdraw a consent; from then on neither side sees the other's details on the platform."""
    _, case, consents = _lock(session, introduction_id)
    own = _own(consents, side, deed.by)
    if own.answer is Answer.WITHDRAWN:
        return own
    if own.answer is not Answer.AGREED:
        raise Conflict("您没有同意过，不需要撤回。", remedy="没有改变任何记录。")
    own.answer, own.answered_at = Answer.WITHDRAWN, deed.now
    session.add(own)
    detail = {"side": side.label}
    cases.step(session, case, Happening(StepKind.TAKEN_BACK, "desk.take_back", detail=detail), deed)
    return own


def contacts_of(session: Session, introduction: Introduction) -> Mapping[Kind, Contact]:
    """Return the contact details of both sides, or nothing unless both agree to it now."""
    consents = repository_cases.find_consents(session, introduction.id)
    if len(consents) < len(Kind) or any(one.answer is not Answer.AGREED for one in consents.values()):
        return {}
    return {side: contact_of(session, consent) for side, consent in consents.items()}


def contact_of(session: Session, consent: ContactConsent) -> Contact:
    """Return how one side can be reached: as its listing says, else as its account does."""
    listing, organisation = repository_cases.get_poster(session, consent.listing_id)
    owner = session.get(Account, consent.account_id)
    email = listing.contact_email or (owner.email if owner else "")
    name = listing.contact_name or (owner.display_name if owner else "")
    return Contact(organisation.name, name, listing.contact_phone, email)


def _published_sides(session: Session, case: Case) -> Mapping[Kind, Listing]:
    held = repository_cases.hold_pair(session, case)
    for listing in held.values():
        if listing.state is not State.PUBLISHED:
            raise Conflict(
                f"{listing.kind.label}《{listing.title}》{listing.state.label}，不能再推荐给双方。",
                remedy="没有发出任何邮件。请先与发布方确认是否仍需对接。",
            )
    return {listing.kind: listing for listing in held.values()}


def _lock(session: Session, introduction_id: UUID) -> tuple[Introduction, Case, Mapping[Kind, ContactConsent]]:
    introduction = session.get(Introduction, introduction_id)
    case = repository_cases.lock_case(session, introduction.case_id) if introduction else None
    if introduction is None or case is None:
        raise NotFound(NO_INTRODUCTION)
    return introduction, case, repository_cases.find_consents(session, introduction.id)


def _own(consents: Mapping[Kind, ContactConsent], side: Kind, account: Account) -> ContactConsent:
    own = consents.get(side)
    if own is None or own.account_id != account.id:
        raise NotFound(NO_INTRODUCTION)
    return own


def _tell(session: Session, introduction: Introduction, side: Kind, *, what: str) -> None:
    enqueue(session, "desk.tell_side", introduction_id=introduction.id, side=side.value, what=what)


trail.name_entries(
    actions={
        "desk.introduce": "推荐给双方",
        "desk.agree": "同意交换联系方式",
        "desk.decline": "不同意交换联系方式",
        "desk.reveal": "同意并互相公开联系方式",
        "desk.take_back": "撤回联系方式的同意",
    },
    details={"side": "哪一方", "wording": "同意书版本", "revealed": "公开的内容", "introduced": "同时推荐给双方"},
    subjects={"introduction": "引荐"},
)
