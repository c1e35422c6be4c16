"""The pages of matching, by the name under which the rest of the platform knows them."""

from backend.matching.bridges import Bridge, Pair, bridge_of, pair_of
from backend.matching.listing_page import GonePage, ListingPage
from backend.matching.pair_page import BrokenPairPage, PairPage
from backend.matching.rows import Row, make_row, make_rows
from backend.matching.saved_page import SavedPage
from backend.matching.search_page import SearchPage

__all__ = [
    "Bridge",
    "BrokenPairPage",
    "GonePage",
    "ListingPage",
    "Pair",
    "PairPage",
    "Row",
    "SavedPage",
    "SearchPage",
    "bridge_of",
    "make_row",
    "make_rows",
    "pair_of",
]
