"""Bought for the next cycle: paid or agreed now, in force from its start, taken back until then."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select, update

from portal.domain.access import Actor
from portal.domain.errors import Conflict
from portal.domain.instances import InstanceStatus, Phase
from portal.domain.quotes import Start
from portal.models.catalog import AddOnRow, PriceRow
from portal.models.events import EventRow
from portal.models.invoices import InvoiceRow
from portal.models.mails import MailRow
from portal.models.purchases import PurchaseRow
from portal.models.subscriptions import SubscriptionRow
from portal.queries import usage
from portal.queries.billing import next_bills
from portal.services import instances, withdrawing
from portal.services.capacity import open_windows_now
from portal.services.charging import NeedsCheckout, Settled
from portal.services.purchases import Refused
from tests.services.changing import ANNUAL, Office
from tests.services.leaving import cancel_add_on, keep_add_on, monthly_only
from tests.services.paying import Till
from tests.services.time_passing import lines, renewals, run, run_at
from tests.support.world import APRIL_11, World

MAY_1 = datetime(2026, 5, 1, tzinfo=UTC)
JUNE_1 = datetime(2026, 6, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture
def world(shop: World) -> World:
    shop.now = APRIL_11
    return shop


@pytest.fixture
def till(world: World) -> Till:
    return Till(world)


def later(world: World, actor: Actor, add_on: str, **options: bool | int) -> int:
    """The id of an instance that is bought for the next cycle."""
    bought = world.buy(actor, add_on, start=Start.NEXT_CYCLE, **options)  # type: ignore[arg-type]
    assert isinstance(bought, Settled)
    with world.session() as session:
        key = (world.scope.environment_id, bought.purchase_id)
        return session.get_one(PurchaseRow, key).instance_id or 0


@pytest.mark.parametrize("start", Start)
@pytest.mark.parametrize("seconds", [-1, 20])
def test_the_bills_without_one_are_those_once_it_is_switched_off(start, seconds, world):
    actor = world.account()
    for add_on in ("salesforce", "zendesk"):
        world.buy(actor, add_on, start=start)
    world.now = MAY_1 + seconds * SECOND
    for each in world.state(actor).instances:
        said = next(w for w in next_bills(world.state(actor)).without if w.name == each.add_on.name)
        cancel_add_on(world, actor, each.id)
        really = next_bills(world.state(actor)).ahead
        assert [(b.at, b.due) for b in said.bills] == [(b.at, b.due) for b in really]
        keep_add_on(world, actor, each.id)


def instance(world: World, actor: Actor, instance_id: int):
    return next(i for i in world.state(actor).instances if i.id == instance_id)


def withdraw(world: World, actor: Actor, instance_id: int) -> None:
    with world.session() as session:
        withdrawing.withdraw(
            actor, instance_id, session=session, gateway=world.gateway, wall=world.wall
        )


def messages_left(world: World, actor: Actor) -> Decimal:
    state = world.state(actor)
    with world.session() as session:
        open_windows_now(session, world.scope, state)
        found = usage.meters(session, world.scope, state)
    return next(m.left or Decimal(0) for m in found if m.feature.lookup_key == "messages")


def may(world: World, actor: Actor, feature: str) -> bool:
    sources = usage.sources_of(world.state(actor))
    now = world.state(actor).now
    return any(
        s.entitlement.feature.lookup_key == feature
        and s.starts_at <= now
        and (s.ends_at is None or now < s.ends_at)
        for s in sources
    )


def facts(world: World, instance_id: int) -> list[tuple[str, datetime]]:
    with world.session() as session:
        subject = EventRow.subject == f"instance:{instance_id}"
        rows = session.scalars(select(EventRow).where(subject).order_by(EventRow.id))
        return [(row.name, row.at.astimezone(UTC)) for row in rows]


def test_a_pack_is_charged_in_full_now_and_usable_from_the_next_window(world):
    actor = world.account()
    quote = world.quote(actor, "messages_100k", start=Start.NEXT_CYCLE)
    assert (quote.charged.minor, quote.starts_at, quote.ends_at) == (4900, MAY_1, JUNE_1)
    pack = later(world, actor, "messages_100k")
    assert world.gateway.taken[-1].amount.minor == 4900
    assert instance(world, actor, pack).phase is Phase.SCHEDULED
    world.now = MAY_1 - SECOND
    assert messages_left(world, actor) == 100_000
    world.now = MAY_1
    assert messages_left(world, actor) == 200_000, "no job has run"
    run(world)
    assert messages_left(world, actor) == 200_000
    assert facts(world, pack)[-1] == ("instance:started", MAY_1)
    assert instance(world, actor, pack).status is InstanceStatus.ACTIVE
    world.now = JUNE_1
    assert messages_left(world, actor) == 100_000


def test_a_recurring_add_on_is_billed_with_the_renewal_at_the_price_of_the_quote(world):
    actor = world.account()
    quote = world.quote(actor, "salesforce", start=Start.NEXT_CYCLE)
    assert (quote.lines, quote.due.minor, quote.starts_at) == ((), 0, MAY_1)
    assert quote.going_forward
    assert quote.going_forward.next_at == MAY_1
    invoices, charges = world.rows(InvoiceRow), len(world.gateway.taken)
    connector = later(world, actor, "salesforce")
    assert (world.rows(InvoiceRow), len(world.gateway.taken)) == (invoices, charges)
    price = update(PriceRow).where(PriceRow.lookup_key == "salesforce_monthly_usd")
    world.change(price.values(ended_at=APRIL_11))
    world.now = MAY_1 - SECOND
    assert not may(world, actor, "salesforce")
    world.now = MAY_1
    assert may(world, actor, "salesforce"), "no job has run"
    run_at(world, MAY_1 + timedelta(days=3))
    [bill] = renewals(world, actor)
    assert ("charge", 1, 5000) in lines(world, bill)
    assert bill.issued_at.astimezone(UTC) == MAY_1
    assert facts(world, connector)[-1] == ("instance:started", MAY_1)
    run_at(world, JUNE_1)
    assert ("charge", 1, 5000) in lines(world, renewals(world, actor)[-1])
    world.change(price.values(ended_at=None))


def test_the_bills_ahead_show_it_and_not_before_it_starts(world):
    actor = world.account()
    later(world, actor, "salesforce", renew=False)
    found = next_bills(world.state(actor))
    assert found is not None
    named = [[line.name for line in bill.lines] for bill in found.ahead]
    assert named == [["Growth", "Salesforce connector"], ["Growth"]]


def test_the_same_form_twice_books_once(world):
    actor = world.account()
    accepted = world.accept(world.quote(actor, "salesforce", start=Start.NEXT_CYCLE))
    first, second = world.confirm(actor, accepted), world.confirm(actor, accepted)
    assert first == second
    assert isinstance(world.buy(actor, "salesforce"), Refused), "held already, though not begun"
    assert len(world.state(actor).held) == 1


def test_withdrawn_it_never_starts_and_can_be_bought_again(world):
    actor = world.account()
    connector = later(world, actor, "salesforce")
    withdraw(world, actor, connector)
    withdraw(world, actor, connector)
    assert instance(world, actor, connector).phase is Phase.ENDED
    assert isinstance(world.buy(actor, "salesforce"), Settled)
    run_at(world, MAY_1)
    assert [kind for kind, _ in facts(world, connector)] == [
        "instance:scheduled",
        "instance:withdrawn",
    ]
    assert (
        len([1 for _, _, amount in lines(world, renewals(world, actor)[0]) if amount == 5000]) == 1
    )


def test_once_started_it_cannot_be_taken_back(world):
    actor = world.account()
    connector = later(world, actor, "salesforce")
    world.now = MAY_1
    with pytest.raises(Conflict):
        withdraw(world, actor, connector)


def test_auto_renew_off_before_the_start_leaves_one_period(world):
    actor = world.account()
    connector = later(world, actor, "salesforce")
    with world.session() as session:
        off = instances.cancel(actor, connector, "", session=session, wall=world.wall)
    assert (off.phase, off.span.cancel_at) == (Phase.SCHEDULED, JUNE_1)
    with world.session() as session:
        on = instances.keep(actor, connector, session=session, wall=world.wall)
    assert on.renews
    with world.session() as session:
        instances.cancel(actor, connector, "", session=session, wall=world.wall)
    run_at(world, JUNE_1)
    assert [len(lines(world, bill)) for bill in renewals(world, actor)] == [2, 1]
    assert not may(world, actor, "salesforce")


def test_units_of_a_window_that_runs_already_come_in_proportion(world):
    """The month of the plan begins on the 1st, that of the quota on the 15th."""
    actor = world.account()
    moved = update(SubscriptionRow).where(SubscriptionRow.account_id == actor.account_id)
    world.change(moved.values(quota_anchor_at=datetime(2026, 3, 15, tzinfo=UTC)))
    later(world, actor, "messages_100k_recurring")
    assert messages_left(world, actor) == 100_000
    world.now = MAY_1
    assert messages_left(world, actor) == 100_000 + 46_667, "14 of 30 days"
    run(world)
    assert messages_left(world, actor) == 146_667
    world.now = datetime(2026, 5, 15, tzinfo=UTC)
    assert messages_left(world, actor) == 200_000


def test_a_year_now_lets_what_has_not_begun_start_with_a_year_of_its_own(world, till):
    office = Office(world, till)
    actor = office.account()
    connector = later(world, actor, "salesforce")
    quote = office.quote(actor, "growth", ANNUAL)
    assert {line.instance_id for line in quote.lines} == {None}, "nothing of it is due now"
    office.confirm(actor, office.accept(quote))
    run_at(world, MAY_1)
    assert lines(world, renewals(world, actor)[-1]) == [("charge", 1, 48000)]
    found = instance(world, actor, connector)
    ends = datetime(2027, 5, 1, tzinfo=UTC)
    assert (found.phase, found.billed_until) == (Phase.ACTIVE, ends)


def test_it_cannot_wait_for_a_plan_that_does_not_allow_it(world, till):
    office = Office(world, till)
    actor = office.account()
    world.change(
        update(AddOnRow)
        .where(AddOnRow.lookup_key == "zendesk")
        .values(allowed_plans=["growth", "business"])
    )
    office.change(actor, "starter")
    accepted = world.accept(world.quote(actor, "zendesk", start=Start.NEXT_CYCLE))
    assert isinstance(world.confirm(actor, accepted), Refused)
    assert isinstance(world.buy(actor, "zendesk"), Settled), "until the plan changes"


def test_a_checkout_can_pay_for_a_pack_that_starts_later(world, till):
    actor = world.account(card=None)
    bought = world.buy(actor, "messages_100k", start=Start.NEXT_CYCLE)
    assert isinstance(bought, NeedsCheckout)
    till.gateway.pay_page(till.page(bought.purchase_id))
    assert isinstance(till.finish(actor, bought.purchase_id), Settled)
    world.now = MAY_1
    assert messages_left(world, actor) == 200_000
    assert till.books_agree()


def test_the_due_scan_looks_at_the_start_of_a_pack(world):
    """A quota window may begin between two renewals of a year."""
    actor = world.account(price="growth_annual_usd")
    pack = later(world, actor, "messages_100k")
    with world.session() as session:
        mine = select(SubscriptionRow.next_due_at).filter_by(account_id=actor.account_id)
        assert session.scalars(mine).one().astimezone(UTC) == MAY_1
    run_at(world, MAY_1 + timedelta(days=2))
    assert facts(world, pack)[-1] == ("instance:started", MAY_1)


def test_a_later_start_and_a_bill_before_it_do_not_put_each_other_off(world, till):
    """The year began on 11 April, and an add-on by the month with it; messages begin on the 1st."""
    monthly_only(world, "members_5")
    office = Office(world, till)
    actor = office.account()
    office.change(actor, "growth", ANNUAL)
    world.buy(actor, "members_5")
    world.now = MAY_1 + SECOND
    pack = later(world, actor, "messages_100k")
    run_at(world, datetime(2026, 5, 12, tzinfo=UTC))
    assert [lines(world, each) for each in renewals(world, actor)][1:] == [[("charge", 1, 4500)]]
    run_at(world, JUNE_1 + SECOND)
    assert facts(world, pack)[-1] == ("instance:started", JUNE_1)


def test_it_is_told_by_mail_with_its_start(world):
    actor = world.account()
    later(world, actor, "salesforce")
    with world.session() as session:
        mine = select(MailRow.notice).filter_by(account_id=actor.account_id, kind="purchased")
        notice = session.scalars(mine).one()
    assert notice["starts_at"].startswith("2026-05-01")
    assert (notice["invoice"], notice["sold"][0]["amount"]["minor"]) == (None, 5000)
