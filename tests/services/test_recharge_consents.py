"""Auto-recharge agreed to anew: after a refusal, and where what is sold is another thing by now."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import update

from portal.domain.access import Actor
from portal.domain.declines import DeclineReason
from portal.domain.money import Money
from portal.domain.payments import Declined
from portal.domain.recharge_decisions import larger_packs
from portal.gateways.fake_payments import Fault
from portal.models.accounts import AccountRow
from portal.models.catalog import AddOnRow, PriceRow
from portal.queries.recharge import agreed_amounts, packs_of
from portal.services import recharge_policies
from portal.services.recharge_policies import AmountChanged, Consent, Saved, Wanted
from tests.services.leaving import save_card
from tests.services.paying import Till
from tests.services.recharging import Recharge
from tests.support.world import World


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


def price(world: World, amount: str, pack: str = "messages_50k") -> None:
    world.change(update(PriceRow).where(PriceRow.lookup_key == f"{pack}_usd").values(amount=amount))


def status(world: World, add_on: str, status: str) -> None:
    world.change(update(AddOnRow).where(AddOnRow.lookup_key == add_on).values(status=status))


@pytest.fixture
def restored(recharge: Recharge) -> Iterator[Recharge]:
    """The catalog belongs to every test of the file."""
    yield recharge
    price(recharge.world, "29")
    price(recharge.world, "49", "messages_100k")
    status(recharge.world, "messages_100k", "published")


def taxed(world: World, actor: Actor, rate: int) -> None:
    mine = AccountRow.id == actor.account_id
    world.change(update(AccountRow).where(mine).values(tax_rate=rate, tax_label="VAT"))


@pytest.mark.parametrize("what", ["price", "tax"])
def test_what_costs_more_than_was_agreed_to_is_not_bought(restored, till, what):
    actor, world = restored.world.account(), restored.world
    restored.agree(actor)
    restored.work()
    if what == "price":
        price(world, "79")
    else:
        taxed(world, actor, 25)
    restored.use(actor, 95_000)
    row = restored.policy(actor)
    assert (row.status, row.pause_cause) == ("paused", "price_changed")
    assert (till.taken(), restored.mails(actor)) == ([], ["recharge_changed"])
    assert restored.causes(actor)[-1] == "price_changed"
    save_card(world, actor)
    assert restored.policy(actor).status == "paused"
    restored.agree(actor)
    restored.work()
    assert till.taken() == [7900 if what == "price" else 3625]


def test_what_costs_less_is_bought(restored, till):
    actor = restored.world.account()
    restored.agree(actor)
    restored.work()
    price(restored.world, "19")
    restored.use(actor, 95_000)
    assert till.taken() == [1900]


def test_nothing_is_bought_instead_of_a_pack_that_is_not_sold_any_more(restored, till):
    actor = restored.world.account()
    restored.agree(actor, threshold=60_000, pack="messages_100k")
    restored.work()
    status(restored.world, "messages_100k", "archived")
    restored.use(actor, 95_000)
    assert (restored.policy(actor).pause_cause, till.taken()) == ("not_sold", [])
    assert restored.mails(actor) == ["recharge_changed"]


def test_a_larger_pack_is_bought_instead_at_what_the_words_named_and_not_above(restored, till):
    actor, world = restored.world.account(), restored.world
    restored.agree(actor, threshold=60_000)
    restored.work()
    with world.session() as session:
        agreed = agreed_amounts(session, restored.policy(actor))
    assert agreed == {"messages_50k": Money(2900, "usd"), "messages_100k": Money(4900, "usd")}
    price(world, "49.01", "messages_100k")
    restored.use(actor, 95_000)
    assert (restored.policy(actor).pause_cause, till.taken()) == ("price_changed", [])
    assert isinstance(restored.agree(actor, threshold=60_000), Saved)
    restored.work()
    assert till.taken() == [4901]


def test_another_larger_pack_than_was_shown_saves_nothing(restored):
    actor, world = restored.world.account(), restored.world
    state = world.state(actor)
    messages = next(f for f in state.catalog.features if f.lookup_key == "messages")
    packs = packs_of(state, world.scope, messages)
    chosen = next(p for p in packs if p.add_on == "messages_50k")
    wanted = Wanted("messages", 10_000, "messages_50k", Money(10_000, "usd"), timedelta(0))
    said = Consent(wanted, chosen.amount, "I agree.", "1", "en", larger=larger_packs(packs, chosen))
    price(world, "59", "messages_100k")
    with world.session() as session:
        outcome = recharge_policies.agree(
            actor, said, session=session, gateway=world.gateway, wall=world.wall
        )
    assert outcome == AmountChanged(chosen.amount)
