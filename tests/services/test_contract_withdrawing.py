"""A consumer withdraws from an add-on or a pack: it ends, and the money goes back once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from sqlalchemy import select

from portal.domain.access import Role
from portal.domain.errors import Conflict, Forbidden, NotFound
from portal.domain.legal import LegalProfile
from portal.domain.quotes import Start
from portal.domain.taxes import Tax
from portal.gateways.fake_payments import Fault
from portal.models.events import EventRow
from portal.models.mails import MailRow
from tests.services.consuming import START, Consumer, bought_units, consumer_of, sent_back, use
from tests.services.counting import Counter
from tests.services.leaving import told
from tests.services.time_passing import run_at
from tests.support.world import APRIL_11, World

CONNECTOR, PACK = "salesforce", "messages_100k"
ALLOWANCE = 100_000
"""Messages that the plan brings."""
UNASKED = replace(START, request="")


@pytest.fixture
def consumer(world: World) -> Consumer:
    return consumer_of(world)


def test_a_service_begun_when_asked_for_goes_back_for_its_time_ahead(world, till, desk, consumer):
    connector = consumer.buy(CONNECTOR)
    world.pass_time(days=5)
    seen = consumer.foresee(connector)
    consumer.withdraw(connector)
    assert (till.taken(), sent_back(till)) == ([3333], [(2500, "succeeded")])
    assert (seen.credited.minor, seen.to_card.minor) == (2500, 2500)
    assert [(n.cause, n.card_minor) for n in desk.notes(consumer.actor)] == [
        ("contract_withdrawn", 2500)
    ]
    assert till.holds(consumer.actor) == []
    run_at(world, datetime(2026, 5, 1, tzinfo=UTC))
    assert till.taken() == [3333, 9900], "only the plan is charged afterwards"
    assert till.books_agree()


@pytest.mark.parametrize("words", [UNASKED, None])
def test_who_did_not_ask_for_a_start_gets_all(words, world, till, consumer):
    connector = consumer.buy(CONNECTOR, words=words)
    world.pass_time(days=5)
    consumer.withdraw(connector)
    assert sent_back(till) == [(3333, "succeeded")]
    assert till.books_agree()


def test_of_a_pack_the_units_that_are_left(world, till, consumer):
    pack = consumer.buy(PACK)
    use(world, consumer, ALLOWANCE + 40_000)
    [part] = consumer.foresee(pack).parts
    assert part.share == Fraction(3, 5)
    consumer.withdraw(pack)
    assert sent_back(till) == [(2940, "succeeded")]
    world.pass_time(seconds=1)
    assert till.holds(consumer.actor) == []
    assert till.books_agree()


def test_a_pack_without_an_end_ends_too(world, till, consumer):
    pack = consumer.buy("sms_10k")
    assert bought_units(world, consumer) == 10_000
    consumer.withdraw(pack)
    world.pass_time(seconds=1)
    assert bought_units(world, consumer) == 0
    assert sent_back(till) == [(10_000, "succeeded")]


def test_a_pack_that_is_used_up_has_been_supplied(world, consumer):
    pack = consumer.buy(PACK)
    assert consumer.open() == [pack]
    use(world, consumer, ALLOWANCE + 100_000)
    assert consumer.open() == []
    with pytest.raises(Conflict):
        consumer.withdraw(pack)


def test_what_has_not_begun_goes_back_whole(world, till, consumer):
    pack = consumer.buy(PACK, start=Start.NEXT_CYCLE)
    world.pass_time(days=3)
    consumer.withdraw(pack)
    assert sent_back(till) == [(4900, "succeeded")]
    assert till.holds(consumer.actor) == []
    assert till.books_agree()


def test_to_the_end_of_the_14th_day_and_no_longer(world, consumer):
    connector = consumer.buy(CONNECTOR)
    world.now = datetime(2026, 4, 27, 23, 59, 59, tzinfo=UTC)  # the 25th is a Saturday
    assert consumer.open() == [connector]
    world.pass_time(seconds=1)
    assert consumer.open() == []
    with pytest.raises(Conflict):
        consumer.withdraw(connector)


def test_more_units_are_agreed_to_anew_and_all_of_it_goes_by_its_time(world, till, consumer):
    world.now = datetime(2026, 4, 1, tzinfo=UTC)
    members, counter = consumer.buy("members_5", 2), Counter(world)
    world.now = datetime(2026, 4, 16, tzinfo=UTC)
    accepted = counter.accept(counter.quote(consumer.actor, members, 3))
    counter.confirm(consumer.actor, replace(accepted, agreed=START))
    world.now = datetime(2026, 4, 26, tzinfo=UTC)
    consumer.withdraw(members)
    assert till.taken() == [9000, 2250]
    assert sent_back(till) == [(1500, "succeeded"), (750, "succeeded")], "5 days of 30, and of 15"
    assert till.books_agree()


@pytest.mark.parametrize("country", ["FR", "DE", "GB"])
def test_where_the_law_says_so(country, world):
    shopper = consumer_of(world, country)
    assert shopper.open() == [] != [shopper.buy(CONNECTOR)] == shopper.open()


def test_neither_businesses_nor_the_us_have_it(world):
    american, business = consumer_of(world, "US"), Consumer(world, world.account(country="DE"))
    for buyer in (american, business):
        connector = buyer.buy(CONNECTOR, words=None)
        assert buyer.open() == []
        with pytest.raises(Conflict):
            buyer.withdraw(connector)


def test_words_without_the_right_give_none_later(world, consumer):
    connector = consumer.buy(CONNECTOR, words=replace(START, profile=LegalProfile.STANDARD))
    assert consumer.open() == []
    with pytest.raises(Conflict):
        consumer.withdraw(connector)


def test_ten_at_once_and_again_later_give_it_back_once(world, till, desk, consumer):
    connector = consumer.buy(CONNECTOR)
    with ThreadPoolExecutor(10) as pool:
        done = list(pool.map(lambda _: consumer.withdraw(connector), range(10)))
    world.pass_time(days=1)
    assert consumer.withdraw(connector) is None
    assert sum(each is not None for each in done) == 1
    assert (sent_back(till), len(desk.notes(consumer.actor))) == ([(3333, "succeeded")], 1)
    assert till.books_agree()


def test_with_the_provider_down_it_ends_now_and_the_money_follows(world, till, consumer):
    connector = consumer.buy(CONNECTOR)
    world.gateway.fail_next("refund", Fault.OUTAGE)
    consumer.withdraw(connector)
    assert (till.holds(consumer.actor), sent_back(till)) == ([], [(3333, "requested")])
    assert len(told(world, consumer.actor, "contract_withdrawn")) == 1
    till.reconcile()
    assert sent_back(till) == [(3333, "succeeded")]
    assert [asked.amount.minor for asked in world.gateway.refunds] == [3333]


def test_less_what_staff_gave_back_before(world, till, desk, consumer):
    pack = consumer.buy(PACK)
    desk.credit(1, "40")
    consumer.withdraw(pack)
    assert sent_back(till) == [(900, "succeeded")]
    assert desk.agrees()


def test_what_the_balance_paid_goes_back_to_the_balance(world, till, desk, consumer):
    consumer.buy("messages_50k")
    desk.credit(1, "10")
    pack = consumer.buy(PACK)
    consumer.withdraw(pack)
    assert (desk.balance(consumer.actor)[0], sent_back(till)) == (1000, [(3900, "succeeded")])
    assert desk.agrees()


def test_its_tax_goes_back_with_it(world, till):
    consumer = consumer_of(world, tax=Tax(Decimal(20), False, "VAT"))
    pack = consumer.buy(PACK)
    consumer.withdraw(pack)
    assert (till.taken(), sent_back(till)) == ([5880], [(5880, "succeeded")])
    assert till.books_agree()


def test_it_is_acknowledged_and_recorded(world, consumer):
    connector = consumer.buy(CONNECTOR)
    consumer.withdraw(connector)
    [notice] = told(world, consumer.actor, "contract_withdrawn")
    assert (notice["person"], notice["name"]) == ("Somebody", "Salesforce connector")
    assert datetime.fromisoformat(str(notice["at"])) == APRIL_11
    with world.session() as session:
        names = [e.name for e in session.scalars(select(EventRow).order_by(EventRow.id))]
        assert session.scalars(select(MailRow).filter_by(kind="credited")).one()
    assert names.count("contract:withdrawn") == names.count("instance:ended") == 1


def test_not_by_a_member_who_only_looks_nor_another_account(world, consumer):
    connector = consumer.buy(CONNECTOR)
    reader = Consumer(world, replace(consumer.actor, role=Role.MEMBER))
    with pytest.raises(Forbidden):
        reader.withdraw(connector)
    with pytest.raises(NotFound):
        consumer_of(world).withdraw(connector)
    assert consumer.open() == [connector]


def test_it_may_be_bought_again_afterwards(world, till, consumer):
    consumer.withdraw(consumer.buy(CONNECTOR))
    world.pass_time(minutes=1)
    again = consumer.buy(CONNECTOR)
    assert consumer.open() == [again]
    assert till.books_agree()
