"""The pages of the site itself, and how a browser likes them."""

import pytest
from factories import make_listing

from backend.listings.tables import Kind
from backend.settings import Environment
from backend.site.measurements import load_measurements

PAGES = ("/", "/method", "/help", "/contact", "/sitemap", "/accessibility", "/privacy", "/dev/components")


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("language", ["zh-Hans", "zh-Hant", "en"])
def test_every_page_opens_in_every_language(client, page, language):
    client.cookies.set("jq_language", language, domain="testserver.local")

    answer = client.get(page)

    assert answer.status_code == 200
    assert answer.text.count("<h1") == 1
    assert "%(" not in answer.text


def test_the_first_page_counts_what_is_published_and_links_there(client, session):
    make_listing(session, kind=Kind.DEMAND, title="唐山的一条需求", region_code="130209")
    make_listing(session, title="海淀的一条成果", region_code="110108")

    text = client.get("/").text

    assert "唐山的一条需求" in text.split('id="demands"')[1]
    assert "海淀的一条成果" in text.split('id="supplies"')[1]
    assert "河北的需求 1 条" in text
    listed = client.get("/listings?kind=demand&region=130000").text
    assert "唐山的一条需求" in listed
    assert "海淀的一条成果" not in listed


def test_the_first_page_lists_at_most_ten_of_each_kind(client, session):
    for number in range(12):
        make_listing(session, title=f"第 {number} 条成果技术")

    assert client.get("/").text.count('class="row-title"') == 10


def test_an_empty_market_still_says_what_to_do(client):
    text = client.get("/").text

    assert "还没有发布的需求" in text
    assert "发布成果" in text


def test_components_are_not_shown_on_the_real_site(client, platform):
    platform.settings.environment = Environment.PRODUCTION

    assert client.get("/dev/components").status_code == 404


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("theme", "dark", 'data-theme="dark"'),
        ("mode", "elder", 'data-mode="elder"'),
        ("keys", "off", 'data-keys="off"'),
    ],
)
def test_a_preference_is_kept_for_the_next_page(client, name, value, shown):
    answer = client.submit("/preferences", {name: value, "next": "/help"})

    assert answer.url.path == "/help"
    assert shown in answer.text


def test_the_language_is_kept(client):
    answer = client.submit("/preferences", {"language": "en", "next": "/"})

    assert '<html lang="en"' in answer.text


@pytest.mark.parametrize("target", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:x", ""])
def test_a_preference_never_leads_to_another_host(client, target):
    answer = client.submit("/preferences", {"theme": "dark", "next": target}, follow_redirects=False)

    assert answer.headers["location"] == "/"


@pytest.mark.parametrize("wrong", [{"theme": "pink"}, {"language": "tlh"}, {"mode": "x"}, {"keys": "maybe"}])
def test_an_unknown_preference_is_refused(client, wrong):
    answer = client.submit("/preferences", {**wrong, "next": "/"}, follow_redirects=False)

    assert answer.status_code == 422
    assert "jq_theme" not in answer.headers.get("set-cookie", "")


def test_preferences_need_the_token_of_the_form(client):
    assert client.post("/preferences", data={"theme": "dark"}).status_code == 403


def test_crawlers_are_told_what_is_not_for_them(client):
    assert "Disallow: /dev/" in client.get("/robots.txt").text


def test_measurements_are_read_as_they_were_written(tmp_path):
    table = tmp_path / "measurements.tsv"
    table.write_text("# 2026-11-22，jiqiao evaluate\n方法\tnDCG@10\n技桥\t0.70\nBM25\t0.61\n", encoding="utf-8")

    found = load_measurements(table)

    assert found is not None
    assert found.notes == ("2026-11-22，jiqiao evaluate",)
    assert found.columns == ("方法", "nDCG@10")
    assert found.rows == (("技桥", "0.70"), ("BM25", "0.61"))
    assert load_measurements(tmp_path / "absent.tsv") is None
