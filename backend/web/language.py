"""The three faces of the interface: Simplified as written, Traditional and English from catalogues."""

from collections.abc import Mapping
from contextvars import ContextVar
from enum import StrEnum
from pathlib import Path

from babel.messages.pofile import read_po


class Language(StrEnum):
    """A language of the interface."""

    SIMPLIFIED = "zh-Hans"
    TRADITIONAL = "zh-Hant"
    ENGLISH = "en"


CATALOGUES = {Language.TRADITIONAL: "zh_Hant", Language.ENGLISH: "en"}
_current: ContextVar[Language] = ContextVar("language", default=Language.SIMPLIFIED)


class Translations:
    """The catalogues of `frontend/locales`, read once."""

    def __init__(self, folder: Path) -> None:
        self._catalogues = {language: _read(folder / f"{name}.po") for language, name in CATALOGUES.items()}

    def translate(self, text: str) -> str:
        """Return the text in the language of the current request; what has no translation stays as written."""
        return self._catalogues.get(_current.get(), {}).get(text, text)


def _read(path: Path) -> Mapping[str, str]:
    with path.open("rb") as file:
        catalogue = read_po(file)
    return {str(message.id): str(message.string) for message in catalogue if message.id and message.string}


def speak(name: str) -> Language:
    """Set the language of the current request; an unknown name means Simplified."""
    language = Language(name) if name in set(Language) else Language.SIMPLIFIED
    _current.set(language)
    return language
