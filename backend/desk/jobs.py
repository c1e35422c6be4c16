"""Background work of the desk."""

from backend.desk import service
from backend.jobs import network_job
from backend.platform import Platform


# It talks to no other machine, but judges for as long as the market is large: it opens short transactions of its own,
# so that on SQLite nobody waits for it, and it waits in the queue of slow work, so that nothing quick waits behind it.
@network_job("desk.recommend", max_attempts=3, cron="*/15 * * * *")
def recommend(platform: Platform) -> None:
    """Renew the recommendations of every technology manager."""
    service.recommend_everyone(platform)
