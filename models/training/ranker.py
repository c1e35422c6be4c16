"""Fit the ranker, measure it on demands it has not seen, and write its weights, background and model card.

    python -m models.training.ranker --graded dev/df359 --titles dev/csl --market seeds/market

Run it again whenever the encoder or the table of terms has changed; it takes about two minutes on one core.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from models.background import background
from models.encoder import Encoder, load_encoder
from models.evaluation import load_beir
from models.features import FEATURES, Numbers
from models.ordinal import OrdinalModel, through
from models.term_table import TermTable
from models.training.ranker_card import Measured, card
from models.training.ranker_data import Pairs, graded_pairs, market_pairs, read_market, title_pairs, write_background
from models.training.ranker_fit import Fit, Strengths, calibrated, fit, held_out_sums
from models.training.ranker_report import choose_full_sums, ranking, thresholds_of_chances

OUTPUT = Path(__file__).parents[1] / "weights" / "ranker"
FOLDS = 5
REPEATS = 3  # of the division into folds; held-out sums are averaged
EXPECTED = 3  # grade of an expected answer of our market when it is measured beside graded pairs
FAIR = 2


def held_out(graded: Pairs, market: Pairs, strengths: Strengths, *, seed: int) -> tuple[Numbers, Numbers]:
    """Return held-out sums of both sets, averaged over divisions into folds."""
    runs = [held_out_sums(graded, market, strengths, folds=FOLDS, seed=seed + run) for run in range(REPEATS)]
    return np.mean([one for one, _ in runs], axis=0), np.mean([other for _, other in runs], axis=0)


def with_top_grade(pairs: Pairs) -> Pairs:
    """Return pairs whose grade is 0 or 1 with 1 made the highest grade, so that gains have their usual size."""
    return replace(pairs, grade=np.where(pairs.grade > 0, EXPECTED, 0))


def single_features(pairs: Pairs, *, relevant: int) -> dict[str, dict[str, float]]:
    """Return the measures of ranking by terms alone and by meaning alone."""
    return {
        name: ranking(pairs.features[:, FEATURES.index(feature)], pairs, relevant=relevant)
        for name, feature in (("terms alone", "term_cosine"), ("meaning alone", "meaning_cosine"))
    }


def as_model(
    found: Fit, full_sums: tuple[float, float], encoder: Encoder, moments: dict[str, tuple[float, float]]
) -> OrdinalModel:
    """Return the fit as the model that is served."""
    weak, fair, strong = found.cuts.tolist()
    return OrdinalModel(
        features=FEATURES,
        means=found.means,
        scales=found.scales,
        coefficients=found.coefficients,
        cuts=(weak, fair, strong),
        thresholds=thresholds_of_chances(found.cuts),
        full_sums=full_sums,
        encoder=encoder.name,
        background=moments,
    )


def main() -> None:
    """Write the ranker."""
    arguments = _arguments()
    encoder, table = load_encoder(arguments.encoder), TermTable.load(arguments.output / "terms.tsv.gz")
    market_texts = read_market(arguments.market)
    market = market_pairs(market_texts, table, encoder)
    graded = graded_pairs(load_beir(arguments.graded), table, encoder)
    titles = title_pairs(load_beir(arguments.titles), table, encoder)
    strengths = Strengths()
    graded_sums, market_sums = held_out(graded, market, strengths, seed=arguments.seed)
    found, stretch = calibrated(fit(graded, market, strengths), graded_sums, graded)
    graded_sums, market_sums = graded_sums * stretch, market_sums * stretch
    moments = dict(background(write_background(market_texts, arguments.output / "background.json"), table, encoder))
    model = as_model(found, choose_full_sums(market_sums, market), encoder, moments)
    market_sums = through(market_sums, model.full_sums, model.worth)
    judged = with_top_grade(market)
    measured = Measured(
        model=model,
        graded=graded,
        graded_sums=graded_sums,
        market=market,
        market_sums=market_sums,
        rankings={
            "graded": {"ranker": ranking(graded_sums, graded, relevant=FAIR), **single_features(graded, relevant=FAIR)},
            "market": {"ranker": ranking(market_sums, judged, relevant=FAIR), **single_features(judged, relevant=FAIR)},
            "titles": {
                "ranker": ranking(model.sums(titles.features, titles.is_bare), titles, relevant=1),
                **single_features(titles, relevant=1),
            },
        },
        seed=arguments.seed,
    )
    text = json.dumps(model.as_dict(), ensure_ascii=False, indent=1)
    (arguments.output / "weights.json").write_text(text + "\n", encoding="utf-8")
    (arguments.output / "README.md").write_text(card(measured), encoding="utf-8")
    print(card(measured))  # noqa: T201 - a command's answer


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--graded", type=Path, required=True, help="judged collection, grades 1 to 4")
    parser.add_argument("--titles", type=Path, required=True, help="collection of titles and their abstracts")
    parser.add_argument("--market", type=Path, required=True, help="folder of our own market")
    parser.add_argument("--encoder", default="static", help="as the setting ENCODER")
    parser.add_argument("--seed", type=int, default=20231129)
    parser.add_argument("--output", type=Path, default=OUTPUT)
    return parser.parse_args()


if __name__ == "__main__":
    main()
