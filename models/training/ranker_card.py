"""The ranker's model card, written by its training with the numbers of that run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from models.features import Numbers
from models.ordinal import LEVELS_ABOVE_NONE, OrdinalModel
from models.training.ranker_data import ANSWER, Pairs
from models.training.ranker_report import level_rows, refusal, reliability, table

STEPS = (-0.6, -0.3, 0.0, 0.3, 0.6, 0.9)  # around the threshold of weak

_CARD = """# Ranker: does this supply answer this demand?

A proportional-odds model over {features} readable features of a pair of texts, fitted to the encoder `{encoder}`.
It reads the two texts and nothing else, so a pair has the same level whatever else is in the market and whichever
side asks. Served in NumPy; made by `python -m models.training.ranker` (seed {seed}), after
`python -m models.training.ranker_terms` has counted the table of terms.

## Files

- `terms.tsv.gz`: in which share of passages words, Han characters and pairs of characters occur. Counted over Chinese
  preprints of ChinaXiv 2016–2022 (https://chinaxiv.org, CC BY 4.0, their authors), titles, abstracts and paragraphs,
  and over this project's own demonstration market. Facts of counting only; no text is kept.
- `weights.json`: means, scales and coefficients of the features, cuts, thresholds, and the encoder they belong to.
- `background.json`: {texts} listings of the demonstration market that have nothing to do with each other. Under another
  encoder they show how cosines of unrelated texts spread, and the cosines are mapped onto the known spread.

## Data

- Graded pairs: {graded_pairs} pairs of {graded_demands} demands with supplies, graded 1 to 4 by technology-transfer
  staff (DataFountain competition 359). Used to measure and to tune these few weights; no text of it is here or quoted.
  Its supplies are bare content words of titles.
- This project's own market: {market_demands} demands, each with every one of {market_supplies} supplies. For 60 of
  them readers (language models, no people) judged all that BM25, the encoder or the ranker had among its first twenty
  (`seeds/judgements`); for the others the answers are those that the author of the demand expects.
  {expected} pairs are answers (grade 3 or 4);
  {unanswered} demands have none, most of them deliberately though their words occur.
- Titles of Chinese papers with their abstracts (CSL, Apache-2.0): measured only.

## Coefficients of standardised features

Signs are enforced: nothing two texts share counts against them. A feature at 0 adds nothing beside the others.
The cosine of meaning compares vectors of the encoder, that of terms weighted characters and pairs of characters. The
surplus says by how many deviations more of the demand's weight stands in the supply than in an unrelated text of its
length; it tells traps apart on our market and is worth less on real listings, so its coefficient has a bound.

{coefficients}

## Ranking

Graded pairs and market by {folds}-fold cross-validation by demand, averaged over three divisions; of the market the
judged demands. Titles are measured with the final weights, which were not fitted to them.
nDCG, recall and MRR are means over the demands that have a relevant supply (graded: grade 3 or 4).

{rankings}

For comparison on the graded pairs: BM25 over character pairs has nDCG@10 0.599, Spearman 0.387, AUC 0.726; TF-IDF over
characters and pairs 0.644, 0.462, 0.767.

Without one feature (nDCG@10, held out):

{without}

Learning curve: graded demands learned from, and a fixed fifth of the demands that is measured. More of the same would
not help; staff who graded a pair twice agreed with themselves in 68 of 100, and the supplies there are titles.

{curve}

## Levels, on demands not seen in training

Our market (the share of each grade among them, 1 to 4):

{market_levels}

Graded pairs (the share of each grade among them):

{graded_levels}

## Saying no

A pair below weak is not shown. Thresholds on the weighted sum z and what they do on our market; the chosen one is bold.
Traps are the demands that have no answer though their words occur; "taken out" are all demands with their answers
removed, so that nothing should be shown.

{refusals}

## Reliability

Graded pairs, chance of fair or better (grade 3 or 4) against its share; expected calibration error {error:.3f}.

{reliability}

## Limits

- The levels come from {unanswered} demands without and {answered} with an answer, all of our own making and of six
  fields: expect them to be rougher elsewhere.
- Demands without an answer were written as lexical traps; those that still get one look alike in words and meaning.
- Features and strengths were chosen while looking at these same cross-validated numbers, so new demands will do a
  little worse.
- On 847 pairs of a real market judged by readers, of which nothing is here, see LOG.md: texts there are looser and
  mostly lack an answer, and a level promises less.
- A listing that is a bare title has no surplus, so its levels rest on the graded pairs, all of them such.
- Figures, units, maturity, money and place are not read here: requirements are compared elsewhere.
- Negation is not understood; neither are abbreviations that the text does not spell out.
- With another encoder than the one named above the order is sound and the levels are approximate.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """All that one training has found out."""

    model: OrdinalModel
    graded: Pairs
    graded_sums: Numbers
    market: Pairs
    market_sums: Numbers
    rankings: Mapping[str, Mapping[str, Mapping[str, float]]]
    """Set, then ranker or baseline, then measure."""
    without: Mapping[str, tuple[float, float]]
    """Feature, then nDCG@10 of graded pairs and of our market without it."""
    curve: Sequence[tuple[int, float, float]]
    """Demands learned from, nDCG@10 and Spearman of graded demands held out."""
    folds: int = 5
    texts: int = 48
    seed: int


def card(measured: Measured) -> str:
    """Return the model card in Markdown."""
    model, market, graded = measured.model, measured.market, measured.graded
    answered = int((np.bincount(market.demand, weights=market.grade >= ANSWER) > 0).sum())
    chances = model.chances(measured.graded_sums)[:, ANSWER - 1]
    rows, error = reliability(chances, graded.grade >= ANSWER)
    return _CARD.format(
        features=len(model.features),
        encoder=model.encoder,
        seed=measured.seed,
        folds=measured.folds,
        texts=measured.texts,
        graded_pairs=len(graded.demand),
        graded_demands=graded.demands,
        market_demands=market.demands,
        market_supplies=len(market.demand) // market.demands,
        expected=int((market.grade >= ANSWER).sum()),
        answered=answered,
        unanswered=market.demands - answered,
        coefficients=_coefficients(model),
        rankings=_rankings(measured),
        without=table(
            ["without", "graded", "market, all demands"],
            [[name, *(f"{value:.3f}" for value in values)] for name, values in measured.without.items()],
        ),
        curve=table(
            ["demands", "nDCG@10", "Spearman"],
            [[str(demands), f"{ndcg:.3f}", f"{correlation:.3f}"] for demands, ndcg, correlation in measured.curve],
        ),
        market_levels=_levels(measured.market_sums, market, model),
        graded_levels=_levels(measured.graded_sums, graded, model),
        refusals=_refusals(measured),
        error=error,
        reliability=table(["pairs", "mean chance", "share"], rows),
    )


def _levels(sums: Numbers, pairs: Pairs, model: OrdinalModel) -> str:
    return table(["level", "pairs", "1", "2", "3", "4"], level_rows(sums, pairs, model.thresholds))


def _coefficients(model: OrdinalModel) -> str:
    rows = [[name, f"{value:.3f}"] for name, value in zip(model.features, model.coefficients, strict=True)]
    cuts = [f"{name} {cut:.2f}" for name, cut in zip(LEVELS_ABOVE_NONE, model.cuts, strict=True)]
    shown = [f"{name} {cut:.2f}" for name, cut in zip(LEVELS_ABOVE_NONE, model.thresholds, strict=True)]
    full = [f"{place:.2f} is {name}" for name, place in zip(("weak", "strong"), model.full_sums, strict=True)]
    after = f"Even odds at z of: {', '.join(cuts)}. Called so from z of: {', '.join(shown)};\n"
    after += "the sums of two full texts are mapped onto z so that " + ", ".join(full) + "."
    return f"{table(['feature', 'coefficient'], rows)}\n\n{after}"


def _rankings(measured: Measured) -> str:
    names = ("ndcg@10", "spearman", "auc", "recall@1", "recall@10", "mrr@10")
    rows = [
        [data, ranker, *(f"{measures[name]:.3f}" for name in names)]
        for data, rankers in measured.rankings.items()
        for ranker, measures in rankers.items()
    ]
    return table(["data", "ranked by", *names], rows)


def _refusals(measured: Measured) -> str:
    weak = measured.model.thresholds[0]
    rows = []
    for step in STEPS:
        one = refusal(measured.market_sums, measured.market, weak + step)
        values = [
            f"{one.threshold:.2f}",
            f"{one.refused:.2f}",
            f"{one.emptied:.2f}",
            f"{one.kept:.2f}",
            f"{one.shown:.2f}",
        ]
        rows.append([f"**{value}**" for value in values] if step == 0 else values)
    header = ["z", "traps: nothing shown", "taken out: nothing shown", "answered: right one shown", "supplies shown"]
    return table(header, rows)
