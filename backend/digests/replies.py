"""Answers from the mail: a sealed link for each pair and answer. Opening it changes nothing; its button does.

Mail scanners open links, some in a real browser that runs scripts: so a link shows a page with a button, and only the
button's POST decides. The seal stands for the manager's own hand, as the token of unsubscribing does.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlmodel import Session

from backend.accounts.tables import Account
from backend.desk import decisions
from backend.desk.tables import DismissalReason, Recommendation
from backend.digests.week import ZONE
from backend.errors import NotFound
from backend.settings import Settings

SEAL_BYTES = 16  # 128 bits
DAY_BYTES = 4
BY_MAIL = "邮件回信"
NOT_GOOD = "这个链接不完整，或者已经过期。"
REMEDY = "请登录后在工作台里处理这一对。"


class Answer(StrEnum):
    """What a manager can answer from the mail."""

    TAKE = "take"
    UNFIT = "unfit"
    LATER = "later"

    @property
    def label(self) -> str:
        """Return the word people read."""
        return {Answer.TAKE: "接洽", Answer.UNFIT: "不合适", Answer.LATER: "以后再说"}[self]


@dataclass(frozen=True)
class Reply:
    """A link that was opened: which recommendation it answers, and whose that is."""

    row: Recommendation
    manager: Account


def reply_address(recommendation_id: UUID, answer: Answer, *, until: date, settings: Settings) -> str:
    """Return the address that answers a recommendation, good until a day."""
    body = recommendation_id.bytes + until.toordinal().to_bytes(DAY_BYTES, "big")
    token = base64.urlsafe_b64encode(body + _seal(body, settings)).decode("ascii").rstrip("=")
    return f"{settings.base_url}/digest/reply/{token}/{answer}"


def _seal(body: bytes, settings: Settings) -> bytes:
    key = hashlib.sha256(b"jiqiao digest reply:" + settings.signing_key.encode()).digest()
    return hmac.new(key, body, hashlib.sha256).digest()[:SEAL_BYTES]


def open_reply(session: Session, token: str, *, now: datetime, settings: Settings) -> Reply:
    """Return what a link answers. Raises: NotFound, when we never made it, or it is too old."""
    recommendation_id = _read(token, today=now.astimezone(ZONE).date(), settings=settings)
    row = session.get(Recommendation, recommendation_id) if recommendation_id else None
    manager = session.get(Account, row.manager_id) if row else None
    if row is None or manager is None:
        raise NotFound(NOT_GOOD, remedy=REMEDY)
    return Reply(row, manager)


def _read(token: str, *, today: date, settings: Settings) -> UUID | None:
    try:
        sealed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return None
    body, seal = sealed[:-SEAL_BYTES], sealed[-SEAL_BYTES:]
    if len(body) != len(UUID(int=0).bytes) + DAY_BYTES or not hmac.compare_digest(seal, _seal(body, settings)):
        return None
    until = int.from_bytes(body[-DAY_BYTES:], "big")
    return UUID(bytes=body[:-DAY_BYTES]) if today.toordinal() <= until else None


def answer_reply(
    session: Session,
    reply: Reply,
    answer: Answer,
    *,
    reason: DismissalReason | None = None,
    days: int = 7,
    now: datetime,
    source: str,
) -> str:
    """Decide as the manager asked and say what was done; doing it twice is doing it once."""
    by, told = reply.manager, f"{BY_MAIL} {source}".strip()
    if answer is Answer.TAKE:
        decisions.take(session, reply.row.id, by=by, now=now, source=told)
        return "已开始接洽。这一对不会再推荐给其他技术经理人接洽。"
    if answer is Answer.UNFIT and reason is not None:
        decisions.dismiss(session, reply.row.id, by=by, reason=reason, now=now, source=told)
        return f"已记为不合适：{reason.label}。以后的推荐会参考您的理由。"
    decisions.snooze(session, reply.row.id, by=by, days=days, now=now, source=told)
    return "已推迟，到时会排在您工作台的最前面。"
