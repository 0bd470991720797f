"""`flask clock`: an account's test clock."""

from __future__ import annotations

from datetime import UTC, datetime

import click
from flask.cli import with_appcontext

from portal.cli.opening import gateway, now, opened, settings_of_app
from portal.domain.errors import PortalError
from portal.services import accounts, clock
from portal.services.recording import Doer
from portal.services.till import Till


@click.group("clock", help="An account's test clock, in a development environment.")
def group() -> None:
    pass


@group.command("advance")
@click.argument("account")
@click.option("--to", required=True, type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]))
@with_appcontext
def advance(account: str, to: datetime) -> None:
    """Move the clock of ACCOUNT (its key) to an instant in UTC; all that is due happens."""
    if settings_of_app().portal_environment != "development":
        raise click.ClickException("Test clocks exist in development environments only.")
    with opened() as (session, scope):
        account_id = accounts.find_account_id(session, scope, account)
        if account_id is None:
            raise click.ClickException(f"There is no account with the key {account!r}.")
        till = Till(session, gateway(), scope, now(), Doer("cli", account_id))
        try:
            steps = clock.advance(till, account_id, to.replace(tzinfo=UTC), _tell)
        except PortalError as error:
            raise click.ClickException(str(error)) from error
    if steps is None:
        raise click.ClickException(f"The clock of {account} is being moved already.")
    click.echo(
        f"{account}: now {to:%Y-%m-%d %H:%M} UTC, {steps} step{'' if steps == 1 else 's'} taken."
    )


def _tell(at: datetime, steps: int) -> None:
    click.echo(f"{at:%Y-%m-%d %H:%M} UTC: {steps} step{'' if steps == 1 else 's'}")
