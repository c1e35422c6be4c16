"""What a person types into the posting form, and how a test reads a page."""

from html import unescape
from html.parser import HTMLParser
from typing import Any

from sqlmodel import Session, select

from backend.listings.tables import Listing

COMPLETE = {
    "title": "高盐化工废水零排放",
    "summary": "年产两万吨染料中间体的企业，要把高盐废水处理到零排放。",
    "description": "进水总溶解固体 45 g/L，含硅，现用多效蒸发结垢严重，每三天停车清洗一次。",
    "region_code": "120116",
    "modes": "joint_development",
    "price_kind": "negotiable",
}


class _Values(HTMLParser):
    """Collects what the fields of a page's posting form hold."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.values: dict[str, list[str]] = {}
        self._open: str | None = None
        self._select: str | None = None
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self._inside = given.get("id") == "listing-form"
        if not self._inside:
            return
        name = given.get("name") or ""
        if tag == "input" and (given.get("type") not in {"checkbox", "radio"} or "checked" in given):
            self._add(name, given.get("value") or "")
        elif tag == "textarea":
            self._open = name
            self._add(name, "")
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and "selected" in given:
            self._add(self._select, given.get("value") or "")

    def handle_data(self, data: str) -> None:
        if self._open:
            self.values[self._open][-1] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self._open:
            # A browser drops the one line break that follows the opening tag.
            self.values[self._open][-1] = self.values[self._open][-1].removeprefix("\n")
            self._open = None
        elif tag == "select":
            self._select = None
        elif tag == "form":
            self._inside = False

    def _add(self, name: str, value: str) -> None:
        self.values.setdefault(name, []).append(value)


def form_values(html: str) -> dict[str, list[str]]:
    """Return what the posting form of a page holds, as a browser would send it."""
    parser = _Values()
    parser.feed(html)
    return parser.values


def said(response: Any) -> str:
    """Return the text of a page with its entities resolved."""
    return unescape(response.text)


def only_listing(session: Session) -> Listing:
    """Return the one listing there is, as the database has it."""
    session.expire_all()
    return session.exec(select(Listing)).one()


def count_listings(session: Session) -> int:
    """Return how many listings there are."""
    return len(session.exec(select(Listing.id)).all())
