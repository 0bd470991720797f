"""Auto-recharge looks again as soon as what was in its way is over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from portal.domain.access import Actor
from portal.domain.instances import SubscriptionStatus
from portal.services import invoice_payments
from portal.services.usage import count
from tests.services.leaving import cancel_plan, keep_plan, on_trial, save_card
from tests.services.recharging import Recharge
from tests.services.time_passing import renewals, run_at
from tests.services.using import meter, used
from tests.support.world import paying

MINUTE = timedelta(minutes=1)
NOON = datetime(2026, 4, 29, 12, tzinfo=UTC)


def lasting(recharge: Recharge) -> Actor:
    """An account whose last 9,500 of April last until May, at 700 a day."""
    world, actor = recharge.world, recharge.world.account()
    world.now = NOON
    past = [(3, 85_000), *[(day, 700) for day in range(22, 29)]]
    events = [used("messages", n, NOON.replace(day=day)) for day, n in past]
    with world.session() as session:
        count(session, world.scope, actor.account_id, events, world.wall)
    recharge.agree(actor)
    recharge.use(actor, 600)
    assert recharge.causes(actor) == ["window_ends_before_runout"]
    return actor


def test_a_burst_after_what_was_left_was_enough_is_noticed_at_once(recharge):
    actor = lasting(recharge)
    recharge.world.pass_time(minutes=5)
    recharge.use(actor, 6_000)
    assert recharge.causes(actor) == ["window_ends_before_runout", "bought"]
    assert meter(recharge.world, actor).left == 53_500


def test_reports_ask_again_once_a_minute_at_most(recharge):
    actor = lasting(recharge)
    for _ in range(3):
        recharge.use(actor, 1)
    row = recharge.policy(actor)
    assert (row.look_at, row.look_for) == (NOON + MINUTE, "draw")
    recharge.world.pass_time(minutes=1)
    recharge.work()
    row = recharge.policy(actor)
    assert (row.look_at, row.look_for) == (NOON + MINUTE + timedelta(hours=1), "again")
    assert recharge.causes(actor) == ["window_ends_before_runout"]


def test_a_draw_does_not_ask_while_the_pause_between_two_packs_runs(recharge):
    actor = recharge.world.account()
    recharge.agree(actor)
    recharge.use(actor, 99_000)
    recharge.use(actor, 45_000)
    ends = recharge.policy(actor).look_at
    recharge.world.pass_time(minutes=5)
    recharge.use(actor, 10)
    row = recharge.policy(actor)
    assert (row.look_at, row.look_for) == (ends, "again")


def test_a_plan_that_is_paid_for_again_buys_at_once(recharge):
    actor, world = recharge.world.account(), recharge.world
    recharge.agree(actor)
    recharge.work()
    save_card(world, actor, "pm_card_chargeCustomerFail")
    run_at(world, datetime(2026, 5, 1, tzinfo=UTC))
    assert world.state(actor).subscription.status is SubscriptionStatus.PAST_DUE
    recharge.use(actor, 95_000)
    assert recharge.causes(actor)[-1] == "past_due"
    save_card(world, actor)
    invoice = renewals(world, actor)[-1]
    with world.session() as session:
        invoice_payments.pay(
            actor, invoice.id, paying("default"), session=session, gateway=world.gateway,
            wall=world.wall,
        )  # fmt: skip
    recharge.work()
    assert recharge.causes(actor)[-1] == "bought"


def test_a_plan_that_is_kept_buys_at_once(recharge):
    actor = recharge.world.account()
    recharge.agree(actor)
    recharge.work()
    cancel_plan(recharge.world, actor)
    recharge.use(actor, 95_000)
    assert recharge.causes(actor)[-1] == "plan_ending"
    keep_plan(recharge.world, actor)
    recharge.work()
    assert recharge.causes(actor)[-1] == "bought"


def test_a_trial_that_ends_is_looked_at_at_once(recharge):
    actor, world = on_trial(recharge.world, recharge.world.now), recharge.world
    recharge.agree(actor, threshold=5_000, pack="messages_10k")
    ends = world.state(actor).subscription.billed_until
    world.now = ends - 5 * MINUTE
    recharge.use(actor, meter(world, actor).left - 1_000)
    assert recharge.causes(actor)[-1] == "past_due"
    run_at(world, ends)
    assert recharge.policy(actor).look_at == ends
    recharge.work()
    assert recharge.causes(actor)[-1] != "past_due"
