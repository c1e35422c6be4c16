"""What opening the desk costs on a large market, and whether a crowd that takes the same pair leaves one winner."""

import asyncio
import random
import threading
import time
from collections import Counter
from typing import Any

import numpy as np
from fastapi import FastAPI
from sqlmodel import select

from backend.accounts import service as accounts
from backend.accounts.cookies import SESSION_COOKIE
from backend.accounts.tables import Account
from backend.bench.desk_market import Market, invent_market, recommend_pairs, temporary_platform
from backend.desk import cases, decisions
from backend.desk.cases import Deed
from backend.desk.stages import Exit
from backend.desk.tables import Case, Recommendation
from backend.errors import Conflict
from backend.main import create_app
from backend.platform import Platform

OK = 200
SESSION_HOURS = 2


def measure_queue_page(*, listings: int, recommendations: int, rounds: int, seed: int) -> dict[str, Any]:
    """Open the desk so often and return the CPU time of the whole process for one page, in milliseconds."""
    with temporary_platform() as platform:
        market = invent_market(platform, listings=listings, managers=1)
        manager = market.managers[0]
        chance = random.Random(seed)  # noqa: S311 - reproducible, nothing secret
        pairs = list(
            zip(
                _some(market.supplies, recommendations, chance),
                _some(market.demands, recommendations, chance),
                strict=True,
            )
        )
        with platform.transaction() as session:
            recommend_pairs(session, manager, pairs, platform)
            token = accounts.open_session(session, manager, now=platform.clock(), hours=SESSION_HOURS)
        app = create_app(platform=platform)
        sizes, spent, first = [], [], 0.0
        for number in range(rounds + 1):
            started = time.process_time()
            status, size = asyncio.run(_get(app, "/desk", token))
            first = first if number else (time.process_time() - started) * 1000
            if number:  # the first page compiles the templates and judges pairs that nobody looked at yet
                spent.append((time.process_time() - started) * 1000)
                sizes.append(size)
            if status != OK:
                raise RuntimeError(f"the desk answered {status}")
    return {
        "listings": listings,
        "recommendations": len(pairs),
        "rounds": rounds,
        "seed": seed,
        "cpu_ms_first": round(first, 1),
        "cpu_ms_median": round(float(np.median(spent)), 1),
        "cpu_ms_p95": round(float(np.percentile(spent, 95)), 1),
        "page_bytes": int(np.median(sizes)),
    }


def _some(ids: Any, count: int, chance: random.Random) -> list[Any]:
    return chance.sample(list(ids), min(count, len(ids)))


async def _get(app: FastAPI, path: str, token: str) -> tuple[int, int]:
    """Ask the application for a page as a server would, and return its status and size."""
    cookie = f"{SESSION_COOKIE}={token}".encode()
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
        "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "", "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80), "headers": [(b"host", b"localhost"), (b"cookie", cookie)],
    }  # fmt: skip
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent[0]["status"], sum(len(message.get("body", b"")) for message in sent[1:])


def measure_races(*, rounds: int, clients: int, database_url: str = "") -> dict[str, Any]:
    """Let so many managers take the same pair at the same moment, and count winners and what the losers were told."""
    with temporary_platform(database_url) as platform:
        market = invent_market(platform, listings=2 * rounds, managers=clients)
        winners: Counter[int] = Counter()
        told: Counter[str] = Counter()
        started = time.perf_counter()
        for number in range(rounds):
            outcomes = _race(platform, market, number)
            winners[outcomes.pop("", 0)] += 1
            told.update(outcomes)
        seconds = time.perf_counter() - started
    return {
        "rounds": rounds,
        "clients": clients,
        "database": "postgresql" if database_url else "sqlite",
        "rounds_with_one_winner": winners[1],
        "rounds_with_another_number": rounds - winners[1],
        "losers_told": dict(told),
        "seconds": round(seconds, 1),
    }


def _race(platform: Platform, market: Market, number: int) -> Counter[str]:
    """Run one round; the winner's outcome is empty, a loser's is the sentence that was shown."""
    pair = market.supplies[number], market.demands[number]
    with platform.transaction() as session:
        for manager in market.managers:
            recommend_pairs(session, manager, [pair], platform)
        rows = {
            row.manager_id: row.id
            for row in session.exec(select(Recommendation).where(Recommendation.supply_id == pair[0]))
        }
    # A list: adding to a counter from many threads loses some.
    start, outcomes = threading.Barrier(len(market.managers)), list[str]()

    def take(manager: Account) -> None:
        start.wait()
        try:
            with platform.transaction() as session:
                decisions.take(session, rows[manager.id], by=manager, now=platform.clock())
            outcomes.append("")
        except Conflict as refusal:
            outcomes.append(refusal.what)

    threads = [threading.Thread(target=take, args=(manager,)) for manager in market.managers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    _put_away(platform, pair, market)
    if len(outcomes) != len(market.managers):
        raise RuntimeError(f"of {len(market.managers)} managers only {len(outcomes)} got an answer")
    return Counter(outcomes)


def _put_away(platform: Platform, pair: tuple[Any, Any], market: Market) -> None:
    """End the case of a round, so that no desk fills up."""
    people = {manager.id: manager for manager in market.managers}
    with platform.transaction() as session:
        for case in session.exec(select(Case).where(Case.supply_id == pair[0], Case.demand_id == pair[1])).all():
            deed = Deed(people[case.manager_id], platform.clock())
            cases.end(session, case.id, reason=Exit.MISMATCH, deed=deed)
