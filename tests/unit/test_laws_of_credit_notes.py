"""Whatever is given back, in whatever order and way: never more than was billed, to the unit."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.credit_notes import Destination, credit_in, divided, spread
from portal.domain.credits import StoredLine, apart, credit_lines, given_back
from portal.domain.ledger import LedgerAccount, credit_note_transfers, debit_balance
from portal.domain.lines import LineKind, QuoteLine
from portal.domain.money import Money, currency
from portal.domain.taxes import Tax, tax_on
from portal.domain.working import WorkingKind
from tests.unit.billing_samples import stored
from tests.unit.samples import APRIL, money

CODES = ("usd", "jpy", "kwd")
RATES = st.sampled_from([Decimal(r) for r in ("0", "7.7", "8.875", "10", "19", "20", "25")])
taxes = st.builds(Tax, RATES, st.booleans(), st.just("VAT"))


@st.composite
def billed_lines(draw: st.DrawFn, code: str | None = None) -> StoredLine:
    code = code or draw(st.sampled_from(CODES))
    minor = draw(st.integers(0, 60_000)) * currency(code).step
    tax = draw(taxes)
    line = stored(Money(minor, code), tax=tax)
    return replace(line, tax_kept=tax_on(tax, line.billed))


@dataclass
class Story:
    """A line and what went back of it so far."""

    line: StoredLine
    given: list[QuoteLine] = field(default_factory=list)

    def take(self, lines: tuple[QuoteLine, ...], *, closes: bool) -> None:
        self.given += lines
        amount = -sum(x.amount.minor for x in lines if x.kind is LineKind.CREDIT)
        tax = -sum(x.amount.minor for x in lines if x.kind is LineKind.TAX)
        code = self.line.billed.currency
        self.line = replace(
            self.line,
            refunded=self.line.refunded + Money(amount, code),
            tax_kept=self.line.tax_left - Money(tax, code),
            closed_at=APRIL.start if closes and lines else self.line.closed_at,
        )


def stepped(share: int, most: Money) -> Money:
    """So many 997ths, cut to what can be charged."""
    step = currency(most.currency).step
    return Money(share * (most.minor // step) // 997 * step, most.currency)


acts = st.lists(
    st.tuples(st.sampled_from(["change", "note", "refund"]), st.integers(0, 997)), max_size=8
)


@given(billed_lines(), acts)
def test_any_order_of_changes_notes_and_refunds_ends_at_exactly_what_was_billed(line, acts):
    story, tax = Story(line), line.tax_left
    for act, share in acts:
        now = story.line
        if act == "change":
            at = APRIL.start + timedelta(seconds=share * APRIL.length // 997)
            story.take(credit_lines(now, at), closes=True)
        elif act == "note":
            story.take(given_back(now, stepped(share, now.kept)), closes=False)
        else:
            gross = stepped(share, now.worth)
            lines = given_back(now, *apart(now, gross))
            assert credit_in(lines, gross.currency).total == gross
            story.take(lines, closes=False)
        assert 0 <= story.line.kept.minor <= line.billed.minor
        assert 0 <= story.line.tax_left.minor <= tax.minor
    story.take(given_back(story.line, story.line.kept), closes=False)
    whole = credit_in(story.given, line.billed.currency)
    assert whole.tax == tax
    assert whole.sale == line.billed - (tax if line.tax.inclusive else Money.zero(tax.currency))
    assert (story.line.kept.minor, story.line.tax_left.minor) == (0, 0)
    assert all(x.amount.minor <= 0 for x in story.given)


@given(billed_lines())
def test_all_of_a_line_gives_back_its_amount_and_its_tax(line):
    given = given_back(line, line.kept)
    amounts = {x.kind: -x.amount for x in given}
    assert amounts.get(LineKind.CREDIT, Money.zero(line.billed.currency)) == line.billed
    assert amounts.get(LineKind.TAX, Money.zero(line.billed.currency)) == line.tax_left


@given(st.sampled_from(CODES).flatmap(lambda c: st.lists(billed_lines(c), min_size=1, max_size=4)),
       st.integers(0, 997))  # fmt: skip
def test_an_amount_spread_over_lines_comes_to_itself_and_every_step_is_chargeable(lines, share):
    code = lines[0].billed.currency
    worth = sum((line.worth for line in lines), Money.zero(code))
    gross = stepped(share, worth)
    given = spread(lines, gross)
    assert credit_in(given, code).total == gross
    assert all(x.amount.minor % currency(code).step == 0 for x in given)
    with pytest.raises(ValueError, match="more than is left"):
        spread(lines, worth + Money(currency(code).step, code))


@given(*(st.integers(0, 9999) for _ in range(3)), st.sampled_from(Destination))
def test_a_credit_goes_somewhere_whole_and_the_books_balance(amount, to_pay, on_card, to):
    given, owed = money(Decimal(amount) / 100), money(Decimal(to_pay) / 100)
    division = divided(given, owed, money(Decimal(on_card) / 100), to)
    assert division.off_invoice == given.at_most(owed)
    assert division.off_invoice + division.to_card + division.to_balance == given
    assert division.to_card.minor <= (on_card if to is Destination.CARD else 0)
    left = owed - division.off_invoice - division.carried_out
    assert left.minor == 0 or left.minor >= 50 or not division.off_invoice
    credit = credit_in(given_back(stored(given), given), "usd")
    moved = credit_note_transfers(credit, division, "note")
    receivable = debit_balance(LedgerAccount.RECEIVABLE, moved, "usd")
    assert receivable == -division.off_invoice - division.carried_out
    assert sum(debit_balance(of, moved, "usd").minor for of in LedgerAccount) == 0


def test_a_cent_that_a_refund_rounded_away_is_in_the_rest():
    """A refund is apart to the cent, so the tax left may be a cent off that on what is kept."""
    drifts = set()
    for minor in range(1, 3966):
        line = replace(stored("33.33", tax=Tax(Decimal(19))), tax_kept=money("6.33"))
        story = Story(line)
        story.take(given_back(line, *apart(line, Money(minor, "usd"))), closes=False)
        off = story.line.tax_left - tax_on(line.tax, story.line.kept)
        drifts.add(off.minor)
        assert given_back(story.line, money("0")) == () or off.minor > 0
        story.take(given_back(story.line, story.line.kept), closes=False)
        assert credit_in(story.given, "usd").total == money("39.66")
    assert drifts == {-1, 0, 1}


def test_too_little_to_charge_is_carried_and_enough_stays_to_pay():
    for left, carried in (("0.32", "0.32"), ("0.49", "0.49"), ("0.50", "0"), ("0", "0")):
        to_pay = money("10") + money(left)
        division = divided(money("10"), to_pay, money("0"), Destination.BALANCE)
        assert (division.off_invoice, division.carried_out) == (money("10"), money(carried))
    untouched = divided(money("0"), money("0.32"), money("0"), Destination.BALANCE)
    assert untouched.carried_out == money("0")


def test_more_than_is_left_is_refused():
    line = stored("20", credited="8")
    for amount in ("12.01", "-0.01"):
        with pytest.raises(ValueError, match="more than is left"):
            given_back(line, money(amount))
    assert given_back(line, money("0")) == ()


def test_a_part_says_of_what_and_the_rest_that_it_is_all():
    line = stored("20")
    [part] = given_back(line, money("5"))
    assert (part.working.kind, part.period) == (WorkingKind.PART, APRIL)
    [rest] = given_back(stored("20", refunded="5"), money("15"))
    assert rest.working.kind is WorkingKind.LEFT
    [whole] = given_back(line, money("20"))
    assert whole.working.kind is WorkingKind.PART


def test_what_is_charged_once_has_nothing_ahead():
    once = replace(stored("20"), period=None)
    assert credit_lines(once, APRIL.start) == ()
    [line] = given_back(once, money("20"))
    assert line.period is None
