"""The mail of one digest: its subject, its headers, and the addresses that it names."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlsplit
from uuid import UUID

from backend.accounts.tables import Account, Role
from backend.digests.items import Content, Item, one_line, shortened
from backend.digests.replies import Answer, reply_address
from backend.digests.week import Week
from backend.mail.messages import Message, TooLongError, compose, sender_of
from backend.settings import Settings

CATEGORY = "digest"
LONGEST_SUBJECT = 30
LONGEST_TOPIC = 10
COMMERCIAL = "（广告）"
PREVIEW_TOKEN = "preview"  # noqa: S105 - stands where a subscription has no token yet
# Links in a mail are good for longer than a year: GOV.UK's are good for one.
LINKS_GOOD_FOR = timedelta(days=420)


@dataclass(frozen=True)
class Links:
    """The addresses that a digest names."""

    unsubscribe: str
    preferences: str
    desk: str
    profile: str


@dataclass(frozen=True)
class Entry:
    """One pair with the ways to answer it from the mail."""

    item: Item
    replies: tuple[tuple[str, str], ...]


def links_of(settings: Settings, token: str) -> Links:
    """Return the addresses that a digest with this token names."""
    base = settings.base_url
    return Links(f"{base}/digest/unsubscribe/{token}", f"{base}/digest", f"{base}/desk", f"{base}/desk/profile")


def make_subject(content: Content, *, noun: str = "条推荐", prefix: str = "") -> str:
    """Return the subject: the count first, then as many topics as fit into 30 characters."""
    if not content.items:
        first = content.notices[0].title
        return shortened(f"{prefix}[技桥] 本周 {len(content.notices)} 条提醒：{first}", LONGEST_SUBJECT)
    subject = f"{prefix}[技桥] 本周 {len(content.items)} {noun}："
    topics = list(dict.fromkeys(shortened(item.topic, LONGEST_TOPIC) for item in content.items))
    shown = topics[:1]
    for topic in topics[1:]:
        if len(subject) + len("、".join([*shown, topic])) + len("、…") > LONGEST_SUBJECT:
            break
        shown.append(topic)
    rest = "、…" if len(shown) < len(topics) else ""
    return shortened(subject + "、".join(shown) + rest, LONGEST_SUBJECT)


def write_message(account: Account, content: Content, *, week: Week, token: str, settings: Settings) -> Message:
    """Write the mail of one digest; the same content gives the same mail."""
    links = links_of(settings, token)
    host = urlsplit(settings.base_url).hostname or "localhost"
    is_manager = account.role is Role.MANAGER
    subject = make_subject(
        content,
        noun="条推荐" if is_manager else "条匹配",
        prefix=COMMERCIAL if settings.digest_is_commercial else "",
    )
    return compose(
        "digest",
        recipient=account.email,
        recipient_name=one_line(account.display_name),
        category=CATEGORY,
        headers={
            "List-Unsubscribe": f"<{links.unsubscribe}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            "List-ID": f"<digest.{host}>",
            "Feedback-ID": f"{week.key}:{CATEGORY}:jiqiao",
        },
        sender=sender_of(settings),
        title=subject,
        week=week.label,
        is_manager=is_manager,
        entries=_entries(content.items, week=week, settings=settings, is_real=token != PREVIEW_TOKEN),
        expiring=content.expiring,
        moves=content.moves,
        searches=content.searches,
        notices=content.notices,
        links=links,
    )


def write_fitting(
    account: Account, content: Content, *, week: Week, token: str, settings: Settings
) -> tuple[Message, Content]:
    """Write the mail of as much as fits into one, and return that much; the rest stays new for the next time."""
    try:
        return write_message(account, content, week=week, token=token, settings=settings), content
    except TooLongError:
        return write_fitting(account, content.without_last(), week=week, token=token, settings=settings)


def _entries(items: Sequence[Item], *, week: Week, settings: Settings, is_real: bool) -> list[Entry]:
    until = week.monday + LINKS_GOOD_FOR
    return [
        Entry(
            item,
            tuple(
                (answer.label, _reply(item.recommendation_id, answer, until=until, settings=settings, is_real=is_real))
                for answer in Answer
                if item.recommendation_id is not None
            ),
        )
        for item in items
    ]


def _reply(recommendation_id: UUID, answer: Answer, *, until: date, settings: Settings, is_real: bool) -> str:
    """Return the address of an answer; in a preview one that opens nothing."""
    if not is_real:
        return f"{settings.base_url}/digest/reply/{PREVIEW_TOKEN}/{answer}"
    return reply_address(recommendation_id, answer, until=until, settings=settings)
