"""Train the shipped encoder from the papers of a data folder.

    OMP_NUM_THREADS=2 python -m models.training --data FOLDER [--out FOLDER] [--seed NUMBER]

It takes minutes. The same seed on the same number of threads (2 for the shipped one) gives the same bytes, on others
the same card.
The ranker is fitted to the encoder: run `python -m models.training.ranker` afterwards.
"""

import argparse
from dataclasses import replace
from pathlib import Path

from models.encoder import WEIGHTS, StaticEncoder
from models.training.encoder_corpus import read_papers
from models.training.encoder_fit import Recipe, train, write
from models.training.encoder_knowledge import read_knowledge
from models.training.encoder_pairs import tokenise
from models.training.encoder_report import measure, write_card
from models.training.encoder_vocabulary import build_tokenizer, choose_pieces, count_words


def main() -> None:
    """Read, count, cut, train, measure and write."""
    options = _options()
    recipe = replace(Recipe(), seed=options.seed)
    papers = read_papers(options.data)
    knowledge = read_knowledge()
    counts = count_words(text for paper in papers for text in paper.texts())
    for word, count in count_words(knowledge.texts()).items():
        counts[word] += count * recipe.written_times
    pieces = choose_pieces(counts, fewest=recipe.fewest)
    print(f"{len(papers)} papers, {len(knowledge.pairs)} written pairs, {len(pieces)} pieces")  # noqa: T201 - a command's answer
    tokenizer = build_tokenizer(pieces)
    vectors = train(tokenise(papers, tokenizer), knowledge, tokenizer, pieces, recipe)
    write(options.out, tokenizer, vectors, card="")
    encoder = StaticEncoder.load(options.out)
    card = write_card(encoder, options.data, recipe, knowledge, pieces=len(pieces), papers=len(papers))
    (options.out / "README.md").write_text(card, encoding="utf-8")
    print(f"{encoder.name} in {options.out}\n{measure(encoder, options.data)}")  # noqa: T201 - a command's answer


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m models.training", description="Train the shipped encoder.")
    parser.add_argument("--data", type=Path, required=True, help="folder with train/ and, to measure, dev/")
    parser.add_argument("--out", type=Path, default=WEIGHTS, help="folder to write (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=Recipe().seed)
    return parser.parse_args()


if __name__ == "__main__":
    main()
