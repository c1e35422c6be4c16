"""What people said of matches is counted by level and by rank and can move the ranker, only when asked."""

from uuid import uuid4

import numpy as np
import pytest
from factories import make_account

from backend.listings.tables import Kind
from backend.matching.feedback import UnfitReason
from backend.matching.learning import acceptance_by_level, acceptance_by_rank, learn_from_feedback
from backend.matching.tables import MatchFeedback, Verdict
from models.features import FEATURES
from models.refit import LEAST_OF_EACH, Interactions, held_out, refit


@pytest.fixture
def judge(session, publish, now):
    """Give a function that publishes a pair and keeps one verdict on it."""
    account = make_account(session)

    def make(
        verdict: Verdict,
        *,
        level: str = "fair",
        reason: str = "",
        number: int = 0,
        supply: str = "干电极脑电帽",
        rank: int = 1,
        **kept,
    ) -> None:
        supply_row = publish(f"{supply} {number}")
        demand_row = publish(f"脑电采集的干电极 {number}", kind=Kind.DEMAND)
        session.add(
            MatchFeedback(
                id=uuid4(), account_id=account.id, supply_id=supply_row.id, demand_id=demand_row.id,
                verdict=verdict, reason=reason, level_shown=level, rank_shown=rank, at=now, **kept,
            )
        )  # fmt: skip
        session.flush()

    return make


def test_acceptance_is_told_for_every_level_and_leaves_later_out(session, judge):
    judge(Verdict.FITS, level="strong", number=1)
    judge(Verdict.UNFIT, level="strong", reason="money", number=2)
    judge(Verdict.LATER, level="weak", number=3)
    judge(Verdict.FITS, level="", number=4)

    found = {entry.level: entry for entry in acceptance_by_level(session)}

    assert list(found) == ["strong", "fair", "weak", "none", "unstated"]
    assert (found["strong"].shown, found["strong"].acceptance, found["strong"].reasons) == (2, 0.5, {"money": 1})
    assert (found["weak"].later, found["weak"].acceptance) == (1, None)
    assert (found["unstated"].fits, found["fair"].shown) == (1, 0)


def test_acceptance_is_told_for_every_place_and_apart_for_pairs_in_no_list(session, judge):
    for number, rank in enumerate((1, 3, 4, 5, 10, 11, 400)):
        judge(Verdict.FITS, rank=rank, number=number)
    judge(Verdict.UNFIT, rank=5, reason="money", number=20)
    judge(Verdict.LATER, rank=0, number=21)

    found = {(entry.first, entry.last): entry for entry in acceptance_by_rank(session)}

    assert [(*places, entry.shown) for places, entry in found.items()] == [
        (1, 1, 1), (2, 2, 0), (3, 3, 1), (4, 5, 3), (6, 10, 1), (11, None, 2), (0, 0, 1),
    ]  # fmt: skip
    assert found[4, 5].acceptance == pytest.approx(2 / 3)
    assert (found[0, 0].later, found[0, 0].acceptance) == (1, None)


@pytest.mark.parametrize(
    ("basis", "names", "kept"),
    [
        (None, FEATURES, LEAST_OF_EACH),
        ("of another encoder", FEATURES, 0),
        (None, (*FEATURES[1:], "a feature of long ago"), 0),
    ],
)
def test_features_kept_when_shown_are_learned_from_if_this_ranker_could_have_computed_them(
    session, judge, platform, basis, names, kept
):
    ranker, model = f"{basis or platform.scorer.basis}-weights", platform.scorer.model
    for number in range(LEAST_OF_EACH):
        judge(Verdict.UNFIT, reason="wrong_topic", number=number)
        shown = dict(zip(names, (model.means + 99 * model.scales).tolist(), strict=True))
        judge(Verdict.FITS, number=number, features=shown, ranker_shown=ranker)

    found = learn_from_feedback(session, scorer=platform.scorer, seed=1)

    assert (found.stored, found.computed) == (kept, 2 * LEAST_OF_EACH - kept)
    assert (found.before.auc == 1.0) is bool(kept)


def test_few_verdicts_teach_nothing(session, judge, platform):
    judge(Verdict.FITS, level="fair")

    assert learn_from_feedback(session, scorer=platform.scorer, seed=1) is None


def test_reasons_that_say_nothing_of_the_technology_are_not_learned_from(session, judge, platform):
    for number in range(LEAST_OF_EACH):
        judge(Verdict.FITS, level="fair", number=number)
        judge(Verdict.UNFIT, level="fair", reason=UnfitReason.PLACE.value, number=100 + number)

    assert learn_from_feedback(session, scorer=platform.scorer, seed=1) is None


def test_enough_verdicts_give_a_new_model_with_numbers_before_and_after(session, judge, platform):
    served = platform.scorer.model
    for number in range(LEAST_OF_EACH):
        judge(Verdict.FITS, level="fair", number=number)
        judge(Verdict.UNFIT, level="weak", reason="wrong_topic", number=100 + number, supply="玉米栽培技术")

    found = learn_from_feedback(session, scorer=platform.scorer, seed=1)

    assert found is not None
    assert (found.fits, found.unfit, found.demands) == (LEAST_OF_EACH, LEAST_OF_EACH, 2 * LEAST_OF_EACH)
    assert found.before.auc is not None
    assert found.after.auc is not None
    assert platform.scorer.model is served


def test_a_refit_moves_towards_the_feature_that_people_follow(platform):
    model, chance = platform.scorer.model, np.random.default_rng(5)
    features = model.means + model.scales * chance.normal(size=(400, len(FEATURES)))
    told = int(np.flatnonzero(model.coefficients)[0])
    fits = features[:, told] > model.means[told]
    seen = Interactions(features, fits, np.arange(400) // 4)

    moved = refit(model, seen)
    before, after = held_out(model, seen, seed=1)

    share = model.coefficients[told] / model.coefficients.sum()
    assert moved.coefficients[told] / moved.coefficients.sum() > share
    assert (moved.coefficients >= 0).all()
    assert moved.coefficients.sum() == pytest.approx(model.coefficients.sum())
    assert after.auc > before.auc
    assert after.log_loss < before.log_loss
