"""`flask catalog migrate-price`: holders of an old price moved to a new one, with notice."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal

import click

from portal.cli.opening import Store
from portal.domain.catalog import Price, Tier
from portal.domain.money import Money
from portal.domain.price_changes import LEAST_NOTICE, PriceChange
from portal.services.catalog.calling_off import call_off_migration
from portal.services.catalog.linting import period_text
from portal.services.catalog.migrating import (
    Announcement,
    Holder,
    Migration,
    announce_migration,
    propose_migration,
)
from portal.services.recording import Doer

_DOER = Doer("cli")


@click.command("migrate-price")
@click.argument("old", metavar="OLD_LOOKUP_KEY")
@click.argument("new", metavar="NEW_LOOKUP_KEY")
@click.option(
    "--notice-days",
    type=click.IntRange(LEAST_NOTICE.days, 365),
    default=30,
    show_default=True,
    help="Days between the mail and the first period at the new price, at least.",
)
@click.option("--account", "accounts", multiple=True, metavar="KEY", help="Only this one; repeat.")
@click.option("--apply", is_flag=True, help="Do it; without, only print it.")
@click.option("--withdraw", is_flag=True, help="Take back what was announced and has not come.")
@click.pass_obj
def migrate_price(
    store: Store,
    old: str,
    new: str,
    notice_days: int,
    accounts: tuple[str, ...],
    apply: bool,
    withdraw: bool,
) -> None:
    """Move who pays OLD_LOOKUP_KEY to NEW_LOOKUP_KEY, each at its own boundary, with notice.

    The two may be the same: then from what the price was to what it is now.
    """
    wanted = Migration(old, new, timedelta(days=notice_days), accounts)
    if apply and withdraw:
        raise click.UsageError("--withdraw takes back at once: give it without --apply")
    with store.opened() as (session, scope):
        if withdraw:
            done = call_off_migration(session, scope, wanted, _DOER, store.now())
        elif apply:
            done = announce_migration(session, scope, wanted, _DOER, store.now())
        else:
            done = propose_migration(session, scope, wanted, store.now())
    if withdraw:
        _tell_withdrawn(done)
    else:
        _tell(done, "Announced." if apply else "Nothing was written: add --apply.")
    if done.problems:
        _refuse(done.problems)


def _tell(done: Announcement, end: str) -> None:
    for holder in done.moved:
        click.echo(_holder_text(holder))
    for holder in done.waiting:
        click.echo(f"{_holder_text(holder)}, announced {_day(holder.ahead.change.announced_at)}")
    if not done.problems:
        counts = f"{len(done.moved)} to move, {len(done.waiting)} announced before"
        click.echo(f"{counts}. {end}" if done.moved else f"{counts}.")


def _tell_withdrawn(done: Announcement) -> None:
    for holder in done.waiting:
        click.echo(f"stays: {_holder_text(holder)}")
    if not done.problems:
        click.echo(f"{len(done.waiting)} taken back.")


def _refuse(problems: Iterable[str]) -> None:
    for problem in problems:
        click.echo(problem, err=True)
    click.echo("Refused; nothing was written.", err=True)
    raise SystemExit(1)


def _holder_text(holder: Holder) -> str:
    """`northwind: Growth, 99 → 119 USD MONTHLY from 2027-01-01`; for use `northwind: Business,
    messages beyond the allowance, 0.0008 each → 0.001 each USD, from 2027-01-01`."""
    ahead = holder.ahead
    if ahead.change.feature is not None:
        return f"{holder.key}: {ahead.name}, {_use_text(ahead.change)}"
    units = f"{ahead.quantity} × " if ahead.quantity != 1 else ""
    amounts = f"{_amount(ahead.before)} → {_amount(ahead.after)} {ahead.after.currency.upper()}"
    since = f"{period_text(ahead.interval)} from {_day(ahead.change.effective_at)}"
    return f"{holder.key}: {units}{ahead.name}, {amounts} {since}"


def _use_text(change: PriceChange) -> str:
    feature = change.feature.lookup_key if change.feature else ""
    prices = f"{_each(change.old)} → {_each(change.new)} {change.new.currency.upper()}"
    return f"{feature} beyond the allowance, {prices}, from {_day(change.effective_at)}"


def _each(price: Price) -> str:
    """`0.0008 each`, `0.10 per 100`, `0.001 to 1000 then 0.0008 each`."""
    if price.transform_quantity is not None:
        return f"{_plain(price.amount)} per {price.transform_quantity.divide_by}"
    if not price.tiers:
        return f"{_plain(price.amount)} each"
    return " then ".join(_tier(tier) for tier in price.tiers)


def _tier(tier: Tier) -> str:
    flat = f"{_plain(tier.flat_amount)} and " if tier.flat_amount else ""
    until = "" if tier.up_to is None else f" to {tier.up_to}"
    return f"{flat}{_plain(tier.unit_amount)} each{until}"


def _plain(amount: Decimal) -> str:
    """Without the zeros that it is stored with."""
    return f"{amount.normalize():f}"


def _amount(money: Money) -> Decimal:
    return money.major()


def _day(at: datetime) -> str:
    return f"{at:%Y-%m-%d}"
