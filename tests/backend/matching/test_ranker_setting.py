"""A ranker that learned from feedback is loaded by a setting; what cannot be loaded is refused in one sentence."""

import sys
from dataclasses import replace

import pytest
from factories import make_account
from typer.testing import CliRunner

from backend.assembly import load_ranker
from backend.cli import app
from backend.listings.repository import load_bundles
from backend.listings.tables import Kind
from backend.matching import service
from backend.matching.feedback import Shown
from backend.matching.learning import learn_from_feedback
from backend.matching.tables import Verdict
from models.refit import LEAST_OF_EACH, write_refitted


@pytest.fixture
def shell(monkeypatch, tmp_path):
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    return CliRunner()


def test_a_ranker_that_learned_from_feedback_is_written_as_a_folder_and_serves_from_there(
    session, publish, platform, now, tmp_path
):
    demands = [publish(f"脑电采集的干电极 {number}", kind=Kind.DEMAND) for number in range(2)]
    demand = demands[0]
    for number in range(LEAST_OF_EACH):
        for verdict, title in ((Verdict.FITS, "干电极脑电帽"), (Verdict.UNFIT, "干电极脑电采集的展览")):
            supply, by = publish(f"{title} {number}"), make_account(session, role="manager")
            reason, shown = "" if verdict is Verdict.FITS else "wrong_topic", Shown("fair", number + 1)
            service.record_feedback(
                session, by, supply_id=supply.id, demand_id=demands[number % 2].id, verdict=verdict, reason=reason,
                shown=shown, now=now,
            )  # fmt: skip
    session.flush()
    found = learn_from_feedback(session, scorer=platform.scorer, seed=1)

    write_refitted(platform.settings.ranker, tmp_path / "refitted", found.model, card="# card")

    scorer = load_ranker(tmp_path / "refitted", platform.encoder)
    assert scorer.model.coefficients.tolist() == found.model.coefficients.tolist()
    assert scorer.model.coefficients.tolist() != platform.scorer.model.coefficients.tolist()
    assert scorer.basis == platform.scorer.basis
    assert scorer.name == load_ranker(tmp_path / "refitted", platform.encoder).name != platform.scorer.name
    bundle = load_bundles(session, [demand.id])[demand.id]
    before = service.match_listing(session, bundle, platform=platform).matches
    after = service.match_listing(session, bundle, platform=replace(platform, scorer=scorer)).matches
    assert [one.score for one in before] != [one.score for one in after]
    with pytest.raises(FileExistsError):
        write_refitted(platform.settings.ranker, tmp_path / "refitted", found.model, card="# card")


@pytest.mark.parametrize(("command", "content"), [("serve", None), ("up", None), ("worker", "{}"), ("serve", "x")])
def test_a_ranker_that_is_missing_or_broken_is_refused_in_one_sentence(shell, monkeypatch, tmp_path, command, content):
    monkeypatch.setenv("RANKER", str(tmp_path / "ranker"))
    if content is not None:
        (tmp_path / "ranker").mkdir()
        (tmp_path / "ranker" / "weights.json").write_text(content)

    answer = shell.invoke(app, [command])

    assert answer.exit_code == 1
    assert "设置 RANKER 所指的文件夹里没有可用的排序模型" in answer.output
    assert len(answer.output.splitlines()) == 1


def test_a_cross_encoder_without_torch_is_refused_in_one_sentence(shell, monkeypatch):
    monkeypatch.setenv("CROSS_ENCODER", "any")
    monkeypatch.setitem(sys.modules, "torch", None)

    answer = shell.invoke(app, ["serve"])

    assert answer.exit_code == 1
    assert "pip install 'jiqiao[embed]'" in answer.output
    assert len(answer.output.splitlines()) == 1
