"""The geometry of charts: what is drawn is as large as what is counted."""

import re
from itertools import pairwise
from random import Random

from backend.figures.drawing import SANKEY_HEIGHT, draw_gaps, draw_line, draw_sankey
from backend.figures.repository import Flow

PLACES = ("110000", "120000", "130000")


def random_flows(seed: int) -> list[Flow]:
    chance = Random(seed)
    return [
        Flow(one, field, other, chance.randint(1, 30))
        for one in PLACES
        for field in ("a", "b", "c", "d", "e", "f")
        for other in PLACES
        if chance.random() < 0.6
    ]


def test_nodes_of_each_column_add_up_and_are_as_high_as_their_count():
    for seed in range(50):
        flows = random_flows(seed)
        total = sum(flow.count for flow in flows)

        chart = draw_sankey(flows, PLACES)

        for column in (chart.sources, chart.fields, chart.targets):
            assert sum(node.count for node in column) == total
            for node in column:
                assert abs(node.height - node.count * SANKEY_HEIGHT / total) < 0.1
                assert -0.1 <= node.y <= chart.height - node.height + 0.2
            for above, below in pairwise(column):
                assert above.y + above.height <= below.y + 0.2


def test_bands_carry_the_flows_and_none_leaves_its_node():
    for seed in range(50):
        flows = random_flows(seed)

        chart = draw_sankey(flows, PLACES)

        assert sum(band.count for band in chart.bands) == 2 * sum(flow.count for flow in flows)
        assert len(chart.bands) <= 36
        for band in chart.bands:
            heights = [float(y) for y in re.findall(r"[\d.]+ (-?[\d.]+)", band.path)]
            assert min(heights) >= -0.5
            assert max(heights) <= chart.height + 0.5


def test_an_empty_chart_draws_nothing():
    chart = draw_sankey([], PLACES)

    assert not [*chart.sources, *chart.fields, *chart.targets, *chart.bands]


def test_a_gap_points_right_for_demand_and_left_for_supply():
    more, less, even = draw_gaps([("a", 4), ("b", -2), ("c", 0)], most=4).bars

    assert (more.kind, less.kind) == ("demand", "supply")
    assert more.x == less.x + less.width == 60
    assert more.width == 2 * less.width
    assert even.width == 0


def test_lines_of_one_scale_are_as_high_as_their_count():
    full, half = (draw_line("demand", counts, most=10) for counts in ([0, 10], [0, 5]))

    assert full.points == "0,104 104,20"
    assert half.points == "0,104 104,62"
