"""Every page of the application in a real browser, as each of those who see it: no page can be forgotten.

The addresses come from the router. A route that stands in neither table below fails by its name.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from conftest import PROJECT, Running, free_port, wait_until_ready
from factories import make_account, make_listing
from fastapi.routing import iter_route_contexts
from inspection import Inspector
from joining import JobList
from playwright.sync_api import Browser
from sqlmodel import Session, col, select

from backend import domains
from backend.accounts import service as accounts
from backend.accounts.cookies import SESSION_COOKIE
from backend.accounts.tables import Account, MailedToken, Role, TokenPurpose
from backend.accounts.tokens import digest, new_secret
from backend.database import build_engine, transaction
from backend.desk.tables import Case, Progress, Recommendation
from backend.desk.tables_pipeline import Answer, ContactConsent
from backend.listings.tables import Kind, State
from backend.mail.tables import OutboxMessage

WEEK = "2026-W46"
LONG_WORD = "Polytetrafluoroethylene" * 5
GUEST, MEMBER, MANAGER, MODERATOR, ADMINISTRATOR, AUDITOR = "visitor", *Role
OWNER = "owner of one side"
# Without anything of their own: what they see is the empty state.
NEW_MEMBER, NEW_MANAGER = "new member", "new manager"

# Route name -> its address, and who looks at it; {words} are filled from the demonstration's data.
PAGES: dict[str, tuple[str, tuple[str, ...]]] = {
    "site.home": ("/", (GUEST, MANAGER)),
    "site.method": ("/method", (GUEST,)),
    "site.help": ("/help", (GUEST,)),
    "site.contact": ("/contact", (GUEST,)),
    "site.sitemap": ("/sitemap", (GUEST,)),
    "site.accessibility": ("/accessibility", (GUEST,)),
    "site.privacy": ("/privacy", (GUEST,)),
    "site.components": ("/dev/components", (GUEST,)),
    "accounts.register": ("/register", (GUEST,)),
    "accounts.registered": ("/register/sent", (GUEST,)),
    "accounts.ask_confirmation": ("/confirm", (GUEST,)),
    "accounts.confirm": ("/confirm/{confirmation}", (GUEST,)),
    "accounts.forgot": ("/forgot", (GUEST,)),
    "accounts.reset_sent": ("/forgot/sent", (GUEST,)),
    "accounts.reset": ("/reset/{reset}", (GUEST,)),
    "accounts.login": ("/login", (GUEST,)),
    "accounts.show": ("/account", (MEMBER,)),
    "accounts.password": ("/account/password", (MEMBER,)),
    "accounts.sessions": ("/account/sessions", (MEMBER,)),
    "accounts.tokens": ("/account/tokens", (MEMBER,)),
    "accounts.organisations": ("/admin/organisations", (ADMINISTRATOR,)),
    "accounts.trail": ("/admin/trail", (AUDITOR,)),
    "accounts.admin": ("/admin/accounts", (ADMINISTRATOR,)),
    "accounts.admin_show": ("/admin/accounts/{account}", (ADMINISTRATOR,)),
    "listings.search": ("/listings", (GUEST,)),
    "listings.show": ("/listings/{supply}", (GUEST, OWNER)),
    "matching.pair": ("/pairs/{demand}/{supply}", (GUEST, MANAGER)),
    "listings.choose": ("/listings/new", (MEMBER,)),
    "listings.new": ("/listings/new/demand", (MEMBER,)),
    "listings.edit": ("/listings/{pending}/edit", (MEMBER,)),
    "listings.mine": ("/my/listings", (MEMBER, OWNER, NEW_MEMBER)),
    "listings.own": ("/my/listings/{pending}", (MEMBER,)),
    "matching.saved": ("/my/searches", (MANAGER, NEW_MEMBER)),
    "moderation.queue": ("/moderation", (MODERATOR,)),
    "moderation.show": ("/moderation/{pending}", (MODERATOR,)),
    "desk.queue": ("/desk", (MANAGER, NEW_MANAGER)),
    "desk.recommendation": ("/desk/recommendations/{recommendation}", (MANAGER,)),
    "desk.pipeline": ("/desk/pipeline", (MANAGER, NEW_MANAGER)),
    "desk.case": ("/desk/cases/{case}", (MANAGER,)),
    "desk.profile": ("/desk/profile", (MANAGER,)),
    "desk.learning": ("/desk/learning", (MANAGER, NEW_MANAGER)),
    "desk.introductions": ("/introductions", (OWNER, NEW_MEMBER)),
    "desk.introduction": ("/introductions/{introduction}/{side}", (OWNER,)),
    "digests.show": ("/digest", (MANAGER, MEMBER, NEW_MEMBER)),
    "digests.issue": ("/digest/issues/{week}", (MANAGER,)),
    "digests.operations": ("/admin/digest", (ADMINISTRATOR,)),
    "digests.edition": ("/admin/digest/editions/{week}", (ADMINISTRATOR,)),
    "digests.admin_preview": ("/admin/digest/preview?account=manager@example.com", (ADMINISTRATOR,)),
    "digests.unsubscribe": ("{unsubscribe}", (GUEST,)),
    "digests.reply": ("{reply}", (GUEST,)),
    "figures.show": ("/figures", (GUEST,)),
    "figures.own": ("/figures/mine", (MANAGER, NEW_MANAGER)),
    "figures.team": ("/figures/team", (MANAGER,)),
    "mail.dev_list": ("/dev/mail", (GUEST,)),
    "mail.dev_show": ("/dev/mail/{mail}", (GUEST,)),
    "mail.admin": ("/admin/mail", (ADMINISTRATOR,)),
    "mail.bounces": ("/admin/bounces", (ADMINISTRATOR,)),
}
# What goes wrong: who, where, and with which status.
FAULTS = (
    (GUEST, "/no-such-page", 404),
    (GUEST, "/confirm/a-token-that-nobody-made", 200),
    (MEMBER, "/admin/accounts", 403),
    (MEMBER, "/my/listings/00000000-0000-4000-8000-000000000000", 404),
)
EMPTY_FORMS = ((GUEST, "/register", "注册账号"), (MEMBER, "/listings/new/supply", "提交审核"))
# Answers to GET that are no pages: files, a mail alone in its frame, and what programs ask for.
NO_PAGES = {
    "matching.download", "figures.download", "figures.own_file", "figures.team_file", "desk.pipeline_csv", "desk.file",
    "digests.preview_body", "digests.issue_body", "digests.admin_preview_body", "mail.dev_body",
    "static", "site.robots", "site.alive", "site.ready",
}  # fmt: skip


@dataclass(frozen=True)
class Demonstration:
    """The demonstration market with one of everything: where, what fills an address, and who signs in how."""

    url: str
    words: dict[str, str]
    sessions: dict[str, str]


@pytest.fixture(scope="module")
def demonstration(running: Running) -> Iterator[Demonstration]:
    """Give the running platform a second web process as in development, so that it shows its mails."""
    running.shell("digest", "run", "--week", WEEK)
    mail = running.mailbox.wait_for("manager@example.com", "本周")
    links = re.findall(r"https?://[^/]+(/digest/\S+)", mail.get_body(("plain",)).get_content())
    words = {
        "reply": next(link for link in links if link.startswith("/digest/reply/")),
        "unsubscribe": next(link for link in links if link.startswith("/digest/unsubscribe/")),
        "week": WEEK,
    }
    engine = build_engine(running.environment["DATABASE_URL"])
    with transaction(engine, queue=JobList()) as session:
        words |= _words(session)
        sessions = _sessions(session, words)
    engine.dispose()
    port = free_port()
    environment = {**running.environment, "MAILER": "console", "BASE_URL": f"http://127.0.0.1:{port}"}
    command = [sys.executable, "-m", "backend.cli", "serve", "--port", str(port)]
    process = subprocess.Popen(command, cwd=PROJECT, env=environment)
    try:
        wait_until_ready(f"http://127.0.0.1:{port}/readyz", process)
        yield Demonstration(f"http://127.0.0.1:{port}", words, sessions)
    finally:
        process.terminate()
        process.wait(timeout=30)


def _words(session: Session) -> dict[str, str]:
    """Find or make one of everything that has an address."""
    manager = _account(session, "manager@example.com")
    waiting = select(Recommendation).where(
        Recommendation.manager_id == manager.id, Recommendation.progress == Progress.OPEN
    )
    recommendation = session.exec(waiting).first()
    consent = session.exec(
        select(ContactConsent).where(ContactConsent.answer == Answer.PENDING).order_by(col(ContactConsent.listing_id))
    ).first()
    case = session.exec(select(Case).where(Case.manager_id == manager.id, col(Case.closed_at).is_(None))).first()
    mail = session.exec(select(OutboxMessage.id)).first()
    pending = make_listing(
        session,
        kind=Kind.DEMAND,
        state=State.PENDING,
        owner=_account(session, "member@example.com"),
        now=datetime.now(UTC),
        title=LONG_WORD,
    )
    assert recommendation is not None
    assert consent is not None
    assert case is not None
    return {
        "supply": str(recommendation.supply_id),
        "demand": str(recommendation.demand_id),
        "recommendation": str(recommendation.id),
        "case": str(case.id),
        "introduction": str(consent.introduction_id),
        "side": consent.side.value,
        "owner": str(consent.account_id),
        "account": str(manager.id),
        "pending": str(pending.id),
        "mail": str(mail),
        "confirmation": _mailed(session, manager, TokenPurpose.CONFIRM_ADDRESS),
        "reset": _mailed(session, manager, TokenPurpose.RESET_PASSWORD),
    }


def _account(session: Session, email: str) -> Account:
    return session.exec(select(Account).where(Account.email_key == email)).one()


def _mailed(session: Session, account: Account, purpose: TokenPurpose) -> str:
    token, now = new_secret(), datetime.now(UTC)
    kept = {"account_id": account.id, "created_at": now, "expires_at": now + timedelta(hours=1)}
    session.add(MailedToken(token_hash=digest(token), purpose=purpose, **kept))
    return token


def _sessions(session: Session, words: dict[str, str]) -> dict[str, str]:
    """Sign everybody in who looks at pages; the owner of one side has no password to type."""
    names = {role: f"{ {Role.ADMINISTRATOR: 'admin'}.get(role, role.value) }@example.com" for role in Role}
    people: dict[str, Account] = {role: _account(session, email) for role, email in names.items()}
    people[OWNER] = session.get_one(Account, UUID(words["owner"]))
    for name, role in ((NEW_MEMBER, Role.MEMBER), (NEW_MANAGER, Role.MANAGER)):
        email = f"{uuid4().hex}@example.com"
        people[name] = make_account(session, role=role, email=email, display_name="新来的人")
    now = datetime.now(UTC)
    return {name: accounts.open_session(session, account, now=now, hours=1) for name, account in people.items()}


def _walk(inspector: Inspector, person: str, words: dict[str, str]) -> None:
    """Look at every page that somebody sees, and at what goes wrong for them."""
    for name, (address, people) in PAGES.items():
        if person in people:
            inspector.look(f"{name} ({person})", address.format(**words))
    for someone, address, status in FAULTS:
        if someone == person:
            inspector.look(f"fault ({address})", address, status=status)
    for someone, address, button in EMPTY_FORMS:
        if someone == person:
            inspector.submit(f"422 ({address})", address, button)


# The platform may have to be started for it first, and there are more than seventy visits.
@pytest.mark.timeout(600)
def test_every_page_can_be_read_by_everybody_who_sees_it(chromium: Browser, demonstration: Demonstration) -> None:
    names = {
        route.name
        for router in (*domains.PAGE_ROUTERS, *domains.BARE_ROUTERS)
        for route in iter_route_contexts(router.routes)
        if "GET" in route.methods
    }
    assert names == set(PAGES) | NO_PAGES

    faults = []
    titles: dict[str, str] = {}
    for person in (GUEST, *demonstration.sessions):
        context = chromium.new_context(locale="zh-CN")
        if person in demonstration.sessions:
            cookie = {"name": SESSION_COOKIE, "value": demonstration.sessions[person], "url": demonstration.url}
            context.add_cookies([cookie])
        inspector = Inspector(context, demonstration.url, titles=titles)
        _walk(inspector, person, demonstration.words)
        faults += inspector.faults
        context.close()

    assert not faults, "\n".join(f"{name}: {fault}" for name, fault in faults)
