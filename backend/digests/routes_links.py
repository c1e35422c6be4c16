"""What the links in a digest open: stopping it, and answering a pair, without signing in.

Opening a link changes nothing, for scanners open links, some in a browser that runs scripts. A POST to the same address
does what the page says: no cookie, no form token, only the long secret in the address (RFC 8058).
"""

from dataclasses import replace
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from sqlmodel import Session

from backend.accounts.dependencies import Now, PlatformDep, Source
from backend.database import SessionDep
from backend.desk.forms import DismissForm, SnoozeForm
from backend.desk.pages import REASONS, snooze_options
from backend.digests import replies, subscriptions
from backend.digests.pages import ReplyPage, UnsubscribePage
from backend.digests.replies import Answer, Reply
from backend.digests.tables import Frequency
from backend.errors import Invalid, NotFound
from backend.listings.tables import Listing
from backend.web.forms import validate
from backend.web.pages import build_url, render

unsubscribe_router = APIRouter(prefix="/digest/unsubscribe")
reply_router = APIRouter(prefix="/digest/reply")
ONE_CLICK = "One-Click"
LESS_OFTEN = (Frequency.FORTNIGHTLY, Frequency.FOUR_WEEKLY)


@unsubscribe_router.get("/{token}", name="digests.unsubscribe")
def show_unsubscribe(request: Request, token: str) -> Response:
    """Show the button that stops the digest; looking changes nothing, and says nothing of whose token it is."""
    return render(request, UnsubscribePage(token=token, is_done=False))


@unsubscribe_router.post("/{token}", name="digests.stop")
def stop(
    request: Request,
    token: str,
    session: SessionDep,
    now: Now,
    source: Source,
    asked: Annotated[str, Form(alias="List-Unsubscribe")] = "",
    frequency: Annotated[str, Form()] = "",
) -> Response:
    """Stop the digest of whoever the token belongs to, at once and without a question, or let it come less often."""
    if frequency in set(LESS_OFTEN):
        chosen = Frequency(frequency)
        subscriptions.change_by_token(session, token, chosen, now=now, source=source)
        return render(request, UnsubscribePage(token=token, is_done=False, told=chosen.label))
    is_asked = asked.strip() == ONE_CLICK
    if is_asked:
        subscriptions.unsubscribe(session, token, now=now, source=source)
    return render(request, UnsubscribePage(token=token, is_done=is_asked))


@reply_router.get("/{token}/{answer}", name="digests.reply")
def show_reply(
    request: Request, token: str, answer: str, session: SessionDep, platform: PlatformDep, now: Now
) -> Response:
    """Show the pair that an answer is about, and the button that gives it."""
    reply = replies.open_reply(session, token, now=now, settings=platform.settings)
    return render(request, _reply_page(request, session, reply, token, _answer(answer), now))


@reply_router.post("/{token}/{answer}", name="digests.answer")
def give_answer(
    request: Request,
    token: str,
    answer: str,
    session: SessionDep,
    platform: PlatformDep,
    now: Now,
    source: Source,
    reason: Annotated[str, Form()] = "",
    days: Annotated[str, Form()] = "",
) -> Response:
    """Decide on the pair as its manager answered."""
    chosen = _answer(answer)
    reply = replies.open_reply(session, token, now=now, settings=platform.settings)
    page = _reply_page(request, session, reply, token, chosen, now)
    try:
        said = validate(DismissForm, {"reason": reason}).reason if chosen is Answer.UNFIT else None
        until = int(validate(SnoozeForm, {"days": days}).days) if chosen is Answer.LATER else 0
    except Invalid:
        name = "reason" if chosen is Answer.UNFIT else "days"
        sentence = "请选择一个不合适的理由。" if chosen is Answer.UNFIT else "请选择什么时候再看这一对。"
        return render(request, replace(page, errors=((name, sentence),)), status=422)
    done = replies.answer_reply(session, reply, chosen, reason=said, days=until, now=now, source=source)
    return render(request, replace(page, done=done))


def _answer(text: str) -> Answer:
    if text not in set(Answer):
        raise NotFound(replies.NOT_GOOD, remedy=replies.REMEDY)
    return Answer(text)


def _reply_page(
    request: Request, session: Session, reply: Reply, token: str, answer: Answer, now: datetime
) -> ReplyPage:
    demand = session.get_one(Listing, reply.row.demand_id)
    supply = session.get_one(Listing, reply.row.supply_id)
    others = [one for one in Answer if one is not answer]
    return ReplyPage(
        token=token,
        answer=answer.value,
        label=answer.label,
        demand=demand.title,
        supply=supply.title,
        others=[(one.label, build_url(request.app, "digests.reply", token=token, answer=one.value)) for one in others],
        reasons=REASONS,
        snoozes=snooze_options(now),
    )
