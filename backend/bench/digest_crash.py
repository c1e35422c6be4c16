"""Kill the digest's workers at random moments and at every point of the SMTP dialogue; then count what arrived.

Nobody may be skipped, nobody may get more than one duplicate, duplicates carry one Message-ID, and nobody gets a mail
after having said stop. The negative control writes the state after the send: the same count must then fail.
"""

import random
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, func, select

from backend.accounts.tables import Account
from backend.bench.market import MONDAY, addresses_of, fill, make_platform, make_settings
from backend.bench.smtp_stage import Point, Stage, running_stage
from backend.bench.victims import Brief, FastClock, Nursery
from backend.digests import operations, service, subscriptions
from backend.digests.tables import Digest, Frequency
from backend.digests.week import Week
from backend.mail.tables import DeliveryState, OutboxMessage
from backend.platform import Platform

WEEK = Week.of(MONDAY)
LONGEST_LIFE_SECONDS = 2.2
PATIENCE_SECONDS = 900.0
STRIKE_SECONDS = 12.0
INELIGIBLE_SHARE = 0.05
COPIES_ALLOWED = 2
MOVING = (DeliveryState.PENDING, DeliveryState.CLAIMED, DeliveryState.HANDED, DeliveryState.DEFERRED)


@dataclass(frozen=True)
class Plan:
    """How hard to try."""

    recipients: int
    kills: int
    kills_at_each_point: int
    flips: int
    speed: float
    seed: int
    writes_late: bool = False
    points: tuple[Point, ...] = tuple(Point)


@dataclass(frozen=True)
class Flip:
    """Somebody who said stop: when that was acknowledged, and whether the mail was past the dot by then."""

    acknowledged: float
    was_past: bool


@dataclass(frozen=True)
class Result:
    """What arrived."""

    recipients: int
    kills: int
    named_kills: int
    skipped: int
    more_than_one_duplicate: int
    duplicates: int
    message_ids_differ: int
    ineligible: int
    adds_up: bool
    unsettled: int
    seed: int
    seconds: float

    @property
    def is_clean(self) -> bool:
        """Tell whether every promise was kept."""
        wrong = self.skipped, self.more_than_one_duplicate, self.message_ids_differ, self.ineligible, self.unsettled
        return not any(wrong) and self.adds_up

    def as_data(self) -> dict[str, Any]:
        """Return the figures by name."""
        return asdict(self)


class Run:
    """One run over a database of its own."""

    def __init__(self, plan: Plan, nursery: Nursery, folder: Path, database_url: str) -> None:
        self._plan, self._nursery, self._folder, self._url = plan, nursery, folder, database_url
        self._chance = random.Random(plan.seed)  # noqa: S311 - reproducible chance
        self._stage = Stage(strike=nursery.strike)
        self._flips: dict[UUID, Flip] = {}
        self._kills = self._named_kills = 0

    def run(self) -> Result:
        """Fill, open, kill, settle, count."""
        started = time.monotonic()
        with running_stage(self._stage) as port:
            settings = make_settings(self._folder, database_url=self._url, smtp_port=port)
            platform = make_platform(settings, clock=lambda: MONDAY)
            readers = fill(platform, readers=self._plan.recipients, topics=3)
            with platform.transaction() as session:
                service.open_edition(session, WEEK, now=MONDAY)
            stopped = self._make_ineligible(platform, readers)
            brief = Brief(settings, FastClock(time.monotonic(), self._plan.speed), self._plan.writes_late)
            self._kill_on(platform, brief, [one for one in readers if one not in stopped])
            unsettled = self._settle(platform, brief)
            self._nursery.kill()
            result = self._count(platform, readers, stopped, unsettled, time.monotonic() - started)
            platform.database.dispose()
        return result

    def _make_ineligible(self, platform: Platform, readers: list[UUID]) -> set[UUID]:
        """Suspend some and let others unsubscribe after the edition was opened for them."""
        chosen = self._chance.sample(readers, int(len(readers) * INELIGIBLE_SHARE))
        with platform.transaction() as session:
            for number, account_id in enumerate(chosen):
                account = session.get_one(Account, account_id)
                if number % 2:
                    account.suspended_at = MONDAY
                    session.add(account)
                else:
                    subscriptions.set_frequency(session, account, Frequency.OFF, now=MONDAY)
        return set(chosen)

    def _kill_on(self, platform: Platform, brief: Brief, eligible: list[UUID]) -> None:
        """Kill by the clock and at the points in turn, spread over the whole run; some say stop meanwhile."""
        points = [point for point in self._plan.points for _ in range(self._plan.kills_at_each_point)]
        blows: list[Point | None] = [None] * self._plan.kills + list(points)
        self._chance.shuffle(blows)
        flips = self._chance.sample(range(len(blows)), min(self._plan.flips, len(blows)))
        for number, point in enumerate(blows):
            self._stage.armed = point
            self._nursery.start(brief)
            if number in flips:
                self._flip(platform, brief.clock, self._chance.choice(eligible))
            self._wait_for_blow(point)
            self._nursery.kill()
            self._stage.armed = None

    def _wait_for_blow(self, point: Point | None) -> None:
        if point is None:
            time.sleep(self._chance.uniform(0.0, LONGEST_LIFE_SECONDS))
            self._kills += 1
            return
        deadline, before = time.monotonic() + STRIKE_SECONDS, self._stage.strikes
        while self._stage.armed is point and self._stage.strikes == before and time.monotonic() < deadline:
            time.sleep(0.005)
        self._named_kills += self._stage.armed is not point

    def _flip(self, platform: Platform, clock: FastClock, account_id: UUID) -> None:
        """Let somebody say stop, and note in the same transaction whether the mail was already past the dot."""
        if account_id in self._flips:
            return
        with platform.transaction() as session:
            account = session.get_one(Account, account_id)
            subscriptions.set_frequency(session, account, Frequency.OFF, now=clock())
            key = service.digest_key(WEEK, account_id)
            state = session.exec(select(OutboxMessage.state).where(OutboxMessage.key == key)).first()
        self._flips[account_id] = Flip(time.monotonic(), state is DeliveryState.HANDED)

    def _settle(self, platform: Platform, brief: Brief) -> int:
        """Let one worker finish, and return how many mails it could not."""
        self._stage.armed = None
        self._nursery.start(brief)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (left := self._moving(platform)) and time.monotonic() < deadline:
            time.sleep(0.2)
            if not self._nursery.is_alive():
                self._nursery.start(brief)
        return left

    def _moving(self, platform: Platform) -> int:
        """Return how many digests are not yet where they will stay."""
        with platform.reading() as session:
            due = session.exec(select(func.count()).select_from(Digest).where(col(Digest.is_due))).one()
            waits = col(OutboxMessage.state).in_(MOVING)
            repeats = (col(OutboxMessage.state) == DeliveryState.UNKNOWN) & col(OutboxMessage.next_try_at).is_not(None)
            mails = select(func.count()).where(col(OutboxMessage.category) == "digest", waits | repeats)
            return int(due + session.exec(mails).one())

    def _count(
        self, platform: Platform, readers: list[UUID], stopped: set[UUID], unsettled: int, seconds: float
    ) -> Result:
        by_address = addresses_of(platform, readers)
        copies: Counter[UUID] = Counter()
        names: dict[UUID, set[str]] = {}
        for arrival in self._stage.arrivals:
            account_id = by_address.get(arrival.recipient)
            if account_id is not None:
                copies[account_id] += 1
                names.setdefault(account_id, set()).add(arrival.message_id)
        eligible = [one for one in readers if one not in stopped and one not in self._flips]
        with platform.reading() as session:
            tally = operations.tally_edition(session, WEEK.key)
            adds_up = tally.adds_up and _one_row_each(session, readers)
        return Result(
            recipients=len(readers),
            kills=self._kills,
            named_kills=self._named_kills,
            skipped=sum(copies[one] == 0 for one in eligible),
            more_than_one_duplicate=sum(count > COPIES_ALLOWED for count in copies.values()),
            duplicates=sum(count - 1 for count in copies.values()),
            message_ids_differ=sum(len(known) > 1 for known in names.values()),
            ineligible=sum(copies[one] for one in stopped) + self._after_stop(by_address),
            adds_up=adds_up,
            unsettled=unsettled,
            seed=self._plan.seed,
            seconds=round(seconds, 1),
        )

    def _after_stop(self, by_address: dict[str, UUID]) -> int:
        """Count mails to somebody who had said stop, but for the one that was past the dot when it was heard."""
        late: Counter[UUID] = Counter()
        for arrival in self._stage.arrivals:
            account_id = by_address.get(arrival.recipient)
            flip = self._flips.get(account_id) if account_id else None
            if account_id and flip and arrival.at > flip.acknowledged:
                late[account_id] += 1
        return sum(
            count - self._flips[one].was_past for one, count in late.items() if count > self._flips[one].was_past
        )


def _one_row_each(session: Session, readers: list[UUID]) -> bool:
    """Tell whether each reader has one digest of the week, and each key one mail."""
    digests = session.exec(select(func.count()).select_from(Digest).where(Digest.week == WEEK.key)).one()
    mails = select(func.count()).where(col(OutboxMessage.category) == "digest").group_by(col(OutboxMessage.key))
    return int(digests) == len(readers) and all(count == 1 for count in session.exec(mails))


def run_plan(plan: Plan, nursery: Nursery, *, database_url: str = "") -> Result:
    """Run one plan in a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="jiqiao-bench-") as folder:
        return Run(plan, nursery, Path(folder), database_url).run()
