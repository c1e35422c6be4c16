"""Whatever is sent to the API, by anybody: no failure of ours, and answers as the published description says."""

import pytest
import schemathesis
from factories import make_account, make_listing
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode, checks
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from backend.accounts import tokens
from backend.accounts.tables import Role
from backend.listings.tables import Kind
from backend.main import create_app

CHECKED = [checks.not_a_server_error, response_schema_conformance, status_code_conformance]
EXAMPLES = 60  # of each operation, as every caller
LEAST_OPERATIONS = 7


@pytest.fixture
def api_schema(platform):
    # An application of its own: other tests add routes to the one they share.
    return schemathesis.openapi.from_asgi("/api/v1/openapi.json", create_app(platform=platform))


@pytest.fixture
def callers(session, encoder, now):
    """Give the headers of a member and of a manager, and of a visitor, over a market of one listing of each kind."""
    headers = [{}]
    for kind in Kind:
        make_listing(session, kind=kind, encoder=encoder)
    for role in (Role.MEMBER, Role.MANAGER):
        account = make_account(session, role=role)
        secret = tokens.create_token(session, account, name="fuzz", now=now, source="")
        headers.append({"Authorization": f"Bearer {secret}"})
    return headers


def test_no_request_fails_the_api_and_every_answer_is_as_described(api_schema, callers):
    operations = [found.ok() for found in api_schema.get_all_operations()]
    assert len(operations) >= LEAST_OPERATIONS

    for operation in operations:

        @given(
            operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
            | operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)
        )
        @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
        def is_answered_well(case):
            for headers in callers:
                case.call_and_validate(headers=headers, checks=CHECKED)

        is_answered_well()
