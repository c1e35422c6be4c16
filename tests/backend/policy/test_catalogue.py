from collections import Counter
from pathlib import Path
from shutil import copytree

import pytest

from backend.policy.catalogue import load_catalogue
from backend.policy.entries import Level
from backend.policy.reading import ReferenceDataError
from models.text import normalise

REFERENCE = Path(__file__).parents[3] / "seeds" / "reference"
CATALOGUE = load_catalogue(REFERENCE)

BEIJING, TIANJIN, HEBEI = "110000", "120000", "130000"
HAIDIAN, TONGZHOU, BINHAI = "110108", "110112", "120116"
TANGSHAN, CANGZHOU, SANHE, XIONGAN = "130200", "130900", "131082", "133100"


def pairing(a, b, **listing):
    """Return decision, pairing's places and topic of what Article 5 says, in order."""
    return [
        (
            support.article.decision.key,
            CATALOGUE.region(support.pairing.one[0]).short,
            support.topic.name if support.topic else None,
        )
        for support in CATALOGUE.pairing_articles(a, b, **listing)
    ]


@pytest.fixture
def folder(tmp_path):
    return copytree(REFERENCE, tmp_path / "reference")


def replace(path, old, new):
    text = path.read_text("utf-8")
    assert text.count(old) >= 1
    path.write_text(text.replace(old, new, 1), "utf-8")


def test_the_three_places_have_all_their_cities_and_districts():
    levels = Counter((CATALOGUE.seal(code), region.level) for code, region in CATALOGUE.regions.items())

    # 13 cities: eleven prefectures, 雄安新区, and 定州 and 辛集, which are also two of Hebei's 167 county-level units.
    assert levels == {
        ("京", Level.PROVINCE): 1,
        ("京", Level.DISTRICT): 16,
        ("津", Level.PROVINCE): 1,
        ("津", Level.DISTRICT): 16,
        ("冀", Level.PROVINCE): 1,
        ("冀", Level.CITY): 11 + 1 + 2,
        ("冀", Level.DISTRICT): 167 - 2,
    }


def test_a_code_begins_like_the_place_above_except_for_the_counties_of_xiongan():
    strangers = [
        region.name
        for region in CATALOGUE.regions.values()
        if region.level == Level.DISTRICT and region.parent and region.code[:4] != region.parent[:4]
        if region.parent not in {BEIJING, TIANJIN}
    ]

    assert strangers == ["容城县", "安新县", "雄县"]
    assert [region.name for region in CATALOGUE.children(XIONGAN)] == strangers


@pytest.mark.parametrize(
    ("codes", "names"),
    [
        ("130109 130110 130111", "藁城区 鹿泉区 栾城区"),
        ("130209 130284 130306 130881", "曹妃甸区 滦州市 抚宁区 平泉市"),
        ("130407 130408 131103", "肥乡区 永年区 冀州区"),
        ("130502 130503 130505 130506", "襄都区 信都区 任泽区 南和区"),
        ("130602 130606 130607 130608 130609", "竞秀区 莲池区 满城区 清苑区 徐水区"),
        ("130708 130709", "万全区 崇礼区"),
        ("130629 130632 130638 139001 139002", "容城县 安新县 雄县 定州市 辛集市"),
        ("110118 110119 120117 120118 120119", "密云区 延庆区 宁河区 静海区 蓟州区"),
    ],
)
def test_a_place_that_was_reorganised_has_its_present_code(codes, names):
    assert [CATALOGUE.region(code).name for code in codes.split()] == names.split()


def test_a_path_runs_from_the_province_down():
    assert [region.name for region in CATALOGUE.path_of(SANHE)] == ["河北省", "廊坊市", "三河市"]
    assert CATALOGUE.province_of(SANHE).code == HEBEI


def test_a_place_contains_itself_and_what_lies_in_it():
    assert CATALOGUE.contains(HEBEI, SANHE)
    assert CATALOGUE.contains(SANHE, SANHE)
    assert not CATALOGUE.contains(SANHE, HEBEI)
    assert not CATALOGUE.contains(TANGSHAN, SANHE)


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("唐山", [TANGSHAN]),
        ("河北省唐山市", [TANGSHAN]),
        ("北京 海淀区", [HAIDIAN]),
        ("河北唐山路北区", ["130203"]),
        ("新华区", ["130105", "130902"]),
        ("石家庄新华", ["130105"]),
        ("河北", [HEBEI, "120105"]),
        ("承德县", ["130821"]),
        ("河北雄安新区", [XIONGAN]),
        ("上海", []),
        ("", []),
    ],
)
def test_a_text_names_its_regions(text, codes):
    assert [region.code for region in CATALOGUE.regions_named(text)] == codes


def test_every_park_lies_in_its_province():
    assert len(CATALOGUE.parks) == 9
    assert all(CATALOGUE.contains(park.province, park.region) for park in CATALOGUE.parks.values())


def test_a_region_knows_its_parks():
    assert [park.code for park in CATALOGUE.parks_of(TIANJIN)] == ["tiankai", "binhai", "baodi", "wuqing"]
    assert [park.code for park in CATALOGUE.parks_of(XIONGAN)] == ["xiongan"]
    assert CATALOGUE.parks_of(BEIJING) == ()


def test_the_industries_are_the_top_two_levels_of_the_standard():
    assert Counter(len(code) for code in CATALOGUE.industries) == {1: 20, 3: 97}
    assert CATALOGUE.industry("C27").name == "医药制造业"


def test_the_six_fields_carry_technologies_and_terms():
    assert list(CATALOGUE.fields) == ["computing", "communications", "vehicles", "brain", "biopharma", "tcm"]
    for field in CATALOGUE.fields.values():
        assert 15 <= len(field.technologies) <= 25
        assert 80 <= len(field.vocabulary | field.supporting) <= 120


def test_a_term_stands_in_normal_form_so_that_it_can_be_met():
    changed = {term: normalise(term) for term in CATALOGUE.fields_of_terms if normalise(term) != term}

    assert changed == {}


def test_no_two_terms_differ_in_case_only():
    assert len({term.casefold() for term in CATALOGUE.fields_of_terms}) == len(CATALOGUE.fields_of_terms)


def test_a_term_seldom_serves_two_fields():
    shared = {term for term, fields in CATALOGUE.fields_of_terms.items() if len(fields) > 1}

    assert shared == {"芯片", "类器官", "制药", "色谱"}


def test_tongzhou_and_sanhe_are_named_before_beijing_and_hebei():
    assert pairing(TONGZHOU, SANHE) == [("beijing", "通州", None), ("beijing", "北京", None)]


def test_only_beijings_text_pairs_beijing_with_tangshan():
    assert pairing(HAIDIAN, TANGSHAN) == [("beijing", "北京", None)]


def test_both_texts_pair_beijing_with_tianjin():
    assert pairing(HAIDIAN, BINHAI) == [("beijing", "北京", None), ("tianjin", "天津", None)]


@pytest.mark.parametrize(
    ("listing", "topics"),
    [
        ({}, []),
        ({"industries": ["C39"], "fields": ["computing"]}, []),
        ({"industries": ["C26"]}, ["化工"]),
        ({"fields": ["biopharma"]}, ["生物制药"]),
        ({"industries": ["C27"], "fields": ["tcm"]}, []),
        ({"text": "码头的无人集卡"}, ["临港经济"]),
        ({"industries": ["C26"], "fields": ["biopharma"]}, ["化工", "生物制药"]),
    ],
)
def test_tianjin_and_cangzhou_are_paired_on_three_topics_only(listing, topics):
    assert pairing(BINHAI, CANGZHOU, **listing) == [("tianjin", "天津", topic) for topic in topics]


@pytest.mark.parametrize(("a", "b"), [(TONGZHOU, SANHE), (HAIDIAN, BINHAI), (HAIDIAN, TANGSHAN)])
def test_the_order_of_two_places_does_not_matter(a, b):
    assert pairing(a, b) == pairing(b, a)


@pytest.mark.parametrize(("a", "b"), [(HAIDIAN, TONGZHOU), (TANGSHAN, SANHE)])
def test_two_places_of_one_province_are_not_a_pair(a, b):
    assert pairing(a, b, fields=["biopharma"]) == []


def test_an_unknown_code_is_named():
    assert CATALOGUE.find_region("310000") is None
    with pytest.raises(ValueError, match="unknown region code: '310000'"):
        CATALOGUE.region("310000")


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("regions.tsv", "\t130200\n", "\t139999\n", r"^regions\.tsv:60: unknown region: '139999'"),
        ("regions.tsv", "district", "village", r"^regions\.tsv:3: unknown level: 'village'"),
        ("regions.tsv", "110102\t", "110101\t", r"^regions\.tsv:4: 110101 stands twice"),
        ("regions.tsv", "\t西城\t", "\t", r"^regions\.tsv:4: expected 5 columns, found 4"),
        ("regions.tsv", "code\t", "number\t", r"^regions\.tsv:1: the columns must be code, name"),
        ("industries.tsv", "A01\t", "X01\t", r"^industries\.tsv:3: unknown industry: 'X'"),
        ("parks.yaml", '"120104"', '"120199"', r"^parks\.yaml:3: unknown region: '120199'"),
        ("parks.yaml", "  name: 天津天开", "  label: 天津天开", r"^parks\.yaml:3: name is missing"),
        ("parks.yaml", '  region: "120104"', '  province: "120104"', r"^parks\.yaml:3: province stands twice"),
        ("parks.yaml", "- code: binhai", "- code: [binhai", r"^parks\.yaml:\d+: "),
        (
            "fields.yaml",
            "[CPU, GPU,",
            "[CPU, CPU,",
            r"^fields\.yaml:4: vocabulary must hold different texts, found 'CPU'",
        ),
        ("articles.yaml", "[region_pair]", "[regions]", r"^articles\.yaml:\d+: unknown use: 'regions'"),
        ("articles.yaml", "[biopharma]", "[bio]", r"^articles\.yaml:\d+: unknown field: 'bio'"),
        ("articles.yaml", "number: 2\n", "number: 1\n", r"^articles\.yaml:\d+: \(1, 'beijing'\) stands twice"),
        ("articles.yaml", "2023-11-24", "November", r"^articles\.yaml:\d+: adopted_on must be a date, not 'November'"),
    ],
)
def test_a_faulty_file_is_refused_with_its_line(folder, file, old, new, message):
    replace(folder / file, old, new)

    with pytest.raises(ReferenceDataError, match=message):
        load_catalogue(folder)
