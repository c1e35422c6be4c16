"""What the posting form offers to choose from: places, industries and parks, in groups."""

from collections.abc import Iterable
from dataclasses import dataclass

from backend.policy.catalogue import Catalogue
from backend.policy.entries import Region


@dataclass(frozen=True)
class Choice:
    """One entry of a select."""

    value: str
    label: str


@dataclass(frozen=True)
class ChoiceGroup:
    """Entries of a select under one heading."""

    label: str
    choices: tuple[Choice, ...]


def region_groups(catalogue: Catalogue) -> tuple[ChoiceGroup, ...]:
    """Return every place: each province, then its districts, or each of its cities with theirs."""
    groups = []
    for province in (region for region in catalogue.regions.values() if not region.parent):
        whole = Choice(province.code, f"{province.name}（不限市区）")
        below = catalogue.children(province.code)
        simple = [region for region in below if not catalogue.children(region.code)]
        groups.append(ChoiceGroup(province.name, (whole, *_plain(simple))))
        for city in (region for region in below if catalogue.children(region.code)):
            whole = Choice(city.code, f"{city.name}（不限区县）")
            label = f"{province.short} {city.name}"
            groups.append(ChoiceGroup(label, (whole, *_plain(catalogue.children(city.code)))))
    return tuple(groups)


def industry_groups(catalogue: Catalogue) -> tuple[ChoiceGroup, ...]:
    """Return the sections of GB/T 4754, each with its divisions."""
    sections = [industry for industry in catalogue.industries.values() if len(industry.code) == 1]
    return tuple(
        ChoiceGroup(
            section.name,
            tuple(
                Choice(industry.code, f"{industry.code} {industry.name}")
                for industry in catalogue.industries.values()
                if industry.code.startswith(section.code)
            ),
        )
        for section in sections
    )


def park_groups(catalogue: Catalogue) -> tuple[ChoiceGroup, ...]:
    """Return the parks of Article 11 by province."""
    provinces = dict.fromkeys(park.province for park in catalogue.parks.values())
    return tuple(
        ChoiceGroup(
            catalogue.region(province).name,
            tuple(Choice(park.code, park.name) for park in catalogue.parks.values() if park.province == province),
        )
        for province in provinces
    )


def _plain(regions: Iterable[Region]) -> tuple[Choice, ...]:
    return tuple(Choice(region.code, region.name) for region in regions)
