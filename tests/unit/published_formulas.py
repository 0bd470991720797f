"""The published cases of model `formula` that a function of the domain answers, by case id."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

from portal.domain.capacity import Cycle
from portal.domain.catalog import Entitlement, Price, TierMode
from portal.domain.entitlements import Source, SourceKind, resolve
from portal.domain.grants import Lot, available, credit_units, draw
from portal.domain.lines import Means, charge_line
from portal.domain.money import Money
from portal.domain.periods import Anchor, BillingNow, Period
from portal.domain.pricing import exact_minor
from portal.domain.proration import charge, credit_for, unused
from portal.domain.quantity_changes import Asked, QuantityRequest, quote_quantity
from portal.domain.recurring import Recurring
from portal.domain.taxes import NO_TAX, Tax, tax_on
from tests.support.published import Fields, rounded
from tests.unit.samples import (
    MONTHLY,
    STORAGE,
    add_on,
    instant,
    money,
    once,
    package,
    recurring,
    span,
    tiered,
)

NOW = instant("2026-01-01")


def days(left: int, whole: int) -> Period:
    """A period of `whole` days that has `left` days left at NOW."""
    start = NOW - timedelta(days=whole - left)
    return Period(start, start + timedelta(days=whole))


def rest(amount: str, left: int, whole: int, code: str = "usd") -> Money:
    return charge(recurring(amount, currency=code), Decimal(1), days(left, whole), NOW)


def flat(amount: str, count: str) -> Decimal:
    return charge(recurring(amount), Decimal(count), None, NOW).major()


def total(price: Price, *counts: int) -> Fraction:
    """Each count rated on its own, in major units."""
    return sum((exact_minor(price, Decimal(count)) / 100 for count in counts), Fraction(0))


def lots(*units: int) -> list[Lot]:
    return [Lot(n, Decimal(u), Decimal(u), NOW, NOW) for n, u in enumerate(units)]


def capped_credit() -> Fields:
    may = span("2012-05-01", "2012-06-01")
    paid, at = money("249.95"), instant("2012-05-02")
    prorated = unused(paid, may, at)
    credit = credit_for(prorated, paid, Money.zero("usd"), money("10.00"))
    new = charge(recurring("9.95"), Decimal(1), may, at)
    return {
        "prorated": prorated.major(),
        "credit": credit.major(),
        "charge": new.major(),
        "account_credit": (credit - new).major(),
    }


def january_credits(credits: str, at: str) -> Fields:
    share = span("2025-01-01", "2025-02-01").fraction_left(instant(at))
    return {"granted": credit_units(Decimal(credits), 1, share)}


def credit_note(paid: str, rate: str, left: int, whole: int) -> Fields:
    amount = unused(money(paid, "eur"), days(left, whole), NOW)
    tax = tax_on(Tax(Decimal(rate)), amount)
    return {"amount": amount.minor, "tax": tax.minor, "total": (amount + tax).minor}


def credit_of_a_prorated_line() -> Fields:
    period, at = span("2025-12-01", "2026-01-01"), instant("2025-12-22")
    bought = instant("2025-12-10")
    billed = charge(recurring("15.00"), Decimal(1), period, bought)
    credit = unused(billed, Period(bought, period.end), at)
    new = charge(recurring("100.00"), Decimal(1), period, at)
    figures = {"billed": billed, "credit": credit, "charge": new, "net": new - credit}
    return {name: amount.minor for name, amount in figures.items()}


def stacked_then_used() -> Fields:
    sources = [
        Source(SourceKind.ADD_ON, "Seats", Entitlement(STORAGE, units), 1, NOW) for units in (4, 2)
    ]
    taken = draw(lots(4, 2), Decimal(1), NOW).draws[0].units
    granted = resolve(STORAGE, sources, NOW).limit
    return {"granted": granted, "remaining": available(lots(4, 2), NOW) - taken}


def months_ratio(start: str, at: str) -> Fields:
    """The rest of the month that ends at the 15th after `at`."""
    period = Anchor(instant(start)).period_at(instant(at), MONTHLY)
    return {"ratio": rounded(period.fraction_left(instant(at)), 9)}


def rated_in_two_halves() -> Fields:
    price = tiered(TierMode.SLAB, (5, "0", "100"), (10, "0", "50"), (15, "5"), (None, "1"))
    first, whole = total(price, 12), total(price, 22)
    return {"first": first, "second": whole - first, "whole": whole}


def overdrawn() -> Fields:
    drawing = draw(lots(300), Decimal(450), NOW)
    return {"prepaid_left": 300 - drawing.draws[0].units, "usage_balance": -drawing.excess}


def voided_grant() -> Fields:
    void = NOW + timedelta(hours=1)
    lot = Lot(1, Decimal(100), Decimal(50), NOW, NOW, expires_at=void)
    after = draw([lot], Decimal(50), void)
    return {"balance": available([lot], void), "overage": after.excess}


def overage_does_not_eat_later_credit() -> Fields:
    assert draw(lots(100), Decimal(150), NOW).excess == 50
    return {"balance": available(lots(0, 50), NOW)}


def percent_per_line() -> Fields:
    share = Fraction("33.33") / 100
    each = money("1.00").scaled(share)
    return {
        "each": each.minor,
        "sum": each.times(2).minor,
        "on_total": money("2.00").scaled(share).minor,
    }


def lines_then_total() -> Fields:
    exact = ("10.333", "20.666", "30.999", "15.15", "24.98")
    lines = [Money.rounded(Fraction(text) * 100, "usd") for text in exact]
    return {"total": sum(lines, Money.zero("usd")).major()}


def whole_month_and_stub() -> Fields:
    stub = charge(
        recurring("100"), Decimal(1), span("2017-12-15", "2018-01-15"), instant("2018-01-01")
    )
    return {"amount": (stub + money("100")).major()}


def ten_units_then_five() -> Fields:
    """Fewer units wait for the boundary, so that the change itself is invoiced nothing."""
    march = Anchor(instant("2024-03-01"))
    held = Recurring("Seats", recurring("10.00"), march, instant("2024-04-01"), 10, 1)
    first = charge_line(held.name, held.price, held.quantity, None, march.at)
    means = Means("usd", NO_TAX, money("0"), money("0"))
    asked = Asked(1, add_on(held.price), held, Cycle(MONTHLY, march, march), means)
    then = quote_quantity(asked, QuantityRequest(1, 5), BillingNow(instant("2024-03-06")))
    return {"invoice_0": first.amount.minor, "invoice_1": then.due.charged.minor}


BUCKETS = ((10, "0.10"), (20, "0.05"), (None, "0.02"))

FORMULAS: dict[str, Callable[[], Fields]] = {
    "seed-02": lambda: {"monthly": flat("10.00", "2")},
    "seed-05": lambda: {
        "charge": charge(once("499"), Decimal(1), days(10, 30), NOW).major(),
    },
    "fp-pr-09": lambda: {
        "graduated": total(tiered(TierMode.SLAB, *BUCKETS), 9, 15),
        "volume": total(tiered(TierMode.VOLUME, *BUCKETS), 9, 15),
    },
    "fp-pr-10": lambda: {"total": total(package("5", 100), 50, 150, 200, 99)},
    "kb-rep-01": capped_credit,
    "fp-cg-02": lambda: january_credits("100", "2025-01-16T12:00:00Z"),
    "fp-cg-04": lambda: january_credits("100", "2025-02-01T00:00:00Z"),
    "fp-cg-05": lambda: january_credits("1", "2025-01-31T23:59:30Z"),
    "lago-cnr-01": lambda: credit_note("200.00", "25", 29, 30),
    "lago-cnr-03": lambda: credit_note("29.99", "23.33", 6, 7),
    "lago-cnr-04": lambda: credit_note("769.00", "20", 345, 365),
    "po-29": percent_per_line,
    "lago-ch-07": lambda: {
        "amount": total(tiered(TierMode.SLAB, (250, "0"), (None, "0.013")), 800)
        + total(recurring("2"), 2)
    },
    "sf-01": lambda: {"amount": (rest("90.00", 8, 31) + money("900.00")).major()},
    "au-16": stacked_then_used,
    "om-ff-04": lambda: {"charge": rest("100", 59, 31).major()},
    "rw-01": lambda: {"credit": unused(money("200.00"), days(305, 365), NOW).major()},
    "zr-02": whole_month_and_stub,
    "lago-up-06": credit_of_a_prorated_line,
    "kb-du-11": lambda: months_ratio("2023-05-15", "2023-05-23"),
    "kb-du-14": lambda: months_ratio("2024-02-15", "2024-02-23"),
    "kb-qty-01": lambda: {"total_7": flat("29.95", "7"), "total_10": flat("29.95", "10")},
    "fp-br-06": lines_then_total,
    "om-rt-03": rated_in_two_halves,
    "kb-bt-01": lambda: {f"d{left}": rest("249.95", left, 30).major() for left in (8, 6, 12)},
    "au-18": overdrawn,
    "om-w-05": voided_grant,
    "po-33": overage_does_not_eat_later_credit,
    "lago-fc-01": ten_units_then_five,
    "kg-02": lambda: {"value": flat("0.50", "100")},
}
