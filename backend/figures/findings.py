"""What the numbers say, in one sentence each: the title of a chart. The words stand in `figures/_findings.html`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from backend.figures.repository import Flow, Measure
from backend.figures.service import PLACES, Step, Supplies, percent, place_matrix
from backend.figures.sheets import Sheet
from backend.listings.tables import Kind


@dataclass(frozen=True)
class Finding:
    """One sentence by its name, with what it says: place and field codes, numbers and terms."""

    code: str
    values: Mapping[str, object] = field(default_factory=dict)


def find_in_places(counted: Supplies) -> Finding:
    """Say who seeks most and who offers most."""
    seeking = max(PLACES, key=lambda place: counted.of_place(place, Kind.DEMAND))
    offering = max(PLACES, key=lambda place: counted.of_place(place, Kind.SUPPLY))
    demands, supplies = counted.of_place(seeking, Kind.DEMAND), counted.of_place(offering, Kind.SUPPLY)
    if not demands and not supplies:
        return Finding("places_none")
    values = {"seeking": seeking, "demands": demands, "offering": offering, "supplies": supplies}
    return Finding("places", values)


def find_in_gap(counted: Supplies, fields: Sequence[str]) -> Finding:
    """Say where supply is lacking most, or that it is lacking nowhere."""
    seen = [one for one in fields if counted.of_field(one, Kind.DEMAND) or counted.of_field(one, Kind.SUPPLY)]
    if not seen:
        return Finding("gap_none")
    widest = max(((counted.gap(one, place), one, place) for one in seen for place in PLACES), key=lambda it: it[0])
    gap, one, place = widest
    if gap > 0:
        return Finding("gap_demand", {"place": place, "field": one, "gap": gap})
    most = min(seen, key=counted.gap)
    return Finding("gap_supply", {"field": most, "gap": -counted.gap(most)})


def find_in_flow(flows: Sequence[Flow], measure: Measure) -> Finding:
    """Say how much crosses a border, and on which way most."""
    total = sum(flow.count for flow in flows)
    if not total:
        return Finding(f"flow_none_{measure.value}")
    counts = place_matrix(flows)
    crossing = {way: count for way, count in counts.items() if way[0] != way[1]}
    crossed = sum(crossing.values())
    if not crossed:
        return Finding(f"flow_home_{measure.value}", {"total": total})
    way = max(crossing, key=lambda one: crossing[one])
    values = {"total": total, "crossing": crossed, "share": percent(crossed, total)}
    return Finding(f"flow_{measure.value}", {**values, "source": way[0], "target": way[1], "count": crossing[way]})


def find_in_fields(flows: Sequence[Flow], measure: Measure) -> Finding:
    """Say which field is busiest, and where most of it comes from."""
    total = sum(flow.count for flow in flows)
    if not total:
        return Finding(f"flow_none_{measure.value}")
    by_field: dict[str, int] = {}
    for flow in flows:
        by_field[flow.field] = by_field.get(flow.field, 0) + flow.count
    busiest = max(by_field, key=lambda one: by_field[one])
    from_place = {place: sum(f.count for f in flows if (f.field, f.source) == (busiest, place)) for place in PLACES}
    source = max(from_place, key=lambda one: from_place[one])
    values = {"field": busiest, "count": by_field[busiest], "source": source, "from_source": from_place[source]}
    return Finding(f"fields_{measure.value}", values)


def find_in_funnel(steps: Sequence[Step]) -> Finding:
    """Say how many of the recommended pairs were taken up and signed."""
    recommended, taken = steps[0].count, steps[1].count
    signed = next(step.count for step in steps if step.label == "签约")
    if not recommended:
        return Finding("funnel_none")
    values = {"recommended": recommended, "taken": taken, "signed": signed, "share": percent(taken, recommended)}
    return Finding("funnel", values)


def find_in_months(sheet: Sheet) -> Finding:
    """Say in which month most was published."""
    totals = [(sum(int(cell.value) for cell in row[1:-2]), str(row[0].value)) for row in sheet.rows]
    most, month = max(totals, key=lambda it: (it[0], it[1]))
    if not most:
        return Finding("months_none")
    return Finding("months", {"month": month, "count": most, "total": sum(count for count, _ in totals)})


def find_in_waiting(waiting: int, longest_days: int) -> Finding:
    """Say how many needs nobody answered, and how long the oldest waits."""
    return Finding("waiting", {"count": waiting, "days": longest_days}) if waiting else Finding("waiting_none")
