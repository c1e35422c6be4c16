"""Who may read what of a listing. The canaries stand for what must not get out."""

import pytest
from factories import make_account, make_listing, make_organisation
from postings import COMPLETE, said

from backend.accounts.tables import Role
from backend.listings import repository
from backend.listings.cards import ANONYMOUS, make_card
from backend.listings.tables import Kind, State

NAME, PHONE, EMAIL = "金丝雀先生", "022-87654321", "canary@example.com"
CONTACT = {"contact_name": NAME, "contact_phone": PHONE, "contact_email": EMAIL}
SECRET = "只给技术经理人看的配方七号"
ORGANISATION = "不愿具名的金丝雀研究院"


@pytest.fixture
def owner(session):
    return make_account(session, organisation_id=make_organisation(session, name=ORGANISATION).id)


def public_pages(listing):
    """Return every address at which others might come upon a listing."""
    return [
        "/",
        "/listings",
        f"/listings?kind={listing.kind}",
        f"/listings/{listing.id}",
        f"/my/listings/{listing.id}",
        f"/listings/{listing.id}/edit",
        f"/moderation/{listing.id}",
        f"/api/v1/listings/{listing.id}",
        "/api/v1/listings",
    ]


def readers(session):
    return [None, *(make_account(session, role=role) for role in Role)]


@pytest.mark.parametrize("kind", Kind)
def test_contact_details_are_on_no_page_but_the_owners_and_the_reviewers(client, session, owner, encoder, kind):
    listing = make_listing(session, kind=kind, owner=owner, encoder=encoder, **CONTACT)

    leaks = []
    for reader in readers(session):
        if reader is not None:
            client.sign_in(reader)
        for path in public_pages(listing):
            text = said(client.get(path))
            found = any(canary in text for canary in (NAME, PHONE, EMAIL))
            is_reviewer = reader is not None and reader.role is Role.MODERATOR
            if found != (is_reviewer and path == f"/moderation/{listing.id}"):
                leaks.append((reader.role if reader else "visitor", path, found))
    client.sign_in(owner)

    assert leaks == []
    assert PHONE in said(client.get(f"/my/listings/{listing.id}"))


@pytest.mark.parametrize("state", [state for state in State if state is not State.PUBLISHED])
def test_what_is_not_published_shows_others_neither_contact_nor_description(client, session, owner, state):
    listing = make_listing(
        session, owner=owner, state=state, description=f"{SECRET}，工艺步骤从略，此处不写。", **CONTACT
    )

    for reader in (None, make_account(session)):
        if reader is not None:
            client.sign_in(reader)
        for path in public_pages(listing):
            text = said(client.get(path))
            assert not any(canary in text for canary in (SECRET, NAME, PHONE, EMAIL)), (path, reader)


def cards_of(session, platform, listing, owner):
    bundle = repository.find_bundle(session, listing.id)
    readers = {"visitor": None, "owner": owner} | {role.value: make_account(session, role=role) for role in Role}
    return {name: make_card(bundle, platform.catalogue, reader=reader) for name, reader in readers.items()}


INSIDERS = {"owner", "manager", "moderator", "administrator"}


def test_an_anonymous_listing_names_its_organisation_to_insiders_only(session, platform, owner):
    listing = make_listing(session, owner=owner, is_anonymous=True)

    cards = cards_of(session, platform, listing, owner)

    assert {name for name, card in cards.items() if card.organisation == ORGANISATION} == INSIDERS
    assert {card.organisation for name, card in cards.items() if name not in INSIDERS} == {ANONYMOUS}
    assert not any(card.verified for name, card in cards.items() if name not in INSIDERS)


def test_a_description_for_managers_hides_text_figures_and_baseline_from_everybody_else(session, platform, owner):
    figure = {"name": SECRET, "op": ">=", "value": 98}
    listing = make_listing(
        session,
        kind=Kind.DEMAND,
        owner=owner,
        visibility="managers",
        description=f"{SECRET}，工艺步骤从略，此处不写。",
        baseline=SECRET,
        indicators=[figure],
    )

    cards = cards_of(session, platform, listing, owner)

    assert {name for name, card in cards.items() if SECRET in repr(card)} == INSIDERS
    assert {name for name, card in cards.items() if card.description_is_hidden} == set(cards) - INSIDERS


def test_no_card_has_a_place_for_contact_details(session, platform, owner):
    listing = make_listing(session, owner=owner, **CONTACT)

    cards = cards_of(session, platform, listing, owner)

    assert not [name for name, card in cards.items() if any(canary in repr(card) for canary in (NAME, PHONE, EMAIL))]


def test_a_hidden_description_and_a_hidden_name_stay_hidden_on_the_public_page(client, session, owner, encoder):
    listing = make_listing(
        session,
        owner=owner,
        encoder=encoder,
        is_anonymous=True,
        visibility="managers",
        description=f"{SECRET}，工艺步骤从略，此处不写。",
    )

    text = said(client.get(f"/listings/{listing.id}"))
    assert listing.title in text
    assert "详情不公开。" in text
    assert SECRET not in text
    assert ORGANISATION not in text

    client.sign_in(make_account(session, role=Role.MANAGER))
    text = said(client.get(f"/listings/{listing.id}"))
    assert SECRET in text
    assert ORGANISATION in text


def test_the_check_of_an_unfinished_listing_gives_no_contact_away(client, session, owner, encoder):
    make_listing(session, owner=owner, encoder=encoder, title=COMPLETE["title"], kind=Kind.DEMAND, **CONTACT)
    client.sign_in(make_account(session))

    for headers in ({}, {"HX-Request": "true"}):
        response = client.submit("/listings/check/demand", COMPLETE, headers=headers)
        assert response.status_code == 200
        assert "检查重复与匹配" in said(response)
        assert not any(canary in said(response) for canary in (NAME, PHONE, EMAIL))
