"""Where everything of a chart stands: pure geometry in the units of its view box; colours and words are elsewhere.

All charts are 360 units wide, the narrowest phone, so that letters keep their size there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from backend.figures.repository import Flow

WIDTH = 360
NODE_WIDTH = 8
NODE_GAP = 22
SANKEY_HEIGHT = 300
LINE_WIDTH, LINE_HEIGHT, LINE_TOP = 104, 84, 20
BAR_HEIGHT, BAR_GAP = 16, 6


@dataclass(frozen=True)
class Node:
    """One upright bar of a Sankey chart: a place on the left or right, a field in the middle."""

    code: str
    count: int
    x: float
    y: float
    height: float


@dataclass(frozen=True)
class Band:
    """What flows between two neighbouring nodes; `place` is the region at its outer end."""

    place: str
    field: str
    count: int
    path: str


@dataclass(frozen=True)
class Sankey:
    """Region → field → region: three columns of nodes and the bands between them."""

    width: int
    height: float
    sources: Sequence[Node]
    fields: Sequence[Node]
    targets: Sequence[Node]
    bands: Sequence[Band]


def draw_sankey(flows: Sequence[Flow], places: Sequence[str]) -> Sankey:
    """Lay flows out: a node is as high as its count, fields stand where their bands cross least."""
    total = sum(flow.count for flow in flows) or 1
    fields = _order_fields(flows, places)
    scale = SANKEY_HEIGHT / total
    outer = dict.fromkeys(places, 0)
    starts, ends, middles = dict(outer), dict(outer), dict.fromkeys(fields, 0)
    for flow in flows:
        starts[flow.source] += flow.count
        ends[flow.target] += flow.count
        middles[flow.field] += flow.count
    tallest = SANKEY_HEIGHT + NODE_GAP * (max(len(places), len(fields)) - 1)
    sources = _stack(starts, 0, scale, tallest)
    targets = _stack(ends, WIDTH - NODE_WIDTH, scale, tallest)
    middle = _stack(middles, (WIDTH - NODE_WIDTH) / 2, scale, tallest)
    incoming: dict[tuple[str, str], int] = {}
    outgoing: dict[tuple[str, str], int] = {}
    for flow in flows:
        incoming[flow.source, flow.field] = incoming.get((flow.source, flow.field), 0) + flow.count
        outgoing[flow.target, flow.field] = outgoing.get((flow.target, flow.field), 0) + flow.count
    bands = [
        *_bands(incoming, sources, middle, scale, is_left=True),
        *_bands(outgoing, targets, middle, scale, is_left=False),
    ]
    return Sankey(WIDTH, tallest, sources, middle, targets, bands)


def _order_fields(flows: Sequence[Flow], places: Sequence[str]) -> list[str]:
    """Order fields by the mean height of the places they are joined to, so that few bands cross."""
    rank = {place: number for number, place in enumerate(places)}
    heights: dict[str, int] = {}
    counts: dict[str, int] = {}
    for flow in flows:
        heights[flow.field] = heights.get(flow.field, 0) + (rank[flow.source] + rank[flow.target]) * flow.count
        counts[flow.field] = counts.get(flow.field, 0) + flow.count
    return sorted(counts, key=lambda field: (heights[field] / counts[field], field))


def _stack(counts: Mapping[str, int], x: float, scale: float, height: float) -> list[Node]:
    """Stand nodes above each other with even gaps, from top to bottom of the chart."""
    shown = {code: count for code, count in counts.items() if count}
    free = height - sum(shown.values()) * scale
    gap = free / (len(shown) - 1) if len(shown) > 1 else 0
    y = 0.0 if len(shown) > 1 else free / 2
    nodes = []
    for code, count in shown.items():
        nodes.append(Node(code, count, round(x, 1), round(y, 1), round(count * scale, 1)))
        y += count * scale + gap
    return nodes


def _bands(
    counts: Mapping[tuple[str, str], int], outer: Sequence[Node], middle: Sequence[Node], scale: float, *, is_left: bool
) -> list[Band]:
    """Draw one side: bands leave each node in the order in which they arrive, top to bottom."""
    outer_y = {node.code: node.y for node in outer}
    middle_y = {node.code: node.y for node in middle}
    bands = []
    for place in outer:
        for field in middle:
            count = counts.get((place.code, field.code), 0)
            if not count:
                continue
            a, b, thick = outer_y[place.code], middle_y[field.code], count * scale
            ends = (place.x + NODE_WIDTH, a, field.x, b) if is_left else (field.x + NODE_WIDTH, b, place.x, a)
            bands.append(Band(place.code, field.code, count, _ribbon(*ends, thick)))
            outer_y[place.code] += thick
            middle_y[field.code] += thick
    return bands


def _ribbon(x1: float, y1: float, x2: float, y2: float, thick: float) -> str:
    """Return the outline of a band of one thickness from left to right."""
    bend = (x1 + x2) / 2
    return (
        f"M{x1:.0f} {y1:.0f}C{bend:.0f} {y1:.0f} {bend:.0f} {y2:.0f} {x2:.0f} {y2:.0f}V{y2 + thick:.0f}"
        f"C{bend:.0f} {y2 + thick:.0f} {bend:.0f} {y1 + thick:.0f} {x1:.0f} {y1 + thick:.0f}z"
    )


@dataclass(frozen=True)
class Bar:
    """One level bar of a row, from `x` to the right; `kind` says how it is filled."""

    kind: str
    label: str
    count: int
    x: float
    y: float
    width: float


@dataclass(frozen=True)
class Bars:
    """Rows of bars on one scale; the axis stands at `axis`."""

    width: int
    height: float
    axis: float
    bars: Sequence[Bar]


def draw_bars(rows: Sequence[tuple[str, str, int]], *, left: int, right: int = 44) -> Bars:
    """Draw one bar for each (kind, label, count), with room for labels on both sides."""
    most = max((count for _, _, count in rows), default=0) or 1
    room, step = WIDTH - left - right, BAR_HEIGHT + BAR_GAP
    bars = [
        Bar(kind, label, count, left, number * step + 3, round(room * count / most, 1))
        for number, (kind, label, count) in enumerate(rows)
    ]
    return Bars(WIDTH, len(rows) * step + 3, left, bars)


def draw_gaps(rows: Sequence[tuple[str, int]], *, most: int, width: int = WIDTH // 3) -> Bars:
    """Draw bars from an axis in the middle: more demand to the right, more supply to the left, all on one scale."""
    axis, step = width / 2, BAR_HEIGHT + BAR_GAP
    room = axis - 22
    bars = []
    for number, (label, gap) in enumerate(rows):
        length = round(room * abs(gap) / (most or 1), 1)
        kind = "demand" if gap > 0 else "supply"
        bars.append(Bar(kind, label, gap, axis if gap > 0 else axis - length, number * step + 3, length))
    return Bars(width, len(rows) * step + 3, axis, bars)


@dataclass(frozen=True)
class Line:
    """One course over time as points of a polyline, with its last point for the label."""

    kind: str
    points: str
    last: int
    x: float
    y: float


def draw_line(kind: str, counts: Sequence[int], *, most: int) -> Line:
    """Draw one line over evenly spaced months on a scale from 0 to `most`."""
    step = LINE_WIDTH / max(len(counts) - 1, 1)
    height = [LINE_TOP + LINE_HEIGHT * (1 - count / (most or 1)) for count in counts]
    points = " ".join(f"{number * step:.0f},{y:.0f}" for number, y in enumerate(height))
    return Line(kind, points, counts[-1], LINE_WIDTH, round(height[-1]))
