"""Laws of changes and credits: I2, I3, I5, I7, I8, I15-I17 and I23 of billing-conventions.md §4."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from portal.domain.bills import BillingState, bills_due, next_due
from portal.domain.capacity import Cycle
from portal.domain.catalog import Plan, Price, Status
from portal.domain.credits import StoredLine, credit_lines, credit_of
from portal.domain.ledger import (
    LedgerAccount,
    Settlement,
    credit_transfers,
    debit_balance,
    settlement_transfers,
)
from portal.domain.lines import LineKind, Means, QuoteLine, charge_line, owed_for, sum_of
from portal.domain.money import Money, currency, total
from portal.domain.periods import BillingNow
from portal.domain.plan_changes import (
    PlanQuote,
    PlanRequest,
    Subscribed,
    changed,
    exchange,
    quote_plan_change,
)
from portal.domain.plan_moves import Timing
from portal.domain.proration import used
from portal.domain.recurring import Recurring
from portal.domain.taxes import NO_TAX, Tax, tax_on
from tests.unit.samples import ANNUAL, MONTHLY
from tests.unit.strategies import (
    Moment,
    amounts,
    anchors,
    codes,
    flat_prices,
    instants_of,
    moments,
)
from tests.unit.test_laws_of_bills import taxes


def as_stored(line: QuoteLine, tax: Tax, number: int = 9) -> StoredLine:
    """A charge line once its invoice is issued."""
    if line.period is None:
        raise ValueError("only a line with a period can be credited")
    zero = Money.zero(line.amount.currency)
    return StoredLine(number, line.name, line.quantity, line.amount, line.period, tax, zero, zero)


@st.composite
def stored_lines(draw: st.DrawFn, moment: Moment) -> StoredLine:
    """Billed for the moment's period, refunded in part sometimes."""
    billed = draw(amounts())
    step, code = currency(billed.currency).step, billed.currency
    back = Money(draw(st.integers(0, billed.minor // step)) * step, code)
    refunded = draw(st.sampled_from([Money.zero(code), back]))
    return StoredLine(
        1, "Growth", 1, billed, moment.period, draw(taxes), Money.zero(code), refunded
    )


lines_at = moments().flatmap(lambda m: st.tuples(stored_lines(m), st.just(m.at)))


@given(lines_at)
def test_i02_used_and_credited_are_what_was_billed(pair: tuple[StoredLine, datetime]) -> None:
    line, at = replace(pair[0], refunded=Money.zero(pair[0].billed.currency)), pair[1]
    assert used(line.billed, line.period, at) + credit_of(line, at) == line.billed


@given(lines_at, st.data())
def test_i07_a_later_credit_is_never_larger(
    pair: tuple[StoredLine, datetime], data: st.DataObject
) -> None:
    line, at = pair
    other = data.draw(instants_of(line.period))
    early, late = sorted([at, other])
    assert credit_of(line, late).minor <= credit_of(line, early).minor


@given(lines_at, st.data())
def test_i08_i16_credits_stay_within_what_was_paid_and_their_tax_too(
    pair: tuple[StoredLine, datetime], data: st.DataObject
) -> None:
    line, _ = pair
    taxed = tax_on(line.tax, line.kept)
    before = taxed
    for _ in range(data.draw(st.integers(1, 4))):
        lines = credit_lines(line, data.draw(instants_of(line.period)))
        code = line.billed.currency
        taxed += sum_of(lines, LineKind.TAX, code)
        line = replace(line, credited=line.credited - sum_of(lines, LineKind.CREDIT, code))
        assert 0 <= line.credited.minor <= line.billed.minor - line.refunded.minor
        assert taxed == tax_on(line.tax, line.kept)
        assert 0 <= taxed.minor <= before.minor
    assert credit_lines(replace(line, closed_at=line.period.start), line.period.start) == ()


@given(moments(), flat_prices(), st.integers(1, 9), taxes)
def test_i03_bought_and_given_back_at_once_costs_nothing(
    moment: Moment, price: Price, quantity: int, tax: Tax
) -> None:
    if moment.at == moment.period.end:
        return
    bought = charge_line("Storage", price, quantity, moment.period, moment.at)
    back = credit_lines(as_stored(bought, tax), moment.at)
    net = owed_for(back, price.currency) + bought.amount
    assert net == (Money.zero(price.currency) if tax.inclusive else -tax_on(tax, bought.amount))


@given(moments(), st.data(), st.integers(1, 9))
def test_i03_there_and_back_at_one_instant_nets_zero(
    moment: Moment, data: st.DataObject, quantity: int
) -> None:
    period, at = moment.period, moment.at
    if at == period.end:
        return
    code = data.draw(codes)
    one, other = data.draw(flat_prices(code)), data.draw(flat_prices(code))
    first = replace(charge_line("A", one, quantity, None, period.start), period=period)
    there = exchange(
        [as_stored(first, NO_TAX)], [charge_line("B", other, 1, period, at)], at, NO_TAX
    )
    back = exchange(
        [as_stored(there[-1], NO_TAX)],
        [charge_line("A", one, quantity, period, at)],
        at,
        NO_TAX,
    )
    assert owed_for((*there, *back), code) == Money.zero(code)


@st.composite
def changes(draw: st.DrawFn) -> tuple[Subscribed, Plan, PlanRequest, BillingNow]:
    """A monthly or annual subscription, its period's line stored, and another plan or interval."""
    code, anchor, tax = draw(codes), draw(anchors()), draw(taxes)
    interval = draw(st.sampled_from([MONTHLY, ANNUAL]))
    own, wanted = (plans(draw(flat_prices(code)), key) for key in ("own", "wanted"))
    price = next(p for p in own.prices if p.interval == interval)
    period = anchor.period(draw(st.integers(0, 14)), interval)
    at = min(draw(instants_of(period)), period.end - timedelta(seconds=1))
    item = Recurring("Own", price, anchor, period.end)
    dear = draw(st.sampled_from([1, 1, 30]))
    billed = replace(charge_line("Own", price, dear, None, period.start), period=period)
    means_of = Means(code, tax, draw(amounts(code, most=10**5)), draw(amounts(code, most=40)))
    subscribed = Subscribed(
        1,
        own,
        Cycle(interval, anchor, anchor),
        BillingState(means_of, item),
        stored=(as_stored(billed, tax),),
    )
    target = draw(st.sampled_from([own, wanted]))
    request = PlanRequest(target.lookup_key, draw(st.sampled_from([MONTHLY, ANNUAL])))
    return subscribed, target, request, BillingNow(at)


def plans(monthly: Price, key: str) -> Plan:
    yearly = replace(monthly, interval=ANNUAL, amount=monthly.amount * 10)
    return Plan(key, key.capitalize(), Status.PUBLISHED, prices=(monthly, yearly))


Change = tuple[Subscribed, Plan, PlanRequest, BillingNow]


def settled(made: PlanQuote, code: str) -> Money:
    """What is left on the books' RECEIVABLE once the change is posted."""
    zero = Money.zero(code)
    tax = [line for line in made.lines if line.kind is LineKind.TAX]
    inside = [line for line in tax if line.included]

    def side(lines: list[QuoteLine], sign: int) -> Money:
        return total([line.amount for line in lines if line.amount.minor * sign > 0], code)

    charges = settlement_transfers(
        Settlement(
            sale=sum_of(made.lines, LineKind.CHARGE, code) - side(inside, 1),
            tax=side(tax, 1),
            carried_in=sum_of(made.lines, LineKind.CARRIED, code),
            balance_applied=-sum_of(made.lines, LineKind.BALANCE, code),
            charged=made.due.charged,
            carried_out=made.due.carried_out,
        ),
        "change-1",
    )
    credited = zero - sum_of(made.lines, LineKind.CREDIT, code) + side(inside, -1)
    back = credit_transfers(credited, zero - side(tax, -1), made.due.credited, "change-1")
    keys = [one.key for one in (*charges, *back)]
    assert len(set(keys)) == len(keys)
    return debit_balance(LedgerAccount.RECEIVABLE, (*charges, *back), code)


@given(changes())
def test_i15_a_change_adds_up_and_leaves_nothing_receivable(change: Change) -> None:
    subscribed, target, request, at = change
    code = subscribed.billing.means.currency
    made = quote_plan_change(subscribed, target, request, at)
    due = made.due
    assert due.charged + due.carried_out - due.credited == owed_for(made.lines, code)
    assert sorted([due.charged.minor > 0, due.carried_out.minor > 0, due.credited.minor > 0])[
        1
    ] is (False)
    assert settled(made, code) == Money.zero(code)
    then = changed(subscribed, made, target.name).means
    applied = -sum_of(made.lines, LineKind.BALANCE, code)
    assert then.balance == subscribed.billing.means.balance - applied + due.credited


@given(changes())
def test_i09_the_next_bill_begins_where_the_change_is_paid_until(change: Change) -> None:
    subscribed, target, request, at = change
    made = quote_plan_change(subscribed, target, request, at)
    then = changed(subscribed, made, target.name)
    paid = [line.period for line in made.lines if line.kind is LineKind.CHARGE]
    until = paid[-1].end if paid and paid[-1] else subscribed.billing.plan.billed_until
    assert next_due(then) == until == made.going_forward.next_at
    [first] = bills_due(then, until)
    assert first.lines[0].name == target.name
    assert first.lines[0].amount == made.going_forward.amount


@given(changes())
def test_i05_i06_a_change_is_quoted_the_same_again_and_never_above_the_full_price(
    change: Change,
) -> None:
    subscribed, target, request, at = change
    made = quote_plan_change(subscribed, target, request, at)
    again = quote_plan_change(subscribed, target, request, at)
    assert (again, again.digest) == (made, made.digest)
    for line in made.lines:
        if line.kind is LineKind.CHARGE:
            assert 0 <= line.amount.minor <= made.going_forward.amount.minor
    if made.timing is Timing.AT_TERM_END:
        assert (made.lines, made.effective_at) == ((), subscribed.billing.plan.billed_until)


@given(changes(), st.data())
def test_i07_a_later_upgrade_at_the_same_interval_charges_and_credits_no_more(
    change: Change, data: st.DataObject
) -> None:
    subscribed, target, request, at = change
    period = subscribed.billing.plan.period_at(at)
    later = BillingNow(max(at, data.draw(instants_of(period))))
    if later >= period.end:
        return
    first, second = (quote_plan_change(subscribed, target, request, t) for t in (at, later))
    code = subscribed.billing.means.currency
    for kind in (LineKind.CHARGE, LineKind.CREDIT):
        was, is_now = (abs(sum_of(q.lines, kind, code).minor) for q in (first, second))
        assert is_now <= was
