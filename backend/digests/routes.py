"""A reader's own pages of the digest: how it comes, what comes next, what came before."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, BeforeValidator, Field, ValidationInfo, field_validator
from sqlmodel import Session

from backend.accounts.dependencies import Now, PlatformDep, Source, require
from backend.accounts.paging import last_page, page_number
from backend.accounts.tables import Account, Role
from backend.database import SessionDep
from backend.digests import repository, service, subscriptions, trial
from backend.digests.pages import FLOORS, FREQUENCIES, VIEWS, DigestPage, IssuePage, IssueRow, MailView, View
from backend.digests.tables import LOWEST_LEVEL, Digest, DigestSubscription, Frequency, SkipReason
from backend.digests.week import ZONE, Week
from backend.errors import FieldError, Invalid, NotFound
from backend.mail import repository as mails
from backend.mail.bodies import mail_body
from backend.mail.messages import Message
from backend.mail.tables import OutboxMessage
from backend.platform import Platform
from backend.web.forms import FormDep, validate
from backend.web.pages import LOCAL_ZONE, build_url, redirect, render
from models.relevance import MatchLevel

router = APIRouter(prefix="/digest")
PER_PAGE = 12
LONGEST_PAUSE = timedelta(days=366)
NO_ISSUE = "没有这一期周报。"
Reader = Annotated[Account, require(Role.MANAGER, Role.MEMBER)]


class PreferencesForm(BaseModel):
    """How often the digest comes, from when on, and how well a pair must fit."""

    frequency: Frequency = Field(title="多久一封")
    floor: MatchLevel = Field(title="最低匹配度")
    paused_until: Annotated[date | None, BeforeValidator(lambda text: text or None)] = Field(title="暂停到")

    @field_validator("paused_until")
    @classmethod
    def _not_too_far(cls, day: date | None, info: ValidationInfo) -> date | None:
        today = (info.context or {}).get("today")
        if day and today and not today < day <= today + LONGEST_PAUSE:
            raise ValueError("暂停到哪一天，请写明天起一年之内的日期。")
        return day

    @field_validator("floor")
    @classmethod
    def _a_level_that_is_shown(cls, level: MatchLevel) -> MatchLevel:
        if level is MatchLevel.NONE:
            raise ValueError("请选择最低匹配度。")
        return level


@router.get("", name="digests.show")
def show(request: Request, session: SessionDep, platform: PlatformDep, reader: Reader) -> Response:
    """Show how often the digest comes, the next one as it stands, and the past ones."""
    return render(request, _digest_page(request, session, platform, reader))


def _digest_page(
    request: Request,
    session: Session,
    platform: Platform,
    reader: Account,
    errors: tuple[tuple[str, str], ...] = (),
    typed: Mapping[str, str] | None = None,
) -> DigestPage:
    subscription = repository.find_subscription(session, reader.id)
    week = service.next_week(session, reader.id, now=platform.clock())
    written = service.preview(session, reader, week, platform=platform)
    view = _view(request)
    total = repository.count_digests(session, reader.id)
    last = last_page(total, PER_PAGE)
    current = min(page_number(request), last)
    found = repository.find_digests(session, reader.id, limit=PER_PAGE, offset=(current - 1) * PER_PAGE)
    base = build_url(request.app, "digests.show")
    return DigestPage(
        values={**_values(subscription, platform.clock()), **(typed or {})},
        frequencies=FREQUENCIES,
        floors=FLOORS,
        address=reader.email,
        is_manager=reader.role is Role.MANAGER,
        preview_week=week.label,
        views=[View(label, f"{base}?view={name}#preview", name == view) for name, label in VIEWS],
        view=view,
        preview=None if isinstance(written, SkipReason) else _next_mail(request, platform, reader, written, view),
        nothing=written.label if isinstance(written, SkipReason) else "",
        issues=_issue_rows(request, session, found),
        current=current,
        last=last,
        base=base,
        errors=errors,
    )


def _view(request: Request) -> str:
    asked = request.query_params.get("view", "")
    return asked if asked in dict(VIEWS) else VIEWS[0][0]


def _values(subscription: DigestSubscription | None, now: datetime) -> dict[str, str]:
    if subscription is None:
        return {"frequency": Frequency.WEEKLY.value, "floor": LOWEST_LEVEL, "paused_until": ""}
    until = subscription.paused_until
    is_paused = until is not None and now.astimezone(ZONE).date() < until
    return {
        "frequency": subscription.frequency.value,
        "floor": subscription.floor,
        "paused_until": str(until) if is_paused else "",
    }


def _next_mail(request: Request, platform: Platform, reader: Account, written: Message, view: str) -> MailView:
    body = build_url(request.app, "digests.preview_body")
    return MailView(
        subject=written.subject,
        sender=platform.settings.mail_from,
        recipient=reader.email,
        at=platform.clock().astimezone(LOCAL_ZONE),
        body_href="" if view == "text" else f"{body}?view=dark" if view == "dark" else body,
        text=written.text,
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
    reader: Reader,
    now: Now,
    source: Source,
) -> Response:
    """Settle how often the digest comes, from when on, and how well a pair must fit."""
    known = _values(repository.find_subscription(session, reader.id), now)
    typed = {name: form.first(name, known[name] if name != "paused_until" else "") for name in known}
    try:
        data = validate(PreferencesForm, typed, context={"today": now.astimezone(ZONE).date()})
    except Invalid as invalid:
        wrong = tuple((error.field, _sentence(error)) for error in invalid.errors)
        return render(request, _digest_page(request, session, platform, reader, wrong, typed), status=422)
    subscriptions.set_preferences(
        session,
        reader,
        data.frequency,
        paused_until=data.paused_until,
        floor=data.floor.value,
        now=now,
        source=source,
    )
    return redirect(request, build_url(request.app, "digests.show"), flash=_told(data))


def _sentence(error: FieldError) -> str:
    return {
        "frequency": "请选择接收方式。",
        "floor": "请选择最低匹配度。",
        "paused_until": "暂停到哪一天，请写明天起一年之内的日期，例如 2027-03-31。",
    }.get(error.field, error.message)


def _told(data: PreferencesForm) -> str:
    if data.frequency is Frequency.OFF:
        return "已退订，不会再收到周报。推荐仍在平台上。"
    paused = f"，{data.paused_until} 起再发" if data.paused_until else ""
    return f"已保存：{data.frequency.label}{paused}。"


@router.post("/try", name="digests.try")
def send_to_me(
    request: Request,
    _form: FormDep,
    session: SessionDep,
    platform: PlatformDep,
    reader: Reader,
    now: Now,
    source: Source,
) -> Response:
    """Send the next digest as it stands to its reader alone; it counts as nothing that was shown."""
    week = service.next_week(session, reader.id, now=now)
    # The links of a mail that is really sent have to work.
    subscriptions.ensure_subscription(session, reader.id, now=now)
    written = service.preview(session, reader, week, platform=platform)
    back = build_url(request.app, "digests.show")
    if isinstance(written, SkipReason):
        return redirect(request, back, flash=f"没有可以发的内容：{written.label}。")
    trial.send(session, written, to=reader, by=reader, now=now, source=source)
    return redirect(request, back, flash=f"已发一封到 {reader.email}，几分钟内收到。")


@router.get("/preview/body", name="digests.preview_body")
def show_preview_body(request: Request, session: SessionDep, platform: PlatformDep, reader: Reader) -> Response:
    """Send the HTML of the next digest for the frame around it."""
    week = service.next_week(session, reader.id, now=platform.clock())
    written = service.preview(session, reader, week, platform=platform)
    if isinstance(written, SkipReason):
        raise NotFound(f"{written.label}。")
    return mail_body(written.html, is_dark=_view(request) == "dark")


@router.get("/issues/{week}", name="digests.issue")
def show_issue(request: Request, week: str, session: SessionDep, platform: PlatformDep, reader: Reader) -> Response:
    """Show one past digest."""
    digest, message = _get_issue(session, reader, week)
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
def show_issue_body(week: str, session: SessionDep, reader: Reader) -> Response:
    """Send the HTML of one past digest for the frame around it."""
    return mail_body(_get_issue(session, reader, week)[1].body_html)


def _get_issue(session: Session, reader: Account, text: str) -> tuple[Digest, OutboxMessage]:
    try:
        week = Week.parse(text)
    except ValueError:
        raise NotFound(NO_ISSUE) from None
    digest = repository.find_digest(session, reader.id, week.key)
    message = mails.find_by_key(session, digest.outbox_key) if digest and digest.outbox_key else None
    if digest is None or message is None:
        raise NotFound(NO_ISSUE, remedy="请在周报页面的“往期”里查找。")
    return digest, message
