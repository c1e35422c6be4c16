"""What load balancers and watchers are told."""

from datetime import timedelta

import pytest
from factories import MONDAY, make_listing
from sqlalchemy.exc import OperationalError

from backend.listings.tables import State
from backend.site.health import Level, measure_level


def test_a_living_process_says_so(client):
    answer = client.get("/healthz")

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_ready_means_that_the_index_has_what_is_published_and_embedded(client, session, encoder):
    make_listing(session, encoder=encoder)
    make_listing(session)  # published, not embedded yet: the index cannot have it

    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ready",
        "database": True,
        "index": {"documents": 1, "expected": 1, "equal": True},
    }


def test_what_was_just_withdrawn_and_not_followed_yet_is_catching_up(client, session, encoder):
    listing = make_listing(session, encoder=encoder)
    client.get("/readyz")

    listing.state = State.WITHDRAWN
    session.flush()

    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["status"] == "catching_up"


@pytest.mark.parametrize(("age", "is_sufficient"), [(timedelta(seconds=5), True), (timedelta(hours=1), False)])
def test_what_is_missing_for_long_is_a_fault(session, platform, encoder, age, is_sufficient):
    listing = make_listing(session, encoder=encoder, state=State.PUBLISHED)
    platform.index.rebuild(session)
    listing.state = State.WITHDRAWN
    session.flush()
    platform.index.rebuild(session)
    listing.state, listing.published_at = State.PUBLISHED, MONDAY - age
    session.flush()

    level = measure_level(session, platform, now=MONDAY)

    assert (level.documents, level.expected) == (0, 1)
    assert level.is_sufficient is is_sufficient


def test_without_a_database_nothing_is_ready(client, platform):
    class Broken:
        def current(self, _session):
            raise OperationalError("SELECT 1", {}, OSError("gone"))

    object.__setattr__(platform, "index", Broken())

    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["status"] == "unavailable"


def test_too_much_in_the_index_is_no_fault_because_the_database_decides():
    assert Level(documents=3, expected=2, due=2).is_sufficient
    assert not Level(documents=3, expected=2, due=2).is_equal
