"""`flask billing credit` and `flask billing end`: corrections after a sale, by the staff."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

import click
from flask.cli import with_appcontext

from portal.cli.opening import gateway, now, opened
from portal.domain.credit_notes import Destination
from portal.domain.errors import PortalError
from portal.domain.lines import LineKind, QuoteLine
from portal.domain.money import Money
from portal.domain.working import in_words
from portal.queries.credit_notes import number_in_words
from portal.services import crediting, removing
from portal.services.credit_notes import Proposal
from portal.services.crediting import Correction
from portal.services.phrases import ENGLISH
from portal.services.recording import Doer
from portal.services.till import Till

NOTHING_DONE = "Nothing was done. Add --yes to do it."
LONGEST_REASON = 500


def _reason(_context: click.Context, _option: click.Parameter, given: str) -> str:
    """One line that a customer can be shown."""
    said = " ".join(given.split())
    if not said or len(said) > LONGEST_REASON or not said.isprintable():
        raise click.BadParameter(f"a sentence of 1 to {LONGEST_REASON} printable characters")
    return said


def _amount(_context: click.Context, _option: click.Parameter, given: str | None) -> Decimal | None:
    if given is None:
        return None
    try:
        amount = Decimal(given)
    except InvalidOperation as error:
        raise click.BadParameter("an amount like 12.34, without a currency") from error
    if not amount.is_finite() or abs(amount) >= 10**12:
        raise click.BadParameter("an amount like 12.34, without a currency")
    return amount


reason_option = click.option(
    "--reason", required=True, callback=_reason, help="Why; the customer reads it."
)
by_option = click.option("--by", default="unnamed", show_default=True, help="Who does it.")
yes_option = click.option("--yes", is_flag=True, help="Do it; without, it is only shown.")


@click.command("credit")
@click.argument("invoice", type=click.IntRange(1, 2**63 - 1))
@click.option("--line", type=click.IntRange(min=1), help="Of what the invoice sells, from 1.")
@click.option(
    "--amount", callback=_amount, help="Of that line, before a tax on top; else all that is left."
)
@click.option("--to", type=click.Choice([each.value for each in Destination]), default="balance")
@reason_option
@by_option
@yes_option
@with_appcontext
def credit(
    invoice: int, line: int | None, amount: Decimal | None, to: str, reason: str, by: str, *,
    yes: bool,
) -> None:  # fmt: skip
    """Give back INVOICE (its number), a line of it or a part, by a credit note.

    What is still to pay of it goes down first. The rest goes to the account's balance, or with
    --to card to the card that paid it.
    """
    asked = Correction(invoice, line, amount, Destination(to), reason)
    with opened() as (session, scope):
        try:
            _show(crediting.foresee(session, scope, asked))
            if not yes:
                click.echo(NOTHING_DONE)
                return
            till = Till(session, gateway(), scope, now(), Doer(f"staff:{by}"))
            number = crediting.correct(till, asked)
        except PortalError as error:
            raise click.ClickException(f"{error}.") from error
    click.echo(f"Credit note {number_in_words(number)} was issued.")


@click.command("end")
@click.argument("instance", type=click.IntRange(1, 2**63 - 1))
@reason_option
@by_option
@yes_option
@with_appcontext
def end(instance: int, reason: str, by: str, *, yes: bool) -> None:
    """Take INSTANCE (its id) off its subscription now, and credit what is unused of it.

    The credit goes to the account's balance. What is charged once is not taken away.
    """
    with opened() as (session, scope):
        try:
            seen = removing.foresee(session, scope, instance, now())
            click.echo(f"{seen.instance.quantity} × {seen.instance.add_on.name} ends now.")
            for note in seen.notes:
                _show(note)
            if not seen.notes:
                click.echo("Nothing is credited: no line of it that was billed lies ahead.")
            if not yes:
                click.echo(NOTHING_DONE)
                return
            till = Till(session, gateway(), scope, now(), Doer(f"staff:{by}"))
            numbers = removing.end(till, instance, reason)
        except PortalError as error:
            raise click.ClickException(f"{error}.") from error
    click.echo(_ended(numbers))


def _ended(numbers: Sequence[int]) -> str:
    said = [f"Credit note {number_in_words(number)} was issued." for number in numbers]
    return " ".join(["It has ended.", *said])


def _show(seen: Proposal) -> None:
    """Line by line what a credit note would say, and where the money would go."""
    click.echo(f"Invoice {seen.invoice.number:06d}:")
    for line in seen.lines:
        click.echo(f"  {_label(line)}  {_said(-line.amount)}   {in_words(line.working, ENGLISH)}")
    click.echo(f"  Credited  {_said(seen.credit.total)}")
    card = f"{seen.card.brand} ending {seen.card.last4}" if seen.card else "the card that paid"
    for label, amount in (
        ("off what is still to pay", seen.to.off_invoice),
        ("too little to charge, moves to the next bill", seen.to.carried_out),
        (f"to {card}", seen.to.to_card),
        ("to the account balance", seen.to.to_balance),
    ):
        if amount:
            click.echo(f"    {_said(amount)} {label}")


def _label(line: QuoteLine) -> str:
    if line.kind is LineKind.TAX:
        return f"{line.name or 'Tax'}, included" if line.included else line.name or "Tax"
    return line.name


def _said(amount: Money) -> str:
    return ENGLISH.money(amount)
