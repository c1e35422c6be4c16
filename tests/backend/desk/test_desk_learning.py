"""What a manager decides changes the order of the next page, can be seen, reset and switched off."""

import pytest
from factories import MONDAY
from recommending import TOPICS, make_manager, make_pair, queue_of, recommend

from backend.desk import decisions, learning
from backend.desk.lessons import Decision, learn, learned_of
from backend.desk.tables import DismissalReason


@pytest.fixture
def manager(session, client):
    manager = make_manager(session)
    client.sign_in(manager)
    return manager


@pytest.fixture
def market(session, platform, manager):
    for topic, field in zip(TOPICS[:6], ["tcm", "vehicles"] * 3, strict=True):
        make_pair(session, platform, topic, fields=[field])
    recommend(session, platform)


def fields_in_order(session, platform, manager) -> list[str]:
    rows = queue_of(session, platform, manager)
    session.expire_all()
    return [next(trait for trait in row.detail["traits"] if trait.startswith("field:")) for row in rows]


def test_a_dismissal_moves_what_is_like_it_down_on_the_next_page(session, platform, manager, market):
    row = next(row for row in queue_of(session, platform, manager) if "field:tcm" in row.detail["traits"])

    decisions.dismiss(session, row.id, by=manager, reason=DismissalReason.WRONG_TOPIC, now=MONDAY)

    assert fields_in_order(session, platform, manager) == ["field:vehicles"] * 3 + ["field:tcm"] * 2


def test_undoing_a_decision_takes_its_lesson_back(session, platform, manager, market):
    before = [row.id for row in queue_of(session, platform, manager)]
    decisions.dismiss(session, before[0], by=manager, reason=DismissalReason.WRONG_TOPIC, now=MONDAY)

    decisions.undo(session, before[0], by=manager, now=MONDAY)

    assert [row.id for row in queue_of(session, platform, manager)] == before


def test_a_reset_brings_the_order_back_and_the_page_says_what_was_learned(client, session, platform, manager, market):
    row = next(row for row in queue_of(session, platform, manager) if "field:tcm" in row.detail["traits"])
    decisions.dismiss(session, row.id, by=manager, reason=DismissalReason.WRONG_TOPIC, now=MONDAY)
    session.commit()
    seen = client.get("/desk/learning").text

    after = client.submit("/desk/learning/reset").text

    assert "领域：组分中药" in seen
    assert "排得更后" in seen
    assert "还没有学到什么" in after
    assert learning.lessons_of(session, manager.id) == {}


def test_without_personalisation_decisions_change_nothing(client, session, platform, manager, market):
    client.submit("/desk/personal", {"personalised": "0"})
    before = [row.id for row in queue_of(session, platform, manager)]

    decisions.dismiss(session, before[0], by=manager, reason=DismissalReason.WRONG_TOPIC, now=MONDAY)

    assert [row.id for row in queue_of(session, platform, manager)] == before[1:]


def test_a_reason_teaches_only_what_it_is_about():
    traits = ("field:tcm", "places:110000-130000", "word:膜分离")

    place = learn([Decision(traits, is_taken=False, reason=DismissalReason.PLACE)])
    money = learn([Decision(traits, is_taken=False, reason=DismissalReason.MONEY)])

    assert set(place) == {"places:110000-130000"}
    assert money == {}
    assert learned_of(traits, {name: lesson.effect for name, lesson in place.items()}) < 0
