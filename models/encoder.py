"""Encoders: texts in, unit vectors out. Ours needs no torch; any other comes through sentence-transformers."""

import hashlib
import json
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from models.text import normalise

WEIGHTS = Path(__file__).parent / "weights" / "encoder"
"""The folder of the shipped static encoder."""

Vectors = NDArray[np.float32]
"""(n, d) float32, rows of unit length; the row of a text without a single known token is zero."""

_BATCH = 256
_HASH_LENGTH = 12  # hexadecimal digits: chance of two of a thousand revisions agreeing below 1e-8


class Encoder(Protocol):
    """Maps texts to vectors whose inner product says how near their meanings are.

    Texts are brought to normal form by the encoder. A vector stored under another name is stale.
    """

    @property
    def name(self) -> str:
        """Return kind, dimension or model, and a hash of the content of the weights."""
        ...

    @property
    def dimension(self) -> int:
        """Return d."""
        ...

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Return (n, d) float32 rows of unit length for what is looked for; a text that says nothing gets zeros."""
        ...

    def encode_documents(self, texts: Sequence[str]) -> Vectors:
        """Return (n, d) float32 rows of unit length for what is found; a text that says nothing gets zeros."""
        ...


class StaticEncoder:
    """A StaticEmbedding of sentence-transformers without torch: the mean of token vectors, made unit length."""

    def __init__(self, tokenizer: Tokenizer, embeddings: NDArray[Any], weights: Vectors, *, revision: str) -> None:
        """Take (v, d) embeddings of any number type, and (v,) float32 weights that multiply their rows."""
        self._tokenizer = tokenizer
        self._embeddings = embeddings
        self._weights = weights
        self._revision = revision

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read a folder saved by sentence-transformers.

        Raises: ValueError if it holds no StaticEmbedding, or its files do not belong together.
        """
        if not is_static(folder):
            raise ValueError(f"{folder} holds no StaticEmbedding of sentence-transformers")
        tokenizer_file, weights_file = folder / "tokenizer.json", folder / "model.safetensors"
        tensors = load_file(weights_file)
        embeddings = tensors["embedding.weight"] if "embedding.weight" in tensors else tensors["embeddings"]
        tokenizer = Tokenizer.from_file(str(tokenizer_file))
        tokenizer.no_padding()
        tokenizer.no_truncation()
        if tokenizer.get_vocab_size() != len(embeddings):
            raise ValueError(f"{folder}: {tokenizer.get_vocab_size()} tokens, but {len(embeddings)} vectors")
        weights = tensors.get("weights", np.ones(len(embeddings))).astype(np.float32)
        digest = hashlib.sha256(tokenizer_file.read_bytes())
        digest.update(weights_file.read_bytes())
        return cls(tokenizer, embeddings, weights, revision=digest.hexdigest()[:_HASH_LENGTH])

    @property
    def name(self) -> str:
        """Return static, the dimension and the hash of tokenizer and weights."""
        return f"static-{self.dimension}-{self._revision}"

    @property
    def dimension(self) -> int:
        """Return d."""
        return int(self._embeddings.shape[1])

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Return (n, d) float32 rows of unit length; queries and documents are encoded alike."""
        return self._encode(texts)

    def encode_documents(self, texts: Sequence[str]) -> Vectors:
        """Return (n, d) float32 rows of unit length; queries and documents are encoded alike."""
        return self._encode(texts)

    def _encode(self, texts: Sequence[str]) -> Vectors:
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for start in range(0, len(texts), _BATCH):
            batch = [normalise(text) for text in texts[start : start + _BATCH]]
            for row, encoding in enumerate(self._tokenizer.encode_batch_fast(batch, add_special_tokens=False)):
                vectors[start + row] = self._sum(np.array(encoding.ids, dtype=np.intp))
        return unit_rows(vectors)

    def _sum(self, ids: NDArray[np.intp]) -> Vectors:
        """Return the weighted sum (d,) of token vectors, which points where their mean does."""
        total: Vectors = self._weights[ids] @ self._embeddings[ids].astype(np.float32)
        return total


class SentenceTransformerEncoder:
    """Any model of sentence-transformers, by name or path, with its own prompts for queries and documents."""

    def __init__(self, name_or_path: str) -> None:
        """Load the model; this imports torch.

        Raises: ModuleNotFoundError saying what to install; ValueError if there is no such model (to be had offline).
        """
        try:
            # Not at the top of the file: it takes seconds and half a gigabyte, and web processes must never pay that.
            library = import_module("sentence_transformers")
        except ModuleNotFoundError as error:
            message = (
                f"Encoder {name_or_path} needs sentence-transformers. Install it with: pip install 'jiqiao[embed]'"
            )
            raise ModuleNotFoundError(message, name=error.name) from error
        try:
            self._model = library.SentenceTransformer(name_or_path, device="cpu")
        except OSError as error:
            raise ValueError(
                f"No model {name_or_path} on this machine, and it cannot be downloaded: {error}"
            ) from error
        self._name = f"st:{name_or_path}-{content_hash(self._model)}"
        self._dimension = int(self._model.get_embedding_dimension())

    @property
    def name(self) -> str:
        """Return st:, the model and the hash of its parameters."""
        return self._name

    @property
    def dimension(self) -> int:
        """Return d."""
        return self._dimension

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Return (n, d) float32 rows of unit length, made with the model's prompt for queries if it has one."""
        return self._encode(self._model.encode_query, texts)

    def encode_documents(self, texts: Sequence[str]) -> Vectors:
        """Return (n, d) float32 rows of unit length, made with the model's prompt for documents if it has one."""
        return self._encode(self._model.encode_document, texts)

    def _encode(self, encode: Any, texts: Sequence[str]) -> Vectors:
        normal = [normalise(text) for text in texts]
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        filled = [row for row, text in enumerate(normal) if text]
        if filled:
            vectors[filled] = encode([normal[row] for row in filled], show_progress_bar=False)
        return unit_rows(vectors)


def load_encoder(spec: str = "static") -> Encoder:
    """Load the encoder that a setting names: static (ours), st:NAME (a sentence-transformers model), or a folder.

    Raises: ValueError if there is no such folder or model; ModuleNotFoundError if torch is needed and absent.
    """
    if spec == "static":
        return StaticEncoder.load(WEIGHTS)
    if spec.startswith("st:"):
        return SentenceTransformerEncoder(spec.removeprefix("st:"))
    folder = Path(spec)
    if not (folder / "modules.json").is_file():
        raise ValueError(f"Encoder {spec}: expected static, st:NAME, or a folder saved by sentence-transformers")
    return StaticEncoder.load(folder) if is_static(folder) else SentenceTransformerEncoder(spec)


def is_static(folder: Path) -> bool:
    """Say whether a folder holds a model of which StaticEmbedding is the only part that is learned."""
    try:
        modules = json.loads((folder / "modules.json").read_text(encoding="utf-8"))
    except OSError:
        return False
    kinds = [module["type"].rpartition(".")[2] for module in modules]
    return kinds in (["StaticEmbedding"], ["StaticEmbedding", "Normalize"])


def unit_rows(vectors: Vectors) -> Vectors:
    """Return (n, d) float32 rows divided by their length; zero rows stay zero."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    rows: Vectors = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    return rows


def content_hash(model: Any) -> str:
    """Return a hash of a torch module's structure and parameters, which no name or date can hide a change of."""
    digest = hashlib.sha256(str(model).encode())
    for key, tensor in sorted(model.state_dict().items()):
        digest.update(key.encode())
        digest.update(tensor.detach().float().cpu().numpy().tobytes())
    return digest.hexdigest()[:_HASH_LENGTH]
