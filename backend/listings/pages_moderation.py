"""The pages of reviewers: what each template may see."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from backend.listings.cards import Card
from backend.listings.differences import Change
from backend.listings.hints import Hint
from backend.listings.pages_own import Contact, HistoryLine
from backend.listings.tables import Kind
from backend.web.pages import Page

Errors = Sequence[tuple[str, str]]

# What reviewers say most often; each is sent to the author as it stands.
READY_REASONS = {
    "indicators": "请补充技术指标：写明名称、数值和单位，对方才能逐项对照。",
    "contact": "公开的文字里有联系方式，请移到“联系”一节，那里不公开。",
    "vague": "请写清要解决的技术问题和限制条件，现在还看不出需要什么样的合作方。",
    "kind": "内容与所选的类型不符，请核对是需求还是成果，需要时另发一条。",
    "duplicate": "您已发布过内容相同的一条，请在原来的那条上修改。",
    "organisation": "请核对单位名称，或者补充能说明单位情况的材料后再提交。",
}


@dataclass(frozen=True)
class QueueRow:
    """One listing that waits for review."""

    id: UUID
    kind: Kind
    title: str
    summary: str
    organisation: str
    verified: bool
    province: str
    place: str
    fields: Sequence[str]
    submitted_at: datetime
    waited_days: int
    hints: Sequence[Hint]
    is_own: bool


@dataclass(frozen=True)
class QueuePage(Page):
    """What waits for review, longest wait first."""

    template: ClassVar[str] = "moderation/queue.html"

    rows: Sequence[QueueRow]
    total: int
    current: int
    last: int


@dataclass(frozen=True)
class ReviewPage(Page):
    """One listing as reviewers see it; `typed` is the reason as far as it was written."""

    template: ClassVar[str] = "moderation/show.html"

    card: Card
    contact: Contact
    author: str
    version: int
    submitted_at: datetime | None
    is_own: bool
    can_decide: bool
    can_take_down: bool
    hints: Sequence[Hint]
    has_been_public: bool
    changes: Sequence[Change]
    history: Sequence[HistoryLine]
    ready: Sequence[tuple[str, str]] = tuple(READY_REASONS.items())
    chosen: Sequence[str] = ()
    typed: str = ""
    errors: Errors = ()


def whole_reason(chosen: Sequence[str], typed: str) -> str:
    """Return the reason that is sent: the ready sentences that were chosen, then what was typed."""
    sentences = [READY_REASONS[code] for code in chosen if code in READY_REASONS]
    return "\n".join([*sentences, typed.strip()]).strip()
