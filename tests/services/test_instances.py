"""Cancel and Keep: when an add-on ends, what stays until then, and who may say so."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise

import pytest
from sqlalchemy import func, select, update

from portal.domain.access import Actor, Role
from portal.domain.errors import Conflict, Forbidden, NotFound
from portal.domain.instances import Phase
from portal.domain.usage import Usage
from portal.models.catalog import PriceRow
from portal.models.events import EventRow
from portal.models.subscriptions import SubscriptionRow
from portal.queries import active
from portal.queries.subscriptions import Instance
from portal.services import instances
from portal.services.usage import count
from tests.support.world import APRIL_11, World

MAY_1 = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.fixture
def world(shop: World) -> World:
    shop.now = APRIL_11
    return shop


def bought(world: World, actor: Actor, add_on: str, **options: bool) -> int:
    """The id of a new instance of `add_on`."""
    before = {i.id for i in world.state(actor).instances}
    world.buy(actor, add_on, **options)
    return next(i.id for i in world.state(actor).instances if i.id not in before)


def cancel(world: World, actor: Actor, instance_id: int, reason: str = "") -> Instance:
    with world.session() as session:
        return instances.cancel(actor, instance_id, reason, session=session, wall=world.wall)


def keep(world: World, actor: Actor, instance_id: int) -> Instance:
    with world.session() as session:
        return instances.keep(actor, instance_id, session=session, wall=world.wall)


def facts(world: World, instance_id: int) -> list[str]:
    """Names of what was recorded about an instance, in order."""
    with world.session() as session:
        subject = EventRow.subject == f"instance:{instance_id}"
        return list(session.scalars(select(EventRow.name).where(subject).order_by(EventRow.id)))


def test_cancel_ends_it_at_its_boundary_and_not_a_second_before(world):
    actor = world.account()
    chosen = bought(world, actor, "salesforce")
    told = cancel(world, actor, chosen, "  too dear  ")
    assert (told.phase, told.span.cancel_at) == (Phase.CANCELLING, MAY_1)
    assert told.cancel_reason == "too dear"
    world.now = MAY_1.replace(day=1)
    world.pass_time(seconds=-1)
    assert [i.id for i in world.state(actor).held] == [chosen]
    world.pass_time(seconds=1)
    assert world.state(actor).held == ()
    assert [i.id for i in active.ended(world.state(actor))] == [chosen]


def test_keep_undoes_it_until_the_boundary_and_charges_nothing(world):
    actor = world.account()
    chosen = bought(world, actor, "salesforce")
    taken = len(world.gateway.taken)
    cancel(world, actor, chosen, "too dear")
    kept = keep(world, actor, chosen)
    assert (kept.phase, kept.span.cancel_at, kept.cancel_reason) == (Phase.ACTIVE, None, "")
    world.now = MAY_1
    assert [i.id for i in world.state(actor).held] == [chosen]
    assert len(world.gateway.taken) == taken


def test_at_the_boundary_it_is_too_late_to_keep_or_cancel(world):
    actor = world.account()
    chosen = bought(world, actor, "salesforce")
    cancel(world, actor, chosen)
    world.now = MAY_1
    for late in (keep, cancel):
        with pytest.raises(Conflict):
            late(world, actor, chosen)
    assert world.state(actor).held == ()


def test_a_repeated_cancel_keeps_the_first_date_and_is_recorded_once(world):
    actor = world.account()
    chosen = bought(world, actor, "salesforce")
    first = cancel(world, actor, chosen, "first")
    world.pass_time(days=3)
    again = cancel(world, actor, chosen, "second")
    assert again.span == first.span
    assert again.cancel_reason == "first"
    keep(world, actor, chosen)
    keep(world, actor, chosen)
    assert facts(world, chosen) == ["instance:started", "instance:cancelled", "instance:kept"]


@pytest.mark.parametrize("add_on", ["messages_10k", "knowledge_10gb", "sms_10k"])
def test_a_one_time_purchase_has_nothing_to_cancel_or_keep(world, add_on):
    actor = world.account()
    chosen = bought(world, actor, add_on)
    for step in (cancel, keep):
        with pytest.raises(Conflict):
            step(world, actor, chosen)
    assert facts(world, chosen) == ["instance:started"]


def test_what_renews_cannot_be_kept_into_something_else(world):
    actor = world.account()
    chosen = bought(world, actor, "salesforce")
    assert keep(world, actor, chosen).phase is Phase.ACTIVE
    assert facts(world, chosen) == ["instance:started"]


def test_a_monthly_add_on_of_an_annual_plan_ends_at_the_end_of_its_own_month(world):
    actor = world.account(
        plan="growth",
        price="growth_annual_usd",
        since=datetime(2026, 1, 31, 9, 30, tzinfo=UTC),
    )
    annual = PriceRow.lookup_key == "zendesk_annual_usd"
    world.change(update(PriceRow).where(annual).values(ended_at=func.now()))
    chosen = bought(world, actor, "zendesk")
    assert world.state(actor).instances[0].price.lookup_key == "zendesk_monthly_usd"
    told = cancel(world, actor, chosen)
    assert told.span.cancel_at == datetime(2026, 4, 30, 9, 30, tzinfo=UTC)


def test_an_annual_add_on_of_an_annual_plan_runs_to_the_end_of_the_year(world):
    actor = world.account(price="growth_annual_usd", since=datetime(2026, 1, 31, tzinfo=UTC))
    chosen = bought(world, actor, "salesforce")
    assert cancel(world, actor, chosen).span.cancel_at == datetime(2027, 1, 31, tzinfo=UTC)


def test_the_boundary_is_a_midnight_of_the_accounts_own_zone(world):
    since = datetime(2026, 2, 28, 15, tzinfo=UTC)  # 1 March in Tokyo
    actor = world.account(zone="Asia/Tokyo", since=since)
    chosen = bought(world, actor, "salesforce")
    assert cancel(world, actor, chosen).span.cancel_at == datetime(2026, 4, 30, 15, tzinfo=UTC)


def test_auto_renew_off_at_purchase_is_a_cancellation_that_can_be_undone(world):
    actor = world.account()
    chosen = bought(world, actor, "salesforce", renew=False)
    held = world.state(actor).held[0]
    assert (held.phase, held.span.cancel_at, held.renews) == (Phase.CANCELLING, MAY_1, False)
    assert keep(world, actor, chosen).renews


def test_a_cancelled_row_shows_no_next_charge_and_a_kept_one_does(world):
    actor = world.account()
    chosen = bought(world, actor, "salesforce")

    def next_charge() -> int | None:
        with world.session() as session:
            (row,) = active.rows(session, world.scope, world.state(actor))
        return row.next_charge.minor if row.next_charge else None

    assert next_charge() == 5000
    cancel(world, actor, chosen)
    assert next_charge() is None
    keep(world, actor, chosen)
    assert next_charge() == 5000


def test_what_will_not_fit_any_more_is_named_with_its_use_and_limit(world):
    actor = world.account()
    first, second = bought(world, actor, "members_5"), bought(world, actor, "members_5")
    report(world, actor, "members", 16)
    assert unfitting(world, actor, first) == [("Members", Decimal(16), 15)]
    report(world, actor, "members", 15)
    assert unfitting(world, actor, second) == []


def test_nothing_is_unfit_without_a_limit(world):
    actor = world.account()
    chosen = bought(world, actor, "members_5")
    unlimited = next(p for p in world.catalog().plans if p.lookup_key == "enterprise")
    mine = SubscriptionRow.account_id == actor.account_id
    world.change(update(SubscriptionRow).where(mine).values(plan_id=unlimited.id))
    report(world, actor, "members", 4000)
    assert unfitting(world, actor, chosen) == []


def test_another_accounts_instance_is_nobodys(world):
    mine, theirs = world.account(), world.account()
    chosen = bought(world, mine, "salesforce")
    for step in (cancel, keep):
        with pytest.raises(NotFound):
            step(world, theirs, chosen)
    assert facts(world, chosen) == ["instance:started"]


def test_what_was_never_paid_for_cannot_be_cancelled(world):
    actor = world.account(card="pm_card_chargeCustomerFail")
    world.buy(actor, "salesforce")
    (failed,) = world.state(actor).instances
    with pytest.raises(NotFound):
        cancel(world, actor, failed.id)


def test_a_member_may_neither_cancel_nor_keep(world):
    owner = world.account()
    chosen = bought(world, owner, "salesforce")
    member = world.member(owner.account_id, "member@instances.test", Role.MEMBER)
    for step in (cancel, keep):
        with pytest.raises(Forbidden):
            step(world, member, chosen)
    assert world.state(owner).held[0].phase is Phase.ACTIVE


def test_racing_cancels_and_keeps_leave_a_state_that_their_last_record_tells(world):
    actor = world.account()
    chosen = bought(world, actor, "salesforce")
    steps = [cancel, keep] * 6
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda step: step(world, actor, chosen), steps))
    held = world.state(actor).held[0]
    told = facts(world, chosen)[1:]
    assert all(one != after for one, after in pairwise(told))
    ends = "instance:cancelled" if held.span.cancel_at else "instance:kept"
    assert told[-1:] in ([ends], [])
    assert held.phase is (Phase.CANCELLING if held.span.cancel_at else Phase.ACTIVE)


def test_6_concurrent_cancels_are_recorded_once(world):
    actor = world.account()
    chosen = bought(world, actor, "salesforce")
    with ThreadPoolExecutor(6) as pool:
        told = list(pool.map(lambda _: cancel(world, actor, chosen), range(6)))
    assert {one.span.cancel_at for one in told} == {MAY_1}
    assert facts(world, chosen).count("instance:cancelled") == 1


def report(world: World, actor: Actor, feature: str, level: int) -> None:
    with world.session() as session:
        number = session.scalar(select(func.count()).select_from(EventRow))
        usage = Usage(f"{feature}-{level}-{number}", feature, Decimal(level), world.now)
        count(session, world.scope, actor.account_id, [usage], world.wall)


def unfitting(world: World, actor: Actor, instance_id: int) -> list[tuple[str, Decimal, int]]:
    state = world.state(actor)
    chosen = instances.find_instance(state, instance_id)
    end = instances.next_boundary(state, chosen)
    with world.session() as session:
        found = active.wont_fit(session, world.scope, state, chosen, end)
    return [(each.feature.name, each.level, each.limit) for each in found]
