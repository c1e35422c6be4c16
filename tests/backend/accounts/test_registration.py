from collections.abc import Callable
from typing import Any

import pytest
from factories import MONDAY, make_account, make_organisation
from sqlmodel import Session, select

from backend.accounts.passwords import Passwords
from backend.accounts.registration import CONSENT_VERSION
from backend.accounts.tables import Account, ApiToken, LoginSession, MailedToken, Organisation, Role, TrailEntry
from backend.mail.tables import OutboxMessage

PASSWORD = "the quiet bridge hums"
FORM = {
    "email": "wang@example.com",
    "password": PASSWORD,
    "display_name": "王晓明",
    "organisation": "滨海测试研究院",
    "organisation_kind": "institute",
    "organisation_region": "120116",
    "consent": "1",
}
Mails = Callable[[], list[OutboxMessage]]


def register(browser: Any, **changes: str) -> Any:
    return browser.submit("/register", {**FORM, **changes}, follow_redirects=False)


def log_in(browser: Any, password: str = PASSWORD) -> Any:
    return browser.submit("/login", {"email": "wang@example.com", "password": password}, follow_redirects=False)


def account_of(session: Session) -> Account:
    query = select(Account).where(Account.email_key == "wang@example.com")
    return session.exec(query.execution_options(populate_existing=True)).one()


def everything(session: Session) -> str:
    """Return all rows of this domain as text, to be compared before and after."""
    tables = (Account, ApiToken, LoginSession, MailedToken, Organisation, TrailEntry, OutboxMessage)
    rows = [session.exec(select(table).execution_options(populate_existing=True)).all() for table in tables]
    return repr([sorted(repr(row.model_dump()) for row in found) for found in rows])


def test_registering_makes_an_unconfirmed_member_and_mails_one_link(client: Any, session: Session, mails: Mails):
    answer = register(client)

    account = account_of(session)
    (mail,) = mails()
    assert answer.headers["location"] == "/register/sent"
    assert (account.role, account.confirmed_at, account.display_name) == (Role.MEMBER, None, "王晓明")
    assert (mail.recipient, mail.category) == ("wang@example.com", "account")
    assert "http://testserver/confirm/" in mail.body_text
    assert "http://testserver/confirm/" in mail.body_html


def test_consent_is_kept_with_its_time_and_the_version_of_the_text(client: Any, session: Session):
    register(client)

    account = account_of(session)

    assert (account.consented_at, account.consent_version) == (MONDAY, CONSENT_VERSION)


def test_a_role_that_is_slipped_into_the_form_is_ignored(client: Any, session: Session):
    register(client, role="administrator", confirmed_at="2026-11-23", consent_version="x")

    assert account_of(session).role == Role.MEMBER
    assert account_of(session).confirmed_at is None


def test_the_box_of_consent_is_not_ticked_beforehand(client: Any):
    page = client.get("/register").text

    assert 'name="consent"' in page
    assert "checked" not in page[page.index('name="consent"') :][:200]


def test_a_new_organisation_is_registered_as_not_verified(client: Any, session: Session):
    register(client)

    organisation = session.exec(select(Organisation).where(Organisation.name == "滨海测试研究院")).one()

    assert account_of(session).organisation_id == organisation.id
    assert (organisation.kind, organisation.region_code, organisation.verified_at) == ("institute", "120116", None)


@pytest.mark.parametrize("typed", ["津桥（天津）科技公司", "津桥(天津)科技公司", "  津桥（天津）科技公司 "])
def test_an_organisation_on_the_list_is_joined_however_its_brackets_are_written(
    client: Any, session: Session, typed: str
):
    known = make_organisation(session, name="津桥（天津）科技公司")

    register(client, organisation=typed, organisation_kind="", organisation_region="")

    assert account_of(session).organisation_id == known.id


def test_an_unknown_organisation_needs_its_kind_and_place(client: Any, session: Session):
    answer = register(client, organisation_kind="", organisation_region="990000")

    assert answer.status_code == 422
    assert "请选择它的类型" in answer.text
    assert "请选择它所在的地区" in answer.text
    assert not session.exec(select(Account)).all()


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("email", "", "请填写邮箱。"),
        ("email", "wang", "邮箱写法不对。"),
        ("email", "wang@example.test", "邮箱写法不对。"),
        ("password", "", "请填写密码。"),
        ("password", "too short", "密码太短：现有 9 个字符"),
        ("password", "wang@example.com", "密码和邮箱一样"),
        ("password", "1234567890123", "这个密码太常见"),
        ("password", "bridge\u202ebridge", "文字方向控制符 U+202E"),
        ("display_name", "", "请填写姓名。"),
        ("display_name", "王" * 61, "姓名太长：现有 61 个字"),
        ("display_name", "王\x00", "控制字符 U+0000"),
        ("display_name", "王\u202e", "文字方向控制符 U+202E"),
        ("organisation", "  ", "请填写机构名称。"),
        ("organisation", "院" * 10_000, "机构名称太长：现有 10000 个字"),
        ("organisation_kind", "palace", "机构类型没有“palace”这个选项"),
        ("organisation_region", "120116" * 3, "所在地区太长"),
        ("consent", "", "请阅读隐私说明并勾选同意"),
    ],
)
def test_each_mistake_is_named_beside_its_field_and_in_the_summary_and_nothing_is_kept(
    client: Any, session: Session, field: str, value: str, sentence: str
):
    answer = register(client, **{field: value})

    assert answer.status_code == 422
    assert answer.text.count(sentence) == 2
    assert f'id="f-{field}-error"' in answer.text
    assert f'href="#f-{field}"' in answer.text
    assert not session.exec(select(Account)).all()


def test_a_mistake_keeps_what_was_typed_but_never_the_password(client: Any):
    page = register(client, consent="", display_name="𡈽 & <王>").text

    assert 'value="wang@example.com"' in page
    assert 'value="𡈽 &amp; &lt;王&gt;"' in page
    assert '<option value="120116" selected>' in page
    assert PASSWORD not in page


def test_rare_characters_of_a_name_are_kept_exactly(client: Any, session: Session):
    register(client, display_name="𠮷田𰻞")

    assert account_of(session).display_name == "𠮷田𰻞"


def test_a_name_with_a_line_separator_becomes_one_line_and_no_error(client: Any, session: Session):
    assert register(client, display_name="王\u2028晓明").status_code == 303
    assert account_of(session).display_name == "王 晓明"


def test_a_known_address_gets_the_same_answer_and_a_mail_that_says_so(
    client: Any, another_browser: Callable[[], Any], session: Session, mails: Mails, comparable: Callable[[str], str]
):
    owner = make_account(session, email="wang@example.com", password_hash="kept")
    known = register(client)
    unknown = register(another_browser(), email="li@example.com")

    pages = {comparable(client.get(answer.headers["location"]).text) for answer in (known, unknown)}
    told = next(mail for mail in mails() if mail.recipient == "wang@example.com")
    assert (known.status_code, known.headers["location"]) == (unknown.status_code, unknown.headers["location"])
    assert len(pages) == 1
    assert "已有账号" in told.subject
    assert "http://testserver/reset/" in told.body_text
    session.refresh(owner)
    assert owner.password_hash == "kept"


def test_registering_a_known_address_puts_no_organisation_on_the_list(client: Any, session: Session):
    make_account(session, email="wang@example.com")

    register(client)

    assert not session.exec(select(Organisation).where(Organisation.name == "滨海测试研究院")).all()


def test_who_registers_another_ones_address_first_cannot_keep_it(client: Any, new_link: Callable[[], str]):
    register(client, password="the password of a thief")
    new_link()
    register(client)

    link = new_link()

    assert link.startswith("/reset/")
    client.submit(link, {"password": PASSWORD})
    assert log_in(client, "the password of a thief").status_code == 422
    assert log_in(client).status_code == 303


def test_the_mail_to_an_unconfirmed_address_carries_no_text_of_who_typed_it(client: Any, mails: Mails):
    register(client, display_name="恭喜中奖", organisation="恭喜中奖公司")

    (mail,) = mails()

    assert "恭喜中奖" not in mail.subject + mail.body_text + mail.body_html + mail.recipient_name


def test_links_bear_the_configured_host_whatever_a_request_calls_us(client: Any, mails: Mails):
    token = client.token()

    client.post(
        "/register",
        data={**FORM, "csrf_token": token},
        headers={"X-Forwarded-Host": "evil.example.com", "Host": "evil.example.com"},
    )

    assert all("evil.example.com" not in mail.body_text + mail.body_html for mail in mails())


def test_opening_a_confirmation_link_changes_nothing(client: Any, session: Session, new_link: Callable[[], str]):
    register(client)
    link, before = new_link(), everything(session)

    page = client.get(link)

    assert page.status_code == 200
    assert "确认这个邮箱" in page.text
    assert everything(session) == before
    assert client.head(link).status_code in {200, 405}
    assert everything(session) == before


def test_the_button_behind_the_link_confirms_the_address(client: Any, session: Session, new_link: Callable[[], str]):
    register(client)
    assert log_in(client).status_code == 403

    page = client.submit(new_link())

    assert "邮箱已确认，请登录。" in page.text
    assert account_of(session).confirmed_at == MONDAY
    assert log_in(client).status_code == 303


def test_a_confirmation_link_works_once(client: Any, new_link: Callable[[], str]):
    register(client)
    link = new_link()
    client.submit(link)

    again = client.submit(link)

    assert again.status_code == 409
    assert "已经用过" in again.text
    assert "已经用过" in client.get(link).text


def test_a_confirmation_link_is_good_for_a_day(client: Any, session: Session, clock: Any, new_link: Callable[[], str]):
    register(client)
    link = new_link()

    clock.advance(hours=24)

    assert "已经过期" in client.get(link).text
    assert client.submit(link).status_code == 409
    assert account_of(session).confirmed_at is None


@pytest.mark.parametrize("change", [lambda token: token[:-1], lambda token: token + "A", lambda _: "x" * 43])
def test_a_link_that_was_not_sent_confirms_nothing(
    client: Any, session: Session, new_link: Callable[[], str], change: Callable[[str], str]
):
    register(client)
    token = new_link().removeprefix("/confirm/")

    answer = client.submit(f"/confirm/{change(token)}")

    assert answer.status_code == 409
    assert account_of(session).confirmed_at is None


def test_a_link_of_one_purpose_does_not_serve_another(client: Any, new_link: Callable[[], str]):
    register(client)
    token = new_link().removeprefix("/confirm/")

    assert client.submit(f"/reset/{token}", {"password": "a password of a thief"}).status_code == 409
    assert log_in(client, "a password of a thief").status_code == 422


def test_the_database_holds_only_hashes_of_mailed_links(client: Any, session: Session, new_link: Callable[[], str]):
    register(client)

    kept = session.exec(select(MailedToken)).one()

    assert new_link().removeprefix("/confirm/") not in str(kept.model_dump())


def test_the_confirmation_mail_can_be_asked_for_again_and_the_answer_tells_nothing(
    client: Any, session: Session, mails: Mails, comparable: Callable[[str], str]
):
    register(client)
    make_account(session, email="li@example.com")

    pages = [client.submit("/confirm", {"email": f"{name}@example.com"}) for name in ("wang", "li", "nobody")]

    assert len({comparable(page.text) for page in pages}) == 1
    assert [mail.recipient for mail in mails()] == ["wang@example.com", "wang@example.com"]


def test_a_forgotten_password_is_answered_alike_for_every_address(
    client: Any, session: Session, mails: Mails, comparable: Callable[[str], str]
):
    make_account(session, email="wang@example.com")
    make_account(session, email="li@example.com", suspended_at=MONDAY)

    pages = [client.submit("/forgot", {"email": f"{name}@example.com"}) for name in ("wang", "li", "nobody")]

    assert len({comparable(page.text) for page in pages}) == 1
    assert [mail.recipient for mail in mails()] == ["wang@example.com"]


@pytest.mark.parametrize("path", ["/forgot", "/confirm"])
def test_what_is_no_address_is_refused_before_anything_is_sent(client: Any, mails: Mails, path: str):
    answer = client.submit(path, {"email": "wang"})

    assert answer.status_code == 422
    assert 'value="wang"' in answer.text
    assert not mails()


def ask_for_reset(client: Any, new_link: Callable[[], str]) -> str:
    client.submit("/forgot", {"email": "wang@example.com"})
    return new_link()


def test_opening_a_reset_link_changes_nothing(client: Any, session: Session, new_link: Callable[[], str]):
    make_account(session, email="wang@example.com")
    link = ask_for_reset(client, new_link)
    before = everything(session)

    page = client.get(link)

    assert 'autocomplete="new-password"' in page.text
    assert everything(session) == before


def test_a_reset_sets_the_password_and_ends_every_session(
    client: Any,
    another_browser: Callable[[], Any],
    session: Session,
    passwords: Passwords,
    new_link: Callable[[], str],
):
    account = make_account(session, email="wang@example.com", password_hash=passwords.hash("the password until now"))
    elsewhere = another_browser()
    elsewhere.sign_in(account)

    page = client.submit(ask_for_reset(client, new_link), {"password": PASSWORD})

    assert "新密码已保存，请登录。" in page.text
    assert elsewhere.get("/account", follow_redirects=False).status_code == 303
    assert log_in(client, "the password until now").status_code == 422
    assert log_in(client).status_code == 303


def test_a_reset_link_works_once_and_takes_its_elders_with_it(
    client: Any, session: Session, new_link: Callable[[], str]
):
    make_account(session, email="wang@example.com")
    first, second = ask_for_reset(client, new_link), ask_for_reset(client, new_link)

    client.submit(second, {"password": PASSWORD})

    assert client.submit(second, {"password": "another good password"}).status_code == 409
    assert client.submit(first, {"password": "another good password"}).status_code == 409
    assert log_in(client).status_code == 303


def test_a_weak_new_password_is_refused_and_the_link_stays_good(
    client: Any, session: Session, new_link: Callable[[], str]
):
    make_account(session, email="wang@example.com")
    link = ask_for_reset(client, new_link)

    refused = client.submit(link, {"password": "wang@example.com"})

    assert refused.status_code == 422
    assert "密码和邮箱一样" in refused.text
    assert client.submit(link, {"password": PASSWORD}).status_code == 200
    assert log_in(client).status_code == 303


def test_a_reset_link_is_good_for_half_an_hour(client: Any, session: Session, clock: Any, new_link: Callable[[], str]):
    make_account(session, email="wang@example.com")
    link = ask_for_reset(client, new_link)

    clock.advance(minutes=30)

    assert "已经过期" in client.get(link).text
    assert client.submit(link, {"password": PASSWORD}).status_code == 409
    assert log_in(client).status_code == 422


def test_a_reset_opens_a_way_in_while_the_account_is_under_attack(
    client: Any, another_browser: Callable[[], Any], session: Session, new_link: Callable[[], str]
):
    make_account(session, email="wang@example.com")
    stranger = another_browser()
    for _ in range(6):
        locked = log_in(stranger, "not the password at all")
    client.submit(ask_for_reset(client, new_link), {"password": PASSWORD})

    assert locked.status_code == 429
    assert log_in(client).status_code == 303


@pytest.mark.parametrize("path", ["/forgot", "/confirm", "/register"])
def test_one_address_gets_three_mails_an_hour_and_the_answer_stays_the_same(
    client: Any, session: Session, mails: Mails, comparable: Callable[[str], str], path: str
):
    make_account(session, email="wang@example.com", confirmed_at=None)

    pages = {comparable(client.submit(path, FORM).text) for _ in range(5)}

    assert len(pages) == 1
    assert len(mails()) == 3


def test_one_source_that_asks_for_too_many_mails_is_told_when_again(client: Any):
    for number in range(20):
        client.submit("/forgot", {"email": f"person{number}@example.com"})

    answer = client.submit("/forgot", {"email": "wang@example.com"})

    assert answer.status_code == 429
    assert "请过 60 分钟再试。" in answer.text


def test_registering_and_all_that_follows_is_in_the_trail(
    client: Any, session: Session, new_link: Callable[[], str], trail_of: Callable[[str], list[TrailEntry]]
):
    register(client)
    client.submit(new_link())
    register(client)
    new_link()
    client.submit(ask_for_reset(client, new_link), {"password": PASSWORD})

    account = account_of(session)
    results = {
        action: [entry.result for entry in trail_of(f"accounts.{action}")]
        for action in ("register", "confirm", "request_reset", "reset_password")
    }
    assert results == {
        "register": ["ok", "refused"],
        "confirm": ["ok"],
        "request_reset": ["ok"],
        "reset_password": ["ok"],
    }
    assert trail_of("accounts.confirm")[0].actor_id == account.id
