"""Every form of the application, sent what no browser would send: never a failure of ours.

Each field of a form has another of the texts, and other ones for each account.
"""

import re
from pathlib import Path

import pytest
from factories import make_account, make_listing, make_organisation
from test_routes_and_pages import UNSAFE

from backend.accounts.tables import Role
from backend.listings.tables import Kind

BACKEND = Path(__file__).parents[2] / "backend"
HOSTILE = {
    "nothing": "",
    "NUL": "零\x00字节",
    "bidi": "反\u202e转",
    "lone surrogate": "半\ud800个",
    "rare Han": "𠮷𰻞二字",
    "full-width digits": "１２３",
    "one long word": "字" * 10_000,
    "huge number": "9" * 400,
    "not a number": "NaN",
    "markup": "</textarea><script>alert(1)</script>",
    "formula": "=1+1",
    "no identifier": "00000000-0000-4000-8000-00000000000g",
}

TEXTS = [text.encode("utf-8", "surrogatepass") for text in HOSTILE.values()]
STAFF = (Role.MANAGER, Role.MODERATOR, Role.ADMINISTRATOR)


def field_names():
    """Return every name that a form field of the application may have, from the forms and from what routes read."""
    found = set()
    for path in BACKEND.rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        found.update(re.findall(r"form\.\w+\(\s*\"(\w+)\"", source))
        if path.stem.startswith("forms"):
            found.update(re.findall(r"^    (\w+): ", source, flags=re.MULTILINE))
    return sorted(found - {"csrf_token"})


@pytest.fixture(scope="session")
def names():
    names = field_names()
    assert {"title", "reason", "password", "email", "expertise"} <= set(names)
    return names


@pytest.fixture
def things(session, encoder):
    """Give the ids that addresses may hold, each of something that is there."""
    owner = make_account(session)
    listing = make_listing(session, owner=owner, encoder=encoder)
    demand = make_listing(session, kind=Kind.DEMAND, owner=owner, encoder=encoder)
    return owner, {
        "listing_id": listing.id,
        "supply_id": listing.id,
        "demand_id": demand.id,
        "account_id": owner.id,
        "organisation_id": make_organisation(session).id,
        "kind": "supply",
    }


@pytest.mark.parametrize("route", UNSAFE, ids=lambda route: route.name)
def test_no_form_fails_whatever_is_written_into_its_fields(client, session, things, names, route):
    owner, ids = things
    path = re.sub(r"\{(\w+)[^}]*\}", lambda match: str(ids.get(match[1], owner.id)), route.path)
    for turn, account in enumerate((owner, *(make_account(session, role=role) for role in STAFF))):
        client.cookies.clear()
        client.sign_in(account)
        values = {name: TEXTS[(place + turn) % len(TEXTS)] for place, name in enumerate(names)}

        answer = client.submit(path, values, follow_redirects=False)

        assert answer.status_code < 500, (account.role, turn, answer.text[-300:])
