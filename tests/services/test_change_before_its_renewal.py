"""Between an agreed change of plan and its renewal: nothing is sold, and all can be stopped."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from portal.domain.access import Actor
from portal.domain.eligibility import Reason
from portal.domain.errors import Conflict
from portal.domain.instances import Phase
from portal.domain.quotes import Start
from portal.models.catalog import AddOnRow
from portal.models.purchases import PurchaseRow
from portal.models.subscriptions import InstanceRow, SubscriptionRow
from portal.queries.addons import card_for_host, get_card, may_wait
from portal.services.charging import NeedsCheckout, Settled
from portal.services.instances import next_boundary
from portal.services.plans import Agreed
from portal.services.purchases import Refused
from tests.services.changing import APRIL_1, MONTHLY, Office
from tests.services.leaving import cancel_add_on, instance_rows, keep_add_on
from tests.services.recharging import Recharge
from tests.services.time_passing import renewals, run, run_at, subscription
from tests.support.world import World
from tests.unit.samples import instant

MAY_1, JUNE_1 = instant("2026-05-01"), instant("2026-06-01")
YEAR_ON = instant("2027-04-01")
SOON = timedelta(seconds=20)
"""The change has come; the job of the minute has not run yet."""


@pytest.fixture
def office(world, till) -> Office:
    return Office(world, till)


@pytest.fixture
def business(office, world) -> Actor:
    """On Business since 1 April."""
    world.now = APRIL_1
    return office.account(plan="business", price="business_monthly_usd")


@pytest.fixture
def shorter(office, world) -> Actor:
    """On Growth with Salesforce, paid up to 1 April 2027; by the month from then on."""
    world.now = APRIL_1
    actor = office.account(price="growth_annual_usd")
    assert isinstance(world.buy(actor, "salesforce"), Settled)
    world.now = instant("2026-04-11")
    assert isinstance(office.change(actor, "growth", MONTHLY), Agreed)
    return actor


def to_starter(office: Office, actor: Actor) -> None:
    office.world.now = instant("2026-04-11")
    assert isinstance(office.change(actor, "starter"), Agreed)


def why_not(world: World, actor: Actor, add_on: str, start: Start = Start.NOW) -> Reason | None:
    outcome = world.buy(actor, add_on, start=start)
    assert isinstance(outcome, Refused), outcome
    return outcome.refusal.reason if outcome.refusal else None


def ends(world: World, actor: Actor) -> list[datetime | None]:
    rows = instance_rows(world, actor)
    return [row.cancel_at.astimezone(UTC) if row.cancel_at else None for row in rows]


def bills(world: World, actor: Actor) -> list[tuple[datetime | None, int]]:
    return [(each.due_at, each.charged_minor) for each in renewals(world, actor)]


def months_pass(world: World, actor: Actor, *dates: str) -> None:
    """Each time all that is due is done, and nothing of it stays."""
    for each in dates:
        run_at(world, instant(each))
        assert subscription(world, actor).next_due_at > world.now


def test_nothing_is_sold_before_the_renewal_has_run(business, office, world):
    to_starter(office, business)
    world.now = MAY_1 - timedelta(seconds=1)
    accepted = world.accept(world.quote(business, "advanced_webhooks"))
    world.now = MAY_1 + SOON
    late = world.confirm(business, accepted)
    assert isinstance(late, Refused)
    assert late.refusal.reason is Reason.RENEWING
    for add_on in ("advanced_webhooks", "messages_10k", "storage_100gb"):
        assert why_not(world, business, add_on) is Reason.RENEWING
        assert why_not(world, business, add_on, Start.NEXT_CYCLE) is Reason.RENEWING
    assert world.rows(PurchaseRow, account_id=business.account_id) == 0
    months_pass(world, business, "2026-05-02")
    assert why_not(world, business, "advanced_webhooks") is Reason.PLAN
    assert isinstance(world.buy(business, "storage_100gb"), Settled)
    months_pass(world, business, "2026-06-02", "2026-07-02")


def test_cards_and_the_host_say_so_too(business, office, world):
    to_starter(office, business)
    world.now = MAY_1 + SOON
    state = world.state(business)
    card, told = get_card(state, business, "storage_100gb"), card_for_host(state, "storage_100gb")
    assert card.refusal.reason is told.refusal.reason is Reason.RENEWING
    assert not may_wait(state, business, card.add_on)


def test_auto_recharge_waits_for_it_and_looks_again_soon(office, world):
    world.now = APRIL_1
    actor, recharge = office.account(plan="business", price="business_monthly_usd"), Recharge(world)
    recharge.agree(actor, threshold=1_000)
    to_starter(office, actor)
    world.now = MAY_1 + SOON
    recharge.use(actor, 9_500)
    assert recharge.causes(actor) == ["renewing"]
    run(world)
    world.pass_time(minutes=5)
    recharge.work()
    assert recharge.causes(actor) == ["renewing", "bought"]


def test_a_renewal_that_changes_no_plan_sells_on(business, world):
    world.now = MAY_1 + SOON
    assert isinstance(world.buy(business, "advanced_webhooks"), Settled)
    months_pass(world, business, "2026-05-02", "2026-06-02")
    assert bills(world, business)[1:] == [(MAY_1, 29900), (JUNE_1, 32900)]


def test_a_suspended_plan_is_not_said_to_be_renewed_in_a_minute(business, office, world):
    to_starter(office, business)
    world.now = MAY_1 + SOON
    mine = SubscriptionRow.account_id == business.account_id
    world.change(update(SubscriptionRow).where(mine).values(status="suspended"))
    assert why_not(world, business, "storage_100gb") is Reason.SUSPENDED


def test_a_year_of_an_add_on_is_not_sold_to_a_plan_by_the_month(shorter, world):
    world.now = YEAR_ON + SOON
    assert why_not(world, shorter, "zendesk") is Reason.RENEWING
    run(world)
    assert isinstance(world.buy(shorter, "zendesk"), Settled)
    assert [i.price.lookup_key for i in world.state(shorter).held] == [
        "salesforce_monthly_usd", "zendesk_monthly_usd",
    ]  # fmt: skip


def test_what_was_sold_in_between_by_mistake_ends_when_its_period_does(business, office, world):
    """As rows of earlier releases have it: bought for May after the change had come."""
    to_starter(office, business)
    world.buy(business, "advanced_webhooks")
    sold = {"starts_at": MAY_1 + SOON, "billed_until_at": JUNE_1}
    mine = InstanceRow.account_id == business.account_id
    world.change(update(InstanceRow).where(mine).values(**sold))
    months_pass(world, business, "2026-05-02", "2026-06-02", "2026-07-02")
    assert ends(world, business) == [JUNE_1]
    assert [amount for _, amount in bills(world, business)][1:] == [2900, 2900, 2900]


def test_nothing_ends_before_it_begins(business, office, world):
    world.buy(business, "advanced_webhooks")
    to_starter(office, business)
    mine = InstanceRow.account_id == business.account_id
    sold = {"starts_at": MAY_1 + SOON, "billed_until_at": JUNE_1}
    world.change(update(InstanceRow).where(mine).values(**sold))
    months_pass(world, business, "2026-05-02", "2026-06-02")
    assert ends(world, business) == [MAY_1 + SOON]


@pytest.mark.parametrize("late", [False, True])
def test_what_the_new_plan_cannot_have_is_over_and_not_to_be_cancelled(
    late, business, office, world
):
    world.buy(business, "advanced_webhooks")
    to_starter(office, business)
    world.now = MAY_1 + SOON
    if not late:
        run(world)
    [over] = world.state(business).instances
    assert (over.phase, over.renews) == (Phase.ENDED, False)
    for act in (cancel_add_on, keep_add_on):
        with pytest.raises(Conflict):
            act(world, business, over.id)
    months_pass(world, business, "2026-05-02", "2026-06-02")
    assert ends(world, business) == [MAY_1]
    assert bills(world, business)[1:] == [(MAY_1, 2900), (JUNE_1, 2900)]


def test_one_bought_since_the_agreement_is_over_too(business, office, world):
    to_starter(office, business)
    world.buy(business, "advanced_webhooks")
    world.now = MAY_1 + SOON
    [over] = world.state(business).instances
    assert over.phase is Phase.ENDED
    months_pass(world, business, "2026-05-02", "2026-06-02")
    assert ends(world, business) == [MAY_1]


def test_an_end_that_was_written_too_late_is_moved_to_that_of_the_change(business, office, world):
    """As rows of earlier releases have it: cancelled in between for the next boundary."""
    world.buy(business, "advanced_webhooks")
    to_starter(office, business)
    mine = InstanceRow.account_id == business.account_id
    world.change(update(InstanceRow).where(mine).values(cancel_at=JUNE_1))
    months_pass(world, business, "2026-05-02", "2026-06-02", "2026-07-02")
    assert ends(world, business) == [MAY_1]


@pytest.mark.parametrize("late", [timedelta(0), SOON, timedelta(days=40)])
def test_cancelled_in_between_it_ends_with_the_month_it_is_then_billed_for(late, shorter, world):
    world.now = YEAR_ON + late
    if not late:
        run(world)
    instance = world.state(shorter).instances[0]
    end = instant("2027-06-01") if late > timedelta(days=1) else instant("2027-05-01")
    assert next_boundary(world.state(shorter), instance) == end
    cancel_add_on(world, shorter, instance.id)
    assert ends(world, shorter) == [end]
    months_pass(world, shorter, "2027-05-12", "2027-06-02")
    april, may, june = bills(world, shorter)[-3:]
    assert april == (YEAR_ON, 14900)
    assert may[1] == (14900 if late > timedelta(days=1) else 9900)
    assert june == (instant("2027-06-01"), 9900)


def test_kept_in_between_it_is_billed_by_the_month(shorter, world):
    number = world.state(shorter).instances[0].id
    world.now = YEAR_ON + SOON
    cancel_add_on(world, shorter, number)
    keep_add_on(world, shorter, number)
    months_pass(world, shorter, "2027-04-02", "2027-05-02")
    assert [amount for _, amount in bills(world, shorter)[-2:]] == [14900, 14900]


def test_money_of_a_period_that_is_over_goes_back(office, world, till):
    world.now = APRIL_1
    actor = office.account(plan="business", price="business_monthly_usd")
    to_starter(office, actor)
    waits = world.confirm(actor, world.accept(world.quote(actor, "advanced_webhooks")), "new")
    assert isinstance(waits, NeedsCheckout)
    world.now = MAY_1 + SOON
    till.gateway.pay_page(till.page(waits.purchase_id))
    till.finish(actor, waits.purchase_id)
    assert [reason for _, reason, _ in till.refunds()] == ["period_over"]
    months_pass(world, actor, "2026-05-02", "2026-06-02")
    assert till.books_agree()


@pytest.mark.parametrize("late", [False, True])
def test_money_for_what_the_plan_of_by_now_cannot_have_goes_back(late, office, world, till):
    """A pack that never ends is paid for once the change has come, its renewal run or not."""
    world.change(
        update(AddOnRow)
        .where(AddOnRow.lookup_key == "onboarding")
        .values(allowed_plans=["business"])
    )
    world.now = APRIL_1
    actor = office.account(plan="business", price="business_monthly_usd")
    to_starter(office, actor)
    world.now = MAY_1 - timedelta(minutes=10)
    waits = world.confirm(actor, world.accept(world.quote(actor, "onboarding")), "new")
    assert isinstance(waits, NeedsCheckout)
    world.now = MAY_1 + SOON
    if not late:
        run(world)
    till.gateway.pay_page(till.page(waits.purchase_id))
    till.finish(actor, waits.purchase_id)
    assert till.refunds() == [(49900, "moved_on", "succeeded")]
    months_pass(world, actor, "2026-05-02", "2026-06-02")
    assert till.books_agree()
