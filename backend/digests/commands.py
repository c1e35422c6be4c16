"""`jiqiao digest …`: look at a digest before it goes, or compose a week's now."""

from datetime import datetime
from typing import Annotated

import typer
from sqlmodel import Session

from backend.accounts.addresses import address_key
from backend.accounts.repository import find_account
from backend.accounts.tables import Account
from backend.cli_platform import FAILED, open_platform, plain_failures
from backend.digests import repository, service
from backend.digests.tables import SkipReason
from backend.digests.week import Week
from backend.errors import NotFound

app = typer.Typer(help="周报：预览、立即生成。", no_args_is_help=True)
WeekOption = Annotated[str, typer.Option("--week", help="ISO 周，例如 2026-W48；不写就是本周")]


@app.command("preview")
def preview(
    account: Annotated[str, typer.Option("--account", help="收件人的邮箱")],
    week: WeekOption = "",
    html: Annotated[bool, typer.Option("--html", help="输出 HTML，不写就输出纯文本")] = False,
) -> None:
    """显示一位技术经理人现在会收到的周报，不发送，也不记录。"""
    platform = open_platform()
    chosen = _read_week(week, now=platform.clock())
    with plain_failures(), platform.reading() as session:
        written = service.preview(session, _get_account(session, account), chosen, platform=platform)
    if isinstance(written, SkipReason):
        typer.echo(f"{chosen}：不会发送，{written.label}。")
        return
    if html:
        typer.echo(written.html)
        return
    typer.echo(f"Subject: {written.subject}")
    for name, value in written.headers.items():
        typer.echo(f"{name}: {value}")
    typer.echo(f"\n{written.text}")


@app.command("run")
def run(week: WeekOption = "") -> None:
    """立即生成一周的周报并放入发件箱；重复运行不会重复发送。"""
    platform = open_platform()
    chosen = _read_week(week, now=platform.clock())
    with plain_failures():
        with platform.transaction() as session:
            managers = service.open_edition(session, chosen, now=platform.clock())
        for account_id in managers:
            with platform.transaction() as session:
                service.compose_digest(session, account_id, chosen, platform=platform)
        with platform.reading() as session:
            outcomes = repository.count_by_outcome(session, chosen.key)
    posted = outcomes.get("", 0)
    total = sum(outcomes.values())
    typer.echo(f"{chosen}：应处理 {total} 人，已放入发件箱 {posted} 封，未发 {total - posted} 人。")
    for reason in SkipReason:
        if outcomes.get(reason.value):
            typer.echo(f"  {reason.label}：{outcomes[reason.value]}")


def _read_week(text: str, *, now: datetime) -> Week:
    try:
        return Week.parse(text) if text else Week.of(now)
    except ValueError:
        typer.echo(f"没有“{text}”这一周。请写成 2026-W48 这样。", err=True)
        raise typer.Exit(FAILED) from None


def _get_account(session: Session, email: str) -> Account:
    account = find_account(session, address_key(email))
    if account is None:
        raise NotFound(f"没有 {email} 这个账号。")
    return account
