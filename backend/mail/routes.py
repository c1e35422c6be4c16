"""The outbox for administrators, and in development a window on what was sent."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from backend.accounts import trail
from backend.accounts.dependencies import Now, PlatformDep, Source, require
from backend.accounts.paging import last_page, page_number
from backend.accounts.tables import Account, Role
from backend.database import SessionDep
from backend.errors import NotFound
from backend.mail import outbox, repository
from backend.mail.bodies import mail_body
from backend.mail.pages import DevMailListPage, DevMailPage, OutboxPage, StateTab, mail_row
from backend.mail.tables import DeliveryState, OutboxMessage
from backend.settings import MailerKind
from backend.web.forms import FormDep
from backend.web.pages import build_url, redirect, render

router = APIRouter()
PER_PAGE = 30
Administrator = Annotated[Account, require(Role.ADMINISTRATOR)]


def _only_in_development(platform: PlatformDep) -> None:
    settings = platform.settings
    if settings.is_production or settings.mailer is MailerKind.SMTP:
        raise NotFound("没有这个页面，它可能已经移走或从未存在。")


in_development = [Depends(_only_in_development)]


@router.get("/dev/mail", name="mail.dev_list", dependencies=in_development)
def list_sent(request: Request, session: SessionDep) -> Response:
    """Show what was sent on this machine, newest first."""
    total = sum(repository.count_by_state(session).values())
    current = page_number(request)
    found = repository.list_messages(session, limit=PER_PAGE, offset=(current - 1) * PER_PAGE)
    page = DevMailListPage(
        rows=[mail_row(message) for message in found],
        total=total,
        current=current,
        last=last_page(total, PER_PAGE),
        base=build_url(request.app, "mail.dev_list"),
    )
    return render(request, page)


@router.get("/dev/mail/{outbox_id}", name="mail.dev_show", dependencies=in_development)
def show_sent(request: Request, outbox_id: UUID, session: SessionDep, platform: PlatformDep) -> Response:
    """Show one mail as its recipient sees it."""
    message = _find(session.get(OutboxMessage, outbox_id))
    name = message.recipient_name
    page = DevMailPage(
        row=mail_row(message),
        sender=platform.settings.mail_from,
        recipient=f"{name} <{message.recipient}>" if name else message.recipient,
        text=message.body_text,
        body_href=build_url(request.app, "mail.dev_body", outbox_id=outbox_id),
        headers=sorted(message.headers.items()),
    )
    return render(request, page)


@router.get("/dev/mail/{outbox_id}/body", name="mail.dev_body", dependencies=in_development)
def show_body(outbox_id: UUID, session: SessionDep) -> Response:
    """Send the HTML of one mail for the frame around it; its links leave the frame."""
    message = _find(session.get(OutboxMessage, outbox_id))
    html = message.body_html.replace('target="_blank"', 'target="_top"')
    html = html.replace("<head>", '<head><base target="_top">', 1)
    return mail_body(html)


def _find(message: OutboxMessage | None) -> OutboxMessage:
    if message is None:
        raise NotFound("没有这封邮件。", remedy="请回到邮件列表查找。")
    return message


@router.get("/admin/mail", name="mail.admin")
def list_outbox(request: Request, session: SessionDep, _by: Administrator) -> Response:
    """Show the outbox by state; what a mail says is between the platform and its recipient, so it is not shown."""
    asked = request.query_params.get("state", "")
    state = DeliveryState(asked) if asked in set(DeliveryState) else None
    counts = repository.count_by_state(session)
    total = sum(counts.values()) if state is None else counts[state]
    current = page_number(request)
    found = repository.list_messages(session, state=state, limit=PER_PAGE, offset=(current - 1) * PER_PAGE)
    base = build_url(request.app, "mail.admin")
    every = StateTab("全部", base, sum(counts.values()), current=state is None)
    by_state = [StateTab(one.label, f"{base}?state={one}", counts[one], current=one is state) for one in DeliveryState]
    page = OutboxPage(
        tabs=[every, *by_state],
        rows=[mail_row(message) for message in found],
        state=state.value if state else "",
        current=current,
        last=last_page(total, PER_PAGE),
        base=build_url(request.app, "mail.admin", state=state.value if state else ""),
    )
    return render(request, page)


@router.post("/admin/mail/{outbox_id}/retry", name="mail.retry")
def retry(
    request: Request, outbox_id: UUID, _form: FormDep, session: SessionDep, by: Administrator, now: Now, source: Source
) -> Response:
    """Try a deferred mail again now."""
    message = outbox.retry_now(session, outbox_id, now=now)
    trail.record(session, by, action="mail.retry", subject=f"mail:{outbox_id}", source=source, now=now)
    back = build_url(request.app, "mail.admin", state=DeliveryState.DEFERRED.value)
    return redirect(request, back, flash=f"“{message.subject[:40]}”已重新排队，马上就会发送。")
