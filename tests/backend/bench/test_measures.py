"""The measuring commands keep their contracts, and their numbers can fall."""

import json

import pytest
from typer.testing import CliRunner

from backend.bench.duplicates import measure_duplicates, repeats_text
from backend.bench.fields import measure_fields
from backend.bench.matching import measure_matching
from backend.bench.script import measure_scripts
from backend.bench.texts import read_listings
from backend.cli import app
from models.features import PairText

MARKET = read_listings(None)
SAMPLE = MARKET[::6]


@pytest.fixture
def shell(monkeypatch, tmp_path):
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    return CliRunner()


def test_evaluate_still_takes_a_folder_with_options_before_or_after_it(shell, tmp_path):
    corpus = [
        {"_id": "s1", "title": "干电极", "text": "脑电干电极"},
        {"_id": "s2", "title": "小麦", "text": "小麦品种"},
    ]
    (tmp_path / "corpus.jsonl").write_text("\n".join(map(json.dumps, corpus)))
    (tmp_path / "queries.jsonl").write_text(json.dumps({"_id": "d1", "title": "脑电电极", "text": "想要干电极"}))
    (tmp_path / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\nd1\ts1\t4\nd1\ts2\t1\n")

    after = shell.invoke(app, ["evaluate", str(tmp_path), "--json"])
    before = shell.invoke(app, ["evaluate", "--json", "--pool", "corpus", str(tmp_path)])

    assert json.loads(after.stdout)["recall@1"] == 1.0
    assert json.loads(before.stdout)["queries"] == 1


def test_evaluate_fields_prints_a_score_above_what_is_promised(shell):
    report = json.loads(shell.invoke(app, ["evaluate", "fields", "--json"]).stdout)

    assert report["macro_f1"] >= 0.90
    assert report["macro_f1"] > report["macro_f1_terms_alone"]
    assert {"seed", "listings", "folds"} <= report.keys()


def test_a_folder_without_listings_is_refused_in_one_sentence(shell, tmp_path):
    answer = shell.invoke(app, ["bench", "duplicates", "--listings", str(tmp_path)])

    assert answer.exit_code == 1
    assert "没有 .jsonl 文件" in answer.output


def test_planted_copies_are_found_and_neighbours_of_the_market_are_not(platform):
    report = measure_duplicates(SAMPLE, planted=20, seed=3, encoder=platform.encoder, table=platform.scorer.table)

    assert report.planted == 20
    assert report.found_share >= 0.95
    assert report.false_alarm_share <= 0.02


def test_a_body_copied_under_another_title_counts_as_repeated():
    one = PairText("甲", "", SAMPLE[0].text.body)

    assert repeats_text(one, PairText("乙", "", SAMPLE[0].text.body))
    assert not repeats_text(one, PairText("乙", "", SAMPLE[1].text.body))


def test_either_script_finds_the_other(platform):
    report = measure_scripts(SAMPLE, pairs=60, seed=3, encoder=platform.encoder)

    assert report.pairs == 60
    assert report.both >= 0.99


def test_the_match_bench_measures_every_part(platform):
    report = measure_matching(SAMPLE, supplies=200, demands=3, seed=3, encoder=platform.encoder, scorer=platform.scorer)

    assert report.supplies == 200
    assert min(report.match_ms, report.bm25_ms, report.brute_force_ms, report.encoding_ms, report.tokenizer_ms) > 0


def test_fields_that_authors_did_not_choose_lower_the_score(platform):
    swapped = [type(entry)(entry.key, entry.kind, entry.text, ("tcm",)) for entry in MARKET[:60]] + MARKET[60:]

    honest = measure_fields(MARKET, seed=1, catalogue=platform.catalogue)
    wrong = measure_fields(swapped, seed=1, catalogue=platform.catalogue)

    assert wrong.macro_f1 < honest.macro_f1 - 0.05
