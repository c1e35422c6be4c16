"""Background entry points of the mail room."""

from uuid import UUID

from backend.jobs.registry import network_job
from backend.mail import delivery, recovery
from backend.platform import Platform


@network_job("mail.deliver", max_attempts=5)
def deliver(platform: Platform, *, outbox_id: str) -> None:
    """Send one mail of the outbox, if it still waits."""
    delivery.deliver(platform, UUID(outbox_id))


@network_job("mail.resume", cron="* * * * *")
def resume(platform: Platform) -> None:
    """Set going again what is due or was left behind."""
    recovery.resume(platform)


@network_job("mail.release", max_attempts=5)
def release(platform: Platform, *, category: str) -> None:
    """Queue what waited while a category of mail was paused."""
    recovery.release(platform, category)
