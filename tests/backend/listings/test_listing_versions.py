from datetime import timedelta

import pytest
from factories import MONDAY, listing_form, make_account, make_listing, make_organisation

from backend.accounts.tables import Role
from backend.errors import Invalid
from backend.listings import repository, service
from backend.listings.contents import read_content
from backend.listings.tables import Kind, State

HOUR = timedelta(hours=1)


def owner_of(session, *, verified):
    organisation = make_organisation(session, verified_at=MONDAY if verified else None)
    return make_account(session, organisation_id=organisation.id)


def test_every_change_keeps_a_version_and_saving_the_same_keeps_none(session):
    owner = make_account(session)
    listing = make_listing(session, state=State.DRAFT, owner=owner)

    for title in ("第一稿的标题", "第二稿的标题", "第二稿的标题"):
        form = listing_form(title=title)
        service.update_listing(session, listing.id, form, by=owner, now=MONDAY, submit=False)

    versions = repository.find_versions(session, listing.id)
    assert [(version.version, version.content["title"]) for version in versions] == [
        (3, "第二稿的标题"),
        (2, "第一稿的标题"),
        (1, listing_form().title),
    ]


def test_a_published_listing_of_a_verified_organisation_stays_published_when_it_is_changed(session, queued):
    owner = owner_of(session, verified=True)
    listing = make_listing(session, owner=owner)
    before = len(queued())

    service.update_listing(session, listing.id, listing_form(title="新的标题"), by=owner, now=MONDAY, submit=False)

    assert (listing.state, listing.title) == (State.PUBLISHED, "新的标题")
    assert queued()[before:] == [("matching.follow", {"listing_id": str(listing.id)})]


def test_a_published_listing_of_an_unverified_organisation_is_reviewed_again_when_it_is_changed(session, queued):
    owner = owner_of(session, verified=False)
    listing = make_listing(session, owner=owner)
    before = len(queued())

    service.update_listing(session, listing.id, listing_form(title="新的标题"), by=owner, now=MONDAY, submit=False)

    assert listing.state is State.PENDING
    assert queued()[before:] == [("matching.follow", {"listing_id": str(listing.id)})]


def test_saving_a_published_listing_unchanged_does_not_send_it_back_to_review(session):
    owner = owner_of(session, verified=False)
    listing = make_listing(session, owner=owner)

    service.update_listing(session, listing.id, listing_form(), by=owner, now=MONDAY, submit=True)

    assert listing.state is State.PUBLISHED


def test_a_change_made_against_an_older_version_is_refused_and_nothing_of_it_is_kept(session):
    owner = make_account(session)
    listing = make_listing(session, state=State.DRAFT, owner=owner)
    service.update_listing(session, listing.id, listing_form(title="别处的修改"), by=owner, now=MONDAY, submit=False)

    with pytest.raises(Invalid, match="在别处又改过"):
        service.update_listing(
            session, listing.id, listing_form(title="旧页上的修改"), by=owner, now=MONDAY, submit=False, seen_version=1
        )

    assert (listing.title, listing.version) == ("别处的修改", 2)


def test_a_change_while_waiting_for_review_keeps_the_place_in_the_queue(session):
    owner = make_account(session)
    listing = make_listing(session, state=State.PENDING, owner=owner)

    later = MONDAY + HOUR
    service.update_listing(session, listing.id, listing_form(title="补充后的标题"), by=owner, now=later, submit=True)

    assert (listing.submitted_at, listing.updated_at) == (MONDAY, later)


def test_what_the_public_last_read_is_found_after_several_changes(session):
    owner, moderator = owner_of(session, verified=False), make_account(session, role=Role.MODERATOR)
    listing = make_listing(session, owner=owner, title="公开过的标题")
    moments = (MONDAY + number * HOUR for number in range(1, 9))
    service.renew_listing(session, listing.id, by=owner, now=next(moments), days=180)

    for title in ("第一次改", "第二次改"):
        form = listing_form(title=title)
        service.update_listing(session, listing.id, form, by=owner, now=next(moments), submit=True)
        service.return_listing(session, listing.id, by=moderator, now=next(moments), reason="请再改。")

    public = repository.find_last_public_version(session, listing.id)
    assert (public.version, public.content["title"]) == (1, "公开过的标题")
    assert read_content(session, listing)["title"] == "第二次改"


def test_what_was_never_public_has_no_public_version(session):
    listing = make_listing(session, state=State.RETURNED)

    assert repository.find_last_public_version(session, listing.id) is None


def test_each_kind_keeps_its_own_columns(session):
    supply = make_listing(session, trl=6, maturity="pilot_tested", ip_kinds=["patent"], ip_status="granted")
    demand = make_listing(
        session, kind=Kind.DEMAND, baseline="有中试线", wants_regions=["120000"], hopes_for_voucher=True
    )

    bundles = repository.load_bundles(session, [supply.id, demand.id])

    assert (bundles[supply.id].supply.trl, bundles[supply.id].demand) == (6, None)
    assert (bundles[demand.id].demand.baseline, bundles[demand.id].supply) == ("有中试线", None)
    assert bundles[demand.id].demand.hopes_for_voucher
