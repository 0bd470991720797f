"""The monthly ceiling: what it counts, what it stops, and that no order of things passes it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal.domain.access import Actor, Role
from portal.domain.declines import DeclineReason
from portal.domain.errors import Forbidden
from portal.domain.money import Money
from portal.domain.payments import Declined
from portal.domain.purchases import Failure
from portal.domain.spending import Mode, PassesCeiling
from portal.domain.taxes import Tax
from portal.gateways.fake_payments import FakePayments, Fault
from portal.queries.spending import ceiling_of
from portal.services.charging import NeedsCheckout, Settled
from portal.services.settlement import let_go
from portal.services.till import till_of
from tests.services.crediting import BALANCE, CARD, Desk
from tests.services.paying import Till
from tests.services.recharging import Recharge
from tests.services.time_passing import renewals, run_at
from tests.support.world import World

BEGAN = datetime(2026, 4, 11, tzinfo=UTC)


@pytest.fixture
def recharge(shop: World) -> Recharge:
    shop.now, shop.gateway = BEGAN, FakePayments()
    return Recharge(shop)


def usd(minor: int) -> Money:
    return Money(minor, "usd")


def test_what_would_pass_it_is_not_bought_and_what_just_fits_is(recharge):
    actor, world = recharge.world.account(), recharge.world
    recharge.limit(actor, Mode.STOP, 3600)
    assert isinstance(world.buy(actor, "messages_50k"), Settled)
    assert isinstance(world.buy(actor, "messages_10k"), Settled), "exactly the ceiling"
    assert world.buy(actor, "messages_10k") == PassesCeiling(usd(3600), usd(0), usd(700))
    assert recharge.months(actor) == {(False, "Apr"): (0, 3600)}
    assert Till(world).taken() == [2900, 700]


@pytest.mark.parametrize(
    ("zone", "midnight"),
    [("Pacific/Kiritimati", "2026-04-30T10"), ("Asia/Tokyo", "2026-04-30T15"),
     ("UTC", "2026-05-01T00"), ("America/New_York", "2026-05-01T04")],
)  # fmt: skip
def test_what_was_billed_this_month_counts_from_local_midnight(zone, midnight, recharge):
    world, due_at = recharge.world, datetime.fromisoformat(f"{midnight}:00:00+00:00")
    actor = world.account(zone=zone, since=due_at - timedelta(days=30))
    run_at(world, due_at - timedelta(seconds=1))
    assert billed(world, actor) == usd(0)
    run_at(world, due_at)
    assert billed(world, actor) == usd(9900)
    world.now = datetime(2026, 5, 31, tzinfo=UTC)
    assert billed(world, actor) == usd(9900)
    world.now = datetime(2026, 6, 1, 12, tzinfo=UTC)
    assert billed(world, actor) == usd(0), "another month"


def billed(world: World, actor: Actor) -> Money:
    with world.session() as session:
        return ceiling_of(session, world.scope.environment_id, world.state(actor)).billed


def test_tax_counts(recharge):
    actor = recharge.world.account(tax=Tax(20, False, "VAT"))
    recharge.limit(actor, Mode.STOP, 839)
    assert isinstance(recharge.world.buy(actor, "messages_10k"), PassesCeiling)
    recharge.limit(actor, Mode.STOP, 840)
    assert isinstance(recharge.world.buy(actor, "messages_10k"), Settled)


@pytest.mark.parametrize("mode", [Mode.WARN, Mode.OFF])
def test_it_stops_nothing_unless_it_is_to_stop(recharge, mode):
    actor = recharge.world.account()
    recharge.limit(actor, mode, 1)
    assert isinstance(recharge.world.buy(actor, "messages_50k"), Settled)
    assert recharge.months(actor) == {(False, "Apr"): (0, 2900)}


def test_a_renewal_is_never_stopped_and_never_counted(recharge):
    actor = recharge.world.account()
    recharge.limit(actor, Mode.STOP, 0)
    run_at(recharge.world, datetime(2026, 5, 1, tzinfo=UTC))
    assert [invoice.charged_minor for invoice in renewals(recharge.world, actor)] == [9900]
    assert recharge.months(actor) == {}


def test_it_begins_anew_at_midnight_where_the_account_is(recharge):
    zone = "Asia/Tokyo"
    actor = recharge.world.account(zone=zone)
    recharge.limit(actor, Mode.STOP, 2900)
    recharge.world.now = datetime(2026, 4, 30, 14, 59, 59, tzinfo=UTC)
    assert isinstance(recharge.world.buy(actor, "messages_50k"), Settled)
    assert isinstance(recharge.world.buy(actor, "messages_10k"), PassesCeiling)
    recharge.world.now = datetime(2026, 4, 30, 15, tzinfo=UTC)
    assert isinstance(recharge.world.buy(actor, "messages_10k"), Settled)
    assert recharge.months(actor) == {(False, "Apr"): (0, 2900), (False, "May"): (0, 700)}


def test_what_is_let_go_makes_room_again(recharge):
    actor, till = recharge.world.account(), Till(recharge.world)
    recharge.limit(actor, Mode.STOP, 2900)
    till.gateway.answers.append(Declined(DeclineReason.REFUSED, may_retry=False))
    unpaid = recharge.world.buy(actor, "messages_50k")
    assert isinstance(recharge.world.buy(actor, "messages_10k"), PassesCeiling)
    till.stop(actor, unpaid.purchase_id)
    assert recharge.months(actor) == {(False, "Apr"): (0, 0)}
    assert isinstance(recharge.world.buy(actor, "messages_10k"), Settled)


def test_late_money_that_would_pass_it_goes_back(recharge):
    world = recharge.world
    actor, till = world.account(card=None), Till(world)
    recharge.limit(actor, Mode.STOP, 2900)
    opened = world.buy(actor, "messages_50k")
    page = till.page(opened.purchase_id)
    _lapse(world, till, actor, opened.purchase_id)
    other = world.member(actor.account_id, f"second{actor.account_id}@x.test", Role.OWNER)
    assert isinstance(world.buy(other, "messages_10k"), NeedsCheckout)
    till.gateway.pay_page(page)
    till.hear("checkout.session.completed", "checkout.session", page)
    assert recharge.months(actor) == {(False, "Apr"): (700, 0)}
    assert [why for _, why, _ in till.refunds()][-1] == "limit_reached"


def _lapse(world: World, till: Till, actor: Actor, purchase_id: int) -> None:
    """Let a purchase go whose page is still open somewhere."""
    [attempt] = till.attempts(purchase_id)
    with world.session() as session:
        session.get_one(type(attempt), (actor.environment_id, attempt.id)).status = "expired"
        session.flush()
        counter = till_of(actor, session, till.gateway, world.wall)
        assert let_go(counter, purchase_id, Failure.LAPSED)


def test_what_goes_back_to_the_card_makes_room_in_its_month_and_the_balance_none(world):
    recharge, desk = Recharge(world), Desk(world, Till(world))
    actor = world.account()
    recharge.limit(actor, Mode.STOP, 2900)
    world.buy(actor, "messages_50k")
    desk.credit(1, "4.00", to=BALANCE)
    assert recharge.months(actor) == {(False, "Apr"): (0, 2900)}
    desk.credit(1, "7.00", to=CARD)
    assert recharge.months(actor) == {(False, "Apr"): (0, 2200)}
    assert isinstance(world.buy(actor, "messages_10k"), Settled)


def test_twelve_at_once_never_pass_it(recharge):
    actor, world = recharge.world.account(), recharge.world
    recharge.limit(actor, Mode.STOP, 2500)
    accepted = [world.accept(world.quote(actor, "messages_10k")) for _ in range(12)]
    with ThreadPoolExecutor(6) as pool:
        outcomes = list(pool.map(lambda each: world.confirm(actor, each), accepted))
    assert sum(isinstance(each, Settled) for each in outcomes) == 3
    assert recharge.months(actor) == {(False, "Apr"): (0, 2100)}


def test_auto_recharge_stops_at_it_and_looks_again_when_it_is_raised(recharge):
    actor = recharge.world.account()
    recharge.limit(actor, Mode.STOP, 2899)
    recharge.agree(actor)
    recharge.use(actor, 95_000)
    assert recharge.causes(actor) == ["ceiling_reached"]
    assert recharge.mails(actor) == ["recharge_limited"]
    recharge.limit(actor, Mode.STOP, 2900)
    recharge.work()
    assert recharge.causes(actor)[1] == "bought"


def test_auto_recharge_looks_again_when_a_purchase_is_let_go(recharge):
    actor, till = recharge.world.account(), Till(recharge.world)
    recharge.limit(actor, Mode.STOP, 4000)
    till.gateway.answers.append(Declined(DeclineReason.REFUSED, may_retry=False))
    unpaid = recharge.world.buy(actor, "messages_50k")
    recharge.agree(actor)
    recharge.use(actor, 95_000)
    assert recharge.causes(actor) == ["ceiling_reached"]
    till.stop(actor, unpaid.purchase_id)
    recharge.work()
    assert recharge.causes(actor)[1] == "bought"
    assert recharge.months(actor)[False, "Apr"] == (0, 2900)


def test_auto_recharge_looks_again_when_money_has_gone_back(recharge):
    actor, till = recharge.world.account(), Till(recharge.world)
    desk = Desk(recharge.world, till)
    recharge.limit(actor, Mode.STOP, 4000)
    recharge.world.buy(actor, "messages_50k")
    recharge.agree(actor)
    recharge.use(actor, 145_000)
    assert recharge.causes(actor) == ["ceiling_reached"]
    number = desk.invoice(actor).number
    desk.credit(number, "10.00", to=CARD)
    recharge.work()
    assert recharge.causes(actor) == ["ceiling_reached"]
    desk.credit(number, "8.00", to=CARD)
    recharge.work()
    assert recharge.causes(actor)[1] == "bought"


def test_only_an_owner_sets_it(recharge):
    owner = recharge.world.account()
    for role in (Role.ADMIN, Role.BILLING, Role.MEMBER):
        mail = f"{role}{owner.account_id}@x.test"
        with pytest.raises(Forbidden):
            recharge.limit(recharge.world.member(owner.account_id, mail, role), Mode.STOP, 1)


STEP = st.one_of(
    st.tuples(st.just("use"), st.integers(1, 60_000)),
    st.tuples(st.just("pass"), st.integers(1, 60 * 24 * 9)),
    st.tuples(st.just("answer"), st.sampled_from(["declined", "failed", "lost"])),
    st.tuples(st.just("buy"), st.sampled_from(["messages_10k", "messages_50k"])),
    st.tuples(st.just("go_on"), st.just(0)),
)


@settings(
    max_examples=12, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(
    steps=st.lists(STEP, min_size=4, max_size=14),
    cap=st.integers(4900, 15_000),
    ceiling=st.integers(3000, 15_000),
)
def test_no_order_of_things_passes_cap_or_ceiling(recharge, steps, cap, ceiling):
    world = recharge.world
    world.now, world.gateway = BEGAN, FakePayments()
    actor, till = world.account(tax=Tax(20, False, "VAT")), Till(world)
    recharge.limit(actor, Mode.STOP, ceiling)
    recharge.agree(actor, cap=cap, cooldown=timedelta(minutes=5), threshold=20_000)
    for what, value in steps:
        if what == "use":
            recharge.use(actor, value)
        elif what == "pass":
            run_at(world, world.now + timedelta(minutes=value))
            till.reconcile()
        elif what == "buy":
            world.buy(actor, value)
        elif what == "go_on":
            recharge.do("go_on", actor)
        elif value == "lost":
            till.gateway.fail_next("charge", Fault.ANSWER_LOST)
        else:
            reason = (
                DeclineReason.REFUSED if value == "declined" else DeclineReason.PROCESSING_ERROR
            )
            till.gateway.answers.append(Declined(reason, may_retry=True))
        recharge.work()
        for (of_policy, _), (reserved, spent) in recharge.months(actor).items():
            assert reserved + spent <= (cap if of_policy else ceiling)
