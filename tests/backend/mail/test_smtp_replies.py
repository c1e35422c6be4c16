"""More than a hundred answers as servers word them, each with what it means: data, read from beside this file."""

import csv
from pathlib import Path

import pytest

from backend.mail.codes import Outcome, Reply, Scope, Stage, classify

TABLE = Path(__file__).with_name("smtp_replies.tsv")
ROWS = list(csv.DictReader(TABLE.read_text().splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['provider']} {row['code']} {row['text'][:40]}")
def test_an_answer_means_what_its_provider_means(row):
    verdict = classify(Reply(int(row["code"]), row["text"], Stage(row["stage"])))

    assert (verdict.outcome, verdict.scope) == (Outcome(row["outcome"]), Scope(row["scope"]))


def test_the_table_holds_at_least_eighty_answers_each_once():
    assert len({(row["code"], row["stage"], row["text"]) for row in ROWS}) == len(ROWS) >= 80
    assert {"QQ", "NetEase", "Google", "Microsoft"} <= {row["provider"] for row in ROWS}


def test_no_answer_about_frequency_is_about_a_person():
    hurried = [
        row for row in ROWS if any(word in row["text"].lower() for word in ("frequency", "频繁", "too many", "rate"))
    ]

    assert len(hurried) >= 12
    assert {row["outcome"] for row in hurried} == {"temporary"}
    assert "person" not in {row["scope"] for row in hurried}
