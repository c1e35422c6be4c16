"""The demonstration shows cases and contracts, and its invented past could have happened."""

from datetime import timedelta

import sqlalchemy as sa
from sqlmodel import col, select

from backend.check.invariants import find_breaches
from backend.desk.tables import Case, Recommendation
from backend.desk.tables_pipeline import CaseStep, Contract
from backend.listings.tables import Listing
from seeds import demonstration, pipeline


def test_the_demonstration_has_a_past_that_could_have_happened(platform, session, client, monkeypatch):
    monkeypatch.setattr(demonstration, "transaction", lambda _database, **info: platform.transaction())
    demonstration.load_market(platform)

    made = pipeline.load_pipeline(platform)

    assert made == len(session.exec(select(Case)).all()) > 0
