"""Changing the plan now: the published figures, what moves with it, once, and undone never."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from sqlalchemy import select, update

from portal.domain.access import Role
from portal.domain.errors import Forbidden, NotFound
from portal.domain.money import Money
from portal.domain.periods import BillingPeriod
from portal.domain.plan_moves import PlanReason
from portal.domain.taxes import Tax
from portal.models.accounts import AccountRow
from portal.models.catalog import PriceRow
from portal.models.invoices import InvoiceRow
from portal.models.purchases import PurchaseRow, QuoteRow
from portal.models.usage import LotRow
from portal.services.accepting import QuoteChanged
from portal.services.charging import Settled
from portal.services.plans import CannotChange
from tests.services.changing import ANNUAL, APRIL_1, MONTHLY, Office

MAY_1 = datetime(2026, 5, 1, tzinfo=UTC)
APRIL_11 = datetime(2026, 4, 11, tzinfo=UTC)
MARCH_15 = datetime(2024, 3, 15, tzinfo=UTC)


@pytest.fixture
def office(world, till) -> Office:
    return Office(world, till)


@pytest.fixture
def growth(office):
    """On Growth at $50 a month, $480 a year; Business costs $100 and $960."""
    for price, amount in (
        ("growth_monthly_usd", "50"), ("growth_annual_usd", "480"),
        ("business_monthly_usd", "100"), ("business_annual_usd", "960"),
    ):  # fmt: skip
        office.reprice(price, amount)
    return office.account()


CASES = {
    "P16": (datetime(2024, 3, 1, tzinfo=UTC), MARCH_15, "MONTHLY", "10", "20", 548, 1097, 549),
    "P21": (APRIL_1, APRIL_11, "MONTHLY", "50", "100", 3333, 6667, 3334),
    "P23": (datetime(2026, 1, 1, tzinfo=UTC), APRIL_11, "ANNUAL", "600", "1200",
            43562, 87123, 43561),
    "P24": (APRIL_1, APRIL_11, "MONTHLY", "20", "50", 1333, 3333, 2000),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_unused_old_against_remaining_new_in_one_charge(case, office, world):
    since, at, period, old, new, credit, charge, net = case
    slug = period.lower()
    interval = ANNUAL if BillingPeriod(period) is BillingPeriod.ANNUAL else MONTHLY
    office.reprice(f"growth_{slug}_usd", old)
    office.reprice(f"business_{slug}_usd", new)
    world.now = at
    actor = office.account(since, price=f"growth_{slug}_usd")
    before = len(office.till.taken())
    until = office.plan(actor)[2]
    assert isinstance(office.change(actor, "business", interval), Settled)
    assert office.bill(actor) == [("credit", "Growth", -credit), ("charge", "Business", charge)]
    assert office.till.taken()[before:] == [net]
    assert office.plan(actor) == ("business", f"business_{slug}_usd", until)
    assert office.till.books_agree()


@pytest.mark.parametrize(
    ("old", "monthly", "annual", "credit", "charge", "net"),
    [("P17", "100", "30", 5484, 3000, -2484), ("P22", "300", "75", 16452, 7500, -8952)],
)
def test_a_net_credit_charges_nothing_and_pays_the_next_bill(
    old, monthly, annual, credit, charge, net, office, world
):
    """P17 and P22 in kind: more is credited than charged, which only a cheap year can bring now."""
    world.now = MARCH_15
    office.reprice("growth_monthly_usd", monthly)
    office.reprice("growth_annual_usd", annual)
    actor = office.account(datetime(2024, 3, 1, tzinfo=UTC))
    before = office.till.taken()
    quote = office.quote(actor, "growth", ANNUAL)
    assert (quote.due.charged, quote.due.credited) == (Money(0, "usd"), Money(-net, "usd"))
    assert isinstance(office.confirm(actor, office.accept(quote)), Settled)
    assert office.bill(actor) == [("credit", "Growth", -credit), ("charge", "Growth", charge)]
    assert office.till.taken() == before
    assert world.state(actor).balance == Money(-net, "usd")
    with world.session() as session:
        last = session.scalars(select(InvoiceRow).order_by(InvoiceRow.number.desc())).first()
    assert (last.status, last.total_minor, last.credited_minor) == ("paid", net, -net)
    assert office.till.books_agree()
    world.now = datetime(2024, 3, 16, tzinfo=UTC)
    world.buy(actor, "messages_10k")
    assert world.state(actor).balance == Money(-net - 700, "usd")
    world.now = datetime(2025, 3, 15, tzinfo=UTC)
    office.run_due()
    left = max(-net - 700 - charge, 0)
    assert office.bill(actor)[-1] == ("balance", "", -min(charge, -net - 700))
    assert world.state(actor).balance == Money(left, "usd")
    assert office.till.books_agree()


def test_p20_what_was_credited_once_is_not_credited_again(growth, office, world):
    office.change(growth, "business")
    assert office.bill(growth)[0] == ("credit", "Growth", -3333)
    office.reprice("enterprise_monthly_usd", "200")
    world.now = datetime(2026, 4, 21, tzinfo=UTC)
    office.change(growth, "enterprise")
    assert office.bill(growth) == [("credit", "Business", -3334), ("charge", "Enterprise", 6667)]
    assert office.till.taken() == [5000, 3334, 3333]
    assert office.till.books_agree()


def test_p27_month_to_year_restarts_the_bills_and_leaves_the_quota_alone(growth, office, world):
    world.buy(growth, "salesforce")
    office.reprice("salesforce_annual_usd", "480")
    world.buy(growth, "zendesk")
    prices = PriceRow.lookup_key == "zendesk_annual_usd"
    world.change(update(PriceRow).where(prices).values(currency="chf"))
    assert isinstance(office.change(growth, "growth", ANNUAL), Settled)
    assert office.bill(growth) == [
        ("credit", "Growth", -3333),
        ("charge", "Growth", 48000),
        ("credit", "Salesforce connector", -3333),
        ("charge", "Salesforce connector", 48000),
    ]
    row = office.subscription(growth)
    assert row.billing_anchor_at == APRIL_11
    assert row.quota_anchor_at == APRIL_1
    assert row.billed_until_at == datetime(2027, 4, 11, tzinfo=UTC)
    moved, kept = office.instance(growth, 0), office.instance(growth, 1)
    assert (moved.billing_anchor_at, moved.billed_until_at) == (APRIL_11, row.billed_until_at)
    assert (kept.billing_anchor_at, kept.billed_until_at) == (APRIL_1, MAY_1)
    assert row.next_due_at == MAY_1
    world.now = MAY_1
    office.run_due()
    assert office.bill(growth) == [("charge", "Zendesk connector", 3500)]
    assert office.till.books_agree()


def test_a_cancelled_add_on_is_left_alone_by_a_year(growth, office, world):
    world.buy(growth, "salesforce", renew=False)
    office.change(growth, "growth", ANNUAL)
    assert len(office.bill(growth)) == 2
    row = office.instance(growth)
    assert (row.cancel_at, row.billed_until_at) == (MAY_1, MAY_1)


def test_tax_goes_back_with_the_credit_and_comes_with_the_charge(office, world):
    actor = office.account(tax=Tax(Decimal(20), label="VAT"))
    office.change(actor, "business")
    assert [kind for kind, _, _ in office.bill(actor)] == ["credit", "tax", "charge", "tax"]
    assert office.bill(actor)[1] == ("tax", "VAT", -1320)
    assert office.till.books_agree()


def test_tax_inside_the_price_keeps_the_books_even(office, world):
    actor = office.account(tax=Tax(Decimal(20), True, "VAT"))
    office.change(actor, "business")
    assert office.till.taken()[-1] == 19933 - 6600
    assert office.till.books_agree()


def units(world, actor) -> list[tuple[str, Decimal]]:
    with world.session() as session:
        mine = select(LotRow).filter_by(account_id=actor.account_id)
        rows = session.scalars(mine.order_by(LotRow.effective_at, LotRow.id))
        return [(row.source_key, row.granted) for row in rows]


def messages(world, actor) -> Decimal:
    from portal.queries.usage import meters
    from portal.services.capacity import open_windows_now

    with world.session() as session:
        state = world.state(actor)
        open_windows_now(session, world.scope, state)
        found = meters(session, world.scope, state)
    return next(m.allowance for m in found if m.feature.lookup_key == "messages")


def test_an_upgrade_brings_the_difference_for_the_rest_of_the_window(growth, office, world):
    office.change(growth, "business")
    assert messages(world, growth) == 100_000 + 266_667
    world.now = MAY_1
    office.run_due()
    assert messages(world, growth) == 500_000


def test_the_year_brings_no_units_on_top(growth, office, world):
    office.change(growth, "growth", ANNUAL)
    assert messages(world, growth) == 100_000
    world.now = MAY_1
    assert messages(world, growth) == 100_000


def test_an_upgrade_at_the_very_start_of_a_window_brings_the_whole_of_it(growth, office, world):
    world.now = MAY_1
    office.run_due()
    assert messages(world, growth) == 100_000
    office.change(growth, "business")
    assert messages(world, growth) == 500_000


def test_a_stale_quote_charges_nothing(growth, office, world):
    accepted = office.accept(office.quote(growth, "business"))
    world.buy(growth, "salesforce")
    before = office.till.taken()
    shown = Money(3334, "usd")
    assert office.confirm(growth, accepted) == QuoteChanged(expired=False, shown_due=shown)
    fresh = office.accept(office.quote(growth, "business"))
    world.pass_time(minutes=15)
    assert office.confirm(growth, fresh) == QuoteChanged(expired=True, shown_due=shown)
    assert office.till.taken() == before
    assert office.plan(growth)[0] == "growth"


def test_a_get_of_the_quote_writes_nothing(growth, office, world):
    office.quote(growth, "business")
    assert world.rows(QuoteRow) == world.rows(PurchaseRow) == 0


def test_twelve_posts_of_one_form_at_once_charge_once(growth, office, world):
    accepted = office.accept(office.quote(growth, "business"))
    with ThreadPoolExecutor(12) as pool:
        outcomes = list(pool.map(lambda _: office.confirm(growth, accepted), range(12)))
    assert {type(o).__name__ for o in outcomes} <= {"Settled", "Pending"}
    assert office.confirm(growth, accepted) == Settled(1)
    assert office.till.taken() == [5000, 3334]
    assert world.rows(InvoiceRow) == 2
    assert office.till.books_agree()


def test_of_two_changes_at_once_one_wins(growth, office, world):
    other = world.member(growth.account_id, "other@account1.test", Role.BILLING)
    forms = [
        (growth, office.accept(office.quote(growth, "business"))),
        (other, office.accept(office.quote(other, "enterprise"))),
    ]
    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(lambda form: office.confirm(*form), forms))
    assert sum(isinstance(o, Settled) for o in outcomes) == 1
    assert sum(isinstance(o, CannotChange | QuoteChanged) for o in outcomes) == 1
    assert world.rows(InvoiceRow) == 2
    assert office.till.books_agree()


@pytest.mark.parametrize("status", ["past_due", "trialing", "suspended"])
def test_nothing_changes_while_the_subscription_may_not_buy(status, growth, office, world):
    from portal.models.subscriptions import SubscriptionRow

    accepted = office.accept(office.quote(growth, "business"))
    world.change(update(SubscriptionRow).values(status=status))
    outcome = office.confirm(growth, accepted)
    assert isinstance(outcome, CannotChange)
    assert outcome.refusal.reason is PlanReason(status)
    assert office.till.taken() == [5000]


def test_what_is_due_is_billed_before_the_plan_changes(growth, office, world):
    accepted = office.accept(office.quote(growth, "business"))
    world.now = MAY_1
    outcome = office.confirm(growth, accepted)
    assert isinstance(outcome, CannotChange)
    assert outcome.refusal.reason is PlanReason.RENEWING


def test_a_reader_may_not_and_an_unknown_plan_is_not_found(growth, office, world):
    accepted = office.accept(office.quote(growth, "business"))
    reader = world.member(growth.account_id, "reader@account1.test", Role.MEMBER)
    with pytest.raises(Forbidden):
        office.confirm(reader, accepted)
    with pytest.raises(Forbidden):
        office.withdraw(reader)
    with pytest.raises(NotFound):
        office.quote(growth, "no_such_plan")
    stranger = world.account()
    office.confirm(growth, accepted)
    with pytest.raises(NotFound):
        office.confirm(stranger, accepted)


def test_a_quote_grows_old_by_the_wall_clock_while_the_accounts_stands_still(growth, office, world):
    world.change(update(AccountRow).values(test_clock_at=world.now))
    accepted = office.accept(office.quote(growth, "business"))
    world.pass_time(minutes=15)
    outcome = office.confirm(growth, accepted)
    assert outcome == QuoteChanged(expired=True, shown_due=Money(3334, "usd"))
    assert office.till.taken() == [5000]
