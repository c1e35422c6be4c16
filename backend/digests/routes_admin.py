"""Running the digest: editions in numbers, the pause switch, a look at anybody's next mail, a trial to oneself."""

from typing import Annotated
from urllib.parse import quote
from uuid import uuid4

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlmodel import Session

from backend.accounts import trail
from backend.accounts.addresses import address_key
from backend.accounts.dependencies import Now, PlatformDep, Source, require
from backend.accounts.paging import last_page, page_number
from backend.accounts.repository import find_account
from backend.accounts.tables import Account, Role
from backend.database import SessionDep
from backend.digests import operations, repository, service
from backend.digests.message import CATEGORY
from backend.digests.pages import VIEWS, MailView, View
from backend.digests.pages_admin import EditionPage, EditionRow, OperationsPage, PreviewPage
from backend.digests.tables import DigestEdition, SkipReason
from backend.digests.week import Week
from backend.errors import NotFound
from backend.mail import outbox, switch
from backend.mail import repository as mails
from backend.mail.bodies import mail_body
from backend.mail.messages import Message, compose, sender_of
from backend.platform import Platform
from backend.web.forms import FormDep
from backend.web.pages import LOCAL_ZONE, build_url, redirect, render

router = APIRouter(prefix="/admin/digest")
PER_PAGE = 12
Administrator = Annotated[Account, require(Role.ADMINISTRATOR)]


@router.get("", name="digests.operations")
def show_operations(request: Request, session: SessionDep, platform: PlatformDep, by: Administrator) -> Response:
    """Show every edition in numbers, and the switch."""
    total = operations.count_editions(session)
    last = last_page(total, PER_PAGE)
    current = min(page_number(request), last)
    found = operations.list_editions(session, limit=PER_PAGE, offset=(current - 1) * PER_PAGE)
    pause = mails.find_paused(session).get(CATEGORY)
    page = OperationsPage(
        rows=[_row(request, session, edition) for edition in found],
        is_paused=pause is not None,
        paused_by=pause.paused_by if pause else "",
        paused_at=pause.paused_at.astimezone(LOCAL_ZONE) if pause else None,
        cron=platform.settings.digest_cron,
        sender=platform.settings.mail_from,
        own_address=by.email,
        current=current,
        last=last,
        base=build_url(request.app, "digests.operations"),
    )
    return render(request, page)


def _row(request: Request, session: Session, edition: DigestEdition) -> EditionRow:
    return EditionRow(
        week=edition.week,
        label=Week.parse(edition.week).label,
        href=build_url(request.app, "digests.edition", week=edition.week),
        opened_at=edition.opened_at.astimezone(LOCAL_ZONE),
        tally=operations.tally_edition(session, edition.week),
    )


@router.get("/editions/{week}", name="digests.edition")
def show_edition(request: Request, week: str, session: SessionDep, _by: Administrator) -> Response:
    """Show where each reader of one edition is now."""
    edition = repository.find_edition(session, week)
    if edition is None:
        raise NotFound("没有这一期周报。")
    page = EditionPage(
        row=_row(request, session, edition),
        domains=operations.count_domains(session, week),
    )
    return render(request, page)


@router.post("/pause", name="digests.pause")
def pause(
    request: Request, _form: FormDep, session: SessionDep, by: Administrator, now: Now, source: Source
) -> Response:
    """Let no digest leave until it is let go on."""
    switch.pause(session, CATEGORY, by=by, now=now, source=source)
    return redirect(
        request,
        build_url(request.app, "digests.operations"),
        flash="已暂停。写好的周报留在发件箱里，恢复后继续发；账号邮件照常发送。",
    )


@router.post("/resume", name="digests.resume")
def resume(
    request: Request, _form: FormDep, session: SessionDep, by: Administrator, now: Now, source: Source
) -> Response:
    """Let the digest go on."""
    switch.resume(session, CATEGORY, by=by, now=now, source=source)
    return redirect(request, build_url(request.app, "digests.operations"), flash="已恢复，等着的周报正在发送。")


@router.post("/test", name="digests.send_test")
def send_test(
    request: Request,
    _form: FormDep,
    session: SessionDep,
    platform: PlatformDep,
    by: Administrator,
    now: Now,
    source: Source,
) -> Response:
    """Send a test mail to the administrator who asks."""
    message = compose(
        "test",
        recipient=by.email,
        recipient_name=by.display_name,
        category="test",
        sender=sender_of(platform.settings),
        sent_at=now,
        site=platform.settings.base_url,
    )
    posted = outbox.post(session, message, key=f"test:{uuid4()}", now=now)
    trail.record(session, by, action="mail.send_test", subject=f"mail:{posted.id}", source=source, now=now)
    return redirect(
        request,
        build_url(request.app, "digests.operations"),
        flash=f"试发邮件已放入发件箱，收件人 {by.email}。结果看“发件箱”。",
    )


@router.get("/preview", name="digests.admin_preview")
def show_preview(request: Request, session: SessionDep, platform: PlatformDep, _by: Administrator) -> Response:
    """Show the next digest of one reader as it stands."""
    asked = request.query_params.get("account", "").strip()
    view = _view(request)
    written, week = _written(session, platform, asked) if asked else (SkipReason.NOTHING_NEW, Week.of(platform.clock()))
    base = f"{build_url(request.app, 'digests.admin_preview')}?account={quote(asked)}"
    page = PreviewPage(
        account=asked,
        week=week.label,
        views=[View(label, f"{base}&view={name}", name == view) for name, label in VIEWS] if asked else [],
        view=view,
        mail=None if isinstance(written, SkipReason) else _mail_view(request, platform, written, asked, view),
        nothing=written.label if asked and isinstance(written, SkipReason) else "",
    )
    return render(request, page)


@router.get("/preview/body", name="digests.admin_preview_body")
def show_preview_body(request: Request, session: SessionDep, platform: PlatformDep, _by: Administrator) -> Response:
    """Send the HTML of the next digest of one reader for the frame around it."""
    written, _week = _written(session, platform, request.query_params.get("account", ""))
    if isinstance(written, SkipReason):
        raise NotFound(f"{written.label}。")
    return mail_body(written.html, is_dark=_view(request) == "dark")


def _view(request: Request) -> str:
    asked = request.query_params.get("view", "")
    return asked if asked in dict(VIEWS) else VIEWS[0][0]


def _written(session: Session, platform: Platform, email: str) -> tuple[Message | SkipReason, Week]:
    account = find_account(session, address_key(email))
    if account is None:
        raise NotFound(f"没有 {email[:80]} 这个账号。", remedy="请写技术经理人或会员登录用的邮箱。")
    week = service.next_week(session, account.id, now=platform.clock())
    return service.preview(session, account, week, platform=platform, is_own=False), week


def _mail_view(request: Request, platform: Platform, written: Message, account: str, view: str) -> MailView:
    body = f"{build_url(request.app, 'digests.admin_preview_body')}?account={quote(account)}"
    return MailView(
        subject=written.subject,
        sender=platform.settings.mail_from,
        recipient=written.recipient,
        at=platform.clock().astimezone(LOCAL_ZONE),
        body_href="" if view == "text" else f"{body}&view={view}",
        text=written.text,
    )
