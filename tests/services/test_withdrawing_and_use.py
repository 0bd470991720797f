"""What was used beyond the allowance when a consumer withdraws from the plan or an add-on."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import update

from portal.domain.legal import Words
from portal.models.accounts import AccountRow
from portal.services.accounts import subscribe
from tests.services.beyond import LIMIT, Meterage, messages
from tests.services.by_use import KEY, sell
from tests.services.consuming import START, Consumer
from tests.services.leaving import told
from tests.support.world import World


@pytest.fixture
def consumer(meterage: Meterage, world: World) -> Consumer:
    """On Business since 1 April, which charges for use; with tax on top. Today is the 11th."""
    sell(meterage)
    actor = meterage.account()
    law = {"country": "FR", "customer_type": "consumer"}
    world.change(update(AccountRow).values(tax_rate=20, tax_label="VAT", **law))
    meterage.at("2026-04-11")
    return Consumer(world, actor)


def change_plan(meterage: Meterage, consumer: Consumer, plan: str, words: Words | None) -> None:
    office = meterage.office
    accepted = office.accept(office.quote(consumer.actor, plan))
    office.confirm(consumer.actor, replace(accepted, agreed=words))


def later_bills(meterage: Meterage, consumer: Consumer) -> list[tuple[str, list[tuple[str, str]]]]:
    """Those that come after today."""
    before = len(meterage.bills(consumer.actor))
    meterage.run("2026-07-02")
    return meterage.bills(consumer.actor)[before:]


def test_from_the_plan_it_is_named_and_never_charged(meterage, consumer, world):
    meterage.use(consumer.actor, LIMIT + 10_000)
    meterage.at("2026-04-15")
    seen = consumer.foresee(None)
    made = consumer.withdraw(None)
    assert made is not None
    assert (seen.waived.minor, made.waived.minor) == (960, 960), "$8.00 and its tax"
    [notice] = told(world, consumer.actor, "contract_withdrawn")
    assert notice["waived"] == {"minor": 960, "currency": "usd"}
    assert meterage.arrears(consumer.actor) == [(10_000, False, False)]
    assert (meterage.unsettled(consumer.actor), meterage.ledgers_agree) == (0, True)
    assert later_bills(meterage, consumer) == []
    assert meterage.ledgers_agree


def test_nor_is_what_was_set_apart_at_another_price(meterage, consumer):
    meterage.use(consumer.actor, LIMIT + 10_000)
    consumer.buy(KEY)
    meterage.use(consumer.actor, 1_000)
    assert meterage.arrears(consumer.actor) == [(10_000, True, False)]
    made = consumer.withdraw(None)
    assert made is not None
    assert made.waived.minor == 960 + 120
    assert later_bills(meterage, consumer) == []
    assert meterage.arrears(consumer.actor)[1:] == [(1_000, False, False)]
    assert meterage.ledgers_agree


def test_whoever_comes_back_does_not_pay_for_it_then(meterage, consumer, world):
    meterage.use(consumer.actor, LIMIT + 10_000)
    consumer.withdraw(None)
    plan = next(each for each in world.catalog().plans if each.lookup_key == "business")
    price = next(each for each in plan.prices if each.lookup_key == "business_monthly_usd")
    with world.session() as session:
        subscribe(session, world.scope, consumer.actor.account_id, plan, price, world.now)
    meterage.use(consumer.actor, LIMIT + 1_000)
    billed = [line for _, lines in later_bills(meterage, consumer) for line in lines]
    assert [line for line in billed if line[0] == "Messages"] == [messages("0.80")]


@pytest.mark.parametrize(("words", "back"), [(START, 0), (None, 960)])
def test_what_was_billed_goes_back_only_to_who_did_not_ask_for_a_start(
    words, back, meterage, consumer
):
    meterage.use(consumer.actor, LIMIT + 10_000)
    meterage.at("2026-04-25")
    change_plan(meterage, consumer, "enterprise", words)
    meterage.run("2026-05-01")
    assert messages("8.00") in meterage.bills(consumer.actor)[-1][1]
    made = consumer.withdraw(None)
    assert made is not None
    assert [p.credited.minor for p in made.parts if p.line.name == "Messages"] == [back]
    assert not made.waived
    assert meterage.ledgers_agree


def test_from_an_add_on_alone_use_until_then_is_billed(meterage, consumer, world):
    bought = consumer.buy(KEY)
    meterage.use(consumer.actor, LIMIT + 2_000)
    meterage.at("2026-04-20")
    made = consumer.withdraw(bought)
    assert made is not None
    assert not made.waived
    meterage.use(consumer.actor, 10_000)
    [notice] = told(world, consumer.actor, "contract_withdrawn")
    assert notice["waived"] is None
    [first, *_] = later_bills(meterage, consumer)
    used = [line for line in first[1] if line[0] == "Messages"]
    assert sorted(used) == [messages("2.00"), messages("8.00")]
    assert meterage.ledgers_agree
