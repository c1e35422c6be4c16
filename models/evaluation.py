"""Measures of ranking quality on judged collections in BEIR layout, in our own NumPy."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

RELEVANT_GRADE = 3
"""The grade from which a supply counts as fitting: 3 较强 and 4 强 of the four levels."""

Pool = Literal["judged", "corpus"]

Ranker = Callable[[str, Sequence[str]], ArrayLike]
"""Maps a query id and n candidate ids to n scores, higher is better; -inf where the ranker did not return one."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One query or document of a collection."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Collection:
    """Queries, corpus, and grades by query id and document id (0 or 1 none … 4 strong; absent: not judged)."""

    queries: Mapping[str, Entry]
    corpus: Mapping[str, Entry]
    grades: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class QueryQuality:
    """The measures of one query; None where the measure has no meaning for it."""

    ndcg_at_10: float | None
    spearman: float | None
    auc: float | None
    recall_at_1: float | None
    recall_at_10: float | None
    mrr_at_10: float | None

    def as_dict(self) -> dict[str, float | None]:
        """Return the measures under their usual names, such as ndcg@10."""
        return {name.replace("_at_", "@"): value for name, value in asdict(self).items()}


@dataclass(frozen=True, slots=True)
class Quality:
    """The mean of each measure over the queries for which it has a meaning, and the queries one by one."""

    mean: QueryQuality
    by_query: Mapping[str, QueryQuality]

    def as_dict(self) -> dict[str, float | None]:
        """Return the means under their usual names, such as ndcg@10."""
        return self.mean.as_dict()


def gain(grades: ArrayLike) -> NDArray[np.float64]:
    """Return 2^(grade - 1) - 1 for grades (n,) from 1 on and 0 for grade 0 (not judged)."""
    gains: NDArray[np.float64] = np.exp2(np.maximum(np.asarray(grades, dtype=np.float64), 1) - 1) - 1
    return gains


def ndcg_at_k(ranked_grades: Sequence[int], k: int = 10, *, all_grades: Sequence[int] | None = None) -> float | None:
    """Return the normalised discounted cumulative gain of grades listed in ranked order, 0 to 1.

    The ideal order is that of `all_grades` where the ranking leaves some out. None if nothing has any gain.
    Source: Järvelin and Kekäläinen, TOIS 2002, with discount log2(rank + 1), rank from 1, and the gain above.
    """
    ideal = _discounted_sum(np.sort(gain(ranked_grades if all_grades is None else all_grades))[::-1][:k])
    return _discounted_sum(gain(ranked_grades)[:k]) / ideal if ideal > 0 else None


def _discounted_sum(gains: NDArray[np.float64]) -> float:
    return float(np.sum(gains / np.log2(np.arange(2, len(gains) + 2))))


def spearman(scores: ArrayLike, grades: ArrayLike) -> float | None:
    """Return the correlation of the ranks of scores and grades, both (n,), ties at their average rank, -1 to 1.

    Constant scores give 0. None if the grades are constant, or n is below 2.
    """
    by_score, by_grade = _average_ranks(scores), _average_ranks(grades)
    by_score, by_grade = by_score - by_score.mean(), by_grade - by_grade.mean()
    spread = np.sqrt(np.sum(by_score**2) * np.sum(by_grade**2))
    if not np.any(by_grade):
        return None
    return float(np.sum(by_score * by_grade) / spread) if spread > 0 else 0.0


def _average_ranks(values: ArrayLike) -> NDArray[np.float64]:
    _, inverse, counts = np.unique(np.asarray(values, dtype=np.float64), return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[inverse]


def auc(scores: ArrayLike, relevant: ArrayLike) -> float | None:
    """Return the chance that a relevant item scores above an irrelevant one, ties counting half; both (n,).

    None unless there is an item of each. Source: the Mann-Whitney U statistic over average ranks.
    """
    positive = np.asarray(relevant, dtype=bool)
    positives, negatives = int(positive.sum()), int((~positive).sum())
    if not positives or not negatives:
        return None
    u = _average_ranks(scores)[positive].sum() - positives * (positives + 1) / 2
    return float(u / (positives * negatives))


def recall_at_k(ranked_relevant: Sequence[bool], k: int, *, total: int | None = None) -> float | None:
    """Return the share of all relevant items (`total`, or those listed) among the first k; None if there is none."""
    relevant = sum(ranked_relevant) if total is None else total
    return sum(ranked_relevant[:k]) / relevant if relevant else None


def mrr_at_k(ranked_relevant: Sequence[bool], k: int) -> float:
    """Return 1 / rank of the first relevant item, or 0 if none is among the first k."""
    return next((1 / rank for rank, hit in enumerate(ranked_relevant[:k], start=1) if hit), 0.0)


def evaluate_rankings(collection: Collection, rank: Ranker, *, pool: Pool = "judged") -> Quality:
    """Measure a ranker over all judged queries of a collection.

    Candidates are each query's own judged documents, or the whole corpus; equal scores are ordered by document id.
    In the corpus what is not judged counts as irrelevant, except for Spearman, which is over the judged alone.
    A query without a relevant document has neither nDCG nor recall nor reciprocal rank.
    Raises: ValueError if the ranker gives a NaN or another number of scores than candidates.
    """
    by_query = {}
    everything = sorted(collection.corpus)
    for query_id, grades in collection.grades.items():
        candidates = sorted(grades) if pool == "judged" else everything
        scores = np.asarray(rank(query_id, candidates), dtype=np.float64)
        if scores.shape != (len(candidates),) or np.isnan(scores).any():
            raise ValueError(f"query {query_id}: expected {len(candidates)} numbers, got {scores.shape} or a NaN")
        by_query[query_id] = _query_quality(scores, candidates, grades)
    return Quality(mean=_mean(list(by_query.values())), by_query=by_query)


def _query_quality(scores: NDArray[np.float64], candidates: list[str], grades: Mapping[str, int]) -> QueryQuality:
    graded = np.array([grades.get(candidate, 0) for candidate in candidates])
    judged = np.array([candidate in grades for candidate in candidates])
    order = np.argsort(-scores, kind="stable")
    ranked = graded[order].tolist()
    hits = [grade >= RELEVANT_GRADE for grade in ranked]
    return QueryQuality(
        ndcg_at_10=ndcg_at_k(ranked, 10) if any(hits) else None,
        spearman=spearman(scores[judged], graded[judged]),
        auc=auc(scores, graded >= RELEVANT_GRADE),
        recall_at_1=recall_at_k(hits, 1),
        recall_at_10=recall_at_k(hits, 10),
        mrr_at_10=mrr_at_k(hits, 10) if any(hits) else None,
    )


def _mean(qualities: Sequence[QueryQuality]) -> QueryQuality:
    def mean_of(name: str) -> float | None:
        values = [value for quality in qualities if (value := getattr(quality, name)) is not None]
        return float(np.mean(values)) if values else None

    return QueryQuality(**{field.name: mean_of(field.name) for field in fields(QueryQuality)})


def load_beir(folder: Path) -> Collection:
    """Read corpus.jsonl, queries.jsonl and qrels.tsv of a folder; qrels.tsv may have no rows.

    Raises: ValueError naming the file, and the line where one is broken.
    """
    queries, corpus = _read_entries(folder / "queries.jsonl"), _read_entries(folder / "corpus.jsonl")
    grades: dict[str, dict[str, int]] = {}
    path = folder / "qrels.tsv"
    for number, line in _lines(path):
        columns = line.split("\t")
        if number == 1 and columns[-1] == "score":
            continue
        query_id, document_id, grade = _judgement(columns, f"{path}:{number}")
        if query_id not in queries or document_id not in corpus:
            raise ValueError(f"{path}:{number}: no query {query_id} or no document {document_id} in the collection")
        grades.setdefault(query_id, {})[document_id] = grade
    return Collection(queries=queries, corpus=corpus, grades=grades)


def _judgement(columns: list[str], place: str) -> tuple[str, str, int]:
    try:
        query_id, document_id, grade = columns
        value = int(grade)
    except ValueError as error:
        raise ValueError(f"{place}: expected query-id, corpus-id and a whole number, parted by tabs") from error
    if not 0 <= value <= 4:  # noqa: PLR2004 - the four levels of the labelled data, and 0 of other collections
        raise ValueError(f"{place}: grade {value} is not between 0 and 4")
    return query_id, document_id, value


def _read_entries(path: Path) -> dict[str, Entry]:
    entries: dict[str, Entry] = {}
    for number, line in _lines(path):
        try:
            row = json.loads(line)
            key, title, text = row["_id"], row.get("title", ""), row["text"]
        except (json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{path}:{number}: expected a JSON object with _id, title and text") from error
        if not all(isinstance(value, str) for value in (key, title, text)):
            raise ValueError(f"{path}:{number}: _id, title and text must be strings")
        if key in entries:
            raise ValueError(f"{path}:{number}: {key} is there twice")
        entries[key] = Entry(title=title, text=text)
    return entries


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path}: cannot be read ({error.strerror})") from error
    for number, line in enumerate(content.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            yield number, line.decode().rstrip("\r")
        except UnicodeDecodeError as error:
            raise ValueError(f"{path}:{number}: is not UTF-8") from error
