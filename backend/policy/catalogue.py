"""The reference data in memory: immutable, loaded once, looked up by code."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from backend.policy.entries import Article, Field, Industry, Pairing, PairingSupport, Park, Region, Topic, Use
from backend.policy.files import read_articles, read_fields, read_industries, read_parks, read_regions

SEALS: Mapping[str, str] = MappingProxyType({"110000": "京", "120000": "津", "130000": "冀"})

_Entry = TypeVar("_Entry")


@dataclass(frozen=True)
class Catalogue:
    """Regions, parks, fields, industries and articles, each in the order of its file."""

    regions: Mapping[str, Region]
    parks: Mapping[str, Park]
    fields: Mapping[str, Field]
    industries: Mapping[str, Industry]
    articles: tuple[Article, ...]

    def region(self, code: str) -> Region:
        """Return the region of a code; ValueError if there is none."""
        return _known(self.regions, code, "region")

    def find_region(self, code: str) -> Region | None:
        """Return the region of a code, if there is one."""
        return self.regions.get(code)

    def path_of(self, code: str) -> tuple[Region, ...]:
        """Return a region and all that hold it, from the province down."""
        region = self.region(code)
        return (*self.path_of(region.parent), region) if region.parent else (region,)

    def province_of(self, code: str) -> Region:
        """Return the province that a region lies in or is."""
        return self.path_of(code)[0]

    def seal(self, code: str) -> str:
        """Return the one-character seal (京, 津 or 冀) of a region's province."""
        return SEALS[self.province_of(code).code]

    def children(self, code: str) -> tuple[Region, ...]:
        """Return the regions directly below one, by code."""
        return self._children.get(self.region(code).code, ())

    def contains(self, outer: str, inner: str) -> bool:
        """Tell whether one region lies within another or is the same."""
        return self.region(outer) in self.path_of(inner)

    def regions_named(self, text: str) -> tuple[Region, ...]:
        """Return the regions a text names, with or without the places above (唐山, 河北省唐山市), the highest first."""
        plain = "".join(text.split())
        named = [region for region in self.regions.values() if self._is_named(region, plain)]
        return tuple(sorted(named, key=lambda region: (len(self.path_of(region.code)), region.code)))

    def park(self, code: str) -> Park:
        """Return the park of a code; ValueError if there is none."""
        return _known(self.parks, code, "park")

    def parks_of(self, region: str) -> tuple[Park, ...]:
        """Return the parks that lie in a region."""
        return tuple(park for park in self.parks.values() if self.contains(region, park.region))

    def field(self, code: str) -> Field:
        """Return the priority field of a code; ValueError if there is none."""
        return _known(self.fields, code, "field")

    def industry(self, code: str) -> Industry:
        """Return the industry of a code; ValueError if there is none."""
        return _known(self.industries, code, "industry")

    def articles_supporting(self, use: Use) -> tuple[Article, ...]:
        """Return the articles of both texts that support a use of the platform."""
        return tuple(article for article in self.articles if use in article.supports)

    def pairing_articles(
        self, a: str, b: str, *, fields: Collection[str] = (), industries: Collection[str] = (), text: str = ""
    ) -> tuple[PairingSupport, ...]:
        """Return what Article 5 says for two places, the narrowest pairing first.

        The order of the places does not matter. Fields, industries and text are those of the listings concerned; they
        decide on pairings that hold for certain topics only.
        """
        found = [
            (depth, PairingSupport(article, pairing, topic))
            for article in self.articles_supporting(Use.REGION_PAIR)
            for pairing in article.pairings
            if (depth := self._depth(pairing, a, b))
            for topic in _topics(pairing, fields, industries, text)
        ]
        return tuple(support for _, support in sorted(found, key=lambda item: -item[0]))

    @cached_property
    def fields_of_terms(self) -> Mapping[str, tuple[Field, ...]]:
        """Each term that suggests fields, own or supporting, with the fields that list it."""
        terms: dict[str, tuple[Field, ...]] = {}
        for field in self.fields.values():
            for term in field.vocabulary | field.supporting:
                terms[term] = (*terms.get(term, ()), field)
        return MappingProxyType(terms)

    @cached_property
    def _children(self) -> Mapping[str, tuple[Region, ...]]:
        below: dict[str, tuple[Region, ...]] = {}
        for region in sorted(self.regions.values(), key=lambda region: region.code):
            if region.parent:
                below[region.parent] = (*below.get(region.parent, ()), region)
        return below

    def _is_named(self, region: Region, text: str) -> bool:
        rests = {text}
        for above in self.path_of(region.code)[:-1]:
            rests |= {rest.removeprefix(name) for rest in rests for name in (above.name, above.short)}
        return not rests.isdisjoint((region.name, region.short))

    def _depth(self, pairing: Pairing, a: str, b: str) -> int:
        """Say how narrowly a pairing names the two places: the levels of both sides, 0 if it does not name them."""
        return max(
            (
                len(self.path_of(one)) + len(self.path_of(other))
                for one in pairing.one
                for other in pairing.other
                for here, there in ((a, b), (b, a))
                if self.contains(one, here) and self.contains(other, there)
            ),
            default=0,
        )


def load_catalogue(folder: Path) -> Catalogue:
    """Read and check the reference data of a folder; ReferenceDataError names the file and line of a fault."""
    regions = read_regions(folder / "regions.tsv")
    industries = read_industries(folder / "industries.tsv")
    fields = read_fields(folder / "fields.yaml")
    parks = read_parks(folder / "parks.yaml", regions=regions)
    articles = read_articles(folder / "articles.yaml", regions=regions, fields=fields, industries=industries)
    proxy = MappingProxyType
    return Catalogue(proxy(regions), proxy(parks), proxy(fields), proxy(industries), articles)


def _known(entries: Mapping[str, _Entry], code: str, kind: str) -> _Entry:
    if code not in entries:
        raise ValueError(f"unknown {kind} code: {code!r}")
    return entries[code]


def _topics(
    pairing: Pairing, fields: Collection[str], industries: Collection[str], text: str
) -> tuple[Topic | None, ...]:
    """Return the topics of a pairing that apply, or the one answer None where it is not limited to any."""
    if not pairing.topics:
        return (None,)
    return tuple(topic for topic in pairing.topics if topic.covers(fields, industries, text))
