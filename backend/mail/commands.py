"""`jiqiao mail …`: the outbox from the shell, and a mail to oneself to see that mail works."""

import signal
import threading
from collections.abc import Mapping
from typing import Annotated
from uuid import uuid4

import typer

from backend.accounts import trail
from backend.cli_platform import open_platform, plain_failures
from backend.mail import delivery, outbox, receiving, repository, switch
from backend.mail.bounces import Verdict
from backend.mail.messages import compose, sender_of
from backend.mail.tables import DeliveryState, OutboxMessage
from backend.platform import Platform
from backend.web.pages import absolute_time

app = typer.Typer(help="查看发件箱、试发邮件。", no_args_is_help=True)
FAILED = 1
LAST_PORT = 65536
VERDICT_NAMES = {
    Verdict.COUNTED: "计入",
    Verdict.ALREADY_COUNTED: "已计过",
    Verdict.FORGED: "伪造或无主",
    Verdict.AUTOMATIC_REPLY: "自动回复",
    Verdict.NOT_ABOUT_THE_ADDRESS: "与地址无关",
    Verdict.NOT_FINAL: "尚未定论",
    Verdict.NO_BOUNCE: "不是退信",
}


@app.command("list")
def list_mails(
    context: typer.Context,
    state: Annotated[DeliveryState | None, typer.Option(help="只列出这个状态的邮件。")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="最多列出多少封。")] = 50,
) -> None:
    """列出发件箱里的邮件，最新的在前；最后一行是各状态的封数。"""
    platform = _open_platform(context)
    with plain_failures(), platform.reading() as session:
        for message in repository.list_messages(session, state=state, limit=limit):
            columns = absolute_time(message.posted_at), message.state.label, message.recipient, message.subject
            typer.echo("\t".join(columns))
        counts = repository.count_by_state(session)
    typer.echo("  ".join(f"{one.label} {count}" for one, count in counts.items() if count) or "发件箱是空的。")


@app.command("send-test")
def send_test(context: typer.Context, address: Annotated[str, typer.Argument(help="收件地址")]) -> None:
    """发一封试验邮件，并显示对方服务器的答复。"""
    platform = _open_platform(context)
    now = platform.clock()
    try:
        message = compose(
            "test",
            recipient=address,
            recipient_name="",
            category="test",
            sender=sender_of(platform.settings),
            sent_at=now,
            site=platform.settings.base_url,
        )
    except ValueError:
        typer.echo(f"“{address}”不是可以寄信的地址。", err=True)
        raise typer.Exit(FAILED) from None
    with plain_failures():
        with platform.transaction() as session:
            posted = outbox.post(session, message, key=f"test:{uuid4()}", now=now)
        delivery.deliver(platform, posted.id)
        with platform.reading() as session:
            sent = session.get_one(OutboxMessage, posted.id)
    typer.echo(f"{sent.state.label}\t{sent.reply}")
    if sent.state is not DeliveryState.ACCEPTED:
        raise typer.Exit(FAILED)


@app.command("receive")
def receive(
    context: typer.Context,
    listen: Annotated[str, typer.Option(help="由本机的 SMTP 端口接收，例如 0.0.0.0:2525；不写就读 IMAP 邮箱")] = "",
    every: Annotated[int, typer.Option(min=0, help="每隔多少秒再读一次 IMAP；0 表示只读一次")] = 0,
) -> None:
    """读入退信：从 IMAP 邮箱，或者由本机的 SMTP 端口接收（直到 Ctrl+C）。"""
    platform = _open_platform(context)
    stopping = threading.Event()
    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, lambda _signal, _frame: stopping.set())
    with plain_failures():
        if listen:
            host, port = _read_endpoint(listen)
            with receiving.listening(platform, host=host, port=port):
                typer.echo(f"正在 {host}:{port} 接收退信（按 Ctrl+C 停止）")
                stopping.wait()
            return
        while True:
            _tell(receiving.read_mailbox(platform))
            if not every or stopping.wait(every):
                return


def _read_endpoint(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not port.isdigit() or not 0 < int(port) < LAST_PORT:
        typer.echo(f"“{text}”不是地址和端口，请写成 0.0.0.0:2525 这样。", err=True)
        raise typer.Exit(FAILED)
    return host or "127.0.0.1", int(port)


def _tell(counts: Mapping[Verdict, int]) -> None:
    named = [f"{VERDICT_NAMES[verdict]} {count}" for verdict, count in sorted(counts.items())]
    typer.echo("  ".join(named) or "没有新的退信。")


@app.command("pause")
def pause(
    context: typer.Context, category: Annotated[str, typer.Argument(help="digest、listing 等")] = "digest"
) -> None:
    """暂停一类邮件：写好的留在发件箱里，直到恢复。"""
    _switch(context, category, is_pause=True)


@app.command("resume")
def resume(
    context: typer.Context, category: Annotated[str, typer.Argument(help="digest、listing 等")] = "digest"
) -> None:
    """恢复一类邮件。"""
    _switch(context, category, is_pause=False)


def _switch(context: typer.Context, category: str, *, is_pause: bool) -> None:
    if category not in switch.CATEGORIES:
        typer.echo(f"没有“{category}”这一类邮件，可以是：{'、'.join(switch.CATEGORIES)}。", err=True)
        raise typer.Exit(FAILED)
    platform = _open_platform(context)
    change = switch.pause if is_pause else switch.resume
    with plain_failures(), platform.transaction() as session:
        has_changed = change(session, category, by=trail.SHELL, now=platform.clock())
    state = "已暂停" if is_pause else "已恢复"
    typer.echo(
        f"{switch.CATEGORIES[category]}{state}。" if has_changed else f"{switch.CATEGORIES[category]}原来就是这样。"
    )


def _open_platform(context: typer.Context) -> Platform:
    """Join a platform whose connections are closed when the command ends."""
    platform = open_platform()
    context.call_on_close(platform.database.dispose)
    return platform
