"""Listings that say the same as a text that is about to be posted: retrieved by meaning, then compared word by word."""

from collections.abc import Callable, Mapping, Sequence

from backend.matching.pipeline import whole_text
from models.documents import IndexFilter, SearchEngine
from models.duplicates import same_as
from models.encoder import Encoder
from models.features import PairText
from models.term_table import TermTable

# A reworded copy is among the first five in meaning on the listings of a real market; the rest is margin.
COMPARED = 20
TextsOf = Callable[[Sequence[str]], Mapping[str, PairText]]


def find_same(
    engine: SearchEngine, encoder: Encoder, table: TermTable, text: PairText, *, where: IndexFilter, texts_of: TextsOf
) -> list[str]:
    """Return the ids of documents that say the same as a text, nearest in meaning first.

    `texts_of` gives the texts of those of some ids that may be looked at.
    """
    vector = encoder.encode_documents([whole_text(text)])[0]
    near = [id_ for id_, _ in engine.neighbours(vector, where, COMPARED)]
    texts = texts_of(near)
    known = [id_ for id_ in near if id_ in texts]
    same = same_as(text, [texts[id_] for id_ in known], table)
    return [id_ for id_, is_same in zip(known, same, strict=True) if is_same]
