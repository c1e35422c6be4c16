"""`jiqiao import`: bring files of listings in, embedded and indexed at once."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from sqlmodel import Session, select

from backend.accounts.tables import Account, Organisation, OrganisationKind, Role
from backend.cli_platform import FAILED, open_platform, plain_failures
from backend.database import transaction
from backend.errors import AppError
from backend.listings.importing.columns import Problem
from backend.listings.importing.service import Report, Target, import_rows
from backend.listings.importing.sources import Row, read_rows
from backend.listings.tables import Kind
from backend.matching.bulk import BulkQueue
from backend.platform import Platform

IMPORTED = "批量导入"
SHOWN_PROBLEMS = 40
SHOWN_ROWS = 5
NO_PASSWORD = "!"  # noqa: S105 - no hash equals it, so nobody signs in with it


def register(app: typer.Typer) -> None:
    """Add the command of this part."""
    app.command(name="import")(import_file)


def import_file(
    file: Annotated[Path, typer.Argument(help="JSONL、CSV 或 XLSX 文件")],
    kind: Annotated[Kind, typer.Option(help="文件里是成果 supply 还是需求 demand")],
    region: Annotated[str, typer.Option(help="没有地区一栏时用的地区代码")] = "110000",
    organisation: Annotated[str, typer.Option(help="没有单位一栏时用的单位名称")] = IMPORTED,
    column: Annotated[list[str] | None, typer.Option(help="指定对应关系，如 title=项目名称，可重复")] = None,
    hold: Annotated[bool, typer.Option("--hold", help="导入后等待审核，而不是直接发布")] = False,
    check: Annotated[bool, typer.Option("--check", help="只检查，不写入")] = False,
) -> None:
    """导入一批成果或需求。重复导入同一文件不会产生重复；每个问题都会指出行、列、内容和原因。"""
    with plain_failures():
        platform = open_platform()
        if platform.catalogue.find_region(region) is None:
            raise AppError(f"没有地区代码“{region}”。", remedy="请用国家标准的六位代码，如 130200。")
        rows = read_rows(file)
        columns = dict(entry.split("=", 1) for entry in column or [] if "=" in entry)
        report = _run(platform, rows, kind, region, organisation, columns, is_published=not hold, keep=not check)
    _print_report(report, only_checked=check)
    if report.refused:
        raise typer.Exit(FAILED)


def _run(
    platform: Platform,
    rows: list[Row],
    kind: Kind,
    region: str,
    organisation: str,
    columns: dict[str, str],
    *,
    is_published: bool,
    keep: bool,
) -> Report:
    """Bring all rows in within one transaction, so that an import is there whole or not at all."""
    now = platform.clock()
    queue = BulkQueue(platform.queue)
    with transaction(platform.database, queue=queue) as session:
        publisher = _account(session, platform, "importing-moderator", Role.MODERATOR, None)
        target = Target(
            kind=kind,
            region=region,
            owner_of=_owners(session, platform, fallback=organisation, region=region),
            publisher=publisher if is_published else None,
            days=platform.settings.listing_days,
        )
        report = import_rows(session, rows, target=target, catalogue=platform.catalogue, now=now, columns=columns)
        queue.follow_noted(session, encoder=platform.encoder, now=now)
        if not keep:
            session.rollback()
    return report


def _owners(session: Session, platform: Platform, *, fallback: str, region: str) -> Callable[[str], Account]:
    """Return a function that gives the account an organisation's rows belong to, making both at need."""

    def owner(name: str) -> Account:
        called = (name or fallback).strip()[:120]
        known = session.exec(select(Organisation).where(Organisation.name == called)).first()
        if known is None:
            known = Organisation(
                name=called, kind=OrganisationKind.COMPANY, region_code=region, created_at=platform.clock()
            )
            session.add(known)
            session.flush()
        return _account(session, platform, f"importing-{known.id.hex}", Role.MEMBER, known)

    return owner


def _account(session: Session, platform: Platform, name: str, role: Role, organisation: Organisation | None) -> Account:
    """Return the account that stands for an import; it has no password, so nobody can sign in with it."""
    email = f"{name}@jiqiao.invalid"
    known = session.exec(select(Account).where(Account.email_key == email)).first()
    if known is not None:
        return known
    now = platform.clock()
    account = Account(
        email=email,
        email_key=email,
        password_hash=NO_PASSWORD,
        display_name=IMPORTED,
        role=role,
        organisation_id=organisation.id if organisation else None,
        created_at=now,
        confirmed_at=now,
    )
    session.add(account)
    session.flush()
    return account


def _print_report(report: Report, *, only_checked: bool) -> None:
    verb = "检查" if only_checked else "导入"
    typer.echo(
        f"{verb}完成：新增 {report.created}，更新 {report.updated}，未变 {report.unchanged}，拒绝 {report.refused}。"
    )
    if report.unused:
        typer.echo(f"没有采用的列：{'、'.join(report.unused)}")
    alike: dict[tuple[bool, str, str], list[Problem]] = {}
    for problem in report.problems:
        alike.setdefault((problem.refused, problem.column, problem.reason), []).append(problem)
    for (refused, column, reason), group in list(alike.items())[:SHOWN_PROBLEMS]:
        verdict = "拒绝" if refused else "提示"
        if len(group) > 1:
            rows = "、".join(str(problem.row) for problem in group[:SHOWN_ROWS])
            more = "……" if len(group) > SHOWN_ROWS else ""
            typer.echo(f"{verdict} {len(group)} 行同样的问题·{column}·{reason}（第 {rows}{more} 行）")
        else:
            typer.echo(f"{verdict} 第 {group[0].row} 行·{column}·“{group[0].value}”·{reason}")
    if len(alike) > SHOWN_PROBLEMS:
        typer.echo(f"另有 {len(alike) - SHOWN_PROBLEMS} 种问题。")
