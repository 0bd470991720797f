"""`flask webhooks`: where the host is told of events."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import click
from flask.cli import with_appcontext

from portal.cli.opening import now, opened_or_told, settings_of_app
from portal.domain.access import Scope
from portal.domain.webhooks import secret_of
from portal.queries.webhooks import Endpoint, Message, endpoints, messages
from portal.services import webhooks

_ID = click.argument("endpoint", type=int)


@click.group("webhooks", help="Where the host application is told of events.")
def group() -> None:
    pass


@group.command("add")
@click.argument("url")
@click.option("--type", "types", multiple=True, help="purchase.settled, …; without any, all.")
@with_appcontext
def add(url: str, types: tuple[str, ...]) -> None:
    """Tell URL of events from now on; prints the secret that signs them."""
    with opened_or_told() as (session, scope):
        endpoint_id = webhooks.add(session, scope, url, types, now())
        click.echo(_secret(scope, endpoint_id, 1))
    click.echo(f"Endpoint {endpoint_id} is told of events from now on.", err=True)


@group.command("list")
@with_appcontext
def list_endpoints() -> None:
    """One line for each endpoint: its number, state, messages, address, types."""
    with opened_or_told() as (session, scope):
        found = endpoints(session, scope)
    for endpoint in found:
        click.echo(_line(endpoint))
    if not found:
        click.echo("Nobody is told of events: flask webhooks add https://…")


@group.command("rotate")
@_ID
@click.option(
    "--overlap", type=click.IntRange(0, 168), default=24, show_default=True, help="Hours."
)
@with_appcontext
def rotate(endpoint: int, overlap: int) -> None:
    """Print a new secret; both sign for OVERLAP hours."""
    with opened_or_told() as (session, scope):
        hours = timedelta(hours=overlap)
        generation = webhooks.rotate(session, scope, endpoint, hours, now())
        click.echo(_secret(scope, endpoint, generation))


@group.command("pause")
@_ID
@with_appcontext
def pause(endpoint: int) -> None:
    """Let its messages wait."""
    with opened_or_told() as (session, scope):
        webhooks.pause(session, scope, endpoint, now())


@group.command("resume")
@_ID
@with_appcontext
def resume(endpoint: int) -> None:
    """Send what waited, and go on."""
    with opened_or_told() as (session, scope):
        webhooks.resume(session, scope, endpoint, now())


@group.command("remove")
@_ID
@with_appcontext
def remove(endpoint: int) -> None:
    """Send no more there, not even what waits."""
    with opened_or_told() as (session, scope):
        webhooks.remove(session, scope, endpoint, now())


@group.command("messages")
@_ID
@click.option("--last", type=click.IntRange(1, 1000), default=20, show_default=True)
@with_appcontext
def list_messages(endpoint: int, last: int) -> None:
    """The latest messages, newest first, with the last answer to each."""
    with opened_or_told() as (session, scope):
        for message in messages(session, scope, endpoint, last):
            click.echo(_message_line(message))


@group.command("replay")
@_ID
@click.option("--since", required=True, type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]))
@click.option("--all", "everything", is_flag=True, help="Those that arrived too.")
@with_appcontext
def replay(endpoint: int, since: datetime, everything: bool) -> None:
    """Send what failed since then (UTC) once more."""
    with opened_or_told() as (session, scope):
        at = since.replace(tzinfo=UTC)
        count = webhooks.replay(session, scope, endpoint, at, now(), failed_only=not everything)
    click.echo(f"{count} messages are sent again.")


def _secret(scope: Scope, endpoint_id: int, generation: int) -> str:
    master = settings_of_app().secret_key.get_secret_value()
    return secret_of(master, scope.environment_id, endpoint_id, generation)


def _line(endpoint: Endpoint) -> str:
    state = "paused" if endpoint.is_paused else "active"
    types = " ".join(endpoint.types) or "all"
    counts = f"{endpoint.waiting} waiting, {endpoint.failed} failed"
    return f"{endpoint.id}  {state}  {counts}  {endpoint.url}  {types}"


def _message_line(message: Message) -> str:
    answered = message.answer_status or "no answer"
    words = " ".join(message.answer.split())[:100]
    return (
        f"{message.key}  {message.type}  {message.subject}  {message.status}"
        f"  {message.tries} tries  {answered}  {words}"
    )
