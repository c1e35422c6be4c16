"""Attributes of documents as columns, and filters as masks over them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.documents import HIGHEST_PRICE, KINDS, Dimension, IndexDocument, IndexFilter

Mask = NDArray[np.bool_]

NEVER_LOW = np.iinfo(np.int64).max  # an unknown price fails both comparisons
NEVER_HIGH = -1
MOST_CODES = 64  # fields and modes are bits of one uint64 each


@dataclass(frozen=True, slots=True)
class Codebook:
    """The codes seen so far, each standing for its place; grows at the end only, so old columns stay readable."""

    regions: tuple[str, ...] = ()
    parks: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    modes: tuple[str, ...] = ()

    def extended(self, documents: Sequence[IndexDocument]) -> "Codebook":
        """Return a codebook that also knows every code of the documents."""
        return Codebook(
            regions=_grown(self.regions, (document.region for document in documents)),
            parks=_grown(self.parks, (document.park for document in documents if document.park is not None)),
            fields=_grown(self.fields, (code for document in documents for code in document.fields)),
            modes=_grown(self.modes, (code for document in documents for code in document.modes)),
        )

    def as_arrays(self) -> dict[str, NDArray[np.bytes_]]:
        """Return one array of UTF-8 bytes for each list of codes, to be saved."""
        return {f"book_{part.name}": encode_strings(getattr(self, part.name)) for part in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "Codebook":
        """Return the codebook that `as_arrays` gave."""
        return cls(*(tuple(decode_strings(arrays[f"book_{part.name}"])) for part in fields(cls)))


def _grown(known: tuple[str, ...], codes: Iterable[str]) -> tuple[str, ...]:
    return known + tuple(sorted(set(codes).difference(known)))


def encode_strings(values: Iterable[str]) -> NDArray[np.bytes_]:
    """Return strings as an array of UTF-8 bytes, loadable without pickle."""
    return np.array([value.encode() for value in values], dtype=np.bytes_)


def decode_strings(values: NDArray[np.bytes_]) -> list[str]:
    """Return the strings of an array of UTF-8 bytes."""
    return [bytes(value).decode() for value in values]


def _bits(known: tuple[str, ...], codes: Iterable[str]) -> int:
    places = [known.index(code) for code in codes if code in known]
    if places and max(places) >= MOST_CODES:
        raise ValueError(f"more than {MOST_CODES} different codes: {known}")
    return sum(1 << place for place in places)


@dataclass(frozen=True, slots=True)
class AttributeTable:
    """One column per attribute, each (n,); codes are places in a codebook."""

    kind: NDArray[np.uint8]
    region: NDArray[np.int32]
    park: NDArray[np.int32]
    """-1 for none."""
    fields: NDArray[np.uint64]
    maturity: NDArray[np.uint8]
    modes: NDArray[np.uint64]
    price_low: NDArray[np.int64]
    price_high: NDArray[np.int64]
    published_at: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.kind)

    @classmethod
    def of(cls, documents: Sequence[IndexDocument], book: Codebook) -> "AttributeTable":
        """Return the columns of documents, whose codes the codebook must know."""
        regions = {code: place for place, code in enumerate(book.regions)}
        prices = [price_range(document) for document in documents]
        return cls(
            kind=np.array([KINDS.index(document.kind) for document in documents], np.uint8),
            region=np.array([regions[document.region] for document in documents], np.int32),
            park=np.array([_place(book.parks, document.park) for document in documents], np.int32),
            fields=np.array([_bits(book.fields, document.fields) for document in documents], np.uint64),
            maturity=np.array([document.maturity for document in documents], np.uint8),
            modes=np.array([_bits(book.modes, document.modes) for document in documents], np.uint64),
            price_low=np.array([low for low, _ in prices], np.int64),
            price_high=np.array([high for _, high in prices], np.int64),
            published_at=np.array([document.published_at for document in documents], np.int64),
        )

    def take(self, rows: NDArray[np.int64]) -> "AttributeTable":
        """Return the given rows in the given order."""
        return AttributeTable(*(column[rows] for column in self.columns().values()))

    def joined(self, other: "AttributeTable") -> "AttributeTable":
        """Return the rows of both, this table's first."""
        pairs = zip(self.columns().values(), other.columns().values(), strict=True)
        return AttributeTable(*(np.concatenate(pair) for pair in pairs))

    def columns(self) -> dict[str, NDArray[Any]]:
        """Return the columns by name."""
        return {part.name: getattr(self, part.name) for part in fields(self)}

    def as_arrays(self) -> dict[str, NDArray[Any]]:
        """Return the columns, to be saved."""
        return {f"column_{name}": column for name, column in self.columns().items()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "AttributeTable":
        """Return the table that `as_arrays` gave."""
        return cls(*(arrays[f"column_{part.name}"] for part in fields(cls)))


def price_range(document: IndexDocument) -> tuple[int, int]:
    """Return the ends of a document's price range in yuan, or two values that fail every comparison."""
    if document.price_low is None and document.price_high is None:
        return NEVER_LOW, NEVER_HIGH
    low = 0 if document.price_low is None else document.price_low
    return low, NEVER_LOW if document.price_high is None else document.price_high


def _place(known: tuple[str, ...], code: str | None) -> int:
    return -1 if code is None else known.index(code)


def matching(table: AttributeTable, book: Codebook, where: IndexFilter) -> Mask:
    """Return which rows pass every predicate on attributes; `only` and `exclude` are the caller's."""
    keep = np.ones(len(table), np.bool_)
    for mask in _predicates(table, book, where):
        keep &= mask
    return keep


def _predicates(table: AttributeTable, book: Codebook, where: IndexFilter) -> Iterator[Mask]:
    if where.kind is not None:
        yield table.kind == KINDS.index(where.kind)
    if where.regions:
        yield _is_among(table.region, book.regions, where.regions)
    if where.parks:
        yield _is_among(table.park, book.parks, where.parks)
    if where.fields:
        yield _has_any(table.fields, _bits(book.fields, where.fields), where)
    if where.modes:
        yield _has_any(table.modes, _bits(book.modes, where.modes), where)
    if where.maturity_at_least > 0:
        yield (table.maturity >= where.maturity_at_least) | _unknown(table.maturity == 0, where)
    if where.published_since is not None:
        yield table.published_at >= where.published_since
    yield from _price_predicates(table, where)


def _price_predicates(table: AttributeTable, where: IndexFilter) -> Iterator[Mask]:
    unknown = _unknown(table.price_high == NEVER_HIGH, where)
    if where.price_at_least is not None:
        yield (table.price_high >= max(clamped_price(where.price_at_least), 0)) | unknown
    if where.price_at_most is not None:
        yield (table.price_low <= clamped_price(where.price_at_most)) | unknown


def clamped_price(asked: int) -> int:
    """Return an asked price in 64 bits, still below or above every known price if it was."""
    return min(max(asked, -1), HIGHEST_PRICE + 1)


def _unknown(mask: Mask, where: IndexFilter) -> Mask:
    return mask & where.unknown_passes


def _is_among(column: NDArray[np.int32], known: tuple[str, ...], wanted: frozenset[str]) -> Mask:
    # One place more than there are codes, so that -1 (none) reads the last, which is never wanted.
    allowed = np.array([code in wanted for code in known] + [False], np.bool_)
    mask: Mask = allowed[column]
    return mask


def _has_any(column: NDArray[np.uint64], wanted: int, where: IndexFilter) -> Mask:
    mask: Mask = ((column & np.uint64(wanted)) != 0) | _unknown(column == 0, where)
    return mask


def counted(table: AttributeTable, book: Codebook, keep: Mask, dimension: Dimension) -> dict[str, int]:
    """Return how many of the kept rows have each value of a dimension, without zeros."""
    column = table.columns()[dimension.value][keep]
    if dimension in (Dimension.FIELDS, Dimension.MODES):
        codes: Sequence[str] = getattr(book, dimension.value)
        numbers = [int(np.count_nonzero(column.astype(np.uint64) & np.uint64(1 << n))) for n in range(len(codes))]
    else:
        codes = _labels(book, dimension)
        places = column.astype(np.int64)
        numbers = np.bincount(places[places >= 0], minlength=len(codes)).tolist()
    return {code: number for code, number in zip(codes, numbers, strict=True) if number}


def _labels(book: Codebook, dimension: Dimension) -> Sequence[str]:
    match dimension:
        case Dimension.KIND:
            return KINDS
        case Dimension.REGION:
            return book.regions
        case Dimension.PARK:
            return book.parks
        case _:
            return [str(level) for level in range(6)]
