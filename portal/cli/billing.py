"""`flask billing`: the environment, open payments, the books, and corrections."""

from __future__ import annotations

import time
from datetime import timedelta

import click
from flask.cli import with_appcontext

from portal.cli import corrections
from portal.cli.opening import gateway, now, opened
from portal.models.base import db
from portal.services import reconciling, renewing, verifying


@click.group("billing", help="The environment, open payments, the books, and corrections.")
def group() -> None:
    pass


group.add_command(corrections.credit)
group.add_command(corrections.end)


@group.command("init")
@with_appcontext
def init() -> None:
    """Make this deployment's tenant and environment where they are missing."""
    with opened() as (_session, scope):
        click.echo(f"tenant {scope.tenant_id}, environment {scope.environment_id}")


@group.command("reconcile")
@click.option("--every", type=click.IntRange(min=1), help="Repeat every so many seconds.")
@click.option("--older-than", type=click.IntRange(min=0), default=60, show_default=True)
@with_appcontext
def reconcile(every: int | None, older_than: int) -> None:
    """Settle or let go purchases open for longer than OLDER_THAN seconds; read waiting events."""
    while True:
        with opened() as (session, scope):
            done = reconciling.reconcile(
                session,
                scope,
                gateway=gateway(),
                wall=now(),
                patience=timedelta(seconds=older_than),
            )
        click.echo(
            f"{done.attempts} payments and {done.events} events looked at;"
            f" {done.still_open} still open."
        )
        if every is None:
            return
        db.session.remove()
        time.sleep(every)


@group.command("run-due")
@click.option("--every", type=click.IntRange(min=1), help="Repeat every so many seconds.")
@with_appcontext
def run_due(every: int | None) -> None:
    """Bill, charge, try again and suspend whatever is due. Any number may run at once."""
    while True:
        with opened() as (session, scope):
            done = renewing.run_due(session, scope, gateway=gateway(), wall=now())
        click.echo(f"{done.subscriptions} subscriptions looked at, {done.steps} steps taken.")
        if every is None:
            return
        db.session.remove()
        time.sleep(every)


@group.command("verify")
@with_appcontext
def verify() -> None:
    """Recompute every projection from its ledger; exit with 1 when one differs."""
    with opened() as (session, scope):
        found = verifying.verify(session, scope)
    for difference in found:
        click.echo(difference, err=True)
    if found:
        raise SystemExit(1)
    click.echo("Balances, use and months agree with their ledgers.")
