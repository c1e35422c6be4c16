"""Introductions as the two sides see them: the list, one introduction, and what they say to it."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from sqlmodel import Session

from backend.accounts.dependencies import CurrentAccount, Now, PlatformDep, Source
from backend.accounts.tables import Account
from backend.database import SessionDep
from backend.desk import introductions, repository_cases
from backend.desk.case_page import contact_facts
from backend.desk.cases import Deed
from backend.desk.pages import Options, remains_of_pair
from backend.desk.pages_cases import IntroductionPage, IntroductionRow, IntroductionsPage
from backend.desk.tables import Case
from backend.desk.tables_pipeline import Answer, ContactConsent, Introduction
from backend.desk.visits import Visit
from backend.errors import NotFound
from backend.listings.tables import Kind
from backend.matching.pair_page import PairPage, load_pair, make_pair_page
from backend.web.forms import FormDep
from backend.web.pages import LOCAL_ZONE, build_url, redirect, render

router = APIRouter(prefix="/introductions")
SHOWN = 100


def _visit(request: Request, session: SessionDep, platform: PlatformDep, account: CurrentAccount, now: Now) -> Visit:
    """Return one look at one's introductions; `manager` is whoever is signed in."""
    return Visit(request, session, platform, account, now)


GuestDep = Annotated[Visit, Depends(_visit)]


@router.get("", name="desk.introductions")
def show_introductions(request: Request, visit: GuestDep) -> Response:
    """Show the introductions that were sent to the signed-in account."""
    found = repository_cases.find_own_introductions(visit.session, visit.manager.id, limit=SHOWN)
    return render(request, IntroductionsPage([_row(visit, *entry) for entry in found]))


@router.get("/{introduction_id}/{side}", name="desk.introduction")
def show_introduction(request: Request, introduction_id: UUID, side: Kind, visit: GuestDep) -> Response:
    """Show one introduction: the other side as far as it is public, and the two answers."""
    return render(request, _page(visit, introduction_id, side))


@router.post("/{introduction_id}/{side}/agree", name="desk.agree")
def agree(introduction_id: UUID, side: Kind, form: FormDep, visit: GuestDep, source: Source) -> Response:
    """Consent to the exchange of contact details; the box is ticked by hand, for this one introduction."""
    if form.first("consent") != "1":
        page = _page(visit, introduction_id, side)
        return render(visit.request, replace(page, errors=[("consent", "请先勾选同意，或者选择不接触。")]), status=422)
    return _answer(visit, introduction_id, side, source, agrees=True)


@router.post("/{introduction_id}/{side}/decline", name="desk.decline")
def decline(introduction_id: UUID, side: Kind, form: FormDep, visit: GuestDep, source: Source) -> Response:  # noqa: ARG001
    """Say that one does not want to be put in touch."""
    return _answer(visit, introduction_id, side, source, agrees=False)


@router.post("/{introduction_id}/{side}/take-back", name="desk.take_back")
def take_back(introduction_id: UUID, side: Kind, form: FormDep, visit: GuestDep, source: Source) -> Response:  # noqa: ARG001
    """Withdraw a consent."""
    deed = Deed(visit.manager, visit.now, source)
    introductions.take_back(visit.session, introduction_id, side=side, deed=deed)
    return redirect(
        visit.request, _address(visit, introduction_id, side), flash="已撤回同意，双方不再看到对方的联系方式。"
    )


def _answer(visit: Visit, introduction_id: UUID, side: Kind, source: str, *, agrees: bool) -> Response:
    deed = Deed(visit.manager, visit.now, source)
    introductions.answer(visit.session, introduction_id, side=side, agrees=agrees, deed=deed)
    flash = (
        "已同意。双方都同意后，这里会显示对方的联系方式。"
        if agrees
        else "已告诉对方您暂时不打算接触，您的联系方式没有交给任何人。"
    )
    return redirect(visit.request, _address(visit, introduction_id, side), flash=flash)


def _page(visit: Visit, introduction_id: UUID, side: Kind) -> IntroductionPage:
    introduction, case, own = _load(visit.session, introduction_id, side, visit.manager)
    consents = repository_cases.find_consents(visit.session, introduction.id)
    demand, supply = load_pair(visit.session, case.demand_id, case.supply_id)
    page = make_pair_page(visit.session, demand, supply, platform=visit.platform, reader=visit.manager)
    contacts = introductions.contacts_of(visit.session, introduction)
    return IntroductionPage(
        id=introduction.id,
        side=side.value,
        bridge=page.bridge if isinstance(page, PairPage) else None,
        remains=() if isinstance(page, PairPage) else remains_of_pair(page),
        message=introduction.message,
        manager=_name(visit.session, case.manager_id),
        sent_at=_local(introduction.sent_at),
        answer=own.answer.value,
        answer_word=own.answer.label,
        other_answer=consents[side.other].answer.label,
        is_open=case.closed_at is None or own.answer is Answer.AGREED,
        contact=contact_facts(contacts[side.other]) if contacts else (),
        shown=introductions.WHAT_IS_SHOWN,
        own_contact=_own_contact(visit.session, own),
    )


def _load(
    session: Session, introduction_id: UUID, side: Kind, account: Account
) -> tuple[Introduction, Case, ContactConsent]:
    introduction = session.get(Introduction, introduction_id)
    own = repository_cases.find_consents(session, introduction_id).get(side)
    case = session.get(Case, introduction.case_id) if introduction else None
    if introduction is None or case is None or own is None or own.account_id != account.id:
        raise NotFound(introductions.NO_INTRODUCTION, remedy="请在“引荐”里查找发给您的引荐。")
    return introduction, case, own


def _own_contact(session: Session, own: ContactConsent) -> Options:
    """Return what the other side would see of one's own, so that the consent is an informed one."""
    return contact_facts(introductions.contact_of(session, own))


def _row(visit: Visit, consent: ContactConsent, introduction: Introduction, case: Case) -> IntroductionRow:
    own, _ = repository_cases.get_poster(visit.session, consent.listing_id)
    other_id = case.supply_id if consent.side is Kind.DEMAND else case.demand_id
    other, _ = repository_cases.get_poster(visit.session, other_id)
    return IntroductionRow(
        href=_address(visit, introduction.id, consent.side),
        kind=own.kind.value,
        title=own.title,
        other_kind=other.kind.value,
        other_title=other.title,
        manager=_name(visit.session, case.manager_id),
        sent_at=_local(introduction.sent_at),
        answer=consent.answer.label if case.closed_at is None or consent.answer is not Answer.PENDING else "已结束",
        is_waiting=consent.answer is Answer.PENDING and case.closed_at is None,
    )


def _address(visit: Visit, introduction_id: UUID, side: Kind) -> str:
    return build_url(visit.request.app, "desk.introduction", introduction_id=introduction_id, side=side.value)


def _name(session: Session, account_id: UUID) -> str:
    account = session.get(Account, account_id)
    return account.display_name if account else ""


def _local(moment: datetime) -> datetime:
    return moment.astimezone(LOCAL_ZONE)
