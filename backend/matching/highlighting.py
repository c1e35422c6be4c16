"""The one place where `<mark>` is put into text: everything else of the text is escaped."""

import html
import re
from collections.abc import Iterable

from markupsafe import Markup, escape

from models.expansion import alternatives
from models.text import words
from models.thesaurus import shipped

MARKED = Markup("<mark>{}</mark>")
SHORTEST_WORD = 2
SHOWN_QUOTE = 60
AROUND_TERM = 16
ELLIPSIS = "…"
FINAL_MARKS = "。；，、.;, "


def mark(text: str, terms: Iterable[str]) -> Markup:
    """Return a text with every occurrence of the terms marked, the longest first, whatever their case."""
    wanted = sorted({term for term in terms if term.strip()}, key=lambda term: (-len(term), term))
    if not wanted:
        return escape(text)
    parts, last = [], 0
    for match in re.finditer("|".join(map(re.escape, wanted)), text, re.IGNORECASE):
        parts += [escape(text[last : match.start()]), MARKED.format(match.group())]
        last = match.end()
    return Markup("").join([*parts, escape(text[last:])])


def unmarked(text: Markup) -> str:
    """Return a marked text as it was written."""
    return html.unescape(str(text).replace("<mark>", "").replace("</mark>", ""))


def query_terms(text: str) -> tuple[str, ...]:
    """Return what to mark for a query: its parts as typed, its words, and other names; no single letters."""
    names = (other.name for other in alternatives(text, shipped()))
    found = dict.fromkeys([*text.split(), *words(text), *names])
    return tuple(term for term in found if len(term) >= SHORTEST_WORD)


def paragraphs(text: str, terms: Iterable[str]) -> tuple[Markup, ...]:
    """Return the lines of a text that say something, each with the terms marked.

    A term that goes over several lines is marked in each of them.
    """
    lines = [line for term in terms for line in term.split("\n")]
    return tuple(mark(line, lines) for line in text.split("\n") if line.strip())


def shortened(quote: str, terms: Iterable[str]) -> str:
    """Return a part of a quote, at most 60 characters, around the first term in it; always a substring of the quote."""
    if len(quote) <= SHOWN_QUOTE:
        return quote
    lower = quote.casefold()
    places = [place for term in terms if (place := lower.find(term.casefold())) >= 0]
    start = max(min(places, default=0) - AROUND_TERM, 0)
    return quote[start : start + SHOWN_QUOTE].strip()


def quoted(quote: str, terms: Iterable[str]) -> Markup:
    """Return a quote within its marks, shortened around the terms, which are marked; cut ends show an ellipsis."""
    terms, quote = tuple(terms), quote.strip().rstrip(FINAL_MARKS)
    part = shortened(quote, terms)
    before = ELLIPSIS if not quote.startswith(part) else ""
    after = ELLIPSIS if not quote.endswith(part) else ""
    return Markup("“{}{}{}”").format(before, mark(part, terms), after)
