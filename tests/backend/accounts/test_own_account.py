import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from factories import MONDAY, make_account, make_organisation
from sqlmodel import Session, select

from backend.accounts import own_account, service, tokens
from backend.accounts.browsers import describe_browser
from backend.accounts.dependencies import ApiAccount
from backend.accounts.passwords import Passwords
from backend.accounts.tables import Account, ApiToken, LoginSession, TrailEntry
from backend.accounts.tokens import digest
from backend.errors import NotFound

PASSWORD = "the quiet bridge hums"
NEW = "another bridge, another tune"


@pytest.fixture
def member(client: Any, session: Session, passwords: Passwords) -> Account:
    organisation = make_organisation(session, name="津桥（天津）科技公司", verified_at=MONDAY)
    account = make_account(
        session,
        email="wang@example.com",
        password_hash=passwords.hash(PASSWORD),
        organisation_id=organisation.id,
        display_name="王晓明",
    )
    client.sign_in(account)
    return account


@pytest.mark.parametrize("path", ["/account", "/account/password", "/account/sessions", "/account/tokens"])
@pytest.mark.usefixtures("member")
def test_the_pages_of_an_account_are_for_its_owner(client: Any, another_browser: Callable[[], Any], path: str):
    assert client.get(path).status_code == 200
    assert another_browser().get(path, follow_redirects=False).headers["location"].startswith("/login?next=")


@pytest.mark.usefixtures("member")
def test_the_account_page_tells_what_is_held(client: Any):
    page = client.get("/account").text

    for text in ("wang@example.com", "会员", "津桥（天津）科技公司", "已核实", "2026-09-24"):
        assert text in page


def test_the_name_can_be_changed_and_is_held_to_the_rules_of_names(client: Any, session: Session, member: Account):
    refused = client.submit("/account/name", {"display_name": " "})
    kept = client.submit("/account/name", {"display_name": "王小明"})

    assert refused.status_code == 422
    assert "请填写姓名。" in refused.text
    assert "姓名已保存。" in kept.text
    session.refresh(member)
    assert member.display_name == "王小明"


def change_password(browser: Any, current: str = PASSWORD, password: str = NEW) -> Any:
    return browser.submit("/account/password", {"current": current, "password": password})


def test_changing_the_password_ends_all_other_sessions_and_keeps_this_one(
    client: Any, another_browser: Callable[[], Any], session: Session, passwords: Passwords, member: Account
):
    elsewhere = another_browser()
    elsewhere.sign_in(member)

    answer = change_password(client)

    assert "密码已修改" in answer.text
    assert client.get("/account", follow_redirects=False).status_code == 200
    assert elsewhere.get("/account", follow_redirects=False).status_code == 303
    session.refresh(member)
    assert passwords.check(NEW, member.password_hash).is_right


def test_without_the_present_password_nothing_is_changed(
    client: Any, session: Session, member: Account, trail_of: Callable[[str], list[TrailEntry]]
):
    before = member.password_hash

    answer = change_password(client, current="not the password at all")

    assert answer.status_code == 422
    assert "现在的密码不对" in answer.text
    session.refresh(member)
    assert member.password_hash == before
    assert [entry.result for entry in trail_of("accounts.change_password")] == ["refused"]


@pytest.mark.usefixtures("member")
def test_the_present_password_cannot_be_guessed_by_who_stole_a_session(client: Any, clock: Any):
    for _ in range(5):
        change_password(client, current="not the password at all")

    assert change_password(client).status_code == 429
    clock.advance(minutes=15)
    assert change_password(client).status_code == 200


@pytest.mark.parametrize("weak", ["too short", "wang@example.com", "1234567890123"])
def test_a_weak_new_password_is_refused_here_as_well(client: Any, session: Session, member: Account, weak: str):
    before = member.password_hash

    assert change_password(client, password=weak).status_code == 422
    session.refresh(member)
    assert member.password_hash == before


def test_sessions_are_listed_with_the_present_one_named(client: Any, session: Session, member: Account):
    agent = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/130.0 Safari/537.36 Edg/130.0"
    service.open_session(session, member, now=MONDAY, hours=12, source="10.0.0.9", user_agent=agent)

    page = client.get("/account/sessions").text

    assert "Windows 上的 Edge" in page
    assert "10.0.0.9" in page
    assert page.count("当前设备") == 1
    assert page.count("结束登录") == 1


def test_sessions_that_are_over_are_not_listed(client: Any, session: Session, member: Account):
    service.open_session(session, member, now=MONDAY - timedelta(hours=3), hours=12, source="10.0.0.9")

    assert "10.0.0.9" not in client.get("/account/sessions").text


def test_one_session_can_be_ended_and_no_other(
    client: Any, another_browser: Callable[[], Any], session: Session, member: Account
):
    elsewhere = another_browser()
    elsewhere.sign_in(member)
    theirs = digest(elsewhere.cookies["jq_session"])
    login = session.exec(select(LoginSession).where(LoginSession.token_hash == theirs)).one()

    client.submit(f"/account/sessions/{login.id}/end")

    assert elsewhere.get("/account", follow_redirects=False).status_code == 303
    assert client.get("/account", follow_redirects=False).status_code == 200


@pytest.mark.usefixtures("member")
def test_nobody_ends_the_session_of_another(client: Any, session: Session):
    stranger = make_account(session)
    service.open_session(session, stranger, now=MONDAY, hours=12)
    login = session.exec(select(LoginSession).where(LoginSession.account_id == stranger.id)).one()

    foreign, absent = (client.submit(f"/account/sessions/{number}/end") for number in (login.id, uuid4()))

    assert foreign.status_code == absent.status_code == 404
    assert session.exec(select(LoginSession).where(LoginSession.account_id == stranger.id)).one()


def test_all_other_sessions_can_be_ended_at_once(client: Any, another_browser: Callable[[], Any], member: Account):
    others = [another_browser(), another_browser()]
    for browser in others:
        browser.sign_in(member)

    page = client.submit("/account/sessions/end-others")

    assert "已结束其他 2 处登录。" in page.text
    assert all(browser.get("/account", follow_redirects=False).status_code == 303 for browser in others)


def create_token(client: Any) -> str:
    page = client.submit("/account/tokens", {"name": "课题组同步"}).text
    (secret,) = re.findall(r"jq_[\w-]{43}", page)
    return str(secret)


@pytest.mark.usefixtures("member")
def test_a_token_is_shown_once_and_kept_as_a_hash(client: Any, session: Session):
    secret = create_token(client)

    later = client.get("/account/tokens").text
    kept = session.exec(select(ApiToken)).one()

    assert secret not in later
    assert f"jq_…{secret[-4:]}" in later
    assert secret not in str(kept.model_dump())
    assert kept.token_hash == digest(secret)


@pytest.mark.usefixtures("member")
def test_the_page_that_shows_a_token_is_kept_nowhere(client: Any):
    answer = client.submit("/account/tokens", {"name": "课题组同步"})

    assert answer.headers["cache-control"] == "no-store"


def test_a_token_speaks_for_its_owner_until_it_is_revoked(client: Any, session: Session, member: Account):
    secret = create_token(client)
    token = session.exec(select(ApiToken)).one()
    before = tokens.find_token_owner(session, secret, MONDAY)

    page = client.submit(f"/account/tokens/{token.id}/revoke")

    assert before is not None
    assert before.account.id == member.id
    assert "令牌已撤销" in page.text
    session.expire_all()
    assert tokens.find_token_owner(session, secret, MONDAY) is None


@pytest.mark.parametrize("secret", ["", "jq_", "jq_" + "x" * 43, "Basic abc", "jq_\ud83d"])
@pytest.mark.usefixtures("member")
def test_what_is_no_token_speaks_for_nobody(session: Session, secret: str):
    assert tokens.find_token_owner(session, secret, MONDAY) is None


@pytest.mark.parametrize("change", [{"suspended_at": MONDAY}, {"confirmed_at": None}])
def test_the_token_of_an_account_that_may_not_act_speaks_for_nobody(
    client: Any, session: Session, member: Account, change: dict[str, Any]
):
    secret = create_token(client)
    for name, value in change.items():
        setattr(member, name, value)
    session.flush()

    assert tokens.find_token_owner(session, secret, MONDAY) is None


def test_nobody_revokes_the_token_of_another(session: Session, member: Account):
    stranger = make_account(session)
    tokens.create_token(session, stranger, name="别人的", now=MONDAY, source="")
    token = session.exec(select(ApiToken)).one()

    with pytest.raises(NotFound):
        tokens.revoke_token(session, member, token.id, now=MONDAY, source="")

    assert token.revoked_at is None


@pytest.mark.usefixtures("member")
def test_an_account_holds_at_most_ten_tokens_in_force(client: Any, session: Session):
    for _ in range(10):
        create_token(client)

    refused = client.submit("/account/tokens", {"name": "第十一个"})

    assert refused.status_code == 409
    assert len(session.exec(select(ApiToken)).all()) == 10


@pytest.mark.usefixtures("member")
def test_a_token_needs_a_purpose(client: Any, session: Session):
    answer = client.submit("/account/tokens", {"name": ""})

    assert answer.status_code == 422
    assert "请填写用途。" in answer.text
    assert not session.exec(select(ApiToken)).all()


def asked_by(account: ApiAccount) -> dict[str, str]:
    """Answer with whom the API took the request to be from."""
    return {"email": account.email}


@pytest.fixture
def api(client: Any) -> Any:
    client.app.add_api_route("/api/v1/asked-by", asked_by, methods=["GET", "POST"])
    return client


@pytest.mark.parametrize("header", [None, "Bearer", "Bearer jq_unknown", "Basic d2FuZw==", "jq_unknown"])
@pytest.mark.usefixtures("member")
def test_the_api_refuses_who_brings_no_valid_token_and_says_so_in_json(api: Any, header: str | None):
    answer = api.get("/api/v1/asked-by", headers={"Authorization": header} if header else {})

    assert answer.status_code == 401
    assert answer.json()["status"] == 401
    assert "令牌" in answer.json()["message"]


@pytest.mark.usefixtures("member")
def test_the_api_does_not_take_the_cookie_of_a_browser_for_a_token(api: Any):
    assert api.get("/account", follow_redirects=False).status_code == 200
    assert api.post("/api/v1/asked-by").status_code == 401


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.usefixtures("member")
def test_the_api_knows_who_brings_a_token_and_notes_that_it_is_used(
    api: Any, session: Session, clock: Any, method: str
):
    secret = create_token(api)
    clock.advance(hours=1)

    answer = api.request(method, "/api/v1/asked-by", headers={"Authorization": f"Bearer {secret}"})

    assert answer.json() == {"email": "wang@example.com"}
    token = session.exec(select(ApiToken)).one()
    session.refresh(token)
    assert token.last_used_at == MONDAY + timedelta(hours=1)


@pytest.mark.usefixtures("member")
def test_the_export_holds_everything_about_its_owner_and_no_secret(client: Any, session: Session):
    secret = create_token(client)
    stranger = make_account(session, display_name="别人")
    service.open_session(session, stranger, now=MONDAY, hours=12)

    answer = client.submit("/account/export")
    copy = json.loads(answer.text)

    assert answer.headers["content-disposition"] == 'attachment; filename="jiqiao-2026-11-23.json"'
    assert copy["account"][0]["email"] == "wang@example.com"
    assert copy["organisation"][0]["name"] == "津桥（天津）科技公司"
    assert len(copy["sessions"]) == len(copy["api_tokens"]) == 1
    assert [entry["action"] for entry in copy["trail"]] == ["accounts.create_token"]
    assert not any(word in answer.text for word in ("_hash", "argon2", secret, "别人", str(stranger.id)))


@pytest.mark.usefixtures("member")
def test_every_table_that_names_an_account_is_in_its_export(client: Any):
    held = {"account", "organisation", "sessions", "api_tokens", "trail"}

    assert held <= json.loads(client.submit("/account/export").text).keys()


def test_two_domains_cannot_export_under_one_name():
    with pytest.raises(ValueError, match="account"):
        own_account.export_part("account")(lambda _session, _account_id: [])


@pytest.mark.usefixtures("member")
def test_the_export_cannot_be_fetched_by_a_link(client: Any):
    assert client.get("/account/export").status_code == 405


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1", "iPhone 上的 Safari"),
        ("Mozilla/5.0 (Linux; Android 15) Chrome/130 Mobile Safari/537 MicroMessenger/8.0", "安卓 上的 微信"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0", "Linux 上的 Firefox"),
        ("", "其他设备 上的 浏览器"),
    ],
)
def test_a_browser_is_named_by_its_device(agent: str, words: str):
    assert describe_browser(agent) == words
