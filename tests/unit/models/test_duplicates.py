"""Two listings that say the same are told from two that are told in the same words."""

from pathlib import Path

import pytest

from models.duplicates import numbers, same_as
from models.features import PairText
from models.relevance import SHIPPED
from models.rewording import Change, everyday_words, in_han, respelled_numbers, reword
from models.term_table import TermTable

TABLE = TermTable.load(Path(SHIPPED) / "terms.tsv.gz")
CAP = PairText(
    "弹性爪形头皮干电极与32通道有源前端",
    "干电极 脑电采集",
    "导电硅胶爪穿过头发直接接触头皮，戴上3 min即可采集。每个电极背后紧贴一枚缓冲放大器，先变换阻抗再走线。"
    "现有模具和前端电路板，可整体转让。电极耐擦拭500次，采用银与氯化银薄层，能够提高信号质量82%。",
)


@pytest.mark.parametrize("changes", [*((change,) for change in Change), tuple(Change)])
def test_a_reworded_copy_says_the_same(changes):
    copy = reword(CAP, changes=changes, seed=7, synonyms=everyday_words())

    assert copy != CAP
    assert same_as(copy, [CAP], TABLE) == [True]


def test_the_same_body_under_the_title_of_another_thing_is_not_the_same():
    other = PairText("可折叠输液架的32格托盘", CAP.keywords, CAP.body)

    assert same_as(other, [CAP], TABLE) == [False]


def test_another_number_in_the_title_is_another_thing():
    wheat = PairText("冬小麦新品种静麦4号", "", "越冬性好，抗条锈病，籽粒饱满，适宜旱地种植，三年区试平均增产。")
    sister = PairText("冬小麦新品种静麦5号", "", wheat.body)
    respelled = PairText("冬小麦新品种静麦四号", "", wheat.body)

    assert same_as(wheat, [sister, respelled], TABLE) == [False, True]


def test_empty_texts_are_not_copies_of_each_other():
    assert same_as(PairText("！！"), [PairText("？？")], TABLE) == [False]


@pytest.mark.parametrize(
    ("number", "spelled"),
    [
        (0, "零"),
        (7, "七"),
        (10, "十"),
        (15, "十五"),
        (82, "八十二"),
        (101, "一百零一"),
        (500, "五百"),
        (1010, "一千零一十"),
    ],
)
def test_numbers_are_spelled_as_people_do_and_read_back(number, spelled):
    assert in_han(number) == spelled
    assert numbers(f"第{spelled}号") == [float(number)]


def test_percentages_and_units_are_respelled():
    assert respelled_numbers("增产82%，戴上3 min，RISC-V 与 6G") == "增产百分之八十二，戴上三分钟，RISC-V 与 6G"


def test_the_same_seed_gives_the_same_copy():
    first, second = (reword(CAP, changes=tuple(Change), seed=3, synonyms=everyday_words()) for _ in range(2))

    assert first == second
