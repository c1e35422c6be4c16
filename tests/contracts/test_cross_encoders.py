"""A cross-encoder orders what is shown and changes no level; it is a real one, tiny and never trained."""

import json

import pytest
import torch
from encoders import HashEncoder
from transformers import BertConfig, BertForSequenceClassification, BertModel, BertTokenizerFast

from backend.listings.tables import Kind
from backend.matching.evaluation import evaluate
from backend.matching.pipeline import ORDERED_ANEW, judge, whole_text
from models.cross_encoder import load_cross_encoder
from models.evaluation import load_beir
from models.features import PairText
from models.relevance import SHIPPED, PairScorer

DEMAND = PairText("脑电采集的干电极", body="想要不用导电膏的脑电干电极，接触阻抗不高于五十千欧，用于癫痫监护。")
PARTS = ("脑电干电极", "不用导电膏", "接触阻抗低", "癫痫监护", "小麦品种", "中药饮片", "热泵机组", "相控阵天线")
SUPPLIES = [
    PairText(f"{one}与{other}", body=f"{one}，{other}，已经定型，可以转让，正在寻找合作单位。")
    for one in PARTS[2:]
    for other in PARTS
    if one != other
]


def save(folder, kind, **changes):
    """Keep a model of two layers that knows the characters of these tests."""
    torch.manual_seed(11)
    texts = "".join(text for one in (DEMAND, *SUPPLIES) for text in (one.title, one.body))
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *sorted(set(texts))]
    size = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    kinds = {"vocab_size": len(vocabulary), "num_labels": 1, "initializer_range": 0.5}
    kind(BertConfig(**(size | kinds | changes))).save_pretrained(folder)
    BertTokenizerFast(vocab={token: place for place, token in enumerate(vocabulary)}).save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    return load_cross_encoder(save(tmp_path_factory.mktemp("models") / "tiny", BertForSequenceClassification))


@pytest.fixture(scope="module")
def scorer():
    return PairScorer.load(SHIPPED, HashEncoder())


def test_none_is_loaded_where_none_is_set():
    assert load_cross_encoder("") is None


def test_a_score_is_of_its_pair_alone_and_is_remembered(reader):
    pairs = [(DEMAND.title, whole_text(supply)) for supply in SUPPLIES[:5]]

    scores = reader.scores(pairs)

    assert len(set(scores)) == 5
    assert reader.scores(pairs[::-1]) == scores[::-1]


@pytest.mark.parametrize("kind", [Kind.DEMAND, Kind.SUPPLY])
def test_the_best_of_each_level_are_ordered_anew_and_no_level_changes(reader, scorer, kind):
    plain = judge(scorer, DEMAND, kind, SUPPLIES)

    anew = judge(scorer, DEMAND, kind, SUPPLIES, cross_encoder=reader)

    best = sorted(range(len(plain)), key=lambda place: (-plain[place].score, place))[:ORDERED_ANEW]
    whole = whole_text(DEMAND)
    read = reader.scores(
        [(whole, whole_text(text)) if kind is Kind.DEMAND else (whole_text(text), whole) for text in SUPPLIES]
    )
    expected = sorted(best, key=lambda place: (-plain[place].level.order, -read[place]))
    assert [one.level for one in anew] == [one.level for one in plain]
    assert sorted(one.score for one in anew) == sorted(one.score for one in plain)
    assert sorted(best, key=lambda place: -anew[place].score) == expected != best
    assert all(anew[place] == plain[place] for place in range(len(plain)) if place not in best)
    assert len({plain[place].level for place in best}) > 1


def test_a_measurement_tells_the_order_with_and_without(reader, scorer, tmp_path):
    corpus = [{"_id": str(number), "title": one.title, "text": one.body} for number, one in enumerate(SUPPLIES)]
    (tmp_path / "corpus.jsonl").write_text("\n".join(map(json.dumps, corpus)))
    (tmp_path / "queries.jsonl").write_text(json.dumps({"_id": "d", "title": DEMAND.title, "text": DEMAND.body}))
    (tmp_path / "qrels.tsv").write_text("".join(f"d\t{number}\t{1 + number % 4}\n" for number in range(len(corpus))))
    parts = {"pool": "corpus", "encoder": scorer.encoder, "scorer": scorer}

    without = evaluate(load_beir(tmp_path), **parts).as_dict()
    found = evaluate(load_beir(tmp_path), **parts, cross_encoder=reader).as_dict()

    assert "without_cross_encoder" not in without["baselines"]
    assert found["baselines"]["without_cross_encoder"]["ndcg@10"] == without["ndcg@10"] != found["ndcg@10"]
    assert found["no_match_share"] == without["no_match_share"]


@pytest.mark.parametrize(("kind", "changes"), [(BertModel, {}), (BertForSequenceClassification, {"num_labels": 3})])
def test_a_model_that_does_not_score_pairs_is_refused_by_name(tmp_path, kind, changes):
    folder = save(tmp_path / "other", kind, **changes)

    with pytest.raises(ValueError, match="other does not give one number for a pair"):
        load_cross_encoder(folder)


def test_a_model_that_is_not_there_is_refused_by_name(tmp_path):
    with pytest.raises(ValueError, match=r"No cross-encoder .*absent"):
        load_cross_encoder(str(tmp_path / "absent"))
