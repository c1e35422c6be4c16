"""`jiqiao account …`: accounts from the shell, under the same rules as on the pages."""

from typing import Annotated
from uuid import UUID

import typer
from sqlmodel import Session

from backend.accounts import administration, organisations, repository, trail
from backend.accounts.addresses import address_key
from backend.accounts.administration import NewAccount
from backend.accounts.passwords import find_weakness, random_password, shared_passwords
from backend.accounts.tables import Account, Role
from backend.cli_platform import open_platform, plain_failures
from backend.errors import NotFound
from backend.mail.messages import sender_of

app = typer.Typer(help="Make and manage accounts.", no_args_is_help=True)
SOURCE = "cli"
MOST_LISTED = 200


@app.command("create")
def create(
    email: Annotated[str, typer.Option(help="The address to sign in with.")],
    name: Annotated[str, typer.Option(help="The name that others see.")],
    role: Annotated[Role, typer.Option(help="What the account may do.")] = Role.MEMBER,
    organisation: Annotated[str, typer.Option(help="The organisation, as it is on the list.")] = "",
    password: Annotated[str, typer.Option(help="Left out, one is made at random and printed once.")] = "",
) -> None:
    """Make a confirmed account."""
    chosen = password or random_password()
    weakness = find_weakness(chosen, address=email)
    if weakness:
        typer.echo(weakness, err=True)
        raise typer.Exit(1)
    password_hash = shared_passwords().hash(chosen)
    platform = open_platform()
    with plain_failures(), platform.transaction() as session:
        new = NewAccount(email, password_hash, name, role, _organisation_id(session, organisation))
        account = administration.create_account(session, new, by=trail.SHELL, now=platform.clock(), source=SOURCE)
    typer.echo(f"{account.email}\t{role.value}\t{account.id}")
    if not password:
        typer.echo(f"password\t{chosen}")


def _organisation_id(session: Session, name: str) -> UUID | None:
    if not name:
        return None
    found = organisations.find_organisation(session, name)
    if found is None:
        raise NotFound(f"名单里没有“{name}”这个机构。")
    return found.id


@app.command("list")
def list_accounts(
    text: Annotated[str, typer.Argument(help="Part of a name, an address or an organisation.")] = "",
    role: Annotated[Role | None, typer.Option(help="Only accounts of this role.")] = None,
) -> None:
    """List accounts, newest first."""
    platform = open_platform()
    with platform.reading() as session:
        rows, total = repository.find_accounts(session, text=text, role=role, state=None, limit=MOST_LISTED, offset=0)
    for row in rows:
        organisation = row.organisation.name if row.organisation else "-"
        typer.echo(
            "\t".join(
                [row.account.email, row.account.role, _state(row.account), organisation, row.account.display_name]
            )
        )
    typer.echo(f"{len(rows)} / {total}", err=True)


def _state(account: Account) -> str:
    if account.suspended_at is not None:
        return "suspended"
    return "active" if account.confirmed_at is not None else "unconfirmed"


@app.command("role")
def change_role(
    email: Annotated[str, typer.Argument(help="The account's address.")],
    role: Annotated[Role, typer.Argument(help="What it may do from now on.")],
) -> None:
    """Give an account another role."""
    platform = open_platform()
    with plain_failures(), platform.transaction() as session:
        account = _get_account(session, email)
        administration.change_role(session, account.id, role, by=trail.SHELL, now=platform.clock(), source=SOURCE)
    typer.echo(f"{account.email}\t{role.value}")


@app.command("suspend")
def suspend(
    email: Annotated[str, typer.Argument(help="The account's address.")],
    reason: Annotated[str, typer.Option(help="The reason, as the account's owner is told it.")],
) -> None:
    """Keep an account from acting and end its sessions."""
    platform = open_platform()
    with plain_failures(), platform.transaction() as session:
        account = _get_account(session, email)
        administration.suspend(
            session,
            account.id,
            reason=reason,
            sender=sender_of(platform.settings),
            by=trail.SHELL,
            now=platform.clock(),
            source=SOURCE,
        )
    typer.echo(f"{account.email}\tsuspended")


def _get_account(session: Session, email: str) -> Account:
    account = repository.find_account(session, address_key(email))
    if account is None:
        raise NotFound(f"没有 {email} 这个账号。")
    return account
