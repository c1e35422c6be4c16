"""The demonstration shows cases and contracts, and its invented past could have happened."""

import pytest
from factories import MONDAY
from joining import JobList
from mailers import MemoryMailer
from sqlmodel import select

from backend.assembly import build_platform
from backend.check.invariants import find_breaches
from backend.database import build_engine
from backend.desk.stages import CONCLUDED, may_move
from backend.desk.tables import Case
from backend.desk.tables_pipeline import CaseStep, Contract
from backend.listings.tables import Listing
from backend.migrations.upgrade import upgrade_database
from backend.settings import Settings
from seeds.demonstration import load_market
from seeds.pipeline import load_pipeline


@pytest.fixture
def market(new_database, encoder, tmp_path):
    engine = build_engine(new_database())
    upgrade_database(engine)
    url = engine.url.render_as_string(hide_password=False)
    settings = Settings(_env_file=None, data_dir=tmp_path, database_url=url)
    platform = build_platform(
        settings,
        database=engine,
        encoder=encoder,
        mailer=MemoryMailer(),
        queue=JobList(),
        clock=lambda: MONDAY,
    )
    load_market(platform)
    yield platform
    engine.dispose()


def test_the_past_of_the_demonstration_could_have_happened_and_is_loaded_once(market):
    made, again = load_pipeline(market), load_pipeline(market)

    with market.reading() as session:
        found = session.exec(select(Case)).all()
        published = {row.id: row.published_at for row in session.exec(select(Listing))}
        contracts = {row.case_id for row in session.exec(select(Contract))}
        steps = session.exec(select(CaseStep).order_by(CaseStep.id)).all()
        market.index.rebuild(session)
        breaches = find_breaches(session, market)
    assert (made, again) == (len(found), 0)
    assert contracts
    assert contracts == {case.id for case in found if case.stage in CONCLUDED}
    for case in found:
        assert max(published[case.supply_id], published[case.demand_id]) <= case.taken_at <= MONDAY
    for step in steps:
        assert step.at <= MONDAY
        assert step.from_stage in {None, step.to_stage} or may_move(step.from_stage, step.to_stage)
    assert breaches == []
    assert not [job.name for job, _ in market.queue.entries if job.name.startswith("desk.tell")]
