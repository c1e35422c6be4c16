from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from factories import MONDAY, make_account, make_organisation
from sqlmodel import Session, select

from backend.accounts import administration, organisations, trail
from backend.accounts.administration import NewAccount
from backend.accounts.tables import Account, LoginSession, Organisation, Role, TrailEntry
from backend.errors import Conflict, Forbidden, Invalid, NotFound
from backend.mail.messages import Sender
from backend.mail.tables import OutboxMessage

OPERATOR = Sender("某主办单位", "022-12345678")


@pytest.fixture
def administrator(client: Any, session: Session) -> Account:
    account = make_account(session, role=Role.ADMINISTRATOR, display_name="管理员甲")
    client.sign_in(account)
    return account


@pytest.mark.parametrize("role", [Role.MEMBER, Role.MANAGER, Role.MODERATOR, Role.AUDITOR])
@pytest.mark.parametrize("path", ["/admin/accounts", "/admin/organisations"])
def test_only_administrators_manage_accounts_and_organisations(client: Any, session: Session, role: Role, path: str):
    client.sign_in(make_account(session, role=role))

    answer = client.get(path)

    assert answer.status_code == 403
    assert "只对管理员开放" in answer.text


@pytest.mark.parametrize("role", [Role.MEMBER, Role.MANAGER, Role.MODERATOR, Role.AUDITOR])
def test_a_change_by_somebody_else_is_refused_by_route_and_service(client: Any, session: Session, role: Role):
    somebody, victim = make_account(session, role=role), make_account(session)
    client.sign_in(somebody)

    for action, data in (("role", {"role": "administrator"}), ("suspend", {"reason": "因为"}), ("lift", {})):
        assert client.submit(f"/admin/accounts/{victim.id}/{action}", data).status_code == 403
    with pytest.raises(Forbidden):
        administration.change_role(session, victim.id, Role.MODERATOR, by=somebody, now=MONDAY)
    with pytest.raises(Forbidden):
        administration.suspend(session, victim.id, reason="因为", sender=OPERATOR, by=somebody, now=MONDAY)
    with pytest.raises(Forbidden):
        administration.lift_suspension(session, victim.id, by=somebody, now=MONDAY)
    with pytest.raises(Forbidden):
        organisations.verify_organisation(session, uuid4(), is_verified=True, by=somebody, now=MONDAY)


def test_accounts_are_found_by_name_address_and_organisation(client: Any, session: Session, administrator: Account):
    organisation = make_organisation(session, name="津桥（天津）科技公司")
    make_account(session, email="wang@example.com", display_name="王晓明", organisation_id=organisation.id)

    for text in ("晓明", "WANG@", "津桥"):
        page = client.get("/admin/accounts", params={"q": text}).text
        assert "wang@example.com" in page
        assert administrator.email not in page
    assert "没有符合条件的账号" in client.get("/admin/accounts", params={"q": "%"}).text


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"role": "manager"}, {"manager"}),
        ({"state": "active"}, {"admin", "manager"}),
        ({"state": "unconfirmed"}, {"unconfirmed"}),
        ({"state": "suspended"}, {"suspended"}),
        ({"role": "manager", "state": "suspended"}, set()),
    ],
)
def test_accounts_are_filtered_by_role_and_state(
    client: Any, session: Session, filters: dict[str, str], found: set[str]
):
    client.sign_in(make_account(session, role=Role.ADMINISTRATOR, email="admin@example.com"))
    make_account(session, role=Role.MANAGER, email="manager@example.com")
    make_account(session, email="unconfirmed@example.com", confirmed_at=None)
    make_account(session, email="suspended@example.com", suspended_at=MONDAY)

    page = client.get("/admin/accounts", params=filters).text

    everybody = {"admin", "manager", "unconfirmed", "suspended"}
    assert {name for name in everybody if f"{name}@example.com" in page} == found


@pytest.mark.usefixtures("administrator")
def test_accounts_are_paged_twenty_at_a_time_and_none_is_missing(client: Any, session: Session):
    people = [make_account(session, email=f"paged{number:02}@example.com") for number in range(45)]

    pages = [client.get("/admin/accounts", params={"page": number, "role": "member"}).text for number in (1, 2, 3)]

    shown = [[person.email for person in people if person.email in page] for page in pages]
    assert [len(emails) for emails in shown] == [20, 20, 5]
    assert sorted(email for emails in shown for email in emails) == sorted(person.email for person in people)
    assert "page=2" in pages[0]
    assert "role=member" in pages[0]


@pytest.mark.parametrize("page", ["0", "-1", "abc", "1.5", "９", "9" * 30, ""])
@pytest.mark.usefixtures("administrator")
def test_an_odd_page_number_is_no_error(client: Any, page: str):
    assert client.get("/admin/accounts", params={"page": page}).status_code == 200


@pytest.mark.usefixtures("administrator")
def test_an_account_that_does_not_exist_is_not_found(client: Any):
    assert client.get(f"/admin/accounts/{uuid4()}").status_code == 404
    assert client.get("/admin/accounts/nonsense").status_code == 404


def test_an_administrator_gives_another_role_and_the_trail_says_which(
    client: Any, session: Session, administrator: Account, trail_of: Callable[[str], list[TrailEntry]]
):
    member = make_account(session, display_name="王晓明")

    page = client.submit(f"/admin/accounts/{member.id}/role", {"role": "manager"})

    assert "王晓明现在是技术经理人。" in page.text
    session.refresh(member)
    assert member.role == Role.MANAGER
    (entry,) = trail_of("accounts.change_role")
    assert (entry.actor_id, entry.subject) == (administrator.id, f"account:{member.id}")
    assert entry.detail == {"name": "王晓明", "from": "会员", "to": "技术经理人"}


@pytest.mark.usefixtures("administrator")
def test_a_role_that_does_not_exist_is_refused_beside_the_field(client: Any, session: Session):
    member = make_account(session)

    answer = client.submit(f"/admin/accounts/{member.id}/role", {"role": "emperor"})

    assert answer.status_code == 422
    assert "角色没有“emperor”这个选项" in answer.text


def test_nobody_changes_their_own_role_or_suspends_themselves(client: Any, session: Session, administrator: Account):
    make_account(session, role=Role.ADMINISTRATOR)

    answers = [
        client.submit(f"/admin/accounts/{administrator.id}/role", {"role": "auditor"}),
        client.submit(f"/admin/accounts/{administrator.id}/suspend", {"reason": "因为"}),
    ]

    assert [answer.status_code for answer in answers] == [403, 403]
    session.refresh(administrator)
    assert (administrator.role, administrator.suspended_at) == (Role.ADMINISTRATOR, None)
    assert 'name="role"' not in client.get(f"/admin/accounts/{administrator.id}").text


def test_the_last_administrator_stays_one_even_for_the_shell(session: Session):
    last = make_account(session, role=Role.ADMINISTRATOR)
    make_account(session, role=Role.ADMINISTRATOR, suspended_at=MONDAY)
    make_account(session, role=Role.ADMINISTRATOR, confirmed_at=None)

    with pytest.raises(Conflict, match="最后一位管理员"):
        administration.change_role(session, last.id, Role.MEMBER, by=trail.SHELL, now=MONDAY)
    with pytest.raises(Conflict, match="最后一位管理员"):
        administration.suspend(session, last.id, reason="因为", sender=OPERATOR, by=trail.SHELL, now=MONDAY)

    assert last.role == Role.ADMINISTRATOR


def test_one_of_two_administrators_can_go(session: Session):
    first, second = make_account(session, role=Role.ADMINISTRATOR), make_account(session, role=Role.ADMINISTRATOR)

    administration.change_role(session, second.id, Role.AUDITOR, by=first, now=MONDAY)

    assert second.role == Role.AUDITOR


@pytest.mark.usefixtures("administrator")
def test_a_suspension_ends_the_sessions_and_mails_the_reason_as_written(
    client: Any,
    another_browser: Callable[[], Any],
    session: Session,
    mails: Callable[[], list[OutboxMessage]],
):
    member = make_account(session, email="wang@example.com")
    theirs = another_browser()
    theirs.sign_in(member)

    page = client.submit(f"/admin/accounts/{member.id}/suspend", {"reason": "资料不实。\n请补充 <证明>。"})

    assert "账号已停用" in page.text
    assert theirs.get("/account", follow_redirects=False).status_code == 303
    assert not session.exec(select(LoginSession).where(LoginSession.account_id == member.id)).all()
    (mail,) = mails()
    assert mail.recipient == "wang@example.com"
    assert "请补充 <证明>。" in mail.body_text
    assert "请补充 &lt;证明&gt;。" in mail.body_html


@pytest.mark.usefixtures("administrator")
def test_a_suspension_needs_a_reason_and_keeps_what_was_chosen(client: Any, session: Session):
    member = make_account(session)

    answer = client.submit(f"/admin/accounts/{member.id}/suspend", {"reason": "  "})

    assert answer.status_code == 422
    assert "请填写停用原因。" in answer.text
    session.refresh(member)
    assert member.suspended_at is None


@pytest.mark.usefixtures("administrator")
def test_who_is_suspended_cannot_be_suspended_again_but_lifted_once(client: Any, session: Session):
    member = make_account(session, suspended_at=MONDAY, suspension_reason="资料不实。")

    assert client.submit(f"/admin/accounts/{member.id}/suspend", {"reason": "因为"}).status_code == 409
    assert "可以重新登录" in client.submit(f"/admin/accounts/{member.id}/lift").text
    assert client.submit(f"/admin/accounts/{member.id}/lift").status_code == 409
    session.refresh(member)
    assert (member.suspended_at, member.suspension_reason) == (None, "")


@pytest.mark.usefixtures("administrator")
def test_organisations_are_listed_with_those_to_be_verified_first(client: Any, session: Session):
    make_organisation(session, name="甲院", verified_at=MONDAY)
    waiting = make_organisation(session, name="乙院", region_code="120116")
    make_account(session, organisation_id=waiting.id)

    page = client.get("/admin/organisations").text

    assert page.index("乙院") < page.index("甲院")
    assert "天津市 滨海新区" in page


@pytest.mark.usefixtures("administrator")
def test_an_organisation_is_verified_and_the_mark_can_be_taken_back(
    client: Any, session: Session, trail_of: Callable[[str], list[TrailEntry]]
):
    organisation = make_organisation(session, name="乙院")

    client.submit(f"/admin/organisations/{organisation.id}/verify", {"verified": "1"})
    session.refresh(organisation)
    marked_at = organisation.verified_at
    client.submit(f"/admin/organisations/{organisation.id}/verify", {"verified": "0"})
    session.refresh(organisation)

    assert (marked_at, organisation.verified_at) == (MONDAY, None)
    assert len(trail_of("organisations.verify")) == len(trail_of("organisations.unverify")) == 1
    assert client.submit(f"/admin/organisations/{uuid4()}/verify", {"verified": "1"}).status_code == 404


@pytest.mark.usefixtures("administrator")
def test_organisations_are_found_by_name(client: Any, session: Session):
    for number in range(25):
        make_organisation(session, name=f"第{number:02}院")
    make_organisation(session, name="津桥_所")

    assert "津桥_所" in client.get("/admin/organisations", params={"q": "桥_"}).text
    assert "没有符合条件的机构" in client.get("/admin/organisations", params={"q": "第_院"}).text
    assert "第24院" in client.get("/admin/organisations", params={"page": 2}).text


def make_new(email: str = "new@example.com") -> NewAccount:
    return NewAccount(email, "a hash", "新人", Role.MANAGER)


def test_an_account_made_by_the_shell_is_confirmed_and_in_the_trail(
    session: Session, trail_of: Callable[[str], list[TrailEntry]]
):
    account = administration.create_account(session, make_new("New@Example.com"), by=trail.SHELL, now=MONDAY)

    (entry,) = trail_of("accounts.create")
    assert (account.email, account.email_key, account.confirmed_at) == ("New@example.com", "new@example.com", MONDAY)
    assert (entry.actor_id, entry.actor_name) == (None, "命令行")


def test_no_address_gets_two_accounts(session: Session):
    make_account(session, email="new@example.com")

    with pytest.raises(Conflict, match="已有账号"):
        administration.create_account(session, make_new("NEW@example.com"), by=trail.SHELL, now=MONDAY)

    assert len(session.exec(select(Account)).all()) == 1


def test_an_account_needs_an_address(session: Session):
    with pytest.raises(Invalid, match="邮箱写法不对"):
        administration.create_account(session, make_new("nobody"), by=trail.SHELL, now=MONDAY)


def test_an_organisation_is_registered_once_whoever_comes_second(session: Session):
    new = organisations.NewOrganisation("津桥(天津)公司", "company", "120116")

    first = organisations.find_or_create_organisation(session, new, by=trail.SHELL, now=MONDAY)
    second = organisations.find_or_create_organisation(session, new, by=trail.SHELL, now=MONDAY)

    assert first.id == second.id
    assert len(session.exec(select(Organisation)).all()) == 1


def test_a_missing_account_is_named_as_missing(session: Session):
    with pytest.raises(NotFound):
        administration.change_role(session, uuid4(), Role.MEMBER, by=trail.SHELL, now=MONDAY)
