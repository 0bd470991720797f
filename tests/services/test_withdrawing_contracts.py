"""Which contract it is that a consumer withdraws from, where several acts or contracts meet."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from sqlalchemy import select, update

from portal.domain.catalog import Entitlement
from portal.domain.errors import Conflict
from portal.domain.quotes import Start
from portal.models.accounts import AccountRow
from portal.models.events import EventRow
from portal.models.subscriptions import InstanceRow
from portal.models.usage import LotRow
from portal.services.consents import keep_consent
from tests.services.changing import MONTHLY, Office
from tests.services.consuming import START, Consumer, bought_units, consumer_of, sent_back, use
from tests.services.counting import Counter
from tests.services.figures.stall import Stall
from tests.services.leaving import save_card
from tests.services.recharging import Recharge
from tests.services.time_passing import run_at
from tests.support.world import World
from tests.unit.samples import once

CONNECTOR, PACK = "salesforce", "messages_100k"
ALLOWANCE = 100_000
UNASKED = replace(START, request="")


@pytest.fixture
def consumer(world: World) -> Consumer:
    return consumer_of(world)


def at(month: int, day: int, hour: int = 0) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


def change(
    world: World, till, consumer: Consumer, plan: str, words=START, interval=MONTHLY
) -> Office:
    office = Office(world, till)
    accepted = office.accept(office.quote(consumer.actor, plan, interval))
    office.confirm(consumer.actor, replace(accepted, agreed=words))
    return office


def test_the_last_day_ends_where_the_account_is(world):
    consumer = consumer_of(world, zone="America/New_York", since=at(4, 1, 4))
    connector = consumer.buy(CONNECTOR)
    world.now = at(4, 28, 3)
    assert consumer.open() == [], "bought on the evening of Friday the 10th there"
    world.now = at(4, 25, 3)
    assert consumer.open() == [connector]
    world.now = at(4, 25, 4)
    assert consumer.open() == []


def test_what_nobody_asked_to_start_goes_back_though_it_is_used_up(world, till, consumer):
    pack = consumer.buy(PACK, words=UNASKED)
    use(world, consumer, ALLOWANCE + 100_000)
    assert consumer.open() == [pack]
    consumer.withdraw(pack)
    assert sent_back(till) == [(4900, "succeeded")]


def test_more_units_that_were_not_paid_for_open_it_no_more(world, consumer):
    members, counter = consumer.buy("members_5"), Counter(world)
    world.now = at(4, 28)
    save_card(world, consumer.actor, "pm_card_chargeCustomerFail")
    accepted = counter.accept(counter.quote(consumer.actor, members, 3))
    counter.confirm(consumer.actor, replace(accepted, agreed=START))
    assert consumer.open() == []


def test_paid_at_a_second_try_the_request_to_start_still_counts(world, consumer):
    pack = consumer.buy(PACK, words=UNASKED)
    with world.session() as session:
        keep_consent(session, consumer.actor, "purchase:1", START, world.wall)
        session.commit()
    use(world, consumer, ALLOWANCE + 40_000)
    assert [part.share for part in consumer.foresee(pack).parts] == [Fraction(3, 5)]


def test_of_a_pack_of_two_features_each_counts_alike(world, consumer):
    stall = Stall(world)
    brings = [Entitlement(stall.feature(name), 1_000) for name in ("messages", "sms")]
    key = stall.sell(once("10.00"), entitlements=tuple(brings))
    bundle = consumer.buy(key)
    use(world, consumer, ALLOWANCE + 500)
    assert [part.share for part in consumer.foresee(bundle).parts] == [Fraction(3, 4)]


def test_another_withdrawal_before_gives_no_right(world, consumer):
    pack, connector = consumer.buy(PACK), consumer.buy(CONNECTOR)
    consumer.withdraw(pack)
    world.now = at(4, 28)
    with pytest.raises(Conflict):
        consumer.withdraw(connector)
    with pytest.raises(Conflict):
        consumer.withdraw(None)


def test_a_plan_agreed_for_later_counts_from_when_it_comes(world, till, consumer):
    world.now = at(4, 21)
    office = change(world, till, consumer, "starter")
    assert not consumer.may_leave_the_plan()
    run_at(world, at(5, 1))
    assert consumer.may_leave_the_plan()
    world.now = at(5, 15, 23)
    [part] = consumer.foresee(None).parts
    assert (part.line.name, part.whole) == ("Starter", False), "as its words asked"
    world.now = at(5, 19)
    assert not consumer.may_leave_the_plan()
    assert [status for status, _ in office.agreed(consumer.actor)] == ["applied"]


def test_a_plan_that_is_left_becomes_no_other(world, till, consumer):
    change(world, till, consumer, "business")
    office = change(world, till, consumer, "starter")
    consumer.withdraw(None)
    assert [status for status, _ in office.agreed(consumer.actor)] == ["withdrawn"]
    assert world.rows(EventRow, name="plan_change:withdrawn") == 1


@pytest.mark.parametrize("words", [START, None])
def test_with_the_plan_an_older_pack_goes_by_its_units(words, world, till, consumer):
    world.now = at(4, 2)
    consumer.buy(PACK)
    world.now = at(4, 22)
    use(world, consumer, ALLOWANCE + 25_000)
    change(world, till, consumer, "business", words)
    assert [part.share for part in consumer.foresee(None).parts if part.once] == [Fraction(3, 4)]


def test_with_the_plan_a_younger_add_on_goes_by_its_own_words(world, till, consumer):
    change(world, till, consumer, "business")
    consumer.buy(CONNECTOR, words=UNASKED)
    world.now = at(4, 21)
    parts = {part.line.name: part.credited.minor for part in consumer.foresee(None).parts}
    assert parts == {"Business": 9967, "Salesforce connector": 3333}


def test_what_an_upgrade_gave_back_is_no_part_of_it(world, till):
    office = Office(world, till)
    consumer = Consumer(world, office.account())
    world.change(update(AccountRow).values(country="FR", customer_type="consumer"))
    change(world, till, consumer, "business")
    assert [part.line.name for part in consumer.foresee(None).parts] == ["Business"]
    consumer.withdraw(None)
    assert till.books_agree()


def test_what_has_not_begun_was_never_in_force(world, consumer):
    consumer.withdraw(consumer.buy(PACK, start=Start.NEXT_CYCLE))
    [row] = instances(world)
    assert (row.status, row.cancel_at) == ("ended", row.starts_at)
    assert world.rows(EventRow, name="instance:withdrawn") == 1
    assert world.rows(EventRow, name="instance:ended") == 0


def test_fewer_units_that_were_agreed_to_are_forgotten(world, consumer):
    members, counter = consumer.buy("members_5", 3), Counter(world)
    counter.change(consumer.actor, members, 2)
    consumer.withdraw(members)
    [row] = instances(world)
    assert (row.status, row.next_quantity, row.next_quantity_at) == ("ended", None, None)


def test_auto_recharge_of_credits_stops_too(world, consumer):
    recharger = Recharge(world)
    recharger.agree(consumer.actor, pack="sms_10k", feature="sms")
    consumer.withdraw(consumer.buy("sms_10k"))
    assert recharger.policy(consumer.actor).status == "off"


@pytest.mark.parametrize("add_on", [PACK, "messages_100k_recurring"])
def test_units_that_are_used_meanwhile_are_not_given_back(add_on, world, consumer):
    pack = consumer.buy(add_on)
    use(world, consumer, ALLOWANCE)

    def report(_number: int) -> None:
        use(world, consumer, 1_000)

    with ThreadPoolExecutor(8) as pool:
        used = pool.map(report, range(30))
        withdrawn = pool.submit(consumer.withdraw, pack)
        list(used)
        made = withdrawn.result()
    assert made is not None
    with world.session() as session:
        lot = session.scalars(select(LotRow).where(LotRow.instance_id == pack)).one()
    assert [part.share for part in made.parts] == [Fraction(lot.remaining) / Fraction(lot.granted)]
    world.pass_time(seconds=1)
    assert bought_units(world, consumer) == Decimal(0)


def instances(world: World) -> list[InstanceRow]:
    with world.session() as session:
        return list(session.scalars(select(InstanceRow).order_by(InstanceRow.id)))
