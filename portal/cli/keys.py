"""`flask keys`: the API keys of the host application."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import click
from flask.cli import with_appcontext

from portal.cli.opening import now, opened
from portal.domain.errors import PortalError
from portal.domain.keys import LEVELS, Access, ApiKey, KeyState
from portal.queries.keys import all_keys
from portal.services import keys
from portal.services.keys import NewKey

ONCE = "Keep it now: it cannot be shown again."


@click.group("keys", help="API keys of the host application, for this environment.")
def group() -> None:
    pass


@group.command("create")
@click.argument("name")
@click.option("--access", type=click.Choice([a.value for a in LEVELS]), required=True)
@click.option("--portal-sessions", is_flag=True, help="It may sign members in besides.")
@click.option("--days", type=click.IntRange(min=1, max=3650), help="It ends after so many days.")
@with_appcontext
def create(name: str, access: str, days: int | None, *, portal_sessions: bool) -> None:
    """Make a key called NAME and print it, this once."""
    wall = now()
    ends = wall + timedelta(days=days) if days else None
    with opened() as (session, scope):
        given = name[:255], Access(access), wall, ends
        made = keys.create(session, scope, *given, opens_sessions=portal_sessions)
    _show(made)


@group.command("list")
@with_appcontext
def list_keys() -> None:
    """One line for each key: prefix, access, state, last use, name."""
    with opened() as (session, scope):
        found = all_keys(session, scope)
    for key in found:
        click.echo(_line(key, now()))
    if not found:
        click.echo("There is no key yet: flask keys create NAME --access read|write")


@group.command("rotate")
@click.argument("prefix")
@click.option(
    "--overlap", type=click.IntRange(0, 168), default=24, show_default=True, help="Hours."
)
@with_appcontext
def rotate(prefix: str, overlap: int) -> None:
    """Make a new key like PREFIX, which itself works for OVERLAP hours more."""
    with opened() as (session, scope):
        try:
            made = keys.rotate(session, scope, prefix, timedelta(hours=overlap), now())
        except PortalError as error:
            raise click.ClickException(f"Not rotated: {error}") from error
    _show(made)
    click.echo(f"{prefix} works for {overlap} hours more.", err=True)


@group.command("revoke")
@click.argument("prefix")
@with_appcontext
def revoke(prefix: str) -> None:
    """Let the key PREFIX work no more, at once."""
    with opened() as (session, scope):
        try:
            keys.revoke(session, scope, prefix, now())
        except PortalError as error:
            raise click.ClickException(f"Not revoked: {error}") from error
    click.echo(f"{prefix} no longer works.")


def _show(made: NewKey) -> None:
    """The key alone on standard output, so that a script can take it."""
    click.echo(made.written)
    click.echo(ONCE, err=True)


def _line(key: ApiKey, at: datetime) -> str:
    state = key.state(at)
    said = state.value
    if state is KeyState.GOOD and key.expires_at is not None:
        said = f"until {_day(key.expires_at)}"
    used = f"used {_day(key.last_used_at)}" if key.last_used_at else "never used"
    access = f"{key.access}{' +portal-sessions' if key.opens_sessions else ''}"
    return f"{key.prefix}  {access:22}  {said:22}  {used:22}  {key.name}"


def _day(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M}"
