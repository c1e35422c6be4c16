"""A cross-encoder: a learned model that reads a demand and a supply together. Slow, so that it only orders a few."""

from collections.abc import Sequence
from hashlib import sha256
from importlib import import_module
from threading import Lock
from typing import Any

from models.encoder import content_hash
from models.recent import Recent
from models.text import normalise

MOST_REMEMBERED = 65_536  # scores of pairs, about 200 bytes each; a page that is opened again is not read again
# What a model must have learned to do: to score a pair, or to say yes or no to it. Of any other one the library makes a
# cross-encoder too, with a head of random numbers.
LEARNED = ("ForSequenceClassification", "ForCausalLM", "ForConditionalGeneration")


class CrossEncoder:
    """Any CrossEncoder of sentence-transformers that gives one number for a pair; may be called from any thread."""

    def __init__(self, name_or_path: str) -> None:
        """Load the model; this imports torch.

        Raises: ModuleNotFoundError saying what to install; ValueError if there is no such model (to be had offline),
        or if it does not score pairs.
        """
        try:
            # Not at the top of the file: web processes import torch only if a cross-encoder is asked for.
            torch, library = import_module("torch"), import_module("sentence_transformers")
        except ModuleNotFoundError as error:
            message = (
                f"Cross-encoder {name_or_path} needs sentence-transformers. "
                "Install it with: pip install 'jiqiao[embed]'"
            )
            raise ModuleNotFoundError(message, name=error.name) from error
        try:
            # Without the usual sigmoid, which makes the best of many equal to the last digit.
            model = library.CrossEncoder(name_or_path, device="cpu", activation_fn=torch.nn.Identity())
        except OSError as error:
            reason = str(error).partition("\n")[0]
            raise ValueError(
                f"No cross-encoder {name_or_path} on this machine or to be downloaded: {reason}"
            ) from error
        kinds = getattr(model.config, "architectures", None) or []
        if model.num_labels != 1 or not any(kind.endswith(LEARNED) for kind in kinds):
            raise ValueError(f"Cross-encoder {name_or_path} does not give one number for a pair: {kinds}")
        self._model = model
        self._revision = content_hash(model)
        self._reading = Lock()
        self._known = Recent[bytes, float](MOST_REMEMBERED)

    @property
    def name(self) -> str:
        """Return the hash of the model's parameters: the same model has the same name wherever it lies."""
        return self._revision

    def scores(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """Return how well each supply answers each demand, for pairs of (demand, supply) texts.

        Scores are unitless; they only order supplies of one demand, or demands of one supply.
        """
        normal = [(normalise(demand), normalise(supply)) for demand, supply in pairs]
        keys = [sha256("\0".join(pair).encode()).digest() for pair in normal]
        by_key = dict(zip(keys, normal, strict=True))
        return self._known.get(keys, lambda new: self._read([by_key[key] for key in new]))

    def _read(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        with self._reading:  # the tokenizer of a model serves one thread at a time
            found: Any = self._model.predict(pairs, show_progress_bar=False)
        return [float(score) for score in found]


def load_cross_encoder(name_or_path: str) -> CrossEncoder | None:
    """Load the cross-encoder that a setting names; an empty setting asks for none.

    Raises: as `CrossEncoder`.
    """
    return CrossEncoder(name_or_path) if name_or_path else None
