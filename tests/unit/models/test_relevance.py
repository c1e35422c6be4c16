import gzip
import json
import shutil
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import yaml
from encoders import HashEncoder
from hypothesis import given, settings
from hypothesis import strategies as st

from models.evaluation import spearman
from models.features import FEATURES
from models.relevance import SHIPPED, MatchLevel, PairScorer, PairText

MARKET = Path(__file__).parents[3] / "seeds" / "market"
HOSTILE = st.text(
    alphabet=st.sampled_from("锂电池干法电极涂布機器學習\u200b\u202e\ud800𠮷 Aa1９.，。\n\x00"), max_size=60
)


class NarrowEncoder(HashEncoder):
    """The same directions, but every two texts are alike in one more, as with many transformers."""

    name = "narrow"
    dimension = HashEncoder.dimension + 1

    def encode_documents(self, texts):
        rows = super().encode_documents(texts) * 0.5
        return np.concatenate([rows, np.full((len(texts), 1), np.sqrt(0.75), np.float32)], axis=1)


class NamedEncoder(HashEncoder):
    """The same encoder under a name of one's choice."""

    def __init__(self, name):
        self.name = name


@cache
def scorer():
    return PairScorer.load(SHIPPED, HashEncoder())


@cache
def market():
    texts, expects = {}, {}
    for path in sorted(MARKET.glob("*.yaml")):
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        for row in content["supplies"] + content["demands"]:
            body = f"{row['summary']}\n{row['description']}"
            texts[row["key"]] = PairText(row["title"], " ".join(row["keywords"]), body)
            if "expects" in row:
                expects[row["key"]] = row["expects"]
    return texts, expects


def answered_pairs():
    texts, expects = market()
    return [(texts[demand], texts[supply]) for demand, keys in expects.items() for supply in keys]


def supplies():
    texts, expects = market()
    return [text for key, text in texts.items() if key not in expects]


DEMAND = PairText(
    "电池极片干燥耗电太多",
    "极片 干燥",
    "涂布后的极片要在烘箱里烘很久，希望有不用溶剂的电极制造办法，产线速度不低于 60 m/min。",
)
ANSWER = PairText(
    "无溶剂干法电极成膜装备",
    "干法电极 极片",
    "粉料直接压成自支撑膜再与集流体复合，极片不经烘箱干燥，线速度 80 m/min，省去溶剂回收。",
)
STRANGER = PairText(
    "黄芩根腐病的生物防治菌剂", "黄芩 根腐病", "木霉与芽孢杆菌复配，田间两年防效七成，施用时与有机肥同撒。"
)


def test_an_answer_is_judged_above_a_stranger():
    answer, stranger = scorer().judge(DEMAND, [ANSWER, STRANGER])

    assert answer.score > stranger.score
    assert stranger.level is MatchLevel.NONE


def test_a_pair_has_the_same_judgement_from_whichever_side():
    for demand, supply in answered_pairs()[:30]:
        (from_demand,) = scorer().judge(demand, [supply])
        (from_supply,) = scorer().judge_demands(supply, [demand])

        assert from_demand == from_supply


def test_a_judgement_does_not_depend_on_the_other_candidates():
    demand, supply = answered_pairs()[0]

    among_many = scorer().judge(demand, [*supplies(), supply])[-1]

    assert among_many == scorer().judge(demand, [supply])[0]


def test_a_judgement_from_memory_equals_the_first_one():
    demand, supply = answered_pairs()[1]
    fresh = PairScorer(encoder=scorer().encoder, table=scorer().table, model=scorer().model)

    first = fresh.judge(demand, [supply])

    assert fresh.judge(demand, [supply]) == first


def test_judgements_come_in_the_order_of_the_supplies():
    one_way = scorer().judge(DEMAND, [ANSWER, STRANGER, ANSWER])

    assert one_way[0] == one_way[2]
    assert scorer().judge(DEMAND, [STRANGER, ANSWER]) == one_way[1::-1]


def test_nothing_to_judge_gives_nothing():
    assert scorer().judge(DEMAND, []) == []
    assert scorer().judge_demands(ANSWER, []) == []


def test_a_higher_level_always_has_the_higher_score():
    judged = [one for demand, _ in answered_pairs()[::4] for one in scorer().judge(demand, supplies())]
    judged += scorer().judge(PairText(DEMAND.title), [PairText(text.title) for text in (DEMAND, ANSWER, STRANGER)])

    by_level = {level: [one.score for one in judged if one.level is level] for level in MatchLevel}

    assert all(by_level.values())
    for better, worse in ((MatchLevel.STRONG, MatchLevel.FAIR), (MatchLevel.FAIR, MatchLevel.WEAK)):
        assert min(by_level[better]) > max(by_level[worse])
    assert min(by_level[MatchLevel.WEAK]) > max(by_level[MatchLevel.NONE])


def test_levels_are_ordered_from_none_to_strong():
    ordered = sorted(MatchLevel, key=lambda level: level.order)

    assert ordered == [MatchLevel.NONE, MatchLevel.WEAK, MatchLevel.FAIR, MatchLevel.STRONG]


def test_a_long_text_about_everything_else_is_no_answer():
    texts, expects = market()
    foreign = [text for key, text in texts.items() if key not in expects and key.startswith(("tcm", "biopharma"))]
    everything = PairText("综合技术介绍", "", "\n".join(text.body for text in foreign[:12]))
    demands = [texts[key] for key in expects if key.startswith("veh")]

    levels = [judgement.level for judgement in scorer().judge_demands(everything, demands)]

    assert len(everything.body) > 3_000
    assert levels == [MatchLevel.NONE] * len(demands)


def test_script_does_not_change_a_judgement():
    traditional = PairText("無溶劑乾法電極成膜裝備", "乾法電極 極片", "粉料直接壓成自支撐膜再與集流體複合。")
    simplified = PairText("无溶剂干法电极成膜装备", "干法电极 极片", "粉料直接压成自支撑膜再与集流体复合。")

    folded, plain = scorer().judge(DEMAND, [traditional, simplified])

    assert folded.score == pytest.approx(plain.score, abs=0.02)


def test_features_have_the_names_that_are_published():
    (judgement,) = scorer().judge(DEMAND, [ANSWER])

    assert tuple(judgement.features) == FEATURES
    assert judgement.features["term_demand_surplus"] > 0


def test_a_bare_title_has_no_surplus():
    (judgement,) = scorer().judge(DEMAND, [PairText(ANSWER.title)])

    assert judgement.features["term_demand_surplus"] == 0
    assert judgement.features["term_cosine"] > 0


@settings(max_examples=150, deadline=None)
@given(st.tuples(HOSTILE, HOSTILE, HOSTILE), st.tuples(HOSTILE, HOSTILE, HOSTILE))
def test_any_text_is_judged(demand, supply):
    demand, supply = PairText(*demand), PairText(*supply)

    (judgement,) = scorer().judge(demand, [supply])

    assert 0 <= judgement.score <= 1
    assert all(np.isfinite(value) for value in judgement.features.values())
    assert scorer().judge_demands(supply, [demand]) == [judgement]


def test_another_encoder_s_cosines_are_mapped_onto_the_known_ones():
    narrow = PairScorer.load(SHIPPED, NarrowEncoder())
    demand, _ = answered_pairs()[0]

    known = [judgement.score for judgement in scorer().judge(demand, supplies())]
    mapped = [judgement.score for judgement in narrow.judge(demand, supplies())]

    assert spearman(mapped, known) > 0.9
    assert np.mean(np.abs(np.subtract(mapped, known))) < 0.03


def test_the_encoder_that_the_ranker_was_fitted_to_is_taken_as_it_is():
    weights = json.loads((SHIPPED / "weights.json").read_text(encoding="utf-8"))

    fitted = PairScorer.load(SHIPPED, NamedEncoder(weights["encoder"]))

    assert fitted.model.means.tolist() == weights["means"]
    assert scorer().model.means.tolist() != weights["means"]


@pytest.fixture
def folder(tmp_path):
    return Path(shutil.copytree(SHIPPED, tmp_path / "ranker"))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("weights.json", b"{}"),
        ("weights.json", b"not json"),
        ("terms.tsv.gz", b"not gzip"),
        ("terms.tsv.gz", gzip.compress(b"0.1\t200\nw\t\xe7\x94\xb5\n")),
        ("background.json", b"[1]"),
    ],
)
def test_a_broken_file_is_refused_by_name(folder, name, content):
    (folder / name).write_bytes(content)

    with pytest.raises(ValueError, match=name):
        PairScorer.load(folder, HashEncoder())


@pytest.mark.parametrize("name", ["weights.json", "terms.tsv.gz", "background.json"])
def test_a_missing_file_is_refused_by_name(folder, name):
    (folder / name).unlink()

    with pytest.raises(ValueError, match=name):
        PairScorer.load(folder, HashEncoder())


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("features", ["meaning_cosine"]),
        ("scales", [0.0] * len(FEATURES)),
        ("coefficients", [float("nan")] * len(FEATURES)),
        ("format", 99),
        ("thresholds", {"weak": 3, "fair": 2, "strong": 1}),
    ],
)
def test_weights_that_make_no_sense_are_refused(folder, key, value):
    weights = json.loads((folder / "weights.json").read_text(encoding="utf-8"))
    (folder / "weights.json").write_text(json.dumps(weights | {key: value}), encoding="utf-8")

    with pytest.raises(ValueError, match=r"weights\.json|features"):
        PairScorer.load(folder, HashEncoder())


def test_nothing_that_two_texts_share_counts_against_them():
    assert (scorer().model.coefficients >= 0).all()
