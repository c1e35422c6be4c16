"""What changed between two versions of a listing, field by field, in the words of the form."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Literal

from backend.listings.cards import indicator_value, place_name
from backend.listings.forms import ListingForm
from backend.listings.tables import IpKind, IpStatus, Maturity, Mode, PriceKind, Visibility
from backend.policy.catalogue import Catalogue

# A sentence or a line, with what ends it.
SENTENCE = re.compile(r"[^。；！？;!?\n]*[。；！？;!?\n]|[^。；！？;!?\n]+")
# Comparing takes time that grows with the square of the number of sentences: longer texts are shown whole, old and new.
MOST_SENTENCES = 400
LONG_TEXTS = frozenset({"summary", "description", "baseline"})
WORDS: Mapping[str, Any] = {
    "modes": Mode,
    "price_kind": PriceKind,
    "visibility": Visibility,
    "maturity": Maturity,
    "needs_maturity": Maturity,
    "ip_kinds": IpKind,
    "ip_status": IpStatus,
}


@dataclass(frozen=True)
class Piece:
    """A stretch of text that stayed, went or came."""

    kind: Literal["same", "gone", "new"]
    text: str


@dataclass(frozen=True)
class Change:
    """One field that says something else than before."""

    field: str
    label: str
    pieces: tuple[Piece, ...]


def compare(before: Mapping[str, Any], after: Mapping[str, Any], catalogue: Catalogue) -> tuple[Change, ...]:
    """Return the fields that differ between two kept contents, in the order of the form."""
    changes = []
    for name, field in ListingForm.model_fields.items():
        old, new = (say(name, content.get(name), catalogue) for content in (before, after))
        if old != new:
            pieces = compare_texts(old, new) if name in LONG_TEXTS else whole(old, new)
            changes.append(Change(name, field.title or name, pieces))
    return tuple(changes)


def compare_texts(before: str, after: str) -> tuple[Piece, ...]:
    """Return both texts as one run of sentences that stayed, went or came."""
    old, new = SENTENCE.findall(before), SENTENCE.findall(after)
    if max(len(old), len(new)) > MOST_SENTENCES:
        return whole(before, after)
    pieces: list[Piece] = []
    for kind, old_start, old_end, new_start, new_end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            pieces.append(Piece("same", "".join(new[new_start:new_end])))
        else:
            pieces.extend(whole("".join(old[old_start:old_end]), "".join(new[new_start:new_end])))
    return tuple(pieces)


def whole(before: str, after: str) -> tuple[Piece, ...]:
    """Return a text that went and one that came, each only if there is any."""
    pieces = Piece("gone", before), Piece("new", after)
    return tuple(piece for piece in pieces if piece.text)


def say(name: str, value: Any, catalogue: Catalogue) -> str:
    """Return what one field of a kept content says, as people read it; nothing for what is not stated."""
    if not value:
        return ""
    if value is True:
        return "是"
    if name == "indicators":
        return "；".join(_indicator(indicator) for indicator in value)
    if isinstance(value, list):
        return "、".join(_word(name, code, catalogue) for code in value)
    return _word(name, str(value), catalogue)


def _word(name: str, code: str, catalogue: Catalogue) -> str:
    """Return the name behind a code; a code that is no longer known is shown as it is."""
    if name in {"region_code", "wants_regions"}:
        return place_name(catalogue, code) if catalogue.find_region(code) else code
    entries: Mapping[str, Any] = {
        "park_code": catalogue.parks,
        "fields": catalogue.fields,
        "industry_code": catalogue.industries,
    }.get(name, {})
    if code in entries:
        return str(entries[code].name)
    vocabulary = WORDS.get(name)
    return str(vocabulary(code).label) if vocabulary and code in set(vocabulary) else code


def _indicator(indicator: Mapping[str, Any]) -> str:
    parts = indicator.get("name", ""), indicator_value(dict(indicator)), indicator.get("unit", "")
    said = " ".join(part for part in parts if part)
    condition = indicator.get("condition", "")
    return f"{said}（{condition}）" if condition else said
