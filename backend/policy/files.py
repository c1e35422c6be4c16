"""Reads each file of reference data into checked entries."""

from collections.abc import Collection, Hashable
from pathlib import Path
from typing import TypeVar

from backend.policy.entries import Article, Decision, Field, Industry, Level, Pairing, Park, Region, Topic, Use
from backend.policy.reading import Record, read_table, read_yaml

_Key = TypeVar("_Key", bound=Hashable)
_Entry = TypeVar("_Entry")


def read_regions(path: Path) -> dict[str, Region]:
    """Read the regions; a region stands after the one that holds it."""
    regions: dict[str, Region] = {}
    for row in read_table(path, ("code", "name", "short", "level", "parent")):
        level = row.text("level")
        _check(row, "level", [level], list(Level))
        parent = None if level == Level.PROVINCE else row.text("parent")
        _check(row, "region", [parent] if parent else [], regions)
        region = Region(row.text("code"), row.text("name"), row.text("short"), Level(level), parent)
        _add(regions, region.code, region, row)
    return regions


def read_industries(path: Path) -> dict[str, Industry]:
    """Read the industries; a division stands after its section."""
    industries: dict[str, Industry] = {}
    for row in read_table(path, ("code", "name")):
        industry = Industry(row.text("code"), row.text("name"))
        _check(row, "industry", [industry.code[0]] if len(industry.code) > 1 else [], industries)
        _add(industries, industry.code, industry, row)
    return industries


def read_parks(path: Path, *, regions: Collection[str]) -> dict[str, Park]:
    """Read the parks."""
    parks: dict[str, Park] = {}
    for entry in read_yaml(path).records("items"):
        park = Park(*map(entry.text, ("code", "name", "province", "region", "description")))
        _check(entry, "region", [park.province, park.region], regions)
        _add(parks, park.code, park, entry)
    return parks


def read_fields(path: Path) -> dict[str, Field]:
    """Read the priority fields."""
    fields: dict[str, Field] = {}
    for entry in read_yaml(path).records("items"):
        code, name, definition = map(entry.text, ("code", "name", "definition"))
        vocabulary, supporting = map(frozenset, (entry.texts("vocabulary"), entry.texts("supporting")))
        if both := vocabulary & supporting:
            raise entry.error(f"{min(both)} stands both in vocabulary and in supporting")
        field = Field(code, name, definition, entry.texts("technologies"), vocabulary, supporting)
        _add(fields, code, field, entry)
    return fields


def read_articles(
    path: Path, *, regions: Collection[str], fields: Collection[str], industries: Collection[str]
) -> tuple[Article, ...]:
    """Read the articles of both decisions, in the order of their numbers; an entry of both texts becomes two."""
    content = read_yaml(path)
    decisions = _decisions(content, regions)
    articles: dict[tuple[int, str], Article] = {}
    for entry in content.records("articles"):
        number, places = entry.whole("number"), entry.texts("regions", default=())
        _check(entry, "region", places, regions)
        _check(entry, "use", entry.texts("supports"), list(Use))
        _check(entry, "decision", entry.texts("texts"), decisions)
        supports = frozenset(map(Use, entry.texts("supports")))
        pairings = tuple(_pairing(item, regions, fields, industries) for item in entry.records("pairings"))
        for key in entry.texts("texts"):
            article = Article(number, decisions[key], supports, places, entry.text("paraphrase"), pairings)
            _add(articles, (number, key), article, entry)
    return tuple(articles[place] for place in sorted(articles))


def _decisions(content: Record, regions: Collection[str]) -> dict[str, Decision]:
    decisions: dict[str, Decision] = {}
    for entry in content.records("decisions"):
        key, place, title = map(entry.text, ("key", "place", "title"))
        decision = Decision(key, place, title, entry.day("adopted_on"))
        _check(entry, "region", [decision.place], regions)
        _add(decisions, decision.key, decision, entry)
    return decisions


def _pairing(entry: Record, regions: Collection[str], fields: Collection[str], industries: Collection[str]) -> Pairing:
    one, other = entry.texts("one"), entry.texts("other")
    _check(entry, "region", (*one, *other), regions)
    topics = tuple(_topic(item, fields, industries) for item in entry.records("topics"))
    return Pairing(one, other, entry.text("reason"), topics)


def _topic(entry: Record, fields: Collection[str], industries: Collection[str]) -> Topic:
    _check(entry, "field", entry.texts("fields"), fields)
    _check(entry, "industry", entry.texts("industries"), industries)
    codes = frozenset(entry.texts("fields")), frozenset(entry.texts("industries"))
    return Topic(entry.text("name"), *codes, entry.texts("words"))


def _check(entry: Record, kind: str, codes: Collection[str], known: Collection[str]) -> None:
    for code in codes:
        if code not in known:
            raise entry.error(f"unknown {kind}: {code!r}")


def _add(entries: dict[_Key, _Entry], key: _Key, value: _Entry, entry: Record) -> None:
    if key in entries:
        raise entry.error(f"{key} stands twice")
    entries[key] = value
