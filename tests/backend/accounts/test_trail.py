from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from factories import MONDAY, make_account
from fastapi.routing import iter_route_contexts
from sqlmodel import Session, col, select

from backend.accounts import routes, routes_admin, trail
from backend.accounts.passwords import Passwords
from backend.accounts.repository_trail import TrailQuery, find_entries
from backend.accounts.tables import Account, ApiToken, LoginSession, Role, TrailEntry

PASSWORD = "the quiet bridge hums"


@pytest.fixture
def auditor(client: Any, session: Session) -> Account:
    account = make_account(session, role=Role.AUDITOR, display_name="审计员甲")
    client.sign_in(account)
    return account


def test_an_entry_keeps_who_what_which_result_whence_and_when(session: Session):
    manager = make_account(session, role=Role.MANAGER, display_name="王晓明")

    trail.record(
        session,
        manager,
        action="listings.withdraw",
        subject="listing:1",
        result="refused",
        source="10.0.0.1",
        detail={"reason": "过期"},
        now=MONDAY,
    )
    session.flush()

    (entry,) = session.exec(select(TrailEntry)).all()
    assert (entry.at, entry.actor_id, entry.actor_name) == (MONDAY, manager.id, "王晓明")
    assert (entry.action, entry.subject, entry.result, entry.source) == (
        "listings.withdraw",
        "listing:1",
        "refused",
        "10.0.0.1",
    )
    assert entry.detail == {"reason": "过期"}


@pytest.mark.parametrize("role", [Role.MEMBER, Role.MANAGER, Role.MODERATOR])
def test_the_trail_is_read_by_auditors_and_administrators_only(client: Any, session: Session, role: Role):
    client.sign_in(make_account(session, role=role))

    assert client.get("/admin/trail").status_code == 403


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.ADMINISTRATOR])
def test_the_trail_is_shown_in_words(client: Any, session: Session, role: Role):
    client.sign_in(make_account(session, role=role))
    trail.record(session, "命令行", action="accounts.change_role", detail={"from": "会员", "to": "审计员"}, now=MONDAY)
    trail.record(session, trail.NOBODY, action="accounts.login", result="refused", source="10.0.0.1", now=MONDAY)
    session.flush()

    page = client.get("/admin/trail").text

    assert all(text in page for text in ("改变角色", "命令行", "原来：<bdi>会员", "改为：<bdi>审计员"))
    assert all(text in page for text in ("被拒绝", "未登录的人", "10.0.0.1", "2026-11-23 08:30"))


def write(session: Session, who: Account | str, action: str, *, at: datetime, result: Any = "ok") -> None:
    trail.record(session, who, action=action, result=result, now=at)
    session.flush()


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"who": "晓明"}, [1, 2]),
        ({"who": "WANG@"}, [1, 2]),
        ({"who": "命令"}, [3]),
        ({"action": "accounts.suspend"}, [3]),
        ({"result": "refused"}, [2]),
        ({"since": "2026-11-23"}, [2, 3]),
        ({"until": "2026-11-22"}, [1]),
        ({"since": "2026-11-23", "until": "2026-11-23", "who": "晓明"}, [2]),
    ],
)
@pytest.mark.usefixtures("auditor")
def test_the_trail_is_filtered_by_who_what_when_and_result(
    client: Any, session: Session, filters: dict[str, str], found: list[int]
):
    wang = make_account(session, email="wang@example.com", display_name="王晓明")
    midnight = datetime(2026, 11, 22, 16, tzinfo=UTC)
    write(session, wang, "accounts.rename", at=midnight - timedelta(seconds=1))
    write(session, wang, "accounts.login", at=midnight, result="refused")
    write(session, "命令行", "accounts.suspend", at=MONDAY)

    page = client.get("/admin/trail", params=filters).text

    marks = {1: "2026-11-22 23:59", 2: "2026-11-23 00:00", 3: "2026-11-23 08:30"}
    body = page[page.index("<table") :]
    assert [number for number, mark in marks.items() if mark in body] == found


@pytest.mark.usefixtures("auditor")
def test_a_day_that_is_no_day_is_named_and_nothing_breaks(client: Any):
    answer = client.get("/admin/trail", params={"since": "gestern"})

    assert answer.status_code == 422
    assert "开始日期应写成 2026-11-22 这样的日期" in answer.text
    assert 'value="gestern"' in answer.text


@pytest.mark.usefixtures("auditor")
def test_the_trail_is_paged_newest_first_with_its_filters_kept(client: Any, session: Session):
    for minute in range(120):
        write(session, "命令行", "accounts.create", at=MONDAY + timedelta(minutes=minute))

    first, third = (client.get("/admin/trail", params={"page": page, "result": "ok"}).text for page in (1, 3))

    assert "共 120 条记录" in first
    assert "2026-11-23 10:29" in first
    assert "2026-11-23 08:30" in third
    assert "result=ok" in first


@pytest.mark.usefixtures("auditor")
def test_no_route_changes_or_deletes_an_entry(client: Any):
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert client.request(method, "/admin/trail").status_code == 405


def test_entries_about_one_thing_are_found_newest_first(session: Session):
    for number in (1, 2, 3):
        trail.record(session, "命令行", action=f"x.{number}", subject=f"listing:{number % 2}", now=MONDAY)
    session.flush()

    about = find_entries(session, TrailQuery(subject="listing:1"), limit=10)

    assert [entry.action for entry in about] == ["x.3", "x.1"]


def test_a_later_domain_names_its_actions_and_things_in_chinese():
    trail.name_entries(actions={"bridges.open": "通车"}, details={"span": "跨度"}, subjects={"bridge": "桥"})
    entry = TrailEntry(at=MONDAY, action="bridges.open", subject="bridge:0123456789", detail={"span": 3, "note": ""})

    assert trail.describe_action(entry) == "通车"
    assert trail.describe_subject(entry) == "桥 01234567"
    assert trail.describe_detail(entry) == [("跨度", "3")]


# What each route that changes something is sent, as whom, so that it goes through. A new route has to be entered here.
FORMS: dict[str, tuple[str, dict[str, str]]] = {
    "accounts.sign_up": (
        "/register",
        {
            "email": "new@example.com",
            "password": PASSWORD,
            "display_name": "新人",
            "organisation": "新院",
            "organisation_kind": "institute",
            "organisation_region": "120116",
            "consent": "1",
        },
    ),
    "accounts.sign_in": ("/login", {"email": "wang@example.com", "password": PASSWORD}),
    "accounts.confirm_again": ("/confirm", {"email": "wang@example.com"}),
    "accounts.confirm_address": ("{confirm}", {}),
    "accounts.request_reset": ("/forgot", {"email": "wang@example.com"}),
    "accounts.set_password": ("{reset}", {"password": PASSWORD}),
    "accounts.rename": ("/account/name", {"display_name": "王小明"}),
    "accounts.change_password": ("/account/password", {"current": PASSWORD, "password": "another bridge, a tune"}),
    "accounts.end_session": ("/account/sessions/{login}/end", {}),
    "accounts.end_other_sessions": ("/account/sessions/end-others", {}),
    "accounts.create_token": ("/account/tokens", {"name": "同步"}),
    "accounts.revoke_token": ("/account/tokens/{token}/revoke", {}),
    "accounts.export": ("/account/export", {}),
    "accounts.logout": ("/logout", {}),
    "accounts.change_role": ("/admin/accounts/{member}/role", {"role": "manager"}),
    "accounts.suspend": ("/admin/accounts/{member}/suspend", {"reason": "资料不实。"}),
    "accounts.lift": ("/admin/accounts/{suspended}/lift", {}),
    "accounts.verify_organisation": ("/admin/organisations/{organisation}/verify", {"verified": "1"}),
}


def changing_routes() -> set[str]:
    contexts = iter_route_contexts([*routes.router.routes, *routes_admin.router.routes])
    return {str(context.name) for context in contexts if not (context.methods or set()) <= {"GET", "HEAD"}}


def test_every_route_that_changes_something_is_known_to_the_test_below():
    assert changing_routes() == set(FORMS)


@pytest.mark.parametrize("name", sorted(FORMS))
def test_every_change_writes_one_entry_with_its_source(
    client: Any,
    another_browser: Callable[[], Any],
    session: Session,
    passwords: Passwords,
    new_link: Callable[[], str],
    name: str,
):
    by = make_account(
        session, role=Role.ADMINISTRATOR, email="wang@example.com", password_hash=passwords.hash(PASSWORD)
    )
    client.sign_in(by)
    elsewhere = another_browser()
    elsewhere.sign_in(by)
    client.submit("/account/tokens", {"name": "旧的"})
    path, data = FORMS[name]
    values = {
        "member": lambda: make_account(session).id,
        "suspended": lambda: make_account(session, suspended_at=MONDAY).id,
        "organisation": lambda: make_account(session).organisation_id,
        "token": lambda: session.exec(select(ApiToken.id)).one(),
        "login": lambda: session.exec(select(LoginSession.id).order_by(col(LoginSession.id))).first(),
        "confirm": lambda: _ask(elsewhere, session, "/confirm", new_link),
        "reset": lambda: _ask(elsewhere, session, "/forgot", new_link),
    }
    address = path.format(**{key: make() for key, make in values.items() if "{" + key + "}" in path})
    before = session.exec(select(TrailEntry.id)).all()

    answer = client.submit(address, data, follow_redirects=False)

    assert answer.status_code in {200, 303}
    written = [entry for entry in session.exec(select(TrailEntry)).all() if entry.id not in before]
    own = [entry for entry in written if entry.action != "organisations.create"]
    assert len(own) == 1
    assert own[0].source == "testclient"
    assert own[0].at == MONDAY
    assert own[0].action in trail.action_names()


def _ask(browser: Any, session: Session, path: str, new_link: Callable[[], str]) -> str:
    waiting = make_account(session, email="li@example.com", confirmed_at=None)
    browser.submit(path, {"email": waiting.email})
    return new_link()
