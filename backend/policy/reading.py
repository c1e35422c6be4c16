"""Reads the plain files of reference data into records that know which line they stand on."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml

try:
    from yaml import CSafeLoader as SafeLoader
except ImportError:  # PyYAML built without libyaml: the same language, about ten times slower
    from yaml import SafeLoader  # type: ignore[assignment]


class ReferenceDataError(ValueError):
    """A reference file is wrong; the message begins with file and line."""


@dataclass(frozen=True)
class Record:
    """One row or one mapping of a reference file."""

    where: str
    values: Mapping[Hashable, Any]

    def error(self, what: str) -> ReferenceDataError:
        """Return an error that names this record's file and line."""
        return ReferenceDataError(f"{self.where}: {what}")

    def text(self, name: str) -> str:
        """Return a text that must not be empty."""
        value = self._value(name)
        if not isinstance(value, str) or not value.strip():
            raise self.error(f"{name} must be a text, not {value!r}")
        return value.strip()

    def texts(self, name: str, *, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """Return a list of texts, each standing once; it may be written as a list of lists, for ease of reading."""
        if default is not None and name not in self.values:
            return default
        value = self._value(name)
        if not isinstance(value, list):
            raise self.error(f"{name} must be a list, not {value!r}")
        flat = [text for item in value for text in (item if isinstance(item, list) else [item])]
        wrong = [text for text in flat if not isinstance(text, str) or not text]
        if wrong or len(set(flat)) < len(flat):
            raise self.error(f"{name} must hold different texts, found {(wrong or _repeated(flat))[0]!r}")
        return tuple(flat)

    def whole(self, name: str) -> int:
        """Return a whole number."""
        value = self._value(name)
        if type(value) is not int:
            raise self.error(f"{name} must be a whole number, not {value!r}")
        return value

    def day(self, name: str) -> date:
        """Return a date."""
        value = self._value(name)
        if type(value) is not date:
            raise self.error(f"{name} must be a date, not {value!r}")
        return value

    def records(self, name: str) -> tuple["Record", ...]:
        """Return the list of mappings under a name, none if the name is absent."""
        value = self.values.get(name, [])
        if not isinstance(value, list) or not all(isinstance(item, Record) for item in value):
            raise self.error(f"{name} must be a list of mappings")
        return tuple(value)

    def _value(self, name: str) -> Any:
        if name not in self.values:
            raise self.error(f"{name} is missing")
        return self.values[name]


def read_table(path: Path, columns: Sequence[str]) -> Iterator[Record]:
    """Yield the rows of a tab-separated file whose first line names exactly these columns."""
    for line, row in enumerate(path.read_text("utf-8").splitlines(), start=1):
        cells = row.split("\t")
        where = f"{path.name}:{line}"
        if line == 1:
            if cells != list(columns):
                raise ReferenceDataError(f"{where}: the columns must be {', '.join(columns)}")
            continue
        if len(cells) != len(columns):
            raise ReferenceDataError(f"{where}: expected {len(columns)} columns, found {len(cells)}")
        yield Record(where, dict(zip(columns, cells, strict=True)))


def read_yaml(path: Path) -> Record:
    """Read a YAML file as one record: the mapping at its top, or its list under the name `items`."""
    try:
        with path.open(encoding="utf-8") as stream:
            content = yaml.load(stream, Loader=_RecordLoader)  # noqa: S506, a subclass of the safe loader
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ReferenceDataError(f"{path.name}:{line}: {error.problem}") from error
    return content if isinstance(content, Record) else Record(f"{path.name}:1", {"items": content})


class _RecordLoader(SafeLoader):
    """The safe loader, with every mapping as a Record."""


def _record(loader: _RecordLoader, node: yaml.MappingNode) -> Record:
    values = loader.construct_mapping(node, deep=True)
    record = Record(f"{Path(node.start_mark.name).name}:{node.start_mark.line + 1}", values)
    if len(values) < len(node.value):
        raise record.error(f"{_repeated([key.value for key, _ in node.value])[0]} stands twice")
    return record


_RecordLoader.add_constructor("tag:yaml.org,2002:map", _record)


def _repeated(items: Sequence[Any]) -> list[Any]:
    return [item for place, item in enumerate(items) if item in items[:place]]
