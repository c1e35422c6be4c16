import math

import numpy as np
import pytest

from models.evaluation import (
    Collection,
    Entry,
    auc,
    evaluate_rankings,
    gain,
    load_beir,
    mrr_at_k,
    ndcg_at_k,
    recall_at_k,
    spearman,
)

EMPTY = Entry(title="", text="")
GRADES = {"q1": {"a": 4, "b": 1, "c": 3}, "q2": {"a": 1, "d": 2}}
COLLECTION = Collection(queries=dict.fromkeys(GRADES, EMPTY), corpus=dict.fromkeys("abcd", EMPTY), grades=GRADES)


def test_gain_doubles_with_each_grade_and_is_nothing_for_what_is_not_judged():
    assert gain([0, 1, 2, 3, 4]).tolist() == [0, 0, 1, 3, 7]


def test_ndcg_divides_by_the_best_order():
    # (3 + 7 / log2 3) / (7 + 3 / log2 3)
    assert ndcg_at_k([3, 4, 1]) == pytest.approx((3 + 7 / math.log2(3)) / (7 + 3 / math.log2(3)))
    assert ndcg_at_k([4, 3, 1]) == 1


def test_ndcg_looks_no_further_than_k():
    assert ndcg_at_k([1, 4], 1) == 0
    assert ndcg_at_k([3], 1, all_grades=[3, 4]) == pytest.approx(3 / 7)


def test_ndcg_has_no_meaning_where_nothing_has_gain():
    assert ndcg_at_k([1, 1]) is None


def test_spearman_averages_the_ranks_of_ties():
    # Score ranks 1, 2.5, 2.5, 4 against grade ranks 1, 2, 3, 4: covariance 4.5, variances 4.5 and 5.
    assert spearman([1, 2, 2, 3], [1, 2, 3, 4]) == pytest.approx(4.5 / math.sqrt(4.5 * 5))
    assert spearman([3, 2, 1], [1, 2, 3]) == -1


def test_spearman_is_nothing_for_constant_scores_and_undefined_for_constant_grades():
    assert spearman([1, 1, 1], [1, 2, 3]) == 0
    assert spearman([1, 2, 3], [2, 2, 2]) is None


def test_spearman_bears_scores_of_documents_that_were_not_returned():
    assert spearman([-np.inf, 1, 2], [1, 2, 3]) == pytest.approx(1)


def test_auc_counts_pairs_in_order_and_ties_by_half():
    # Pairs (3 over 2), (3 over 1), (2 ties 2), (2 over 1): 3.5 of 4.
    assert auc([3, 2, 2, 1], [True, True, False, False]) == pytest.approx(3.5 / 4)
    assert auc([1, 2], [True, True]) is None


def test_recall_is_a_share_of_all_relevant():
    assert recall_at_k([True, False, True, True], 3) == pytest.approx(2 / 3)
    assert recall_at_k([True], 1, total=4) == pytest.approx(1 / 4)
    assert recall_at_k([False], 1) is None


def test_mrr_is_one_over_the_first_relevant_rank():
    assert mrr_at_k([False, False, True, True], 10) == pytest.approx(1 / 3)
    assert mrr_at_k([False, False, True], 2) == 0


def test_evaluation_takes_the_mean_over_the_queries_that_have_the_measure():
    scores = {"a": 1.0, "b": 2.0, "c": 3.0, "d": 4.0}

    quality = evaluate_rankings(COLLECTION, lambda _, ids: [scores[key] for key in ids])

    # q1 ranks c (3), b (1), a (4); q2 has no relevant document and only adds its Spearman of 1.
    assert quality.as_dict() == {
        "ndcg@10": pytest.approx((3 + 7 / 2) / (7 + 3 / math.log2(3))),
        "spearman": pytest.approx((-0.5 + 1) / 2),
        "auc": pytest.approx(0.5),
        "recall@1": pytest.approx(0.5),
        "recall@10": 1,
        "mrr@10": 1,
    }
    assert quality.by_query["q2"].as_dict()["ndcg@10"] is None


def test_in_the_corpus_what_is_not_judged_is_irrelevant():
    scores = {"a": 2.0, "b": 1.0, "c": 3.0, "d": 4.0}

    quality = evaluate_rankings(COLLECTION, lambda _, ids: [scores[key] for key in ids], pool="corpus")

    assert quality.by_query["q1"].recall_at_1 == 0
    assert quality.by_query["q1"].mrr_at_10 == pytest.approx(1 / 2)
    assert quality.by_query["q1"].auc == pytest.approx(2 / 4)
    assert quality.by_query["q1"].spearman == pytest.approx(0.5)


def test_equal_scores_are_ordered_by_id_whatever_the_order_of_judgements():
    turned = {"q1": {"b": 4, "a": 1}}
    collection = Collection(queries=COLLECTION.queries, corpus=COLLECTION.corpus, grades=turned)

    quality = evaluate_rankings(collection, lambda _, ids: np.zeros(len(ids)))

    assert quality.by_query["q1"].mrr_at_10 == pytest.approx(1 / 2)


@pytest.mark.parametrize("scores", [[1.0], [1.0, float("nan"), 2.0]])
def test_a_ranker_that_answers_wrongly_is_refused(scores):
    with pytest.raises(ValueError, match="query q1: expected 3 numbers"):
        evaluate_rankings(COLLECTION, lambda *_: scores)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "queries.jsonl").write_text('{"_id": "q", "title": "需求", "text": "文"}\n')
    (tmp_path / "corpus.jsonl").write_text('\ufeff{"_id": "d", "text": "成果"}\r\n\n')
    (tmp_path / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\nq\td\t3\n")
    return tmp_path


def test_a_collection_is_read_whole(folder):
    collection = load_beir(folder)

    assert collection.queries == {"q": Entry(title="需求", text="文")}
    assert collection.corpus == {"d": Entry(title="", text="成果")}
    assert collection.grades == {"q": {"d": 3}}


def test_a_collection_may_have_no_judgements(folder):
    (folder / "qrels.tsv").write_text("")

    assert load_beir(folder).grades == {}


@pytest.mark.parametrize(
    ("name", "content", "place"),
    [
        ("queries.jsonl", b'{"_id": "q", "text": ""}\n{"_id": ', r"queries\.jsonl:2: expected a JSON object"),
        ("queries.jsonl", b"[]", r"queries\.jsonl:1: expected a JSON object"),
        ("corpus.jsonl", b'{"_id": "d", "text": 3}', r"corpus\.jsonl:1: .* must be strings"),
        ("corpus.jsonl", b'{"_id": "d", "text": ""}\n{"_id": "d", "text": ""}', r"corpus\.jsonl:2: d is there twice"),
        ("corpus.jsonl", "成果".encode("gbk"), r"corpus\.jsonl:1: is not UTF-8"),
        ("qrels.tsv", b"q\td\tthree", r"qrels\.tsv:1: expected query-id"),
        ("qrels.tsv", b"q d 3", r"qrels\.tsv:1: expected query-id"),
        ("qrels.tsv", b"query-id\tcorpus-id\tscore\nq\td\t5", r"qrels\.tsv:2: grade 5"),
        ("qrels.tsv", b"q\tx\t3", r"qrels\.tsv:1: no query q or no document x"),
    ],
)
def test_a_broken_line_is_named_with_its_file(folder, name, content, place):
    (folder / name).write_bytes(content)

    with pytest.raises(ValueError, match=place):
        load_beir(folder)


def test_a_missing_file_is_named(folder):
    (folder / "qrels.tsv").unlink()

    with pytest.raises(ValueError, match=r"qrels\.tsv: cannot be read"):
        load_beir(folder)
