"""Laws of the confirm page: I5 and I15 of billing-conventions.md §4."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.capacity import Cycle
from portal.domain.catalog import AddOn, CapacityEnds, Entitlement, Price
from portal.domain.ledger import LedgerAccount, Settlement, debit_balance, settlement_transfers
from portal.domain.money import Money, currency
from portal.domain.periods import BillingNow, Interval
from portal.domain.pricing import exact_minor
from portal.domain.quotes import Buyer, LineKind, Quote, Request, Start, quote
from portal.domain.taxes import Tax
from tests.unit.samples import MESSAGES, add_on, buyer, for_use, money, now, once, recurring
from tests.unit.strategies import (
    INTERVALS,
    amounts,
    anchors,
    codes,
    flat_prices,
    instants_of,
    intervals,
)

taxes = st.builds(
    Tax,
    st.sampled_from([Decimal(0), Decimal("7.7"), Decimal(20), Decimal("23.33")]),
    st.booleans(),
    st.just("VAT"),
)


@st.composite
def quotes(draw: st.DrawFn) -> tuple[Buyer, Quote]:
    """A quote of a recurring or one-time add-on to a buyer with tax, balance and carried cents."""
    code = draw(codes)
    anchor, interval = draw(anchors()), draw(intervals)
    period = anchor.period(draw(st.integers(0, 24)), interval)
    at = draw(instants_of(period))
    by = replace(
        buyer(code, draw(taxes)),
        cycle=Cycle(interval, anchor, anchor),
        balance=draw(amounts(code, most=10**5)),
        carried=draw(amounts(code, most=40)),
    )
    price = draw(flat_prices(code).flatmap(lambda p: st.sampled_from(offers(p, interval))))
    start = draw(st.sampled_from(Start))
    request = Request("add_on", draw(st.integers(1, 30)), draw(st.booleans()), start)
    sold = add_on(price, entitlements=(Entitlement(MESSAGES, 1_000),))
    return by, quote(by, sold, request, BillingNow(at))


def offers(price: Price, plan: Interval) -> list[Price]:
    """The price once, and every period that fits the plan's."""
    single = once(str(price.amount), currency=price.currency)
    fitting = [interval for interval in INTERVALS if interval.divides(plan)]
    return [single, *(replace(price, interval=interval) for interval in fitting)]


@given(quotes())
def test_i15_due_is_the_sum_of_the_displayed_lines(pair: tuple[Buyer, Quote]) -> None:
    _, made = pair
    shown = sum(line.amount.minor for line in made.lines if not line.included)
    assert made.charged.minor + made.carried_out.minor == shown == made.due.minor >= 0


@given(quotes())
def test_i15_balance_is_applied_up_to_what_is_owed(pair: tuple[Buyer, Quote]) -> None:
    by, made = pair
    applied = -made.sum_of(LineKind.BALANCE)
    owed = made.due + applied
    assert applied == by.balance.at_most(owed)


@given(quotes())
def test_i15_a_charge_is_one_the_provider_takes(pair: tuple[Buyer, Quote]) -> None:
    _, made = pair
    row = currency(made.charged.currency)
    assert made.charged.minor == 0 or made.charged.minor >= row.minimum_minor
    assert made.carried_out.minor < row.minimum_minor
    assert not (made.charged and made.carried_out)
    assert all(line.amount.minor % row.step == 0 for line in made.lines)


@given(quotes())
def test_i15_what_was_carried_is_billed_once_or_stays(pair: tuple[Buyer, Quote]) -> None:
    by, made = pair
    joined = made.sum_of(LineKind.CARRIED)
    net = made.sum_of(LineKind.CHARGE) + (made.sum_of(LineKind.TAX) - made.tax_included)
    assert joined == (by.carried if net else Money.zero(by.currency))


@given(quotes())
def test_i15_a_settled_quote_leaves_nothing_half_done(pair: tuple[Buyer, Quote]) -> None:
    _, made = pair
    settled = Settlement(
        sale=made.sum_of(LineKind.CHARGE) - made.tax_included,
        tax=made.sum_of(LineKind.TAX),
        carried_in=made.sum_of(LineKind.CARRIED),
        balance_applied=-made.sum_of(LineKind.BALANCE),
        charged=made.charged,
        carried_out=made.carried_out,
    )
    moved = settlement_transfers(settled, "purchase-1")
    assert debit_balance(LedgerAccount.RECEIVABLE, moved, made.due.currency).minor == 0


@given(quotes(), st.integers(0, 900))
def test_i05_the_preview_is_the_charge(pair: tuple[Buyer, Quote], waited: int) -> None:
    by, made = pair
    sold = add_on(made.price, entitlements=(Entitlement(MESSAGES, 1_000),))
    again = quote(by, sold, made.request, BillingNow(made.at))
    assert again == made
    assert again.digest == made.digest
    if made.at + timedelta(seconds=waited) < made.expires_at:
        assert made.at + timedelta(seconds=waited) in by.cycle.billing_period(made.at)


BASE = add_on(recurring("50"), entitlements=(Entitlement(MESSAGES, 1_000),))
AT = now("2026-04-11")
ASKED = Request("add_on", 2, True)


def by_use(amount: str, id: int = 0) -> AddOn:
    """The same, that charges for each message beyond the allowance."""
    return replace(BASE, prices=(*BASE.prices, for_use(amount, id)))


CHANGES: dict[str, Callable[[], Quote]] = {
    "price": lambda: quote(buyer(), replace(BASE, prices=(recurring("50.01"),)), ASKED, AT),
    "price row": lambda: quote(
        buyer(), replace(BASE, prices=(replace(recurring("50"), id=7),)), ASKED, AT
    ),
    "tax": lambda: quote(buyer(tax=Tax(Decimal(20))), BASE, ASKED, AT),
    "balance": lambda: quote(buyer(balance=money("0.01")), BASE, ASKED, AT),
    "carried": lambda: quote(buyer(carried=money("0.01")), BASE, ASKED, AT),
    "plan": lambda: quote(buyer(plan_key="starter"), BASE, ASKED, AT),
    "account": lambda: quote(buyer(account_id=2), BASE, ASKED, AT),
    "quantity": lambda: quote(buyer(), BASE, replace(ASKED, quantity=1), AT),
    "auto-renew": lambda: quote(buyer(), BASE, replace(ASKED, auto_renew=False), AT),
    "capacity": lambda: quote(
        buyer(), replace(BASE, entitlements=(Entitlement(MESSAGES, 999),)), ASKED, AT
    ),
    "start": lambda: quote(buyer(), BASE, replace(ASKED, start=Start.NEXT_CYCLE), AT),
    "price for use": lambda: quote(buyer(), by_use("0.002"), ASKED, AT),
    "price row for use": lambda: quote(buyer(), by_use("0.001", id=7), ASKED, AT),
    "no price for use": lambda: quote(buyer(), BASE, ASKED, AT),
    "instant": lambda: quote(buyer(), BASE, ASKED, now("2026-04-11T00:00:01")),
}


@pytest.mark.parametrize("what", CHANGES)
def test_i05_any_difference_changes_the_digest(what: str) -> None:
    base = by_use("0.001") if what.endswith("for use") else BASE
    assert CHANGES[what]().digest != quote(buyer(), base, ASKED, AT).digest


@given(flat_prices(), st.integers(1, 5))
def test_i05_a_quote_never_outlives_a_boundary(price: Price, minutes: int) -> None:
    code = price.currency
    end = buyer(code).cycle.billing_period(now("2026-04-15")).end
    request = Request("add_on", 1, True)
    late = quote(buyer(code), add_on(price), request, BillingNow(end - timedelta(minutes=minutes)))
    assert late.expires_at == end
    early = quote(buyer(code), add_on(price), request, now("2026-04-15"))
    assert early.expires_at - early.at == timedelta(minutes=15)


@given(quotes())
def test_what_waits_costs_whole_periods_or_its_one_price(pair: tuple[Buyer, Quote]) -> None:
    by, made = pair
    sold = add_on(made.price, entitlements=(Entitlement(MESSAGES, 1_000),))
    now_ = quote(by, sold, replace(made.request, start=Start.NOW), BillingNow(made.at))
    later = quote(by, sold, replace(made.request, start=Start.NEXT_CYCLE), BillingNow(made.at))
    whole = exact_minor(made.price, Decimal(made.request.quantity))
    if not made.price.is_recurring:
        assert (later.lines, later.due) == (now_.lines, now_.due)
        assert later.starts_at == by.cycle.quota_window(made.at).end
        return
    assert (later.lines, later.due.minor, later.billed_until) == ((), 0, later.starts_at)
    assert later.starts_at == now_.billed_until
    assert later.going_forward
    assert later.going_forward.next_at == later.starts_at
    assert later.going_forward.amount == Money.rounded(whole, made.price.currency)
    assert (later.cancel_at is None) is made.request.auto_renew
    assert later.cancel_at is None or later.cancel_at > later.starts_at


@given(quotes())
def test_what_waits_brings_nothing_before_it_starts(pair: tuple[Buyer, Quote]) -> None:
    _, made = pair
    for brought in made.capacity:
        assert brought.until is None or brought.until > made.starts_at
    assert made.ends_at is None or made.ends_at > made.starts_at


def test_a_one_time_price_has_no_period_to_give_back() -> None:
    pack = add_on(once("49", CapacityEnds.NEVER))
    [line] = quote(buyer(), pack, ASKED, AT).lines
    assert line.period is None
    assert line.amount == money("98")


def test_nothing_to_quote() -> None:
    for sold, quantity in ((add_on(), 1), (BASE, 0)):
        with pytest.raises(ValueError, match="nothing to quote"):
            quote(buyer(), sold, replace(ASKED, quantity=quantity), AT)
