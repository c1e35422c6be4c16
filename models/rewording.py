"""The same text said another way, deterministically: what measurements plant to see whether it is found again."""

import random
import re
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path

from opencc import OpenCC

from models.features import PairText
from models.text import sentences

TABLE = Path(__file__).parent / "data" / "rewordings.tsv"
KEPT_SHARE = 0.75  # of the sentences of a text from which some are dropped
LEAST_SENTENCES = 3  # of a text that can lose one
MYRIAD = 10_000
SCRIPTS = ("s2t", "s2tw", "s2twp", "s2hk")

_DIGITS = "〇一二三四五六七八九"
_PLACES = ("", "十", "百", "千")
_WHOLE = re.compile(r"(?<![\d.A-Za-z-])(\d{1,4})(?![\d.]|[A-Za-z%％])")
_PERCENT = re.compile(r"(?<![\d.A-Za-z-])(\d{1,2})\s?[%％]")
_UNITS = {
    "mm": "毫米",
    "cm": "厘米",
    "μm": "微米",
    "kg": "千克",
    "min": "分钟",
    "℃": "摄氏度",
    "h": "小时",
    "km": "千米",
}
_MEASURE = re.compile(rf"(\d)\s?({'|'.join(sorted(_UNITS, key=len, reverse=True))})(?![A-Za-z/·²³])")


class Change(StrEnum):
    """One way to say the same."""

    SYNONYMS = "synonyms"
    ORDER = "order"
    SCRIPT = "script"
    DROPPED = "dropped"
    NUMBERS = "numbers"


def reword(text: PairText, *, changes: tuple[Change, ...], seed: int, synonyms: Mapping[str, str]) -> PairText:
    """Return a text said another way; the same seed gives the same words.

    Sentences are dropped and moved in the body alone, one at least stays; `synonyms` maps words to what replaces them.
    """
    chance = random.Random(seed)  # noqa: S311 - reproducible, guards nothing
    title, keywords, body = text.title, text.keywords, text.body
    if Change.DROPPED in changes:
        body = _with_sentences(body, _dropped(_sentences(body), chance))
    if Change.ORDER in changes:
        body = _with_sentences(body, _moved(_sentences(body), chance))
    if Change.NUMBERS in changes:
        title, keywords, body = map(respelled_numbers, (title, keywords, body))
    if Change.SYNONYMS in changes:
        title, keywords, body = (_replaced(part, synonyms) for part in (title, keywords, body))
    if Change.SCRIPT in changes:
        script = chance.choice(SCRIPTS)
        title, keywords, body = (in_script(part, script) for part in (title, keywords, body))
    return PairText(title, keywords, body)


@cache
def everyday_words() -> dict[str, str]:
    """Return everyday words of listings with another word for each."""
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    return dict(line.split("\t", 1) for line in lines if line and not line.startswith("#"))


@cache
def _converter(script: str) -> OpenCC:
    return OpenCC(script)


def in_script(text: str, script: str) -> str:
    """Return a Simplified text in another script, named as OpenCC names its conversions."""
    converted: str = _converter(script).convert(text)
    return converted


def respelled_numbers(text: str) -> str:
    """Return a text with its whole numbers, percentages and common units spelled another way: 82% → 百分之八十二."""
    text = _MEASURE.sub(lambda match: match[1] + _UNITS[match[2]], text)
    text = _PERCENT.sub(lambda match: "百分之" + in_han(int(match[1])), text)
    return _WHOLE.sub(lambda match: in_han(int(match[1])), text)


def in_han(number: int) -> str:
    """Return a number of at most four digits in Han numerals.

    Raises: ValueError for any other number.
    """
    if not 0 <= number < MYRIAD:
        raise ValueError(f"only 0 to 9999 are spelled out: {number}")
    if number == 0:
        return "零"
    digits = str(number)
    parts = [
        (_DIGITS[int(digit)] + _PLACES[len(digits) - 1 - place]) if digit != "0" else "零"
        for place, digit in enumerate(digits)
    ]
    spelled = re.sub("零+", "零", "".join(parts)).rstrip("零")
    return spelled.removeprefix("一") if spelled.startswith("一十") else spelled


def _sentences(body: str) -> list[str]:
    return [body[start:end] for start, end in sentences(body)]


def _with_sentences(body: str, kept: list[str]) -> str:
    return "".join(kept) if kept else body


def _dropped(parts: list[str], chance: random.Random) -> list[str]:
    if len(parts) < LEAST_SENTENCES:
        return parts
    count = max(1, round(len(parts) * KEPT_SHARE))
    places = sorted(chance.sample(range(len(parts)), min(count, len(parts) - 1)))
    return [parts[place] for place in places]


def _moved(parts: list[str], chance: random.Random) -> list[str]:
    return chance.sample(parts, len(parts))


def _replaced(text: str, synonyms: Mapping[str, str]) -> str:
    if not synonyms:
        return text
    return _pattern(tuple(sorted(synonyms, key=lambda word: (-len(word), word)))).sub(
        lambda match: synonyms[match[0]], text
    )


@cache
def _pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, words)))
