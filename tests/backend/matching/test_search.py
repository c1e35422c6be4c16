"""What the list shows, and how it answers addresses that nobody would type."""

from urllib.parse import quote

import pytest
from conftest import counting_queries
from factories import MONDAY

from backend.listings import service as listings
from backend.listings.tables import Kind, State
from backend.matching.query import LONGEST_TEXT, Facet, SearchQuery, Sort, read_query
from backend.matching.search import PER_PAGE, search

BATTERY = "全固态电池电解质界面阻抗降低方法"
MOST_QUERIES = 12


def titles(result) -> list[str]:
    return [bundle.listing.title for bundle in result.bundles]


def test_words_find_what_holds_them_and_leave_out_the_rest(session, platform, publish):
    publish(BATTERY)
    publish("组分中药颗粒剂在线近红外定量")

    result = search(session, SearchQuery(text="固态电池"), platform)

    assert titles(result) == [BATTERY]


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("车规级操作系统软件平台", "車規級作業系統軟體"),
        ("車規級操作系統軟體平臺研製", "车规级操作系统软件"),
        ("磁共振成像程序加速", "磁共振程式"),
    ],
)
def test_either_script_finds_the_other(session, platform, publish, written, asked):
    publish(written)
    publish("高盐废水零排放膜浓缩")

    result = search(session, SearchQuery(text=asked), platform)

    assert titles(result) == [written]


def test_a_withdrawn_listing_is_not_found_even_while_the_index_still_has_it(session, platform, publish):
    listing = publish(BATTERY)
    assert search(session, SearchQuery(text="固态电池"), platform).total == 1

    listing.state = State.WITHDRAWN
    session.flush()

    assert platform.index.current(session).count() == 1
    for query in (SearchQuery(text="固态电池"), SearchQuery()):
        result = search(session, query, platform)
        assert (result.total, result.bundles, result.nearest) == (0, (), ())


@pytest.mark.parametrize("state", [State.DRAFT, State.PENDING, State.RETURNED, State.EXPIRED, State.CLOSED])
def test_only_what_is_published_stands_in_the_list(client, publish, state):
    publish("没有发布的脑电技术", state=state, encoder=None)

    assert "没有发布的脑电技术" not in client.get("/listings").text
    assert "没有发布的脑电技术" not in client.get("/list.json").text


@pytest.fixture
def many(publish):
    return [publish(f"脑电采集装置之{number}") for number in range(PER_PAGE + 3)]


@pytest.mark.parametrize("page", ["2", "3", "1000000000", "9" * 400])
def test_a_page_beyond_the_end_is_the_last_one(client, many, page):
    answer = client.get(f"/listings?page={page}")

    assert answer.status_code == 200
    assert answer.text.count('class="row-title"') == 3
    assert 'aria-current="page">2<' in answer.text


@pytest.mark.parametrize("page", ["0", "-1", "abc", "", "１", "1e9", "%00"])
def test_a_page_that_is_no_number_is_the_first_one(client, many, page):
    answer = client.get(f"/listings?page={page}")

    assert answer.status_code == 200
    assert answer.text.count('class="row-title"') == PER_PAGE


def test_pages_by_relevance_are_disjoint_and_complete(session, platform, many):
    first, second = (search(session, SearchQuery(text="脑电采集", page=page), platform) for page in (1, 2))

    shown = [bundle.id for result in (first, second) for bundle in result.bundles]

    assert sorted(shown) == sorted(listing.id for listing in many)


def test_a_full_page_takes_at_most_twelve_queries(client, connection, many):
    client.get("/listings?q=脑电")  # opens the index

    for address in ("/listings", "/listings?q=脑电采集&kind=supply&region=130000&field=brain&sort=newest"):
        with counting_queries(connection) as statements:
            assert client.get(address).status_code == 200
        assert len(statements) <= MOST_QUERIES, "\n".join(statements)


def test_words_that_are_too_long_are_cut_and_it_is_said(client, publish):
    publish(BATTERY)

    answer = client.get("/listings?q=" + quote("固态电池" * 1000))

    assert answer.status_code == 200
    assert f"只用了前 {LONGEST_TEXT} 个字" in answer.text


@pytest.mark.parametrize(
    "address",
    [
        "region=999999",
        "field=alchemy",
        "mode=barter",
        "maturity=ripe",
        "money=lots",
        "park=moon",
        "kind=wish",
        "sort=luck",
    ],
)
def test_an_unknown_option_is_left_out_and_it_is_said(client, publish, address):
    publish(BATTERY)

    answer = client.get(f"/listings?{address}")

    assert answer.status_code == 200
    assert "已忽略" in answer.text
    assert BATTERY in answer.text


@pytest.mark.parametrize(
    "words", ["%00", "%ED%A0%80", "%E2%80%AE", "。。。", "𠮷野家𪚥", "<script>alert(1)</script>", "%%", "'--"]
)
def test_strange_words_never_break_the_list(client, publish, words):
    publish(BATTERY)

    answer = client.get(f"/listings?q={words}")

    assert answer.status_code == 200
    assert "<script>alert" not in answer.text


def test_words_that_say_nothing_list_everything_and_it_is_said(session, platform, publish):
    publish(BATTERY)

    result = search(session, SearchQuery(text="。。。"), platform)

    assert result.total == 1
    assert "没有可以查找的字词" in result.notes[0].text


@pytest.mark.parametrize(
    "address",
    ["q=完全不存在的火星土豆", "region=120000&field=tcm", "q=火星土豆&region=110000&mode=equity", "kind=demand"],
)
def test_an_empty_list_offers_three_ways_on_that_all_work(client, publish, address):
    publish(BATTERY, region_code="130200")

    answer = client.get(f"/listings?{address}")

    empty = answer.text.split('class="empty"')[1].split("</ul>")[0]
    ways = [part.split('"')[0].replace("&amp;", "&") for part in empty.split('href="')[1:]]
    assert len(ways) >= 3
    for way in ways:
        assert client.get(way, follow_redirects=False).status_code in {200, 303}


def test_a_looser_filter_says_how_much_it_gives(client, publish):
    publish(BATTERY, region_code="130200", fields=["vehicles"])

    answer = client.get("/listings?region=120000&field=vehicles")

    assert "不限地区" in answer.text
    assert "可得 1 条" in answer.text


def test_what_is_near_in_meaning_is_shown_as_such_when_filters_leave_nothing(client, publish):
    publish(BATTERY, region_code="130200")

    answer = client.get("/listings?q=固态电池&region=120000")

    assert "意思相近的条目" in answer.text
    assert "固态电池" in answer.text.split('id="nearest"')[1]


def test_the_words_of_a_query_are_marked_and_all_else_is_escaped(client, publish):
    publish("固态电池<b>电解质</b>界面", summary="降低固态电池<i>界面阻抗</i>的方法，适合量产。")

    text = client.get("/listings?q=固态电池").text

    assert "<mark>固态电池</mark>&lt;b&gt;" in text
    assert "<b>电解质" not in text


def test_htmx_gets_the_results_alone(client, publish):
    publish(BATTERY)

    answer = client.get("/listings", headers={"HX-Request": "true"})

    assert BATTERY in answer.text
    assert "<html" not in answer.text
    assert "HX-Request" in answer.headers["vary"]


def test_the_whole_state_stands_in_the_address(platform):
    address = [("q", "电池"), ("kind", "supply"), ("region", "130000"), ("region", "130200"), ("money", "50")]

    query, notes = read_query([*address, ("sort", "money"), ("page", "3")], platform.catalogue)

    assert notes == ()
    assert query.parameters() == {
        "q": "电池",
        "kind": "supply",
        "region": ["130000", "130200"],
        "money": ["50"],
        "sort": "money",
        "page": "3",
    }
    assert query.without(Facet.REGION, "130200").chosen(Facet.REGION) == ("130000",)
    assert query.without(Facet.MONEY).page == 1


def test_relevance_needs_words(platform):
    assert SearchQuery(sort=Sort.RELEVANCE).order is Sort.NEWEST
    assert SearchQuery(text="电池").order is Sort.RELEVANCE
    assert SearchQuery(text="电池", sort=Sort.MONEY).order is Sort.MONEY


def test_a_first_page_is_light(client, publish):
    for number in range(PER_PAGE):
        publish(f"脑电采集装置之{number}", summary="一" * 300, kind=Kind.DEMAND if number % 2 else Kind.SUPPLY)

    for address in ("/", "/listings"):
        assert len(client.get(address).content) < 100_000


def test_an_expired_listing_leaves_the_list_with_its_state(session, client, publish):
    publish(BATTERY)

    listings.expire_listings(session, now=MONDAY.replace(year=2027))

    assert BATTERY not in client.get("/listings").text


@pytest.mark.parametrize(
    ("asked", "written"), [("BMS", "电池管理系统"), ("电池管理系统", "BMS"), ("bms", "電池管理系統")]
)
def test_another_name_finds_is_marked_counted_and_told(client, session, platform, publish, asked, written):
    publish(f"车规级{written}标定平台")
    publish("储能电池热失控预警系统")

    result = search(session, SearchQuery(text=asked), platform)
    page = client.get(f"/listings?q={quote(asked)}").text

    assert titles(result) == [f"车规级{written}标定平台"]
    assert result.counts.total == result.total == 1
    assert "也查找了意思相同的说法" in page
    if written != "電池管理系統":
        assert f"<mark>{written}</mark>" in page
