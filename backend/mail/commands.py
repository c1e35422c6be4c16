"""`jiqiao mail …`: the outbox from the shell, and a mail to oneself to see that mail works."""

from typing import Annotated
from uuid import uuid4

import typer

from backend.cli_platform import open_platform, plain_failures
from backend.mail import delivery, outbox, repository
from backend.mail.messages import compose, sender_of
from backend.mail.tables import DeliveryState, OutboxMessage
from backend.platform import Platform
from backend.web.pages import absolute_time

app = typer.Typer(help="查看发件箱、试发邮件。", no_args_is_help=True)
FAILED = 1


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


def _open_platform(context: typer.Context) -> Platform:
    """Join a platform whose connections are closed when the command ends."""
    platform = open_platform()
    context.call_on_close(platform.database.dispose)
    return platform
