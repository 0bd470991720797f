"""`flask usage`: the ledger of use, and the ids that are remembered."""

from __future__ import annotations

import click
from flask.cli import with_appcontext

from portal.cli.opening import now, opened
from portal.services.usage import forget_ids
from portal.services.verifying_usage import verify_usage


@click.group("usage", help="The ledger of use.")
def group() -> None:
    pass


@group.command("verify")
@with_appcontext
def verify() -> None:
    """Recompute lots, counters and days from events and draws; exit with 1 when one differs."""
    with opened() as (session, scope):
        found = verify_usage(session, scope)
    for difference in found:
        click.echo(difference, err=True)
    if found:
        raise SystemExit(1)
    click.echo("Lots, counters and days agree with their events.")


@group.command("forget-ids")
@with_appcontext
def forget() -> None:
    """Delete the ids of events that are too old to be sent again."""
    with opened() as (session, scope):
        gone = forget_ids(session, scope, now())
    click.echo(f"{gone} ids deleted.")
