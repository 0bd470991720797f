"""`flask audit`: the chains that seal what was done."""

from __future__ import annotations

from pathlib import Path

import click
from flask.cli import with_appcontext

from portal.cli.opening import opened
from portal.domain.chain import Head
from portal.services import auditing


@click.group("audit", help="The chains that seal what was done.")
def group() -> None:
    pass


@group.command("heads")
@with_appcontext
def heads() -> None:
    """Print where each chain ends: account (0: the tenant), links, seal. Keep it elsewhere."""
    with opened() as (session, scope):
        found = auditing.heads(session, scope)
    for account_id, head in found.items():
        click.echo(f"{account_id} {head.length} {head.digest}")


@group.command("verify")
@click.option(
    "--heads", "kept", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="What `flask audit heads` printed once: each of these links must still be there.",
)  # fmt: skip
@with_appcontext
def verify(kept: Path | None) -> None:
    """Recompute every chain of events; exit with 1 when a link is broken or missing."""
    with opened() as (session, scope):
        found = auditing.verify(session, scope, _read(kept) if kept else {})
    for flaw in found:
        click.echo(flaw, err=True)
    if found:
        raise SystemExit(1)
    click.echo("Every event is as it was sealed.")


def _read(kept: Path) -> dict[int, Head]:
    """The last line of each account counts."""
    found = {}
    for number, line in enumerate(kept.read_text().splitlines(), start=1):
        try:
            account_id, length, digest = line.split()
            found[int(account_id)] = Head(int(length), digest)
        except ValueError:
            raise click.ClickException(f"line {number} of {kept} is no end of a chain") from None
    return found
