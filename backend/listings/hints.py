"""What a reviewer should look at twice, and what an author could still add: found by rule, decided by people."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime

from backend.listings.repository import ListingBundle
from backend.web.pages import LOCAL_ZONE

# A mobile number or a fixed line with area code, with the blanks and hyphens that people put between.
PHONE = re.compile(r"(?<!\d)(?:1[3-9]\d(?:[ -]?\d{4}){2}|0\d{2,3}[ -]?\d{7,8})(?!\d)", re.ASCII)
EMAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{2,63}){1,3}", re.ASCII)
MESSENGER = re.compile(r"(?:微信|QQ|VX|WeChat)\s*(?:号|群)?\s*[:：]?\s*[A-Za-z0-9_-]{5,30}", re.ASCII | re.IGNORECASE)
SHORT_DESCRIPTION = 80


@dataclass(frozen=True)
class Hint:
    """One thing to look at: what it is, and the words that show it."""

    text: str
    quote: str = ""


def review_hints(bundle: ListingBundle, *, now: datetime) -> tuple[Hint, ...]:
    """Return what a reviewer should look at twice."""
    listing = bundle.listing
    today = now.astimezone(LOCAL_ZONE).date()
    baseline = bundle.demand.baseline if bundle.demand else ""
    public = [listing.title, listing.summary, listing.description, baseline]
    public += [f"{row.get('name', '')} {row.get('condition', '')}" for row in listing.indicators]
    found = [Hint("公开的文字里有联系方式", quote) for quote in find_contacts("\n".join(public))]
    if len(listing.description) < SHORT_DESCRIPTION:
        found.append(Hint(f"详细说明只有 {len(listing.description)} 个字"))
    if not listing.indicators:
        found.append(Hint("没有技术指标"))
    if bundle.organisation.verified_at is None:
        found.append(Hint("单位尚未核实", bundle.organisation.name))
    if is_over(listing.deadline_on, today=today):
        found.append(Hint("截止日期已经过去", str(listing.deadline_on)))
    return tuple(found)


def author_hints(text: str, *, has_indicators: bool, deadline: date | None, today: date) -> tuple[Hint, ...]:
    """Return what an author could still do, so that the review goes well and partners are found."""
    found = [Hint("公开的文字里有联系方式，请移到“联系”一节，那里不公开", quote) for quote in find_contacts(text)]
    if not has_indicators:
        found.append(Hint("还没有技术指标：写上数值，才能与对方逐项对照"))
    if is_over(deadline, today=today):
        found.append(Hint("截止日期已经过去，请改成以后的日期", str(deadline)))
    return tuple(found)


def find_contacts(text: str) -> list[str]:
    """Return the telephone numbers, addresses and messenger names that a text gives away, however wide its digits."""
    plain = unicodedata.normalize("NFKC", text)
    return list(dict.fromkeys(match[0] for pattern in (PHONE, EMAIL, MESSENGER) for match in pattern.finditer(plain)))


def is_over(deadline: date | None, *, today: date) -> bool:
    """Tell whether a deadline lies in the past."""
    return deadline is not None and deadline < today
