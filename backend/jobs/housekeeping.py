"""Work that keeps the queue itself small."""

import structlog

from backend.jobs import worker
from backend.jobs.registry import network_job
from backend.platform import Platform

log = structlog.get_logger()


@network_job("jobs.prune", cron="40 3 * * *")
def prune(platform: Platform) -> None:
    """Delete finished work that nobody will ask for again."""
    log.info("jobs.pruned", count=worker.prune(platform.clock()))
