"""A desk that is disturbed says so on a page that can be read, and has done nothing by half."""

import sqlite3

import pytest
from encoders import HashEncoder
from factories import MONDAY
from joining import Browser, Clock, JobList
from mailers import MemoryMailer
from pydantic import SecretStr
from recommending import make_manager, make_pair, only_row, recommend
from sqlmodel import func, select

from backend.accounts.tables import Account, Role, TrailEntry
from backend.assembly import build_platform
from backend.desk.tables import Case, Progress, Recommendation
from backend.desk.tables_pipeline import CaseStep, Introduction
from backend.matching.tables import MatchFeedback
from backend.migrations.upgrade import upgrade_database
from backend.settings import Settings

WRITTEN = (Case, CaseStep, Introduction, MatchFeedback, TrailEntry)


@pytest.fixture
def file_platform(tmp_path):
    """Give a platform on a SQLite file of its own, on which a writer waits for another only a moment."""
    settings = Settings(
        _env_file=None,
        data_dir=tmp_path,
        database_url=f"sqlite:///{tmp_path / 'busy.sqlite3'}",
        database_busy_seconds=0.1,
        secret_key=SecretStr("a secret of tests, long enough to sign with"),
        base_url="http://testserver",
    )
    parts = {"encoder": HashEncoder(), "mailer": MemoryMailer(), "queue": JobList()}
    platform = build_platform(settings, clock=Clock(MONDAY), **parts)
    upgrade_database(platform.database)
    yield platform
    platform.database.dispose()


def _counts(session):
    return [session.exec(select(func.count()).select_from(table)).one() for table in WRITTEN]


@pytest.mark.parametrize("deed", ["take", "introduce"])
def test_a_busy_database_answers_with_a_page_that_says_when_to_try_again_and_nothing_is_half_done(file_platform, deed):
    with file_platform.transaction() as session:
        manager = make_manager(session)
        make_pair(session, file_platform)
        recommend(session, file_platform)
        row = only_row(session, manager)
    browser = Browser(file_platform)
    browser.sign_in(manager)
    address = f"/desk/recommendations/{row.id}/{deed}"
    with file_platform.reading() as session:
        before = _counts(session)
    jobs = len(file_platform.queue.entries)

    other = sqlite3.connect(file_platform.database.url.database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    refused = browser.submit(address)
    other.rollback()
    other.close()

    assert refused.status_code == 503
    assert refused.headers["Retry-After"] == "10"
    assert "数据库暂时没有回应" in refused.text
    assert "请过一分钟再试" in refused.text
    with file_platform.reading() as session:
        assert _counts(session) == before
        assert session.get(Recommendation, row.id).progress is Progress.OPEN
    assert len(file_platform.queue.entries) == jobs

    assert browser.submit(address).status_code == 200
    with file_platform.reading() as session:
        assert len(session.exec(select(Case)).all()) == 1


@pytest.mark.parametrize("deed", ["take", "introduce", "dismiss", "snooze", "hand-on"])
def test_a_role_taken_away_in_mid_session_is_told_on_a_page_and_changes_nothing(client, session, platform, deed):
    manager = make_manager(session)
    make_pair(session, platform)
    recommend(session, platform)
    row = only_row(session, manager)
    client.sign_in(manager)
    assert client.get("/desk").status_code == 200
    session.get(Account, manager.id).role = Role.MEMBER
    session.commit()
    before = _counts(session)

    refused = client.submit(f"/desk/recommendations/{row.id}/{deed}", {"reason": "place", "days": "7"})

    assert refused.status_code == 403
    assert "技术经理人" in refused.text
    assert _counts(session) == before
    session.expire_all()
    assert session.get(Recommendation, row.id).progress is Progress.OPEN
