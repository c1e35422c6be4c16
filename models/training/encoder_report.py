"""Measure an encoder on the judged collections of the data folder, beside BM25, and write its model card."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from models.bm25 import inverse_document_frequency, saturation
from models.encoder import Encoder
from models.evaluation import Collection, Pool, Quality, Ranker, evaluate_rankings, load_beir
from models.text import tokens
from models.training.encoder_fit import Recipe
from models.training.encoder_knowledge import Knowledge
from models.training.knowledge_collection import write_collection

COLLECTIONS: tuple[tuple[str, Pool], ...] = (("dev/csl", "corpus"), ("dev/df359", "judged"))
MEASURES = ("recall@1", "recall@10", "mrr@10", "ndcg@10", "spearman", "auc")

_NAMED = (
    "seed", "scale", "batch", "width", "steps", "rate", "dropout", "whitening", "written_scale", "written_dropout",
)  # fmt: skip

_CARD = """---
language: zh
library_name: sentence-transformers
pipeline_tag: sentence-similarity
---
# Encoder: what does this text speak of?

A StaticEmbedding for Chinese technology text: {pieces} pieces × {dimension} dimensions. A text is the mean of its
pieces' vectors, made unit length. Read by sentence-transformers 6, and by `models.encoder.StaticEncoder` without torch:
both give the same vectors, provided the text is brought to normal form first (`models.text.normalise`), as
`models.encoder` does. Made by `OMP_NUM_THREADS=2 python -m models.training --data FOLDER` (seed {seed}), which on
two threads gives the same bytes again; nothing was taken from another model.

## Files

- `tokenizer.json`: a Unigram tokenizer. Its pieces are words and characters with the logarithms of their frequencies,
  so that its likeliest cut is nearly a segmentation into words. It sees letters and digits only, in lower case.
- `model.safetensors`: vectors as int8 (`embeddings`) with a float32 factor for each (`weights`).

## Data

{papers} Chinese preprints of ChinaXiv 2016–2022 (https://chinaxiv.org), their titles, abstracts and paragraphs, under
CC BY 4.0; credit belongs to their authors. Changes made: brought to normal form, cut into words, counted, and learned
from as pairs. No text of theirs is in these files, only words and numbers.

Knowledge written by hand for this project (`models/training/knowledge`): {written} demands in plain words with the
supply that solves each and a distractor, {groups} groups of a thesaurus, {associations} lists of problem words and
method words. Its figures are of plausible size and not sourced: text to learn from, not to quote. Every fifth sub-topic
is kept for testing.

## Recipe

Pairs of texts of one paper (title and abstract, title and paragraph, two neighbouring or distant paragraphs, a span of
6 to 15 tokens and the rest of its paragraph) must lie nearer each other than those of other papers:
MultipleNegativesRankingLoss (scale {scale:g}, batches of {batch}) in {width} dimensions, {steps} steps of Adam
(rate {rate:g}), each token dropped with chance {dropout:g}. While it is trained, a word's vector is the sum of its own,
its characters' and its bigrams', times a learned weight that starts at the
logarithm of its rarity. {written_share:.0%} of the steps learn from the written knowledge (scale {written_scale:g},
tokens dropped with chance {written_dropout:g}), where a demand must lie nearer its supply than its distractor. All this
is folded into one vector per piece. At the end the axes along which texts vary most are shrunk (variance to the power
{whitening:g}) and the {dimension} of most variance kept, in that order: the leading ones serve alone, too. What was
tried and left: `models/training/LOG.md`.

## Measured

{measured}

In `dev/csl` a title must find its abstract among all 985. In `dev/df359` each demand's own candidates are ranked, which
are graded 1 to 4 by technology-transfer staff; recall, MRR and AUC count grades 3 and 4, nDCG the gain 2^(grade-1)-1.
Both were looked at while choosing the recipe, so expect a little less elsewhere. The written pairs are those of the
sub-topics kept for testing: a demand must find its supply among all supplies and distractors of all fields.

## Limits

- A bag of words: it knows neither order nor negation, and a long text is blurred by its common words.
- It does not replace BM25. Where a title's own rare words stand in its text, words find it more surely than
  {dimension} numbers can (first place in `dev/csl`); the encoder is there for texts that say the same in other words,
  and orders the graded pairs of `dev/df359` better (Spearman, AUC). Use both.
- Formulas, names and foreign words that the preprints lack are cut into pieces that say little.
- Preprints speak as papers do. The words of commerce, contracts and money are hardly among them.
- An empty text, or one without a known letter, has the zero vector: its cosine with everything is 0.
"""


def write_card(encoder: Encoder, data: Path, recipe: Recipe, knowledge: Knowledge, *, pieces: int, papers: int) -> str:
    """Return the model card with the numbers of this run."""
    return _CARD.format(
        **{name: getattr(recipe, name) for name in _NAMED},
        pieces=f"{pieces:,}",
        papers=f"{papers:,}",
        dimension=recipe.dimension,
        written=f"{len(knowledge.pairs):,}",
        groups=f"{len(knowledge.groups):,}",
        associations=f"{len(knowledge.associations):,}",
        written_share=sum(recipe.written_kinds.values())
        / sum([*recipe.kinds.values(), *recipe.written_kinds.values()]),
        measured=measure(encoder, data),
    )


def measure(encoder: Encoder, data: Path) -> str:
    """Return a Markdown table of the encoder beside BM25 over words and bigrams."""
    rows = []
    for name, pool, collection in _collections(data):
        for ranker, rank in (("this encoder", dense(encoder, collection)), ("BM25", bm25(collection))):
            quality = evaluate_rankings(collection, rank, pool=pool)
            rows.append([f"{name} ({len(collection.queries)} queries)", ranker, *_numbers(quality)])
    head = ["collection", "ranker", *MEASURES]
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _collections(data: Path) -> Iterator[tuple[str, Pool, Collection]]:
    """Yield the judged collections that are at hand, and the written pairs kept for testing."""
    for name, pool in COLLECTIONS:
        if (data / name).is_dir():
            yield name, pool, load_beir(data / name)
    with TemporaryDirectory(prefix="jiqiao-written-") as folder:
        write_collection(Path(folder))
        yield "written pairs", "corpus", load_beir(Path(folder))


def _numbers(quality: Quality) -> list[str]:
    values = quality.as_dict()
    return ["–" if (value := values[measure]) is None else f"{value:.3f}" for measure in MEASURES]


def dense(encoder: Encoder, collection: Collection) -> Ranker:
    """Return a ranker by the cosine of vectors of title and text."""
    queries = encoder.encode_queries(list(texts(collection, "queries")))
    documents = encoder.encode_documents(list(texts(collection, "corpus")))
    return _ranker(collection, (queries @ documents.T).astype(np.float64))


def bm25(collection: Collection) -> Ranker:
    """Return a ranker by BM25 of words and bigrams of title and text, taken as one field."""
    documents = [Counter(tokens(text)) for text in texts(collection, "corpus")]
    queries = [Counter(tokens(text)) for text in texts(collection, "queries")]
    containing = Counter(term for document in documents for term in document)
    columns = {term: column for column, term in enumerate(containing)}
    mean_length = sum(document.total() for document in documents) / len(documents)
    weighted = [
        {
            term: saturation(count, document.total(), mean_length)
            * inverse_document_frequency(len(documents), containing[term])
            for term, count in document.items()
        }
        for document in documents
    ]
    scores = _matrix(queries, columns) @ _matrix(weighted, columns).T
    return _ranker(collection, scores.toarray())


def _matrix(bags: Sequence[Counter[str] | dict[str, float]], columns: dict[str, int]) -> csr_matrix:
    cells = [
        (row, columns[term], float(value))
        for row, bag in enumerate(bags)
        for term, value in bag.items()
        if term in columns
    ]
    rows, places, values = zip(*cells, strict=True)
    return csr_matrix((values, (rows, places)), shape=(len(bags), len(columns)))


def _ranker(collection: Collection, scores: NDArray[np.float64]) -> Ranker:
    row = {key: number for number, key in enumerate(collection.queries)}
    column = {key: number for number, key in enumerate(collection.corpus)}
    return lambda query_id, ids: scores[row[query_id], [column[key] for key in ids]]


def texts(collection: Collection, side: str) -> list[str]:
    """Return title and text of each query or document as one text."""
    entries = collection.queries if side == "queries" else collection.corpus
    return [f"{entry.title}\n{entry.text}".strip() for entry in entries.values()]
