"""A past for the demonstration: three managers who took pairs up over eighty days, through the services.

Each round sees only what was published by its day. Nothing is mailed: all of it has long been read.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import cycle

from sqlmodel import Session, select

from backend.accounts import administration, trail
from backend.accounts.administration import NewAccount
from backend.accounts.organisations import NewOrganisation, find_or_create_organisation
from backend.accounts.tables import Account, OrganisationKind, Role
from backend.database import transaction
from backend.desk import cases, clock, decisions, introductions, pairs, repository_cases
from backend.desk import service as desk
from backend.desk.cases import Deed
from backend.desk.columns import PairColumns
from backend.desk.service import Pool
from backend.desk.stages import Exit, Stage
from backend.desk.tables import Case, DismissalReason
from backend.desk.tables_pipeline import Contract, ContractKind
from backend.jobs.registry import Job, JobQueue
from backend.listings.tables import Kind, Listing
from backend.platform import Platform
from backend.web.pages import LOCAL_ZONE
from seeds.demonstration import MANAGER_SINCE_DAYS, NO_PASSWORD

COLLEAGUES = (("colleague-1@example.com", "示范同事甲"), ("colleague-2@example.com", "示范同事乙"))
SERVICE = NewOrganisation("津沽示范技术转移服务中心", OrganisationKind.SERVICE, "120104")
# When managers sat down, in days before today, and how many pairs each of them took up.
ROUNDS: Mapping[int, int] = {80: 3, 55: 4, 30: 5, 12: 4}

USUAL_YUAN = 600_000
KINDS = cycle(ContractKind)


@dataclass(frozen=True)
class Scene:
    """One case as it begins: who works on it, and when it is which day of its life."""

    session: Session
    manager: Account
    case: Case
    now: datetime

    def after(self, days: int) -> Deed | None:
        """Return the manager's deed so many days after taking, or nothing when that is yet to come."""
        at = self.case.taken_at + timedelta(days=days)
        return Deed(self.manager, at) if at <= self.now else None

    def move(self, stage: Stage, days: int, note: str = "") -> bool:
        """Bring the case to a stage on a day; tell whether that day has come."""
        deed = self.after(days)
        if deed is not None:
            cases.move(self.session, self.case.id, to=stage, deed=deed, note=note)
        return deed is not None

    def listing(self, kind: Kind) -> Listing:
        """Return one side."""
        listing_id = self.case.demand_id if kind is Kind.DEMAND else self.case.supply_id
        return self.session.exec(select(Listing).where(Listing.id == listing_id)).one()


class SilentQueue:
    """A queue that leaves out mails about the past and hands everything else on."""

    def __init__(self, queue: JobQueue) -> None:
        self._queue = queue

    def put(
        self, session: Session, job: Job, payload: Mapping[str, str], *, key: str | None, delay_seconds: float
    ) -> None:
        """Hand a job on unless it would only tell somebody."""
        if not job.name.startswith("desk.tell"):
            self._queue.put(session, job, payload, key=key, delay_seconds=delay_seconds)


def load_pipeline(platform: Platform) -> int:
    """Let the managers of the demonstration have worked and return the number of cases; twice is once."""
    now = platform.clock()
    with transaction(platform.database, queue=SilentQueue(platform.queue)) as session:
        managers = _managers(session, now=now)
        if managers is None:
            return 0
        pairs.keep(session, pairs.judge(session, platform), now=now)
        pool, outcomes = desk.load_pool(session, platform), cycle(OUTCOMES)
        published = {row.id: row.published_at or now for row in session.exec(select(Listing))}
        taken = 0
        for days, count in ROUNDS.items():
            then = now - timedelta(days=days)
            known = [
                one for one in pool.columns.pairs if max(published[one.supply_id], published[one.demand_id]) <= then
            ]
            known_pool = replace(pool, columns=PairColumns(known, pool.vectors, platform.catalogue))
            for manager in managers:
                for case in _sit_down(session, manager, platform, known_pool, count=count, then=then):
                    next(outcomes)(Scene(session, manager, case, now))
                    taken += 1
        clock.record_unanswered(session, now=now)
        return taken


def _managers(session: Session, *, now: datetime) -> Sequence[Account] | None:
    """Return the demonstration manager and two new colleagues of one organisation, or None the second time."""
    email, _ = COLLEAGUES[0]
    manager = session.exec(select(Account).where(Account.email_key == "manager@example.com")).one()
    if session.exec(select(Account.id).where(Account.email_key == email)).first() is not None:
        return None
    since = now - timedelta(days=MANAGER_SINCE_DAYS)
    centre = find_or_create_organisation(session, SERVICE, by=trail.SHELL, now=since)
    manager.organisation_id = centre.id
    session.add(manager)
    made = [
        administration.create_account(
            session, NewAccount(email, NO_PASSWORD, name, Role.MANAGER, centre.id), by=trail.SHELL, now=since
        )
        for email, name in COLLEAGUES
    ]
    return [manager, *made]


def _sit_down(
    session: Session, manager: Account, platform: Platform, pool: Pool, *, count: int, then: datetime
) -> list[Case]:
    """Let a manager deal with the queue of one day: take the best pairs up, put one off, refuse the last."""
    desk.recommend(session, manager.id, replace(platform, clock=lambda: then), pool=pool)
    waiting = desk.find_waiting(session, manager.id, now=then, limit=count + 2)
    taken = [decisions.take(session, row.id, by=manager, now=then) for row in waiting[:count]]
    for row in waiting[count : count + 1]:
        decisions.snooze(session, row.id, by=manager, days=14, now=then)
    for row in waiting[count + 1 :]:
        decisions.dismiss(session, row.id, by=manager, reason=DismissalReason.WRONG_TOPIC, now=then)
    return taken


def _introduce(scene: Scene, *, agree: Sequence[Kind] = tuple(Kind), refuse: Kind | None = None) -> None:
    """Introduce both sides two days after taking; they answer the next day."""
    deed, answer = scene.after(2), scene.after(3)
    if deed is None or answer is None:
        return
    introduction = introductions.introduce(
        scene.session, scene.case.id, message="双方指标接近，建议先通一次电话。", deed=deed
    )
    for side in [*agree, *([refuse] if refuse else [])]:
        owner = scene.session.get_one(Account, scene.listing(side).owner_id)
        introductions.answer(
            scene.session, introduction.id, side=side, agrees=side is not refuse, deed=Deed(owner, answer.now)
        )


def _sign(scene: Scene, *, registers: bool) -> None:
    """Go all the way to a contract in twenty days, and to its registration a week later."""
    _introduce(scene)
    walked = scene.move(Stage.CONFIRMED, 5) and scene.move(Stage.TALKS, 9) and scene.move(Stage.PROPOSAL, 14)
    deed = scene.after(20)
    if not walked or deed is None:
        return
    demand, supply = scene.listing(Kind.DEMAND), scene.listing(Kind.SUPPLY)
    total = demand.price_high or supply.price_high or USUAL_YUAN
    contract = Contract(
        case_id=scene.case.id,
        kind=next(KINDS),
        total_yuan=total,
        technology_yuan=total * 4 // 5,
        buyer_region=demand.region_code,
        seller_region=supply.region_code,
        signed_on=deed.now.astimezone(LOCAL_ZONE).date(),
        by_id=scene.manager.id,
        at=deed.now,
    )
    cases.sign(scene.session, scene.case.id, contract=contract, deed=deed)
    registered = scene.after(27) if registers else None
    if registered is not None:
        number = f"示范{scene.case.id.hex[:8].upper()}"
        day = registered.now.astimezone(LOCAL_ZONE).date()
        cases.register(scene.session, scene.case.id, number=number, on=day, deed=registered)


def _register(scene: Scene) -> None:
    _sign(scene, registers=True)


def _only_sign(scene: Scene) -> None:
    _sign(scene, registers=False)


def _talk(scene: Scene) -> None:
    _introduce(scene)
    if scene.move(Stage.CONFIRMED, 6, "需求方确认了指标和工况。"):
        scene.move(Stage.TALKS, 10, "三方线上会议，约定下周看现场。")


def _ask_one_side(scene: Scene) -> None:
    _introduce(scene, agree=(Kind.DEMAND,))


def _be_refused(scene: Scene) -> None:
    _introduce(scene, agree=(), refuse=Kind.SUPPLY)


def _end(scene: Scene) -> None:
    deed = scene.after(7)
    if scene.move(Stage.CONTACTED, 3) and deed is not None:
        cases.end(scene.session, scene.case.id, reason=Exit.PRICE, deed=deed, note="预算与报价相差较大。")


def _fall_silent(scene: Scene) -> None:
    """Let the clock look at the case on the days on which it reminds and gives up."""
    scene.move(Stage.CONTACTED, 1)
    for days in (clock.FIRST_NUDGE_DAYS, clock.SECOND_NUDGE_DAYS, clock.GIVE_UP_DAYS):
        at = scene.case.taken_at + timedelta(days=1 + days)
        case = repository_cases.lock_case(scene.session, scene.case.id)
        if case is not None and at <= scene.now:
            clock.watch(scene.session, case, [], now=at)


OUTCOMES: Sequence[Callable[[Scene], None]] = (
    _register,
    _fall_silent,
    _only_sign,
    _talk,
    _be_refused,
    _register,
    _end,
    _ask_one_side,
)
