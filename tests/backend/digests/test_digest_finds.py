"""What a digest tells of saved searches: new and changed, each once, as an edition froze it, as far as it is public."""

import pytest
from factories import make_account, make_organisation
from recommending import TOPICS, edit, make_manager, make_side, withdraw
from sqlmodel import select

from backend.digests import repository, service
from backend.digests.finds import MOST_FOUND, MOST_OF_ONE
from backend.digests.tables import DigestNotice
from backend.digests.week import Week
from backend.listings.tables import Kind
from backend.mail.tables import DeliveryState, OutboxMessage
from backend.matching import saved_searches
from backend.matching.query import Facet, SearchQuery

WEEK = Week(2026, 48)
ALL_SUPPLIES = SearchQuery(kind=Kind.SUPPLY)


@pytest.fixture(params=["manager", "member"])
def reader(request, session):
    return make_manager(session) if request.param == "manager" else make_account(session)


def save(session, platform, reader, query=ALL_SUPPLIES, **changes):
    now = platform.clock()
    saved, _ = saved_searches.save_search(session, reader, query, catalogue=platform.catalogue, now=now)
    for name, value in changes.items():
        setattr(saved, name, value)
    session.flush()
    platform.clock.advance(minutes=1)
    return saved


def compose(session, platform, reader):
    """Compose the digest of the week that it is, and move on to the next."""
    digest = service.compose_digest(session, reader.id, Week.of(platform.clock()), platform=platform)
    session.commit()
    platform.clock.advance(days=7)
    return digest


def mail_of(session, digest) -> OutboxMessage:
    session.expire_all()
    return session.exec(select(OutboxMessage).where(OutboxMessage.key == digest.outbox_key)).one()


def test_new_finds_are_told_once_in_both_parts_and_again_only_when_they_changed(session, platform, reader):
    make_side(session, platform, TOPICS[1], Kind.SUPPLY)
    platform.clock.advance(minutes=1)
    saved = save(session, platform, reader, SearchQuery(text=TOPICS[0]))
    fresh = make_side(session, platform, TOPICS[0], Kind.SUPPLY)

    first, silent = compose(session, platform, reader), compose(session, platform, reader)
    edit(session, platform, fresh)
    changed = compose(session, platform, reader)

    for part in (mail_of(session, first).body_text, mail_of(session, first).body_html):
        assert "新发布" in part
        assert saved.name in part
        assert f"/listings/{fresh.id}" in part
        assert "/listings?q=%E9%AB%98" in part
        assert TOPICS[1] not in part
    assert (silent.outbox_key, silent.skip_reason.value) == (None, "nothing_new")
    assert "内容有变化" in mail_of(session, changed).body_text


def test_filters_hold_as_they_were_saved_and_ones_own_listings_are_no_news(session, platform, reader):
    save(session, platform, reader, SearchQuery(kind=Kind.SUPPLY, filters={Facet.REGION: ("110000",)}))
    reader.organisation_id = make_organisation(session).id
    for changes in ({}, {"region_code": "130200"}, {"owner": reader}):
        make_side(session, platform, TOPICS[0], Kind.SUPPLY, **changes)

    digest = compose(session, platform, reader)

    (notice,) = repository.find_notices(session, digest.id)
    assert "北京" in notice.words["text"]


def test_what_was_there_or_is_switched_off_is_not_told(session, platform, reader):
    make_side(session, platform, TOPICS[0], Kind.SUPPLY)
    platform.clock.advance(minutes=1)
    save(session, platform, reader)
    save(session, platform, reader, SearchQuery(kind=Kind.DEMAND), in_digest=False)
    make_side(session, platform, TOPICS[0], Kind.DEMAND)

    assert compose(session, platform, reader).outbox_key is None


def test_a_few_of_each_a_handful_in_all_and_the_rest_the_next_time(session, platform, reader):
    for query in (ALL_SUPPLIES, SearchQuery(kind=Kind.DEMAND), SearchQuery(filters={Facet.REGION: ("130000",)})):
        save(session, platform, reader, query)
    for topic in TOPICS[:5]:
        for kind in Kind:
            make_side(session, platform, topic, kind, region_code="130200")

    told = [repository.find_notices(session, compose(session, platform, reader).id) for _ in range(2)]

    names = [[notice.words["search"] for notice in notices] for notices in told]
    assert [len(notices) for notices in told] == [MOST_FOUND, 10 - MOST_FOUND]
    assert names[0] == ["成果"] * MOST_OF_ONE + ["需求"] * MOST_OF_ONE
    assert names[1][0] == "河北省"
    assert len({notice.listing_id for notices in told for notice in notices}) == 10


def test_a_preview_remembers_nothing(session, platform, reader):
    saved = save(session, platform, reader)
    make_side(session, platform, TOPICS[0], Kind.SUPPLY)

    service.preview(session, reader, WEEK, platform=platform)
    told_at = saved.told_at
    digest = compose(session, platform, reader)

    assert len(repository.find_notices(session, digest.id)) == 1
    assert told_at is None
    assert saved.told_at == digest.composed_at


def test_what_was_withdrawn_before_the_mail_leaves_is_in_no_mail_and_counts_as_never_told(
    session, platform, reader, drain, mailer
):
    save(session, platform, reader)
    gone, kept = (make_side(session, platform, topic, Kind.SUPPLY) for topic in TOPICS[:2])
    digest = compose(session, platform, reader)
    withdraw(session, platform, gone)

    drain()

    (sent,) = [mail for mail in mailer.sent if reader.email in mail["To"]]
    text = sent.get_body(("plain",)).get_content() + sent["Subject"]
    assert (TOPICS[0] in text, TOPICS[1] in text) == (False, True)
    assert [notice.listing_id for notice in repository.find_notices(session, digest.id)] == [kept.id]


def test_a_digest_of_finds_that_all_left_is_not_sent(session, platform, reader, drain):
    save(session, platform, reader)
    gone = make_side(session, platform, TOPICS[0], Kind.SUPPLY)
    digest = compose(session, platform, reader)
    withdraw(session, platform, gone)

    drain()

    assert mail_of(session, digest).state is DeliveryState.SUPPRESSED
    assert session.exec(select(DigestNotice).where(DigestNotice.digest_id == digest.id)).all() == []


def test_a_member_without_listings_is_written_down_for_its_searches(session, platform):
    idle, searching = make_account(session), make_account(session)
    save(session, platform, searching)

    due = service.open_edition(session, WEEK, now=platform.clock())

    assert searching.id in due
    assert idle.id not in due
