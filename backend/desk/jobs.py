"""Background work of the desk."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import Session

from backend.desk import clock, files, mails, repository_cases, runs
from backend.desk.tables import Case
from backend.desk.tables_pipeline import Introduction
from backend.jobs import enqueue, job, long_job, network_job
from backend.listings.tables import Kind
from backend.platform import Platform


# It judges for as long as the market is large: it opens short transactions of its own, so that on SQLite nobody waits
# for it, and it waits in the queue of long work, so that nothing quick waits behind it.
@long_job("desk.recommend", cron="*/15 * * * *")
def recommend(platform: Platform) -> None:
    """Judge the market and divide the technology managers into parts, whose recommendations are renewed."""
    runs.start_run(platform)


@long_job("desk.recommend_part")
def recommend_part(platform: Platform, *, at: str, first: str, last: str) -> None:
    """Renew the recommendations of one part of the technology managers."""
    runs.recommend_part(platform, runs.Part(datetime.fromisoformat(at), UUID(first), UUID(last)))


@job("desk.watch", cron="0 8 * * *")
def watch(session: Session, platform: Platform) -> None:
    """Look every morning at what has been quiet for long, one job for each case, and at demands nobody took up."""
    now = platform.clock()
    day = f"{now:%Y-%m-%d}"
    for case_id in repository_cases.find_quiet_ids(session, before=now - timedelta(days=clock.FIRST_NUDGE_DAYS - 1)):
        enqueue(session, "desk.watch_case", key=f"desk.watch_case:{case_id}:{day}", case_id=case_id)
    clock.record_unanswered(session, now=now)


@job("desk.watch_case")
def watch_case(session: Session, platform: Platform, *, case_id: str) -> None:
    """Remind the manager of one quiet case, or give the case up."""
    case = repository_cases.lock_case(session, UUID(case_id))
    if case is not None:
        absences = repository_cases.find_absences(session, case.manager_id)
        clock.watch(session, case, absences, now=platform.clock())


@job("desk.tell_side")
def tell_side(session: Session, platform: Platform, *, introduction_id: str, side: str, what: str) -> None:
    """Write to one side of an introduction."""
    introduction = session.get(Introduction, UUID(introduction_id))
    if introduction is not None:
        consent = repository_cases.find_consents(session, introduction.id)[Kind(side)]
        mails.tell_side(session, platform, introduction, consent, what=what)


@job("desk.tell_given_up")
def tell_given_up(session: Session, platform: Platform, *, case_id: str, side: str) -> None:
    """Tell one side that nothing came of a case."""
    case = session.get(Case, UUID(case_id))
    if case is not None:
        mails.tell_given_up(session, platform, case, Kind(side))


@job("desk.tell_manager")
def tell_manager(session: Session, platform: Platform, *, case_id: str, nudge: str) -> None:
    """Remind the manager of a quiet case by mail."""
    case = session.get(Case, UUID(case_id))
    if case is not None:
        mails.tell_manager(session, platform, case, nudge=int(nudge), give_up_days=clock.GIVE_UP_DAYS)


@network_job("desk.sweep_files", cron="20 3 * * *")
def sweep_files(platform: Platform) -> None:
    """Delete the bytes of files that were removed or never kept."""
    with platform.reading() as session:
        kept = repository_cases.find_kept_file_names(session)
    files.sweep(platform.settings, kept)
