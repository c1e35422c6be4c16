"""A bounded memory of what was worked out lately, shared by threads."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from threading import Lock
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Recent(Generic[Key, Value]):
    """Values by key; beyond `most` of them the one that was asked for longest ago is dropped.

    Two threads that miss the same key both work it out, which costs time and changes nothing.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: OrderedDict[Key, Value] = OrderedDict()
        self._lock = Lock()

    def get(self, keys: Sequence[Key], make: Callable[[list[Key]], Sequence[Value]]) -> list[Value]:
        """Return the value of each key; `make` gives those of all keys that are not remembered, at once."""
        with self._lock:
            known = {key: self._values[key] for key in keys if key in self._values}
            for key in known:
                self._values.move_to_end(key)
        if new := [key for key in dict.fromkeys(keys) if key not in known]:
            fresh = dict(zip(new, make(new), strict=True))
            known |= fresh
            with self._lock:
                self._values |= fresh
                while len(self._values) > self._most:
                    self._values.popitem(last=False)
        return [known[key] for key in keys]
