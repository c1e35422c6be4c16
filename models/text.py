"""The normal form of listing text for search, and its segmentation.

The author's text is never altered: what these functions return is a search copy, for encoders and indexes only.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from itertools import accumulate
from pathlib import Path

import rjieba
from opencc import OpenCC

HAN = "\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
"""Ranges of a regular-expression class: ideographs, and the signs 々〆〇 written among them."""

_CJK_MARKS = "\u3001-\u3003\u3008-\u3011\u3014-\u301f\u2018\u2019\u201c\u201d"
_SYNONYMS = Path(__file__).parent / "data" / "synonyms.tsv"
_WORDS = Path(__file__).parent / "data" / "words.txt"
_WORD_FREQUENCY = 1000  # above what rjieba's suggest_freq asks for any of them (at most 866): each holds together
ANALYSIS = (
    "words+bigrams-"
    + sha256(b"".join(file.read_bytes() for file in (Path(__file__), _SYNONYMS, _WORDS))).hexdigest()[:12]
)
"""The revision of this module and its tables: an index of terms made under another one is stale."""

_SCOPES = ("always", "traditional", "keep")

# Controls except tab and line ends; soft hyphen, zero-width, bidi, fillers, variation selectors, tags; lone surrogates;
# non-characters. All of them are invisible, and some (surrogates) make tokenizers fail.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e0fff]+"
)
_LINE_END = re.compile("\r\n?|[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
# Every blank but the single space that is rightly there between two words of a Latin script.
_BLANK = re.compile(rf"\s{{2,}}|[^\S ]|(?<=[{HAN}{_CJK_MARKS}]) (?=[{HAN}{_CJK_MARKS}])")
_HAN_OR_MARK = re.compile(f"[{HAN}{_CJK_MARKS}]")
HAN_RUN = re.compile(f"[{HAN}]+")
# One token: a run of Han, or letters and digits of any script with decimals kept whole.
_RUN = re.compile(rf"(?P<han>[{HAN}]+)|c\+\+|c#|\d+(?:\.\d+)+|(?:(?![{HAN}])[^\W_])+")
_SENTENCE = re.compile(
    rf"""(?:[^。！？!?；;.\n]
         | \.(?!\s|$)                          # a decimal point or an abbreviation
         | (?<=\d)\.(?=[^\S\n]*[{HAN}])         # the number of an item in a list
         | (?<=[{HAN}])[^\S\n]*\n(?=[^\S\n]*[{HAN}])  # a line wrapped in mid-sentence
         )+ [。！？!?；;.]* [”’"』」）)\]】]*""",
    re.VERBOSE,
)


def normalise(text: str) -> str:
    """Return the normal form of a text, in which the same words are always the same characters.

    In order: NFKC; invisible characters dropped; blanks and single line ends between Han dropped, other blanks
    made one; Traditional folded to Simplified by word; our synonyms. Case stays. A second pass changes nothing.
    """
    return _replace_words(_fold_script(_join_blanks(_drop_invisible(text))))


def words(text: str) -> list[str]:
    """Return the words of a text's normal form in order, lower-cased, without punctuation."""
    return list(_words(normalise(text).lower()))


def tokens(text: str) -> list[str]:
    """Return the terms under which BM25 knows a text: its words, then the character bigrams of its Han runs.

    A two-character word is counted as a word and as a bigram, so that a true word weighs more than a chance pair.
    """
    normal = normalise(text).lower()
    found = list(_words(normal))
    for run in HAN_RUN.findall(normal):
        found.extend(run[i : i + 2] for i in range(len(run) - 1))
    return found


def sentences(text: str) -> list[tuple[int, int]]:
    """Return the (start, end) of each sentence in the text as given; text[start:end] is the sentence, trimmed."""
    spans = []
    for match in _SENTENCE.finditer(text):
        sentence = match.group()
        start = match.start() + len(sentence) - len(sentence.lstrip())
        end = match.start() + len(sentence.rstrip())
        if any(char.isalnum() for char in text[start:end]):
            spans.append((start, end))
    return spans


def word_edges(run: str) -> frozenset[int]:
    """Return the places in a run of Han where a word begins or ends."""
    return frozenset((0, *accumulate(map(len, _segmenter().cut(run)))))


def _words(normal: str) -> Iterator[str]:
    for match in _RUN.finditer(normal):
        if match["han"]:
            yield from _segmenter().cut(match["han"])
        else:
            yield match.group()


def _drop_invisible(text: str) -> str:
    text = unicodedata.normalize("NFKC", text)
    clean, dropped = _INVISIBLE.subn("", text)
    return unicodedata.normalize("NFKC", clean) if dropped else clean


def _join_blanks(text: str) -> str:
    return _BLANK.sub(_join_blank, _LINE_END.sub("\n", text)).strip()


def _join_blank(match: re.Match[str]) -> str:
    """Return what a run of blanks means: a paragraph's end, a line's end, a space, or nothing between Han."""
    line_ends = match.group().count("\n")
    if line_ends > 1:
        return "\n\n"
    text, before, after = match.string, match.start() - 1, match.end()
    if before >= 0 and _HAN_OR_MARK.match(text, before) and _HAN_OR_MARK.match(text, after):
        return ""
    return "\n" if line_ends else " "


def _fold_script(text: str) -> str:
    """Fold Traditional to Simplified by word, leaving text that is already Simplified exactly as it is.

    Folding by word maps 軟體 to 软件, but in Simplified text it would also map 程序 to 进程: so a text, or in a mixed
    text a sentence, is folded by word only if it has Traditional and no Simplified characters. If it has both,
    only its characters are folded.
    """
    traditional, simplified = _script_marks()
    if not traditional.search(text):
        return text
    if not simplified.search(text):
        return _fold_words(text)
    parts, last = [], 0
    for start, end in sentences(text):
        sentence = text[start:end]
        if traditional.search(sentence):
            sentence = _converter("t2s").convert(sentence) if simplified.search(sentence) else _fold_words(sentence)
        parts += [text[last:start], sentence]
        last = end
    return "".join([*parts, text[last:]])


def _fold_words(text: str) -> str:
    """Fold a wholly Traditional text by word, but for the words whose vocabulary both sides share."""
    kept = re.compile("|".join(re.escape(word) for word in _synonyms()["keep"]))
    by_word, by_character = _converter("tw2sp"), _converter("t2s")
    parts, last = [], 0
    for match in kept.finditer(text):
        parts += [by_word.convert(text[last : match.start()]), by_character.convert(match.group())]
        last = match.end()
    parts.append(by_word.convert(text[last:]))
    return _replace_words("".join(parts), scope="traditional")


def _replace_words(text: str, *, scope: str = "always") -> str:
    """Replace the synonyms of one scope where they stand as words: 网路 in 网路安全, not in 电网路径.

    A synonym stands as a word if segmentation puts no edge inside it, or one at each of its ends.
    """
    if not _synonym_pattern(scope).search(text):
        return text
    return HAN_RUN.sub(lambda run: _replace_in_run(run.group(), scope), text)


def _replace_in_run(run: str, scope: str) -> str:
    table = _synonyms()[scope]
    matches = list(_synonym_pattern(scope).finditer(run))
    if not matches:
        return run
    edges = word_edges(run)
    parts, last = [], 0
    for match in matches:
        start, end = match.span()
        if {start, end} <= edges or edges.isdisjoint(range(start + 1, end)):
            parts += [run[last:start], table[match.group()]]
            last = end
    return "".join([*parts, run[last:]])


@cache
def _segmenter() -> rjieba.Jieba:
    """Return rjieba with the words of our fields; an instance of our own, not the one the module shares."""
    segmenter = rjieba.Jieba()
    for word in _WORDS.read_text(encoding="utf-8").split("\n"):
        if word and not word.startswith("#"):
            segmenter.add_word(word, _WORD_FREQUENCY, None)
    return segmenter


@cache
def _synonyms() -> dict[str, dict[str, str]]:
    """Read the synonym table: scope to word to form."""
    tables: dict[str, dict[str, str]] = {scope: {} for scope in _SCOPES}
    for number, line in enumerate(_SYNONYMS.read_text(encoding="utf-8").splitlines(), start=1):
        if line.startswith("#"):
            continue
        columns = line.split("\t")
        if len(columns) != len(("word", "form", "scope")) or columns[2] not in tables:
            raise ValueError(f"{_SYNONYMS.name}:{number}: expected word, form and one of {', '.join(_SCOPES)}")
        tables[columns[2]][columns[0]] = columns[1]
    return tables


@cache
def _synonym_pattern(scope: str) -> re.Pattern[str]:
    longest_first = sorted(_synonyms()[scope], key=len, reverse=True)
    return re.compile("|".join(re.escape(word) for word in longest_first))


@cache
def _converter(config: str) -> OpenCC:
    return OpenCC(config)


@cache
def _script_marks() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return patterns of the characters that only Traditional, and that only Simplified writing has.

    A character counts only if folding changes it and the other side's national standard (GB 2312, Big5) lacks it, so
    that 著, 乾, 於 or 后, 里, 干, which both sides write, decide nothing.
    """
    ideographs = [char for low, high in ((0x3400, 0x4DC0), (0x4E00, 0xA000)) for char in map(chr, range(low, high))]
    return _changed_by("t2s", ideographs, "gb2312"), _changed_by("s2t", ideographs, "big5")


def _changed_by(config: str, ideographs: list[str], standard: str) -> re.Pattern[str]:
    folded = _converter(config).convert("\n".join(ideographs)).split("\n")
    changed = (char for char, form in zip(ideographs, folded, strict=True) if char != form)
    return re.compile(f"[{''.join(char for char in changed if not char.encode(standard, 'ignore'))}]")
