"""Contact details are shown when both sides agreed, to nobody before, and no longer once one takes it back."""

import pytest
from factories import MONDAY
from recommending import CANARIES, make_manager, make_pair, only_row, recommend
from sqlmodel import select

from backend.accounts.tables import Account, TrailEntry
from backend.desk import decisions, introductions
from backend.desk.cases import Deed
from backend.desk.stages import Exit, Stage
from backend.desk.tables import Case
from backend.desk.tables_pipeline import Introduction
from backend.listings.tables import Kind, Listing
from backend.mail.tables import OutboxMessage


@pytest.fixture
def manager(session):
    return make_manager(session)


@pytest.fixture
def introduction(session, platform, manager) -> Introduction:
    make_pair(session, platform, is_anonymous=True)
    recommend(session, platform)
    decisions.take(session, only_row(session, manager).id, by=manager, now=MONDAY, message="两家都在做电渗析。")
    session.commit()
    return session.exec(select(Introduction)).one()


def case_of(session, introduction) -> Case:
    return session.get(Case, introduction.case_id)


def owner_of(session, introduction, side: Kind) -> Account:
    case = case_of(session, introduction)
    listing = session.get(Listing, case.supply_id if side is Kind.SUPPLY else case.demand_id)
    return session.get(Account, listing.owner_id)


def say(session, introduction, side: Kind, *, agrees: bool) -> None:
    owner = owner_of(session, introduction, side)
    introductions.answer(session, introduction.id, side=side, agrees=agrees, deed=Deed(owner, MONDAY))


def address(introduction, side: Kind) -> str:
    return f"/introductions/{introduction.id}/{side.value}"


def test_both_sides_get_one_mail_each_without_any_contact(session, introduction, drain):
    drain()

    mails = session.exec(select(OutboxMessage).where(OutboxMessage.category == "desk")).all()
    assert {mail.recipient for mail in mails} == {owner_of(session, introduction, side).email for side in Kind}
    for mail in mails:
        assert "两家都在做电渗析。" in mail.body_text
        assert (
            address(introduction, Kind.SUPPLY) in mail.body_text or address(introduction, Kind.DEMAND) in mail.body_text
        )
        assert not [canary for canary in CANARIES if canary in mail.body_text + mail.body_html]


def test_one_consent_opens_nothing_two_open_both(session, introduction, client):
    other = owner_of(session, introduction, Kind.DEMAND)
    say(session, introduction, Kind.SUPPLY, agrees=True)
    session.commit()
    client.sign_in(other)
    before = client.get(address(introduction, Kind.DEMAND)).text
    organisation = session.exec(select(Listing).where(Listing.kind == Kind.SUPPLY)).one().organisation_id

    agreed = client.submit(f"{address(introduction, Kind.DEMAND)}/agree", {"consent": "1"})

    assert "对方的联系方式" not in before
    assert "对方的联系方式" in agreed.text
    assert CANARIES[1] in agreed.text
    assert organisation
    assert case_of(session, introduction).stage is Stage.CONTACTED


def test_an_anonymous_poster_stays_anonymous_until_both_agree(session, introduction, client):
    from_supply = owner_of(session, introduction, Kind.SUPPLY)
    client.sign_in(owner_of(session, introduction, Kind.DEMAND))
    name = introductions.repository_cases.get_poster(session, case_of(session, introduction).supply_id)[1].name

    before = client.get(address(introduction, Kind.DEMAND)).text
    for side in Kind:
        say(session, introduction, side, agrees=True)
    session.commit()
    after = client.get(address(introduction, Kind.DEMAND)).text

    assert from_supply.display_name not in before
    assert name not in before
    assert name in after


def test_consent_is_a_box_ticked_by_hand(session, introduction, client):
    client.sign_in(owner_of(session, introduction, Kind.DEMAND))
    page = client.get(address(introduction, Kind.DEMAND)).text

    refused = client.submit(f"{address(introduction, Kind.DEMAND)}/agree", {})

    assert 'name="consent" value="1" checked' not in page
    assert refused.status_code == 422
    assert "请先勾选同意" in refused.text


def test_taking_consent_back_hides_the_contact_from_both_and_the_manager(session, introduction, client, manager):
    for side in Kind:
        say(session, introduction, side, agrees=True)
    session.commit()
    client.sign_in(manager)
    open_page = client.get(f"/desk/cases/{introduction.case_id}").text

    owner = owner_of(session, introduction, Kind.SUPPLY)
    introductions.take_back(session, introduction.id, side=Kind.SUPPLY, deed=Deed(owner, MONDAY))
    session.commit()

    assert CANARIES[1] in open_page
    assert CANARIES[1] not in client.get(f"/desk/cases/{introduction.case_id}").text
    assert introductions.contacts_of(session, introduction) == {}


def test_a_refusal_ends_the_case_and_tells_the_other_side(session, introduction, drain):
    drain()
    say(session, introduction, Kind.DEMAND, agrees=False)
    drain()

    assert case_of(session, introduction).exit_reason is Exit.DECLINED
    told = session.exec(select(OutboxMessage).where(OutboxMessage.key == f"declined:{introduction.id}:supply")).one()
    assert "没有交给对方" in told.body_text


def test_what_is_revealed_is_written_to_the_trail_without_the_details_themselves(session, introduction):
    for side in Kind:
        say(session, introduction, side, agrees=True)

    entry = session.exec(select(TrailEntry).where(TrailEntry.action == "desk.reveal")).one()
    assert entry.detail["revealed"] == introductions.WHAT_IS_SHOWN
    assert not [canary for canary in CANARIES if canary in str(entry.detail)]


def test_nobody_answers_for_another(session, introduction, client, manager):
    for stranger in (manager, owner_of(session, introduction, Kind.SUPPLY)):
        client.cookies.clear()
        client.sign_in(stranger)
        assert client.get(address(introduction, Kind.DEMAND)).status_code == 404
        assert client.submit(f"{address(introduction, Kind.DEMAND)}/agree", {"consent": "1"}).status_code == 404
