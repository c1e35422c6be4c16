"""The digest's pages, and the way out of it that needs no signing in."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import BaseModel, Field
from sqlmodel import Session

from backend.accounts.dependencies import Now, PlatformDep, Source, require
from backend.accounts.paging import last_page, page_number
from backend.accounts.tables import Account, Role
from backend.database import SessionDep
from backend.digests import repository, service, subscriptions
from backend.digests.pages import FREQUENCIES, DigestPage, IssuePage, IssueRow, MailView, UnsubscribePage
from backend.digests.tables import Digest, Frequency, SkipReason
from backend.digests.week import Week
from backend.errors import Invalid, NotFound
from backend.mail import repository as mails
from backend.mail.routes import BODY_POLICY
from backend.mail.tables import OutboxMessage
from backend.platform import Platform
from backend.web.forms import FormDep, validate
from backend.web.pages import LOCAL_ZONE, build_url, redirect, render

router = APIRouter(prefix="/digest")
# Mail programs post here on their own: no cookie, no form token, only the long random token of the address (RFC 8058).
bare_router = APIRouter(prefix="/digest/unsubscribe")
PER_PAGE = 12
ONE_CLICK = "One-Click"
NO_ISSUE = "没有这一期周报。"
Manager = Annotated[Account, require(Role.MANAGER)]


class FrequencyForm(BaseModel):
    """How often the digest comes."""

    frequency: Frequency = Field(title="接收方式")


@router.get("", name="digests.show")
def show(request: Request, session: SessionDep, platform: PlatformDep, manager: Manager) -> Response:
    """Show how often the digest comes, the next one as it stands, and the past ones."""
    return render(request, _digest_page(request, session, platform, manager))


def _digest_page(
    request: Request,
    session: Session,
    platform: Platform,
    manager: Account,
    errors: tuple[tuple[str, str], ...] = (),
) -> DigestPage:
    subscription = repository.find_subscription(session, manager.id)
    week = service.next_week(session, manager.id, now=platform.clock())
    written = service.preview(session, manager, week, platform=platform)
    total = repository.count_digests(session, manager.id)
    last = last_page(total, PER_PAGE)
    current = min(page_number(request), last)
    found = repository.find_digests(session, manager.id, limit=PER_PAGE, offset=(current - 1) * PER_PAGE)
    view = (
        MailView(
            subject=written.subject,
            sender=platform.settings.mail_from,
            recipient=manager.email,
            at=platform.clock().astimezone(LOCAL_ZONE),
            body_href=build_url(request.app, "digests.preview_body"),
            text=written.text,
        )
        if not isinstance(written, SkipReason)
        else None
    )
    return DigestPage(
        frequency=(subscription.frequency if subscription else Frequency.WEEKLY).value,
        frequencies=FREQUENCIES,
        address=manager.email,
        preview_week=week.label,
        preview=view,
        nothing=written.label if isinstance(written, SkipReason) else "",
        issues=_issue_rows(request, session, found),
        current=current,
        last=last,
        base=build_url(request.app, "digests.show"),
        errors=errors,
    )


def _issue_rows(request: Request, session: Session, found: Sequence[Digest]) -> list[IssueRow]:
    counts = repository.count_items(session, [digest.id for digest in found])
    sent = repository.find_mails(session, [digest.outbox_key for digest in found if digest.outbox_key])
    return [
        IssueRow(
            week=digest.week,
            label=Week.parse(digest.week).label,
            href=build_url(request.app, "digests.issue", week=digest.week) if digest.outbox_key else "",
            count=counts.get(digest.id, 0),
            composed_at=digest.composed_at.astimezone(LOCAL_ZONE),
            state=digest.skip_reason.label if digest.skip_reason else _mail_state(sent.get(digest.outbox_key or "")),
        )
        for digest in found
    ]


def _mail_state(message: OutboxMessage | None) -> str:
    return message.state.label if message else ""


@router.post("", name="digests.save")
def save(
    request: Request,
    form: FormDep,
    session: SessionDep,
    platform: PlatformDep,
    manager: Manager,
    now: Now,
    source: Source,
) -> Response:
    """Settle how often the digest comes."""
    try:
        data = validate(FrequencyForm, {"frequency": form.first("frequency")})
    except Invalid:
        wrong = (("frequency", "请选择接收方式。"),)
        return render(request, _digest_page(request, session, platform, manager, wrong), status=422)
    subscriptions.set_frequency(session, manager, data.frequency, now=now, source=source)
    told = "已保存：每周一封。" if data.frequency is Frequency.WEEKLY else "已退订，不会再收到周报。推荐仍在工作台里。"
    return redirect(request, build_url(request.app, "digests.show"), flash=told)


@router.get("/preview/body", name="digests.preview_body")
def show_preview_body(session: SessionDep, platform: PlatformDep, manager: Manager) -> Response:
    """Send the HTML of the next digest for the frame around it."""
    week = service.next_week(session, manager.id, now=platform.clock())
    written = service.preview(session, manager, week, platform=platform)
    if isinstance(written, SkipReason):
        raise NotFound(f"{written.label}。")
    return _mail_body(written.html)


@router.get("/issues/{week}", name="digests.issue")
def show_issue(request: Request, week: str, session: SessionDep, platform: PlatformDep, manager: Manager) -> Response:
    """Show one past digest."""
    digest, message = _get_issue(session, manager, week)
    page = IssuePage(
        label=Week.parse(digest.week).label,
        state=message.state.label,
        mail=MailView(
            subject=message.subject,
            sender=platform.settings.mail_from,
            recipient=message.recipient,
            at=message.posted_at.astimezone(LOCAL_ZONE),
            body_href=build_url(request.app, "digests.issue_body", week=digest.week),
            text=message.body_text,
        ),
    )
    return render(request, page)


@router.get("/issues/{week}/body", name="digests.issue_body")
def show_issue_body(week: str, session: SessionDep, manager: Manager) -> Response:
    """Send the HTML of one past digest for the frame around it."""
    return _mail_body(_get_issue(session, manager, week)[1].body_html)


def _get_issue(session: Session, manager: Account, text: str) -> tuple[Digest, OutboxMessage]:
    try:
        week = Week.parse(text)
    except ValueError:
        raise NotFound(NO_ISSUE) from None
    digest = repository.find_digest(session, manager.id, week.key)
    message = mails.find_by_key(session, digest.outbox_key) if digest and digest.outbox_key else None
    if digest is None or message is None:
        raise NotFound(NO_ISSUE, remedy="请在周报页面的“往期”里查找。")
    return digest, message


def _mail_body(html: str) -> Response:
    headers = {"Content-Security-Policy": BODY_POLICY, "X-Frame-Options": "SAMEORIGIN", "Cache-Control": "no-store"}
    return HTMLResponse(html, headers=headers)


@bare_router.get("/{token}", name="digests.unsubscribe")
def show_unsubscribe(request: Request, token: str) -> Response:
    """Show the button that stops the digest; looking changes nothing, and says nothing of whose token it is."""
    return render(request, UnsubscribePage(token=token, is_done=False))


@bare_router.post("/{token}", name="digests.stop")
def stop(
    request: Request,
    token: str,
    session: SessionDep,
    now: Now,
    source: Source,
    asked: Annotated[str, Form(alias="List-Unsubscribe")] = "",
) -> Response:
    """Stop the digest of whoever the token belongs to, at once and without a question."""
    is_asked = asked.strip() == ONE_CLICK
    if is_asked:
        subscriptions.unsubscribe(session, token, now=now, source=source)
    return render(request, UnsubscribePage(token=token, is_done=is_asked))
