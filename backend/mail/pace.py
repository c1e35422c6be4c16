"""How fast mails may follow each other: through our relay, and to a provider that said we are too fast.

A relay has a quota for a day; while it is new the quota grows from day to day. What nobody asked for at this moment
(digests) leaves a fifth of it to letters that somebody waits for.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session

from backend.mail import repository
from backend.mail.tables import MailRoute
from backend.settings import Settings

RELAY = "relay"
ZONE = ZoneInfo("Asia/Shanghai")
# A shorter wait is waited out by the worker; for a longer one the mail goes back into the outbox.
LONGEST_WAIT = timedelta(seconds=30)
BULK = frozenset({"digest"})
BULK_SHARE = 0.8
LONGEST_WARM_UP = 20


@dataclass(frozen=True)
class Pace:
    """What our relay bears: the pause between two mails, the mails of a day and of a new relay's first day."""

    spacing_seconds: float = 0.0
    daily_quota: int = 0
    first_day_quota: int = 0

    def quota_on(self, day: int) -> int | None:
        """Return how many mails a relay bears on its day `day`, 0 being the first; None: as many as there are.

        A new relay's quota doubles every day until it reaches the usual one.
        """
        usual = self.daily_quota or None
        if not self.first_day_quota:
            return usual
        grown = self.first_day_quota << max(0, min(day, LONGEST_WARM_UP))
        return min(grown, usual) if usual else grown


def pace_of(settings: Settings) -> Pace:
    """Return the pace that the settings ask for."""
    return Pace(settings.mail_spacing_seconds, settings.mail_daily_quota, settings.mail_first_day_quota)


def reserve(session: Session, recipient: str, *, pace: Pace, category: str = "", now: datetime) -> datetime:
    """Return when a mail to this address may leave, and keep the others behind it if that is soon."""
    routes = repository.lock_routes(session, [RELAY, domain_of(recipient)])
    slot = max([now, *(route.free_at for route in routes)])
    if slot - now > LONGEST_WAIT:
        return slot
    if not _count(session, pace, category=category, now=now):
        return _next_morning(now)
    if pace.spacing_seconds > 0:
        hold(session, RELAY, until=slot + timedelta(seconds=pace.spacing_seconds))
    return slot


def _count(session: Session, pace: Pace, *, category: str, now: datetime) -> bool:
    """Count one mail against the relay's quota of today, unless it is used up."""
    if pace.quota_on(0) is None:
        return True
    today = now.astimezone(ZONE).date()
    route = _relay(session, now)
    if route.opened_on is None:
        route.opened_on = today
    if route.counted_on != today:
        route.counted_on, route.sent_count = today, 0
    if route.sent_count >= _quota(pace, route.opened_on, today, category):
        return False
    route.sent_count += 1
    session.add(route)
    session.flush()
    return True


def _quota(pace: Pace, opened_on: date, today: date, category: str) -> int:
    quota = pace.quota_on((today - opened_on).days) or 0
    return max(1, int(quota * BULK_SHARE)) if category in BULK else quota


def _relay(session: Session, now: datetime) -> MailRoute:
    found = repository.lock_routes(session, [RELAY])
    return found[0] if found else repository.add_route(session, RELAY, free_at=now)


def _next_morning(now: datetime) -> datetime:
    return datetime.combine(now.astimezone(ZONE).date() + timedelta(days=1), time(0, 5), ZONE)


def hold(session: Session, name: str, *, until: datetime) -> None:
    """Let no mail take this route before a time; a later time that is already set stays."""
    route = next(iter(repository.lock_routes(session, [name])), None)
    if route is None:
        repository.add_route(session, name, free_at=until)
    elif route.free_at < until:
        route.free_at = until
        session.add(route)
    session.flush()


def domain_of(recipient: str) -> str:
    """Return the route of an address: its mail domain."""
    return "@" + recipient.rpartition("@")[2].lower()
