"""Fit the ranker, measure it on demands it has not seen, and write its weights, background and model card.

    python -m models.training.ranker --graded dev/df359 --titles dev/csl

Run it again whenever the encoder or the table of terms has changed; it takes about a minute on one core.
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
from models.training.ranker_data import (
    ANSWER,
    Pairs,
    graded_pairs,
    market_pairs,
    read_market,
    title_pairs,
    write_background,
)
from models.training.ranker_fit import Fit, Strengths, calibrated, fit, held_out_sums
from models.training.ranker_report import choose_full_sums, ranking, thresholds_of_chances

OUTPUT = Path(__file__).parents[1] / "weights" / "ranker"
SEEDS = Path(__file__).parents[2] / "seeds"
FOLDS = 5
REPEATS = 3  # of the division into folds; held-out sums are averaged
SHARES = (0.25, 0.5, 0.75, 1.0)  # of the graded demands, for the learning curve


def held_out(graded: Pairs, market: Pairs, strengths: Strengths, *, seed: int) -> tuple[Numbers, Numbers]:
    """Return held-out sums of both sets, averaged over divisions into folds."""
    runs = [held_out_sums(graded, market, strengths, folds=FOLDS, seed=seed + run) for run in range(REPEATS)]
    return np.mean([one for one, _ in runs], axis=0), np.mean([other for _, other in runs], axis=0)


def single_features(pairs: Pairs, *, relevant: int) -> dict[str, dict[str, float]]:
    """Return the measures of ranking by terms alone and by meaning alone."""
    return {
        name: ranking(pairs.features[:, FEATURES.index(feature)], pairs, relevant=relevant)
        for name, feature in (("terms alone", "term_cosine"), ("meaning alone", "meaning_cosine"))
    }


def without_each(graded: Pairs, market: Pairs, strengths: Strengths, *, seed: int) -> dict[str, tuple[float, float]]:
    """Return nDCG@10 on graded pairs and on all of our market, held out: with every feature, then without each."""
    found = {}
    for name in ("nothing", *FEATURES):
        silenced = strengths if name == "nothing" else replace(strengths, most={**strengths.most, name: 0.0})
        sums = held_out(graded, market, silenced, seed=seed)
        on_graded, on_market = (
            ranking(one, pairs, relevant=ANSWER)["ndcg@10"] for one, pairs in zip(sums, (graded, market), strict=True)
        )
        found[name] = (on_graded, on_market)
    return found


def learning_curve(graded: Pairs, market: Pairs, strengths: Strengths, *, seed: int) -> list[tuple[int, float, float]]:
    """Return how many graded demands were there to learn from, and nDCG@10 and Spearman of a fixed last fifth."""
    order = np.random.default_rng(seed).permutation(graded.demands)
    last = len(order) // FOLDS
    held = graded.of(order[:last])
    curve = []
    for share in SHARES:
        seen = order[last:][: round((len(order) - last) * share)]
        quality = ranking(fit(graded.of(seen), market, strengths).sums(held.features), held, relevant=ANSWER)
        curve.append((len(seen), quality["ndcg@10"], quality["spearman"]))
    return curve


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
    texts = read_market(arguments.market, arguments.judgements)
    market = market_pairs(texts, table, encoder)
    judged = np.isin(market.demand, [place for place, key in enumerate(texts.demands) if key in texts.judged])
    graded = graded_pairs(load_beir(arguments.graded), table, encoder)
    titles = title_pairs(load_beir(arguments.titles), table, encoder)
    strengths = Strengths()
    graded_sums, market_sums = held_out(graded, market, strengths, seed=arguments.seed)
    found, stretch = calibrated(fit(graded, market, strengths), graded_sums, graded)
    graded_sums, market_sums = graded_sums * stretch, market_sums * stretch
    moments = dict(background(write_background(texts, arguments.output / "background.json"), table, encoder))
    model = as_model(found, choose_full_sums(market_sums, market), encoder, moments)
    market_sums = through(market_sums, model.full_sums, model.worth)
    measured = Measured(
        model=model,
        graded=graded,
        graded_sums=graded_sums,
        market=market,
        market_sums=market_sums,
        rankings={
            name: {"ranker": ranking(sums, pairs, relevant=relevant), **single_features(pairs, relevant=relevant)}
            for name, sums, pairs, relevant in (
                ("graded", graded_sums, graded, ANSWER),
                ("market, judged", market_sums[judged], market.where(judged), ANSWER),
                ("titles", model.sums(titles.features, titles.is_bare), titles, 1),
            )
        },
        without=without_each(graded, market, strengths, seed=arguments.seed),
        curve=learning_curve(graded, market, strengths, seed=arguments.seed),
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
    parser.add_argument("--market", type=Path, default=SEEDS / "market", help="folder of our own market")
    parser.add_argument("--judgements", type=Path, default=SEEDS / "judgements" / "market.tsv", help="of its pairs")
    parser.add_argument("--encoder", default="static", help="as the setting ENCODER")
    parser.add_argument("--seed", type=int, default=20231129)
    parser.add_argument("--output", type=Path, default=OUTPUT)
    return parser.parse_args()


if __name__ == "__main__":
    main()
