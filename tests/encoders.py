"""A small deterministic encoder for tests: no weights, no download, equal words make near vectors."""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.text import tokens

DIMENSION = 64


class HashEncoder:
    """Add up one fixed random direction per token; a text without tokens is the zero row."""

    name = "hash-64"
    dimension = DIMENSION

    def encode_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self.encode_documents(texts)

    def encode_documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        rows = np.zeros((len(texts), DIMENSION), np.float32)
        for number, text in enumerate(texts):
            for token in tokens(text):
                rows[number] += direction(token)
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        return np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)


def direction(token: str) -> NDArray[np.float32]:
    """Return the direction of one token: signs taken from its hash."""
    bits = np.unpackbits(np.frombuffer(hashlib.sha256(token.encode()).digest()[: DIMENSION // 8], np.uint8))
    return bits.astype(np.float32) * 2 - 1
