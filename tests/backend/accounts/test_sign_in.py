from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from factories import MONDAY, make_account
from sqlmodel import Session, select

from backend.accounts import service, sign_in
from backend.accounts.cookies import DEVICE_COOKIE
from backend.accounts.dependencies import SESSION_COOKIE
from backend.accounts.passwords import PasswordCheck, Passwords, shared_passwords
from backend.accounts.sign_in import Visitor
from backend.accounts.tables import Account, LoginSession, Role, TrailEntry
from backend.accounts.tokens import digest

PASSWORD = "the quiet bridge hums"
KEY = "a key that signs the marks of devices"


@pytest.fixture
def member(session: Session, passwords: Passwords) -> Account:
    return make_account(session, email="wang@example.com", password_hash=passwords.hash(PASSWORD))


def log_in(browser: Any, email: str = "wang@example.com", password: str = PASSWORD, **fields: str) -> Any:
    return browser.submit("/login", {"email": email, "password": password, **fields}, follow_redirects=False)


def is_signed_in(browser: Any) -> bool:
    return bool(browser.get("/account", follow_redirects=False).status_code == 200)


def test_the_right_password_opens_a_session(client: Any, member: Account):
    answer = log_in(client)

    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert member.display_name in client.get("/account").text


@pytest.mark.usefixtures("member")
def test_an_address_may_be_typed_in_any_case_and_width(client: Any):
    log_in(client, email=" ＷＡＮＧ@Example.COM")

    assert is_signed_in(client)


@pytest.mark.usefixtures("member")
def test_the_session_cookie_is_kept_from_scripts_and_foreign_sites(client: Any):
    cookie = next(value for value in log_in(client).headers.get_list("set-cookie") if value.startswith(SESSION_COOKIE))

    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Max-Age=43200" in cookie
    assert "Secure" not in cookie


@pytest.mark.usefixtures("member")
def test_on_https_the_session_cookie_never_travels_in_the_clear(client: Any):
    client.base_url = "https://testserver"

    cookie = next(value for value in log_in(client).headers.get_list("set-cookie") if value.startswith(SESSION_COOKIE))

    assert "Secure" in cookie


@pytest.mark.usefixtures("member")
def test_the_database_holds_only_the_hash_of_a_session(client: Any, session: Session):
    log_in(client)
    token = client.cookies[SESSION_COOKIE]

    kept = session.exec(select(LoginSession)).one()

    assert token not in str(kept.model_dump())
    assert kept.token_hash == digest(token)


@pytest.mark.usefixtures("member")
def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(client: Any, comparable: Callable[[str], str]):
    wrong = log_in(client, password="not the password at all")
    unknown = log_in(client, email="nobody@example.com", password="not the password at all")

    assert wrong.status_code == unknown.status_code == 422
    assert "没有登录" in wrong.text
    assert comparable(wrong.text) == comparable(unknown.text.replace("nobody@example.com", "wang@example.com"))
    assert not is_signed_in(client)


@pytest.mark.usefixtures("member")
def test_an_unknown_address_costs_the_same_look_at_a_password(client: Any):
    looked_at = []

    class Counting(Passwords):
        def check(self, password: str, known_hash: str | None) -> PasswordCheck:
            looked_at.append(known_hash is None)
            return super().check(password, known_hash)

    counting = Counting(memory_kib=64, passes=1)
    client.app.dependency_overrides[shared_passwords] = lambda: counting

    log_in(client, password="not the password at all")
    log_in(client, email="nobody@example.com")

    assert looked_at == [False, True]


@pytest.mark.usefixtures("member")
def test_a_failed_login_keeps_the_address_and_never_the_password(client: Any):
    page = log_in(client, password="not the password at all").text

    assert 'value="wang@example.com"' in page
    assert "not the password" not in page


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"email": ""}, "请填写邮箱。"),
        ({"email": "wang"}, "邮箱写法不对。"),
        ({"email": "wang\x00@example.com"}, "控制字符 U+0000"),
        ({"password": ""}, "请填写密码。"),
    ],
)
def test_an_incomplete_login_is_answered_beside_the_field(client: Any, fields: dict[str, str], sentence: str):
    answer = log_in(client, **{"email": "wang@example.com", "password": PASSWORD, **fields})

    assert answer.status_code == 422
    assert answer.text.count(sentence) == 2
    assert "<title>错误：" in answer.text


@pytest.mark.usefixtures("member")
def test_a_password_of_ten_thousand_characters_is_wrong_and_no_error(client: Any):
    assert log_in(client, password="长" * 10_000).status_code == 422


@pytest.mark.usefixtures("member")
def test_after_five_failures_even_the_right_password_waits_and_is_told_how_long(client: Any, clock: Any):
    for _ in range(5):
        log_in(client, password="not the password at all")

    locked = log_in(client)

    assert locked.status_code == 429
    assert locked.headers["retry-after"] == "900"
    assert "请过 15 分钟再登录" in locked.text
    clock.advance(minutes=14)
    assert "请过 1 分钟再登录" in log_in(client).text
    clock.advance(minutes=1)
    assert log_in(client).status_code == 303


@pytest.mark.usefixtures("member")
def test_the_second_wait_is_twice_as_long(client: Any, clock: Any):
    for _ in range(5):
        log_in(client, password="not the password at all")
    clock.advance(minutes=15)
    for _ in range(5):
        log_in(client, password="not the password at all")

    assert "请过 30 分钟再登录" in log_in(client).text


@pytest.mark.usefixtures("member")
def test_an_unknown_address_is_locked_just_the_same(client: Any, comparable: Callable[[str], str]):
    for _ in range(5):
        log_in(client, email="nobody@example.com")
        log_in(client, password="not the password at all")

    known, unknown = log_in(client), log_in(client, email="nobody@example.com")

    assert known.status_code == unknown.status_code == 429
    assert comparable(known.text) == comparable(unknown.text.replace("nobody@example.com", "wang@example.com"))


@pytest.mark.usefixtures("member")
def test_a_known_device_is_not_locked_out_by_the_failures_of_others(client: Any, another_browser: Callable[[], Any]):
    log_in(client)
    stranger = another_browser()
    for _ in range(6):
        last = log_in(stranger, password="not the password at all")

    assert last.status_code == 429
    assert log_in(client).status_code == 303


@pytest.mark.usefixtures("member")
def test_a_known_device_that_fails_itself_is_locked(client: Any):
    log_in(client)
    for _ in range(5):
        log_in(client, password="not the password at all")

    assert log_in(client).status_code == 429


def test_the_mark_of_a_device_is_good_for_its_own_account_only():
    mark = sign_in.make_device(KEY, "wang@example.com")

    assert sign_in.find_device(KEY, "Wang@example.com", mark)
    assert not sign_in.find_device(KEY, "li@example.com", mark)
    assert not sign_in.find_device("another key", "wang@example.com", mark)
    assert not sign_in.find_device(KEY, "wang@example.com", mark[:-1])
    assert not sign_in.find_device(KEY, "wang@example.com", "")


def test_failures_of_one_place_do_not_lock_another(session: Session, member: Account):
    here, there = Visitor(source="10.0.0.1"), Visitor(source="10.0.0.2")
    for _ in range(6):
        last = sign_in.begin(session, member.email, here, now=MONDAY)

    assert last.admission.until is not None
    assert sign_in.begin(session, member.email, there, now=MONDAY).admission.until is None


@pytest.mark.usefixtures("member")
def test_signing_in_again_replaces_the_session_the_browser_had(client: Any):
    log_in(client)
    before = client.cookies[SESSION_COOKIE]
    log_in(client)
    after = client.cookies[SESSION_COOKIE]

    assert before != after
    with client.platform.reading() as reading:
        assert service.find_signed_in(reading, before, now=MONDAY, idle_minutes=120) is None
        assert service.find_signed_in(reading, after, now=MONDAY, idle_minutes=120) is not None


def test_a_session_foisted_on_a_browser_is_not_the_one_it_gets(
    client: Any, another_browser: Callable[[], Any], session: Session, member: Account
):
    attacker = make_account(session)
    foisted = another_browser()
    foisted.sign_in(attacker)
    client.cookies.set(SESSION_COOKIE, foisted.cookies[SESSION_COOKIE], domain="testserver.local")

    log_in(client)

    assert member.display_name in client.get("/account").text
    assert not is_signed_in(foisted)


@pytest.mark.parametrize(
    ("wanted", "target"),
    [
        ("/account?tab=1", "/account?tab=1"),
        ("https://evil.example.com/", "/"),
        ("//evil.example.com/", "/"),
        ("/\\evil.example.com/", "/"),
        ("/\t/evil.example.com", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
    ],
)
@pytest.mark.usefixtures("member")
def test_after_login_the_browser_goes_on_only_within_this_site(client: Any, wanted: str, target: str):
    assert log_in(client, next=wanted).headers["location"] == target


@pytest.mark.usefixtures("member")
def test_a_page_that_needs_an_account_leads_through_the_login_and_back(client: Any):
    asked = client.get("/account/tokens", follow_redirects=False)
    form = client.get(asked.headers["location"])

    assert 'name="next" value="/account/tokens"' in form.text
    assert log_in(client, next="/account/tokens").headers["location"] == "/account/tokens"


def test_an_unconfirmed_account_is_offered_the_mail_again_but_no_session(
    client: Any, session: Session, member: Account
):
    member.confirmed_at = None
    session.flush()

    answer = log_in(client)

    assert answer.status_code == 403
    assert "邮箱还没有确认" in answer.text
    assert 'action="/confirm"' in answer.text
    assert not is_signed_in(client)


def test_a_suspended_account_reads_why_but_only_with_the_right_password(client: Any, session: Session, member: Account):
    member.suspended_at, member.suspension_reason = MONDAY, "资料不实。"
    session.flush()

    right, wrong = log_in(client), log_in(client, password="not the password at all")

    assert (right.status_code, wrong.status_code) == (403, 422)
    assert "资料不实。" in right.text
    assert "资料不实。" not in wrong.text
    assert not is_signed_in(client)


def test_a_login_keeps_a_better_hash_when_the_parameters_have_risen(client: Any, session: Session, member: Account):
    stronger = Passwords(memory_kib=128, passes=1)
    client.app.dependency_overrides[shared_passwords] = lambda: stronger

    log_in(client)

    session.refresh(member)
    assert "m=128" in member.password_hash


@pytest.mark.usefixtures("member")
def test_logging_out_ends_the_session_for_good(client: Any):
    log_in(client)
    token = client.cookies[SESSION_COOKIE]

    answer = client.submit("/logout", follow_redirects=False)

    assert answer.status_code == 303
    client.cookies.set(SESSION_COOKIE, token, domain="testserver.local")
    assert not is_signed_in(client)


@pytest.mark.usefixtures("member")
def test_a_link_cannot_log_anybody_out(client: Any):
    log_in(client)

    assert client.get("/logout").status_code == 405
    assert is_signed_in(client)


@pytest.mark.parametrize("path", ["/login", "/logout", "/register", "/forgot", "/confirm"])
def test_a_form_without_its_token_changes_nothing(client: Any, session: Session, member: Account, path: str):
    before = len(session.exec(select(TrailEntry)).all())

    answer = client.post(path, data={"email": member.email, "password": PASSWORD})

    assert answer.status_code == 403
    assert len(session.exec(select(TrailEntry)).all()) == before


@pytest.mark.usefixtures("member")
def test_a_session_ends_when_it_is_not_used(client: Any, clock: Any):
    log_in(client)

    clock.advance(minutes=119)
    assert is_signed_in(client)
    clock.advance(minutes=119)
    assert is_signed_in(client)
    clock.advance(minutes=120)
    assert not is_signed_in(client)


@pytest.mark.usefixtures("member")
def test_a_session_in_constant_use_still_ends_after_twelve_hours(client: Any, clock: Any):
    log_in(client)
    for _ in range(11):
        clock.advance(hours=1)
        assert is_signed_in(client)
    clock.advance(minutes=59)
    assert is_signed_in(client)

    clock.advance(minutes=1)

    assert not is_signed_in(client)


@pytest.mark.usefixtures("member")
def test_a_session_in_use_is_noted_at_most_every_five_minutes(client: Any, session: Session, clock: Any):
    log_in(client)
    login = session.exec(select(LoginSession)).one()

    clock.advance(minutes=4)
    client.get("/account")
    session.refresh(login)
    assert login.last_seen_at == MONDAY
    clock.advance(minutes=1)
    client.get("/account")
    session.refresh(login)
    assert login.last_seen_at == MONDAY + timedelta(minutes=5)


def test_a_short_idle_limit_is_noted_more_often(session: Session, member: Account):
    service.open_session(session, member, now=MONDAY, hours=12)
    login = session.exec(select(LoginSession)).one()

    assert service.is_stale(login, now=MONDAY + timedelta(minutes=1), idle_minutes=5)
    assert not service.is_stale(login, now=MONDAY + timedelta(minutes=1), idle_minutes=120)


def test_a_suspended_account_is_out_with_its_next_request(client: Any, session: Session, member: Account):
    log_in(client)
    member.suspended_at = MONDAY
    session.flush()

    assert not is_signed_in(client)


def test_another_role_holds_from_the_next_request_on(client: Any, session: Session, member: Account):
    log_in(client)
    assert client.get("/admin/accounts").status_code == 403

    member.role = Role.ADMINISTRATOR
    session.flush()

    assert client.get("/admin/accounts").status_code == 200


def test_every_try_to_log_in_is_in_the_trail_without_password_or_full_address(
    client: Any, member: Account, trail_of: Callable[[str], list[TrailEntry]]
):
    log_in(client, password="not the password at all")
    log_in(client, email="nobody@example.com")
    log_in(client)

    wrong, unknown, right = trail_of("accounts.login")

    assert [entry.result for entry in (wrong, unknown, right)] == ["refused", "refused", "ok"]
    assert (wrong.actor_id, wrong.subject) == (None, f"account:{member.id}")
    assert (unknown.subject, unknown.detail["address"]) == ("", "n***@example.com")
    assert (right.actor_id, right.source, right.at) == (member.id, "testclient", MONDAY)
    assert "password" not in str([entry.model_dump() for entry in (wrong, unknown, right)])


@pytest.mark.usefixtures("member")
def test_the_mark_of_a_device_goes_only_to_the_login_form(client: Any):
    cookies = log_in(client).headers.get_list("set-cookie")

    mark = next(value for value in cookies if value.startswith(DEVICE_COOKIE))

    assert "Path=/login" in mark
    assert "HttpOnly" in mark


@pytest.mark.usefixtures("member")
def test_who_is_signed_in_does_not_see_the_login_form_again(client: Any):
    log_in(client)

    assert client.get("/login?next=/account", follow_redirects=False).headers["location"] == "/account"


def test_what_has_run_out_is_pruned_and_the_rest_stays(session: Session, member: Account):
    service.open_session(session, member, now=MONDAY, hours=12)
    service.open_session(session, member, now=MONDAY + timedelta(hours=11), hours=12)

    service.prune(session, now=MONDAY + timedelta(hours=12))

    assert len(session.exec(select(LoginSession)).all()) == 1
