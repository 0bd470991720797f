"""A renewal whose charge the bank has not answered: nothing rests on it as if it were paid."""

from __future__ import annotations

from datetime import UTC, datetime

from portal.domain.plan_moves import PlanReason
from portal.domain.quantity_changes import QuantityReason
from portal.gateways.fake_payments import Fault
from portal.services.charging import Settled
from portal.services.plans import CannotChange
from portal.services.quantities import QuantityAgreed
from tests.services.changing import Office
from tests.services.counting import Counter
from tests.services.time_passing import run_at, subscription

MAY_1 = datetime(2026, 5, 1, tzinfo=UTC)


def test_what_is_not_paid_yet_is_neither_credited_nor_added_to(world, till):
    """The bank is silent: nobody knows yet, and the plan is in good standing."""
    office, counter = Office(world, till), Counter(world)
    actor = world.account()
    seats = counter.held(actor, "members_5", 2)
    till.gateway.fail_next("charge", Fault.OUTAGE)
    run_at(world, MAY_1)
    assert subscription(world, actor).status == "active"
    change = office.change(actor, "business")
    assert isinstance(change, CannotChange)
    assert change.refusal.reason is PlanReason.RENEWING
    more = counter.confirm(actor, counter.accept(counter.quote(actor, seats, 3)))
    assert more.refusal.reason is QuantityReason.RENEWING
    assert isinstance(counter.change(actor, seats, 1), QuantityAgreed), "that asks for nothing"
    taken = len(till.taken())
    world.pass_time(hours=2)
    till.reconcile()
    assert len(till.taken()) == taken + 1
    assert isinstance(office.change(actor, "business"), Settled)
    assert till.books_agree()
