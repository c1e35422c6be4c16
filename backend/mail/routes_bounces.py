"""Bounces for administrators: what came back, and which addresses get no more mail because of it."""

from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import Response

from backend.accounts import trail
from backend.accounts.addresses import masked_address
from backend.accounts.dependencies import Now, Source, require
from backend.accounts.paging import last_page, page_number
from backend.accounts.tables import Account, Role
from backend.database import SessionDep
from backend.mail import addresses
from backend.mail import repository_bounces as repository
from backend.mail.pages import BouncePage, BounceRow, SuppressedRow
from backend.web.forms import FormDep
from backend.web.pages import LOCAL_ZONE, build_url, redirect, render

router = APIRouter(prefix="/admin/bounces")
PER_PAGE = 30
MOST_SUPPRESSED = 200
Administrator = Annotated[Account, require(Role.ADMINISTRATOR)]


@router.get("", name="mail.bounces")
def list_bounces(request: Request, session: SessionDep, _by: Administrator) -> Response:
    """Show the addresses that get no more mail, and every bounce, newest first."""
    total = repository.count_bounces(session)
    last = last_page(total, PER_PAGE)
    current = min(page_number(request), last)
    found = repository.list_bounces(session, limit=PER_PAGE, offset=(current - 1) * PER_PAGE)
    page = BouncePage(
        suppressed=[
            SuppressedRow(record.address, record.reason, record.suppressed_at.astimezone(LOCAL_ZONE))
            for record in repository.list_suppressed(session, limit=MOST_SUPPRESSED)
            if record.suppressed_at
        ],
        suppressed_total=repository.count_suppressed(session),
        rows=[
            BounceRow(
                address=bounce.address,
                subject=message.subject,
                kind=bounce.kind.label,
                status=bounce.status,
                text=bounce.text,
                at=bounce.bounced_at.astimezone(LOCAL_ZONE),
            )
            for bounce, message in found
        ],
        total=total,
        current=current,
        last=last,
        base=build_url(request.app, "mail.bounces"),
    )
    return render(request, page)


@router.post("/forgive", name="mail.forgive")
def forgive(
    request: Request, form: FormDep, session: SessionDep, by: Administrator, now: Now, source: Source
) -> Response:
    """Let an address get mail again."""
    address = form.first("address").strip()
    back = build_url(request.app, "mail.bounces")
    if not addresses.forgive(session, address, now=now):
        return redirect(request, back, flash="这个地址没有停发。")
    detail = {"address": masked_address(address)}
    trail.record(session, by, action="mail.forgive", subject="address:", source=source, detail=detail, now=now)
    return redirect(request, back, flash=f"{address} 已恢复，退信从现在起重新计数。")
