"""The state machine of a listing: what may follow what."""

from datetime import timedelta

import pytest
from deeds import DRAFT, EXPIRED, PENDING, PUBLISHED, REFUSED, TRANSITIONS, WITHDRAWN, act
from factories import MONDAY, listing_form, make_account, make_listing
from sqlmodel import select

from backend.accounts.tables import Role
from backend.errors import Conflict, Forbidden, Invalid, NotFound
from backend.listings import repository, service
from backend.listings.tables import Kind, Listing, State

STEPS = [(deed, state, targets.get(state)) for deed, targets in TRANSITIONS.items() for state in State]


@pytest.mark.parametrize(
    ("deed", "state", "target"),
    STEPS,
    ids=[
        f"to {deed} a {state} listing {f'makes it {target}' if target else 'is refused'}"
        for deed, state, target in STEPS
    ],
)
def test_every_deed_in_every_state(session, deed, state, target):
    owner, moderator = make_account(session), make_account(session, role=Role.MODERATOR)
    listing = make_listing(session, state=state, owner=owner)
    before = len(repository.find_events(session, listing.id))

    if target is REFUSED:
        with pytest.raises(Conflict):
            act(session, deed, listing, owner=owner, moderator=moderator, now=MONDAY)
    else:
        act(session, deed, listing, owner=owner, moderator=moderator, now=MONDAY)

    assert listing.state is (target or state)
    events = repository.find_events(session, listing.id)
    if target is REFUSED:
        assert len(events) == before
    elif target is not state or deed == "renew":
        assert (events[0].from_state, events[0].to_state, len(events)) == (state, target, before + 1)


def test_time_ends_a_published_listing_and_no_other(session):
    # The expired one comes first, for making it lets time end whatever is published.
    listings = {
        state: make_listing(session, state=state) for state in sorted(State, key=lambda state: state != EXPIRED)
    }

    ended = service.expire_listings(session, now=MONDAY + timedelta(days=180))

    assert ended == 1
    assert {state: listing.state for state, listing in listings.items()} == {
        **{state: state for state in State},
        PUBLISHED: EXPIRED,
    }


def test_a_listing_is_published_until_its_last_moment(session):
    listing = make_listing(session)

    assert service.expire_listings(session, now=MONDAY + timedelta(days=180, microseconds=-1)) == 0
    assert listing.state is PUBLISHED


def test_what_lacks_something_cannot_be_handed_in_and_says_what(session):
    owner = make_account(session)
    draft = make_listing(session, state=DRAFT, owner=owner, summary="", modes=[])

    with pytest.raises(Invalid) as raised:
        service.submit_listing(session, draft.id, by=owner, now=MONDAY)

    assert {error.field for error in raised.value.errors} == {"summary", "modes"}
    assert draft.state is DRAFT


def test_a_withdrawn_draft_cannot_slip_into_review_by_being_renewed(session):
    owner = make_account(session)
    draft = make_listing(session, state=DRAFT, owner=owner, description="")
    service.withdraw_listing(session, draft.id, by=owner, now=MONDAY)

    with pytest.raises(Invalid):
        service.renew_listing(session, draft.id, by=owner, now=MONDAY, days=180)

    assert draft.state is WITHDRAWN


def test_only_its_owner_may_change_a_listing_and_for_others_it_does_not_exist(session):
    other = make_account(session)
    listing = make_listing(session)

    for deed in ("submit", "edit", "edit and submit", "withdraw", "renew", "match", "close"):
        with pytest.raises(NotFound):
            act(session, deed, listing, owner=other, moderator=other, now=MONDAY)

    assert (listing.state, listing.version) == (PUBLISHED, 1)


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.MODERATOR])
def test_only_a_moderator_may_review(session, role):
    other = make_account(session, role=role)
    waiting, published = make_listing(session, state=PENDING), make_listing(session)

    for deed, listing in (("publish", waiting), ("return", waiting), ("take down", published)):
        with pytest.raises(Forbidden):
            act(session, deed, listing, owner=other, moderator=other, now=MONDAY)

    assert (waiting.state, published.state) == (PENDING, PUBLISHED)


def test_a_moderator_may_not_review_a_listing_of_their_own(session):
    moderator = make_account(session, role=Role.MODERATOR, organisation_id=make_account(session).organisation_id)
    listing = make_listing(session, state=PENDING, owner=moderator)

    for deed in ("publish", "return"):
        with pytest.raises(Forbidden):
            act(session, deed, listing, owner=moderator, moderator=moderator, now=MONDAY)

    assert listing.state is PENDING


@pytest.mark.parametrize("reason", ["", "  \n ", "长" * 501])
def test_nothing_is_returned_or_taken_down_without_a_reason_of_fitting_length(session, reason):
    moderator = make_account(session, role=Role.MODERATOR)
    waiting, published = make_listing(session, state=PENDING), make_listing(session)

    with pytest.raises(Invalid):
        service.return_listing(session, waiting.id, by=moderator, now=MONDAY, reason=reason)
    with pytest.raises(Invalid):
        service.take_down(session, published.id, by=moderator, now=MONDAY, reason=reason)

    assert (waiting.state, published.state) == (PENDING, PUBLISHED)


def test_a_reviewer_cannot_publish_what_the_author_changed_meanwhile(session):
    owner, moderator = make_account(session), make_account(session, role=Role.MODERATOR)
    listing = make_listing(session, state=PENDING, owner=owner)
    service.update_listing(session, listing.id, listing_form(title="另一个标题"), by=owner, now=MONDAY, submit=True)

    with pytest.raises(Conflict, match="又修改了"):
        service.publish_listing(session, listing.id, by=moderator, now=MONDAY, days=180, seen_version=1)

    assert listing.state is PENDING


def test_an_account_without_organisation_cannot_post(session):
    nobody = make_account(session, organisation_id=None)

    with pytest.raises(Forbidden):
        service.create_listing(session, listing_form(), kind=Kind.DEMAND, owner=nobody, now=MONDAY, submit=True)

    assert session.exec(select(Listing)).all() == []
