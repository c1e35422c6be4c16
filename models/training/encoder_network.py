"""The network that is trained: token vectors put together from words, characters and bigrams, folded when served."""

from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sentence_transformers.sentence_transformer.modules import StaticEmbedding
from tokenizers import Tokenizer
from torch import Tensor, nn

from models.training.encoder_pairs import Ids


def features(texts: list[Ids]) -> dict[str, Tensor]:
    """Return what StaticEmbedding makes of texts: all token ids (t,) int64 and where each text starts (n,) int64."""
    starts = np.cumsum([0, *(len(text) for text in texts[:-1])])
    return {"input_ids": torch.from_numpy(np.concatenate(texts).astype(np.int64)), "offsets": torch.from_numpy(starts)}


class ComposedEmbedding(StaticEmbedding):
    """A StaticEmbedding whose token vectors are exp(w) * (own vector + vectors of its parts); texts are their sums."""

    def __init__(self, tokenizer: Tokenizer, parts: csr_matrix, rarity: NDArray[np.float32], *, dimension: int) -> None:
        """Start from random vectors (v, d) of length 1 and weights exp(w) in proportion to rarity (v,), above 0."""
        super().__init__(tokenizer, embedding_weights=torch.randn(parts.shape[0], dimension) / dimension**0.5)
        with torch.no_grad():
            self.embedding.weight[0] = 0  # the unknown piece says nothing
        self.log_weight = nn.Parameter(torch.from_numpy(np.log(rarity / rarity.mean()).astype(np.float32)))
        self._parts = parts

    def forward(self, features: dict[str, Tensor], **_: Any) -> dict[str, Tensor]:
        """Add sentence_embedding (n, d) to the features: the sum over each text's tokens."""
        ids, starts = features["input_ids"].numpy(), features["offsets"].numpy()
        used, position = np.unique(ids, return_inverse=True)
        counts = csr_matrix(
            (np.ones(len(ids), dtype=np.float32), position, np.append(starts, len(ids))), shape=(len(starts), len(used))
        )
        features["sentence_embedding"] = times(counts, self._vectors(used))
        return features

    def folded(self) -> NDArray[np.float32]:
        """Return the token vectors (v, d) to serve, which need no parts any more."""
        with torch.no_grad():
            vectors = self._vectors(np.arange(self._parts.shape[0])).numpy()
        vectors[0] = 0
        return cast(NDArray[np.float32], vectors)

    def _vectors(self, tokens: NDArray[np.intp]) -> Tensor:
        weight = torch.exp(self.log_weight[torch.from_numpy(tokens)])
        return times(self._parts[tokens], self.embedding.weight) * weight.unsqueeze(1)


def times(matrix: csr_matrix, dense: Tensor) -> Tensor:
    """Return matrix (n, m) @ dense (m, d), with the gradient of the dense side."""
    return cast(Tensor, _SparseProduct.apply(dense, matrix))  # type: ignore[no-untyped-call]


class _SparseProduct(torch.autograd.Function):
    """SciPy multiplies, always in the same order of additions; torch's sparse matrices are still called unfinished."""

    @staticmethod
    def forward(ctx: Any, dense: Tensor, matrix: csr_matrix) -> Tensor:
        ctx.matrix = matrix
        return torch.from_numpy(matrix @ dense.numpy())

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return torch.from_numpy(ctx.matrix.T @ gradient.numpy()), None
