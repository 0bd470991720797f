"""`flask staff`: who of the business itself signs in to the staff pages."""

from __future__ import annotations

import re

import click
from flask.cli import with_appcontext

from portal.cli.opening import now, opened_or_told, safe, settings_of_app
from portal.domain.access import StaffRole
from portal.domain.mails import ADDRESS
from portal.queries.staff import all_staff
from portal.services import staff

ROLES = click.Choice([role.value for role in StaffRole])
HOURS = staff.LINK_LIFE.total_seconds() / 3600


@click.group("staff", help="Who signs in to the staff pages of this environment.")
def group() -> None:
    pass


@group.command("add")
@click.argument("email")
@click.option("--name", required=True)
@click.option("--role", type=ROLES, default=StaffRole.SUPPORT.value, show_default=True)
@with_appcontext
def add(email: str, name: str, role: str) -> None:
    """Add EMAIL, and print the link that sets their password and authenticator, this once."""
    if re.fullmatch(ADDRESS, email) is None or len(email) > 320:
        raise click.ClickException(f"Not done: {email} is no e-mail address")
    with opened_or_told() as (session, scope):
        _show(staff.add(session, scope, email, name[:255], now(), safe(), StaffRole(role)))


@group.command("list")
@with_appcontext
def list_staff() -> None:
    """One line for each: whether both steps are set, role, e-mail address, name."""
    with opened_or_told() as (session, scope):
        found = all_staff(session, scope)
    for row in found:
        stands = "set up" if row.password_hash else "waits for the link"
        click.echo(f"{stands:18}  {row.role:7}  {row.email}  {row.name}")
    if not found:
        click.echo("There is no staff yet: flask staff add EMAIL --name NAME")


@group.command("role")
@click.argument("email")
@click.argument("role", type=ROLES)
@with_appcontext
def change_role(email: str, role: str) -> None:
    """Let EMAIL do what ROLE may: another role signs them out, support views included."""
    with opened_or_told() as (session, scope):
        is_another = staff.change_role(session, scope, email, StaffRole(role), now())
    if is_another:
        click.echo(f"{email} has the role {role}, and is signed out everywhere: they sign in anew.")
    else:
        click.echo(f"{email} has the role {role} already: nothing was changed.")


@group.command("reset")
@click.argument("email")
@with_appcontext
def reset(email: str) -> None:
    """Sign EMAIL out everywhere, and print a link that sets password and authenticator anew."""
    with opened_or_told() as (session, scope):
        _show(staff.reset(session, scope, email, now(), safe()))


@group.command("end")
@click.argument("email")
@with_appcontext
def end(email: str) -> None:
    """Let EMAIL in no more, at once."""
    with opened_or_told() as (session, scope):
        staff.end(session, scope, email, now())
    click.echo(f"{email} comes in no more.")


def _show(written: str) -> None:
    """The link alone on standard output, so that a script can take it."""
    click.echo(f"{settings_of_app().public_url}/staff/set-up/{written}")
    click.echo(f"It works once, for {HOURS:.0f} hours. Give it to nobody else.", err=True)
