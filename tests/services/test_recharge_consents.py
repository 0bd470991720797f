"""Auto-recharge agreed to anew: after a refusal, and where what is sold is another thing by now."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from portal.domain.declines import DeclineReason
from portal.domain.payments import Declined
from portal.gateways.fake_payments import FakePayments, Fault
from tests.services.paying import Till
from tests.services.recharging import Recharge
from tests.support.world import World


@pytest.fixture
def recharge(shop: World) -> Recharge:
    shop.now, shop.gateway = datetime(2026, 4, 11, tzinfo=UTC), FakePayments()
    return Recharge(shop)


@pytest.fixture
def till(recharge: Recharge) -> Till:
    return Till(recharge.world)


@pytest.mark.parametrize("off_first", [False, True])
def test_agreeing_anew_after_a_decline_buys_when_the_cooldown_is_over(recharge, till, off_first):
    """What was refused does not count as being paid for."""
    actor = recharge.world.account()
    recharge.agree(actor)
    till.gateway.answers.append(Declined(DeclineReason.REFUSED, may_retry=False))
    recharge.use(actor, 95_000)
    if off_first:
        recharge.do("turn_off", actor)
    recharge.agree(actor, threshold=20_000)
    recharge.work()
    assert recharge.causes(actor) == ["bought", "declined", "cooldown_until"]
    assert recharge.decisions(actor)[-1].trigger == "save"
    assert recharge.months(actor)[True, "Apr"] == (0, 0)
    recharge.world.pass_time(minutes=10)
    recharge.work()
    assert till.taken() == [2900]


def test_agreeing_anew_leaves_what_may_still_be_paid(recharge, till):
    actor = recharge.world.account()
    recharge.agree(actor)
    till.gateway.fail_next("charge", Fault.ANSWER_LOST)
    recharge.use(actor, 95_000)
    recharge.agree(actor, threshold=20_000)
    recharge.work()
    assert recharge.causes(actor) == ["bought", "in_flight"]
    assert recharge.months(actor)[True, "Apr"] == (2900, 0)
    recharge.world.pass_time(minutes=2)
    till.reconcile()
    recharge.work()
    assert till.taken() == [2900]
