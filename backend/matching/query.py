"""What a visitor asks of the list: words, filters, order and page, read from the address and written back to it."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TypeVar

from backend.listings.tables import Kind, Maturity, Mode
from backend.policy.catalogue import Catalogue
from backend.web.forms import refused_character

Word = TypeVar("Word", bound=StrEnum)
LONGEST_TEXT = 200
MOST_PAGES = 1_000_000
PAGE_DIGITS = 7
YUAN = 10_000
SHOWN_VALUE = 20
UNKNOWN = "%(facet)s没有“%(value)s”这个选项，已忽略。"


@dataclass(frozen=True)
class Note:
    """A remark on a query: a sentence to translate, and what is filled into it."""

    text: str
    values: Mapping[str, str] = field(default_factory=dict)


class Facet(StrEnum):
    """What the list can be narrowed by, named as in the address."""

    KIND = "kind"
    REGION = "region"
    PARK = "park"
    FIELD = "field"
    MATURITY = "maturity"
    MODE = "mode"
    MONEY = "money"


# The facets of the panel beside the list, in its order; the kind has tabs of its own.
PANEL = (Facet.REGION, Facet.PARK, Facet.FIELD, Facet.MATURITY, Facet.MODE, Facet.MONEY)
LEGENDS = {
    Facet.REGION: "地区",
    Facet.PARK: "园区",
    Facet.FIELD: "优先领域",
    Facet.MATURITY: "成熟度",
    Facet.MODE: "合作方式",
    Facet.MONEY: "金额",
}


class Band(StrEnum):
    """How much money: a listing belongs to every band that its range touches, one without a range to the last."""

    UP_TO_50 = "50"
    UP_TO_200 = "200"
    UP_TO_1000 = "1000"
    ABOVE_1000 = "more"
    UNSTATED = "unstated"

    @property
    def label(self) -> str:
        """Return the words people read."""
        return BAND_LABELS[self]

    @property
    def limits(self) -> tuple[int, int | None] | None:
        """Return the amounts in yuan above which and up to which the band reaches; None for amounts not stated."""
        return BAND_LIMITS[self]


BAND_LABELS = {
    Band.UP_TO_50: "50 万元以内",
    Band.UP_TO_200: "50–200 万元",
    Band.UP_TO_1000: "200–1,000 万元",
    Band.ABOVE_1000: "1,000 万元以上",
    Band.UNSTATED: "面议或未说明",
}
BAND_LIMITS: Mapping[Band, tuple[int, int | None] | None] = {
    Band.UP_TO_50: (-1, 50 * YUAN),
    Band.UP_TO_200: (50 * YUAN, 200 * YUAN),
    Band.UP_TO_1000: (200 * YUAN, 1000 * YUAN),
    Band.ABOVE_1000: (1000 * YUAN, None),
    Band.UNSTATED: None,
}


class Sort(StrEnum):
    """The order of the list."""

    RELEVANCE = "relevance"
    NEWEST = "newest"
    DEADLINE = "deadline"
    MONEY = "money"

    @property
    def label(self) -> str:
        """Return the word people read."""
        return {
            Sort.RELEVANCE: "相关",
            Sort.NEWEST: "最新",
            Sort.DEADLINE: "截止",
            Sort.MONEY: "金额",
        }[self]


@dataclass(frozen=True)
class SearchQuery:
    """One state of the list; the whole of it stands in the address."""

    text: str = ""
    kind: Kind | None = None
    filters: Mapping[Facet, tuple[str, ...]] = field(default_factory=dict)
    sort: Sort | None = None
    page: int = 1

    @property
    def order(self) -> Sort:
        """Return the order that holds: relevance needs words, and is the default with them."""
        if self.text:
            return self.sort or Sort.RELEVANCE
        return Sort.NEWEST if self.sort in {None, Sort.RELEVANCE} else self.sort or Sort.NEWEST

    def chosen(self, facet: Facet) -> tuple[str, ...]:
        """Return the values chosen in one facet, the kind included."""
        if facet is Facet.KIND:
            return (self.kind.value,) if self.kind else ()
        return self.filters.get(facet, ())

    @property
    def active(self) -> tuple[Facet, ...]:
        """Return the facets in which anything is chosen."""
        return tuple(facet for facet in Facet if self.chosen(facet))

    @property
    def asks_something(self) -> bool:
        """Tell whether there are words or a choice in any facet."""
        return bool(self.text or self.active)

    def with_kind(self, kind: Kind | None) -> "SearchQuery":
        """Return this query for another kind, from its first page."""
        return replace(self, kind=kind, page=1)

    def without(self, facet: Facet, value: str = "") -> "SearchQuery":
        """Return this query without one value of a facet, or without the facet, from its first page."""
        if facet is Facet.KIND:
            return self.with_kind(None)
        rest = tuple(kept for kept in self.chosen(facet) if value and kept != value)
        others = {key: values for key, values in self.filters.items() if key is not facet}
        return replace(self, filters=others | ({facet: rest} if rest else {}), page=1)

    def unfiltered(self) -> "SearchQuery":
        """Return this query with its words and kind alone."""
        return replace(self, filters={}, page=1)

    def parameters(self) -> dict[str, str | list[str]]:
        """Return what the address of this query holds; what is left at its default is left out."""
        held: dict[str, str | list[str]] = {"q": self.text, "kind": self.kind.value if self.kind else ""}
        held |= {facet.value: list(self.chosen(facet)) for facet in PANEL}
        held["sort"] = self.sort.value if self.sort else ""
        held["page"] = str(self.page) if self.page > 1 else ""
        return {name: value for name, value in held.items() if value}

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Yield what a form sends to ask this again, from the first page."""
        for name, value in replace(self, page=1).parameters().items():
            for one in [value] if isinstance(value, str) else value:
                yield name, one


def read_query(parameters: Sequence[tuple[str, str]], catalogue: Catalogue) -> tuple[SearchQuery, tuple[Note, ...]]:
    """Read a query from the parameters of an address; what cannot be understood is left out and said in the notes."""
    values: dict[str, list[str]] = {}
    for name, value in parameters:
        values.setdefault(name, []).append(value)
    notes: list[Note] = []
    text = _read_text(values.get("q", [""])[0], notes)
    kind = _read_one(Kind, values.get("kind", [""])[0], "类型", notes)
    sort = _read_one(Sort, values.get("sort", [""])[0], "排序", notes)
    known = known_values(catalogue)
    filters = {facet: _read_many(facet, values.get(facet.value, []), known[facet], notes) for facet in PANEL}
    page = _read_page(values.get("page", ["1"])[0])
    kept = {facet: chosen for facet, chosen in filters.items() if chosen}
    return SearchQuery(text, kind, kept, sort, page), tuple(notes)


def known_values(catalogue: Catalogue) -> Mapping[Facet, Collection[str]]:
    """Return every value that a facet of the panel can have."""
    return {
        Facet.REGION: catalogue.regions,
        Facet.PARK: catalogue.parks,
        Facet.FIELD: catalogue.fields,
        Facet.MATURITY: tuple(Maturity),
        Facet.MODE: tuple(Mode),
        Facet.MONEY: tuple(Band),
    }


def _read_text(typed: str, notes: list[Note]) -> str:
    text = " ".join("".join(char for char in typed if refused_character(char) is None).split())
    if len(text) <= LONGEST_TEXT:
        return text
    notes.append(Note("搜索词太长，只用了前 %(count)s 个字。", {"count": str(LONGEST_TEXT)}))
    return text[:LONGEST_TEXT].rstrip()


def _read_one(vocabulary: type[Word], value: str, title: str, notes: list[Note]) -> Word | None:
    if value in set(vocabulary):
        return vocabulary(value)
    if value:
        notes.append(Note(UNKNOWN, {"facet": title, "value": value[:SHOWN_VALUE]}))
    return None


def _read_many(facet: Facet, values: Sequence[str], known: Collection[str], notes: list[Note]) -> tuple[str, ...]:
    unknown = next((value for value in values if value and value not in known), None)
    if unknown is not None:
        notes.append(Note(UNKNOWN, {"facet": LEGENDS[facet], "value": unknown[:SHOWN_VALUE]}))
    return tuple(dict.fromkeys(value for value in values if value in known))


def _read_page(value: str) -> int:
    digits = value.strip()
    if not (digits.isascii() and digits.isdigit()):
        return 1
    return min(max(int(digits[:PAGE_DIGITS]), 1), MOST_PAGES) if len(digits) <= PAGE_DIGITS else MOST_PAGES


def regions_within(catalogue: Catalogue, chosen: Sequence[str]) -> frozenset[str]:
    """Return the codes of every place that lies in the places chosen.

    Where a place and one inside it are both chosen, the inner one counts: choosing 唐山 after 河北 narrows the list.
    """
    narrowest = [
        code for code in chosen if not any(other != code and catalogue.contains(code, other) for other in chosen)
    ]
    return frozenset(inner for code in narrowest for inner in _places_in(catalogue, code))


def _places_in(catalogue: Catalogue, code: str) -> Iterator[str]:
    yield code
    for child in catalogue.children(code):
        yield from _places_in(catalogue, child.code)
