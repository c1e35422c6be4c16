"""Train the encoder's token vectors by contrast and write them as sentence-transformers reads them."""

import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import save_file
from scipy.sparse import csr_matrix
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss
from sentence_transformers.sentence_transformer.modules import Normalize, StaticEmbedding
from tokenizers import Tokenizer

from models.training.encoder_knowledge import Knowledge, KnowledgeSource
from models.training.encoder_network import ComposedEmbedding, features, times
from models.training.encoder_pairs import Ids, PairSource, TokenisedPaper
from models.training.encoder_vocabulary import Pieces, compose

LARGEST_INT8 = 127
_KINDS = {"title-abstract": 1.0, "title-paragraph": 2.0, "neighbours": 1.0, "same-paper": 1.0, "span-rest": 1.0}
_WRITTEN_KINDS = {"written-pairs": 2.5, "thesaurus": 1.5, "associations": 1.5}


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything a run depends on besides the papers; why these values: LOG.md."""

    seed: int = 20261122
    fewest: int = 12
    """Occurrences of a word below which it is cut into its parts."""
    width: int = 768
    """Dimensions in training; far more than are served find better directions."""
    dimension: int = 256
    """Dimensions served: the axes along which texts vary most, so that leading ones serve alone, too."""
    steps: int = 100
    batch: int = 2048
    rate: float = 0.01
    scale: float = 16.0
    """What cosines are multiplied by before the softmax: higher tells alike texts apart, lower joins related ones."""
    dropout: float = 0.3
    written_scale: float = 8.0
    """The same for knowledge written by hand, which joins what shares no word."""
    written_dropout: float = 0.5
    written_times: int = 6
    """How often a word of the written knowledge is counted, beside the far longer papers."""
    whitening: float = 0.15
    """Power by which the variance of texts along each axis is evened out at the end: 0 not at all, 0.5 fully."""
    kinds: Mapping[str, float] = field(default_factory=lambda: dict(_KINDS))
    """How often each kind of pair of the papers is drawn, in proportion."""
    written_kinds: Mapping[str, float] = field(default_factory=lambda: dict(_WRITTEN_KINDS))
    """The same for the written knowledge."""


def train(
    papers: list[TokenisedPaper], knowledge: Knowledge, tokenizer: Tokenizer, pieces: Pieces, recipe: Recipe
) -> NDArray[np.float32]:
    """Return the token vectors (v, d) to serve."""
    torch.manual_seed(recipe.seed)
    rng = np.random.default_rng(recipe.seed)
    network = ComposedEmbedding(tokenizer, compose(pieces), rarity(papers, len(pieces)), dimension=recipe.width)
    model = SentenceTransformer(modules=[network], device="cpu")
    written = KnowledgeSource(knowledge, tokenizer, dropout=recipe.written_dropout, rng=rng)
    papers_loss, written_loss = (
        MultipleNegativesRankingLoss(model, scale=scale) for scale in (recipe.scale, recipe.written_scale)
    )
    source = PairSource(papers, dropout=recipe.dropout, rng=rng)
    tasks: list[Task] = [(source, kind, share, papers_loss) for kind, share in recipe.kinds.items()]
    tasks += [(written, kind, share, written_loss) for kind, share in recipe.written_kinds.items()]
    _run(network, tasks, recipe, rng)
    return served(network.folded(), papers, power=recipe.whitening, dimension=recipe.dimension)


Task = tuple[PairSource | KnowledgeSource, str, float, torch.nn.Module]
"""Where pairs are drawn from, their kind, how often in proportion, and what is lessened."""


def _run(network: ComposedEmbedding, tasks: list[Task], recipe: Recipe, rng: np.random.Generator) -> None:
    optimizer = torch.optim.Adam(network.parameters(), lr=recipe.rate, betas=(0.9, 0.99), fused=True)
    shares = np.array([share for _, _, share, _ in tasks])
    started = time.monotonic()
    for step in range(1, recipe.steps + 1):
        source, kind, _, loss = tasks[rng.choice(len(tasks), p=shares / shares.sum())]
        sides = source.draw(kind, recipe.batch)
        for group in optimizer.param_groups:
            group["lr"] = recipe.rate * learning_curve(step, recipe.steps)
        optimizer.zero_grad()
        value = loss([features(side) for side in sides], torch.empty(0))
        value.backward()
        optimizer.step()
        if step % 10 == 0 or step == recipe.steps:
            seconds = time.monotonic() - started
            print(f"step {step}/{recipe.steps}, {seconds:.0f} s, {kind}: loss {value.item():.3f}")  # noqa: T201 - progress


def learning_curve(step: int, steps: int) -> float:
    """Return the share of the learning rate at a step from 1: rising over 20 steps, then falling to 2 %."""
    return min(1.0, step / 20) * max(0.02, 1 - step / steps)


def rarity(papers: list[TokenisedPaper], size: int) -> NDArray[np.float32]:
    """Return the natural logarithm of (paragraphs + 1) / (paragraphs with the token + 1) and a bit, (v,) above 0."""
    containing, paragraphs = np.zeros(size), 0
    for paper in papers:
        for paragraph in paper.paragraphs:
            containing[np.unique(paragraph)] += 1
        paragraphs += len(paper.paragraphs)
    return (np.log((paragraphs + 1) / (containing + 1)) + 1e-2).astype(np.float32)


def served(
    vectors: NDArray[np.float32], papers: list[TokenisedPaper], *, power: float, dimension: int
) -> NDArray[np.float32]:
    """Return token vectors (v, dimension) from those trained (v, width).

    First the axes along which titles and abstracts vary most are shrunk: each axis of their second moment is divided by
    its variance to the `power`. Of what is left the axes of most variance are kept, in that order.
    """
    texts = [ids for paper in papers for ids in (paper.title, paper.abstract) if len(ids)]
    variance, axes = _principal_axes(_sums(texts, vectors))
    evened = vectors @ (axes * variance**-power @ axes.T).astype(np.float32)
    _, axes = _principal_axes(_sums(texts, evened))
    kept: NDArray[np.float32] = np.ascontiguousarray(evened @ axes[:, : -dimension - 1 : -1].astype(np.float32))
    return kept


def _principal_axes(rows: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return variances (d,), ascending, and axes (d, d) by column of rows (n, d) made unit length."""
    unit = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), np.finfo(np.float32).tiny)
    variance, axes = np.linalg.eigh((unit.T @ unit / len(unit)).astype(np.float64))
    return np.maximum(variance, np.finfo(np.float32).tiny), axes


def _sums(texts: list[Ids], vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    ends = np.cumsum([0, *map(len, texts)])
    ids = np.concatenate(texts)
    counts = csr_matrix((np.ones(len(ids), dtype=np.float32), ids, ends), shape=(len(texts), len(vectors)))
    return times(counts, torch.from_numpy(vectors)).numpy()


def write(folder: Path, tokenizer: Tokenizer, vectors: NDArray[np.float32], card: str) -> None:
    """Write a model folder aside and put it in the place of the old one.

    Vectors are kept as (v, d) int8 with a float32 factor for each row: the layout that sentence-transformers reads as
    one of model2vec, a quarter of the size, and rounding that no measure notices.
    """
    aside = folder.with_name(f".{folder.name}-{os.getpid()}")
    static = StaticEmbedding(tokenizer, embedding_weights=vectors)
    SentenceTransformer(modules=[static, Normalize()], device="cpu").save_pretrained(
        str(aside), create_model_card=False
    )
    factors = np.abs(vectors).max(axis=1) / LARGEST_INT8
    factors[factors == 0] = 1
    rounded = np.round(vectors / factors[:, None]).astype(np.int8)
    save_file({"embeddings": rounded, "weights": factors.astype(np.float32)}, aside / "model.safetensors")
    (aside / "model.safetensors").chmod(0o644)
    (aside / "README.md").write_text(card, encoding="utf-8")
    old = folder.with_name(f".{folder.name}-{os.getpid()}-old")
    if folder.exists():
        folder.rename(old)
    aside.rename(folder)
    shutil.rmtree(old, ignore_errors=True)
