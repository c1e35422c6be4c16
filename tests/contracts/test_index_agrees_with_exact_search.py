"""The index (faiss, tantivy, snapshot, delta) and its exact twin give the same answers to the same questions."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from corpora import (
    DIMENSION,
    IDENTITY,
    MEMORY_FOLDER,
    assert_agree,
    corpora,
    documents,
    filters,
    make_document,
    query_vectors,
    terms,
    tokenize,
    unit_vector,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from models.bm25 import FieldBoosts, term_weights
from models.documents import ANY, Dimension, IndexDocument, IndexFilter, Remove, Upsert
from models.exact import ExactIndex
from models.index import Index
from models.snapshot import Tuning

SLOW = settings(
    max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
limits = st.sampled_from([1, 3, 200])
queries = st.tuples(query_vectors, terms, filters)


def build(folder: Path, corpus: list[IndexDocument], sequence: int = 0, **tuning: object) -> Index:
    return Index.build(folder, corpus, sequence=sequence, identity=IDENTITY, tokenize=tokenize, tuning=Tuning(**tuning))


def build_exact(corpus: list[IndexDocument]) -> ExactIndex:
    oracle = ExactIndex(tokenize=tokenize)
    oracle.rebuild(corpus)
    return oracle


def assert_same_counts(index: Index, oracle: ExactIndex, where: object) -> None:
    assert index.count(where) == oracle.count(where)
    for dimension in Dimension:
        assert index.facet_counts(where, dimension) == oracle.facet_counts(where, dimension)


@SLOW
@given(corpus=corpora, asked=st.lists(queries, min_size=1, max_size=8), limit=limits)
def test_a_fresh_snapshot_answers_like_exact_search(corpus, asked, limit):
    with tempfile.TemporaryDirectory(dir=MEMORY_FOLDER) as folder:
        index, oracle = build(Path(folder), corpus), build_exact(corpus)

        for vector, words, where in asked:
            assert_agree(index.retrieve(vector, words, where, limit), oracle, (vector, words, where), limit)
            assert_same_counts(index, oracle, where)


@SLOW
@given(corpus=corpora, asked=st.lists(queries, min_size=1, max_size=8), limit=limits)
def test_documents_held_in_memory_rank_like_documents_held_on_disk(corpus, asked, limit):
    with tempfile.TemporaryDirectory(dir=MEMORY_FOLDER) as folder:
        index, oracle = build(Path(folder), []), build_exact(corpus)

        index.apply(Upsert(number, document) for number, document in enumerate(corpus, start=1))

        for vector, words, where in asked:
            assert_agree(index.retrieve(vector, words, where, limit), oracle, (vector, words, where), limit)
            assert_same_counts(index, oracle, where)


class IndexUnderChange(RuleBasedStateMachine):
    """Any sequence of changes, rebuilds and restarts, asked after each step."""

    @initialize(corpus=corpora)
    def start(self, corpus):
        self.folder = tempfile.TemporaryDirectory(dir=MEMORY_FOLDER)
        self.sequence = 0
        self.written: list[Upsert | Remove] = []
        self.index, self.oracle = build(Path(self.folder.name), corpus), build_exact(corpus)
        self.current = {document.id: document for document in corpus}

    @rule(changed=st.lists(documents, max_size=4), removed=st.lists(documents, max_size=2))
    def change(self, changed, removed):
        group = [Upsert(self.sequence + number, document) for number, document in enumerate(changed, start=1)]
        self.sequence += len(group)
        group += [Remove(self.sequence + number, document.id) for number, document in enumerate(removed, start=1)]
        self.sequence += len(removed)
        self.written += group
        for entry in group:
            self.current.pop(entry.id, None)
            if isinstance(entry, Upsert):
                self.current[entry.id] = entry.document

        self.index.apply(group)
        self.oracle.apply(group)

    @rule(picked=st.integers(0, 1000))
    def repeat_an_old_change(self, picked):
        if self.written:
            old = self.written[picked % len(self.written)]

            self.index.apply([old] if old.sequence > self.rebuilt_at() else [])

    @rule()
    def rebuild(self):
        self.index.rebuild(list(self.current.values()), sequence=self.sequence)
        self.oracle.rebuild(list(self.current.values()))

    @rule()
    def restart(self):
        self.index = Index.open(Path(self.folder.name), identity=IDENTITY, tokenize=tokenize)
        self.index.apply(entry for entry in self.written if entry.sequence > self.index.sequence)

    def rebuilt_at(self) -> int:
        return self.index._view.snapshot.sequence

    @rule(query=queries, limit=limits)
    def ask(self, query, limit):
        assert_agree(self.index.retrieve(*query, limit), self.oracle, query, limit)
        assert_same_counts(self.index, self.oracle, query[2])

    @invariant()
    def holds_the_same_documents(self):
        assert self.index.content_hashes() == self.oracle.content_hashes()
        assert self.index.sequence == self.sequence
        for query in [(unit_vector(1), {"电池": 1.0, "的": 2.0}, ANY), (None, {"脑电": 1.0}, ANY)]:
            assert_agree(self.index.retrieve(*query, 200), self.oracle, query, 200)

    def teardown(self):
        if hasattr(self, "folder"):
            self.folder.cleanup()


IndexUnderChange.TestCase.settings = settings(max_examples=25, stateful_step_count=12, deadline=None, derandomize=True)
TestIndexUnderChange = IndexUnderChange.TestCase


def test_neighbours_are_the_nearest_documents_of_a_kind(tmp_path):
    corpus = [make_document(f"id-{n}", kind="supply" if n % 2 else "demand") for n in range(20)]
    index, oracle = build(tmp_path, corpus[:15]), build_exact(corpus)
    index.apply(Upsert(number, document) for number, document in enumerate(corpus[15:], start=1))

    found = index.neighbours(unit_vector(3), limit=7)

    expected = oracle.neighbours(unit_vector(3), limit=7)
    assert [id_ for id_, _ in found] == [id_ for id_, _ in expected]
    assert [score for _, score in found] == pytest.approx([score for _, score in expected], abs=1e-5)


def test_boosts_of_text_fields_change_the_ranking(tmp_path):
    in_title = make_document("title", title="天线", body="")
    in_body = make_document("body", title="", body="天线 天线")
    boosts = FieldBoosts(title=1.0, keywords=1.0, body=9.0)
    index = build(tmp_path, [in_title, in_body], boosts=boosts)

    found = index.retrieve(None, {"天线": 1.0})

    assert [candidate.id for candidate in found] == ["body", "title"]


def test_a_vector_of_another_dimension_is_refused_and_changes_nothing(tmp_path):
    index = build(tmp_path, [make_document("kept")])
    wrong = make_document("wrong", vector=unit_vector(1, DIMENSION + 1))

    with pytest.raises(ValueError, match="8 numbers"):
        index.apply([Remove(1, "kept"), Upsert(2, wrong)])

    assert index.content_hashes() == {"kept": "hash of kept"}
    assert index.sequence == 0


def test_documents_that_may_not_be_shown_take_no_place_among_the_first(tmp_path):
    corpus = [make_document(f"id-{n}", title="天线 " * (20 - n)) for n in range(20)]
    index = build(tmp_path, corpus)
    hidden = IndexFilter(exclude=frozenset(f"id-{n}" for n in range(1, 12)))
    index.apply([Remove(1, "id-0"), Remove(2, "id-12")])

    found = index.retrieve(None, {"天线": 1.0}, hidden, 3)

    assert [candidate.id for candidate in found] == ["id-13", "id-14", "id-15"]


def test_a_senseless_question_is_refused_at_once(tmp_path):
    index = build(tmp_path, [make_document("id-0")])

    for ask in (index.neighbours, lambda vector: index.retrieve(vector, {})):
        with pytest.raises(ValueError, match="vector"):
            ask(unit_vector(1, DIMENSION - 1))
        with pytest.raises(ValueError, match="vector"):
            ask(unit_vector(1) * np.float32(np.nan))
    with pytest.raises(ValueError, match="limit"):
        index.neighbours(unit_vector(1), limit=-1)
    with pytest.raises(ValueError, match="limit"):
        index.retrieve(None, {"电池": 1.0}, limit=-1)


def test_asking_for_none_gives_none(tmp_path):
    index = build(tmp_path, [make_document("id-0")])

    assert index.retrieve(unit_vector(1), {"电池": 1.0}, limit=0) == []
    assert index.neighbours(unit_vector(1), limit=0) == []


@given(rubbish=st.text(max_size=300))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_any_text_can_be_indexed_and_asked_for(rubbish):
    # The index still merges in the background when the test is over, and may write into the folder that is deleted.
    with tempfile.TemporaryDirectory(dir=MEMORY_FOLDER, ignore_cleanup_errors=True) as folder:
        odd = "\ud800 \x00 " + rubbish
        index = build(Path(folder), [make_document("id-0", title=odd, body=rubbish)])
        oracle = build_exact([make_document("id-0", title=odd, body=rubbish)])

        query = None, term_weights(odd.split()), ANY

        assert_agree(index.retrieve(*query, 5), oracle, query, 5)


def test_a_replaced_document_has_the_cosine_of_its_new_vector(tmp_path):
    index = build(tmp_path, [make_document("near", title="", body="", vector=unit_vector(1)), make_document("changed")])
    index.apply([Upsert(1, make_document("changed", vector=-unit_vector(1)))])

    [changed, _] = index.retrieve(unit_vector(1), {"电池": 1.0}, limit=1)

    assert (changed.id, changed.dense_rank, changed.lexical_rank) == ("changed", None, 1)
    assert changed.dense_score == pytest.approx(-1.0)


def test_a_change_that_arrives_late_does_not_undo_a_newer_one(tmp_path):
    index, oracle = build(tmp_path, []), build_exact([])
    old, new = make_document("id-0", content_hash="old"), make_document("id-0", content_hash="new")

    for adapter in (index, oracle):
        adapter.apply([Upsert(5, new), Upsert(4, old)])
        adapter.apply([Upsert(3, old), Remove(2, "id-0"), Upsert(5, old)])

        assert adapter.content_hashes() == {"id-0": "new"}
    assert index.sequence == 5
