"""`flask catalog`: a catalog file compared with the tables, applied, exported, looked over."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import NoReturn, assert_never

import click

from portal.cli.opening import Store
from portal.cli.price_changes import migrate_price
from portal.domain.catalog import Price, Tier
from portal.domain.errors import Conflict
from portal.domain.periods import Interval
from portal.queries.catalog import load_catalog
from portal.services.catalog.applying import (
    Applied,
    Proposal,
    Refused,
    Step,
    apply_catalog,
    propose,
)
from portal.services.catalog.changes import Change, Mark
from portal.services.catalog.checking import BadFile, CatalogFile, read_catalog
from portal.services.catalog.exporting import export_catalog
from portal.services.catalog.linting import lint, period_text

MOST_NAMES = 5
_FILE = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))


def catalog_group(store: Store) -> click.Group:
    """The group `catalog` with its commands."""
    return click.Group(
        "catalog",
        help="The catalog as a file: docs/catalog.md.",
        commands=[diff, apply, export, look_over, migrate_price],
        context_settings={"obj": store},
    )


@click.command
@_FILE
@click.pass_obj
def diff(store: Store, file: Path) -> None:
    """Print what applying FILE would change, and whom that touches."""
    found = _read(file)
    with store.opened() as (session, scope):
        proposal = propose(session, scope, found.catalog, store.now())
    _tell(proposal)
    if proposal.refusals:
        _refuse(file, found, proposal)


@click.command
@_FILE
@click.pass_obj
def apply(store: Store, file: Path) -> None:
    """Make the stored catalog what FILE says, in one transaction."""
    found = _read(file)
    with store.opened() as (session, scope):
        try:
            outcome = apply_catalog(session, scope, found.catalog, actor="cli", now=store.now())
        except Conflict as reason:
            raise click.ClickException(str(reason)) from reason
    match outcome:
        case Refused(proposal):
            _refuse(file, found, proposal)
        case Applied(proposal):
            _tell(proposal)
            if proposal.steps:
                click.echo("Applied.")
        case _:
            assert_never(outcome)


@click.command
@click.pass_obj
def export(store: Store) -> None:
    """Print the stored catalog as a file that says the same."""
    with store.opened() as (session, scope):
        click.echo(export_catalog(load_catalog(session, scope)), nl=False)


@click.command("lint")
@_FILE
def look_over(file: Path) -> None:
    """Print warnings about FILE; it may be applied all the same."""
    found = _read(file)
    warnings = lint(found.catalog)
    for subject, message in warnings:
        click.echo(f"{file}:{found.lines[subject]}: {subject} {message}")
    click.echo(f"{_count(len(warnings), 'warning')}.")


def _read(file: Path) -> CatalogFile:
    """The file's catalog; when it is bad, print every problem and end with status 1."""
    match read_catalog(file.read_bytes()):
        case CatalogFile() as found:
            return found
        case BadFile(problems):
            for problem in problems:
                click.echo(f"{file}:{problem.line}: {problem.message}", err=True)
            click.echo(f"{_count(len(problems), 'problem')}; nothing was written.", err=True)
            raise SystemExit(1)


def _refuse(file: Path, found: CatalogFile, proposal: Proposal) -> NoReturn:
    for refusal in proposal.refusals:
        line = found.lines.get(refusal.subject)
        where = f"{file}:{line}" if line else str(file)
        click.echo(f"{where}: {refusal.message}", err=True)
    click.echo("Refused; nothing was written.", err=True)
    raise SystemExit(1)


def _tell(proposal: Proposal) -> None:
    if not proposal.steps:
        click.echo("No changes.")
        return
    for step in proposal.steps:
        for line in _step_lines(step):
            click.echo(line)
    marks = [step.change.mark for step in proposal.steps]
    click.echo(
        f"{_count(len(marks), 'change')}: {marks.count(Mark.ADDED)} added,"
        f" {marks.count(Mark.CHANGED)} changed, {marks.count(Mark.REMOVED)} removed;"
        f" {_count(len(proposal.accounts), 'account')} touched."
    )


def _step_lines(step: Step) -> Iterator[str]:
    change = step.change
    yield f"{change.mark} {change.subject}{_price_text(change)}"
    for name, before, after in change.differences():
        yield f"    {name}: {_text(before, name)} → {_text(after, name)}"
    if isinstance(change.before, Price):
        yield f"    {_ending(change, step.accounts)}"
    elif step.accounts:
        yield f"    touches {_names(step.accounts)}"


def _price_text(change: Change) -> str:
    """What an added price asks, so that a list of new ones can be read over."""
    price = change.after
    if change.before is not None or not isinstance(price, Price):
        return ""
    amount = "tiers" if price.tiers else f"{price.amount} {price.currency.upper()}"
    return f": {amount} {period_text(price.interval) if price.interval else 'once'}"


def _ending(change: Change, accounts: tuple[str, ...]) -> str:
    ends = "ends" if change.after is None else "ends, a new one starts"
    if not accounts:
        return ends
    verb = "stays" if len(accounts) == 1 else "stay"
    return f"{ends}; on the old one {verb} {_names(accounts)}"


def _names(accounts: tuple[str, ...]) -> str:
    more = len(accounts) - MOST_NAMES
    tail = f" and {more} more" if more > 0 else ""
    return f"{_count(len(accounts), 'account')}: {', '.join(accounts[:MOST_NAMES])}{tail}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _text(value: object, name: str = "") -> str:
    match value:
        case None:
            return "unlimited" if name in ("usage_limit", "max_instances") else "none"
        case Decimal():
            return f"{value.normalize():f}"
        case Interval():
            return period_text(value)
        case timedelta():
            return f"{value.days} days"
        case Tier():
            top = "rest" if value.up_to is None else f"to {value.up_to:,}"
            flat = f" + {_text(value.flat_amount)}" if value.flat_amount else ""
            return f"{top} at {_text(value.unit_amount)}{flat}"
        case tuple():
            return ", ".join(_text(item) for item in value) or "none"
        case dict():
            return json.dumps(value, ensure_ascii=False, sort_keys=True)
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case _:
            return str(value) or "none"
