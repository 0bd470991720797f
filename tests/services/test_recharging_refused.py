"""Auto-recharge when a charge is refused or unanswered, in any order, and at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from portal.domain.declines import DeclineReason
from portal.domain.payments import Declined, Paid
from portal.gateways.fake_payments import Fault
from portal.models.accounts import PaymentMethodRow
from portal.models.purchases import PurchaseRow
from portal.services import accounts, card_choices, cards, recharging
from portal.services.charging import Settled
from portal.services.till import till_of
from tests.services.crediting import BALANCE, Desk
from tests.services.paying import Till
from tests.services.recharging import Recharge
from tests.services.using import meter, report, used
from tests.support.world import World

DECLINES = "pm_card_chargeCustomerFail"
ASKS = "pm_card_authenticationRequired"


@pytest.fixture
def till(recharge: Recharge) -> Till:
    return Till(recharge.world)


def save(world: World, actor, card: str) -> None:
    with world.session() as session:
        accounts.save_card(session, world.scope, actor.account_id, card, world.gateway, world.wall)


def purchases(world: World, actor) -> list[PurchaseRow]:
    mine = select(PurchaseRow).filter_by(account_id=actor.account_id)
    with world.session() as session:
        return list(session.scalars(mine.order_by(PurchaseRow.id)))


@pytest.mark.parametrize(("card", "cause"), [(DECLINES, "declined"), (ASKS, "authentication")])
def test_a_refusal_pauses_it_with_one_mail_and_another_card_lets_it_go_on(
    recharge, till, card, cause
):
    actor = recharge.world.account(card=card)
    recharge.agree(actor)
    recharge.use(actor, 95_000)
    row = recharge.policy(actor)
    assert (row.status, row.pause_cause) == ("paused", cause)
    assert recharge.causes(actor) == ["bought", "declined"]
    recharge.use(actor, 100)
    recharge.world.pass_time(minutes=40)
    till.reconcile()
    recharge.work()
    assert recharge.mails(actor) == ["recharge_paused"]
    assert till.taken() == []
    save(recharge.world, actor, "pm_card_visa")
    assert recharge.policy(actor).status == "on"
    recharge.work()
    assert till.taken() == [2900]
    assert recharge.months(actor) == {(False, "Apr"): (0, 2900), (True, "Apr"): (0, 2900)}


def test_another_card_minutes_later_buys_when_the_cooldown_is_over(recharge, till):
    """What was refused held money of the month and waited; it stands in nobody's way."""
    actor, world = recharge.world.account(card=DECLINES), recharge.world
    recharge.agree(actor)
    recharge.use(actor, 95_000)
    assert recharge.months(actor)[True, "Apr"] == (2900, 0)
    world.pass_time(minutes=1)
    save(world, actor, "pm_card_visa")
    recharge.work()
    assert recharge.causes(actor) == ["bought", "declined", "cooldown_until"]
    assert recharge.months(actor)[True, "Apr"] == (0, 0)
    world.pass_time(minutes=9)
    recharge.work()
    assert till.taken() == [2900]
    assert recharge.months(actor) == {(False, "Apr"): (0, 2900), (True, "Apr"): (0, 2900)}


def test_a_card_added_beside_the_refused_one_pays_and_the_default_stays(recharge, till):
    actor, world = recharge.world.account(card=DECLINES), recharge.world
    recharge.agree(actor)
    recharge.use(actor, 95_000)
    calls, customer = len(till.gateway.calls), world.customer(actor.account_id)
    added = till.gateway.save_card(customer, "pm_card_visa", "added")
    with world.session() as session:
        cards.keep(till_of(actor, session, till.gateway, world.wall), actor.account_id, added)
        session.commit()
    assert till.cards(actor) == [("0341", True), ("4242", False)]
    assert recharge.policy(actor).status == "on"
    world.pass_time(minutes=40)
    till.reconcile()
    recharge.work()
    assert [call.card_ref for call in till.gateway.calls[calls:]] == [added.reference]
    assert till.taken() == [2900]


def test_another_default_card_lets_it_go_on(recharge, till):
    actor = recharge.world.account(card="pm_card_visa")
    recharge.world.gateway.answers.append(Declined(DeclineReason.REFUSED, may_retry=False))
    save(recharge.world, actor, "pm_card_mastercard")
    recharge.agree(actor)
    recharge.use(actor, 95_000)
    assert recharge.policy(actor).status == "paused"
    with recharge.world.session() as session:
        other = session.scalars(
            select(PaymentMethodRow.id).filter_by(account_id=actor.account_id, is_default=False)
        ).one()
        card_choices.make_default(
            actor, other, session=session, gateway=till.gateway, wall=recharge.world.wall
        )
    assert recharge.policy(actor).status == "on"
    recharge.world.pass_time(minutes=10)
    recharge.work()
    assert till.taken() == [2900]


def test_without_a_card_it_pauses_and_says_so(recharge):
    actor = recharge.world.account(card=None)
    recharge.agree(actor)
    recharge.use(actor, 95_000)
    assert recharge.causes(actor)[-1] == "no_card"
    assert recharge.policy(actor).pause_cause == "no_card"
    assert recharge.mails(actor) == ["recharge_paused"]


def test_without_a_card_the_balance_pays_as_far_as_it_reaches(recharge, till):
    actor, desk = recharge.world.account(), Desk(recharge.world, till)
    recharge.world.buy(actor, "messages_100k")
    desk.credit(desk.invoice(actor).number, to=BALANCE)
    gone = {"detached_at": recharge.world.now, "is_default": False}
    mine = PaymentMethodRow.account_id == actor.account_id
    recharge.world.change(update(PaymentMethodRow).where(mine).values(gone))
    recharge.agree(actor)
    recharge.use(actor, meter(recharge.world, actor).left - 5_000)
    assert recharge.causes(actor)[-1] == "bought"
    assert (meter(recharge.world, actor).left, till.taken()) == (55_000, [4900])
    recharge.world.pass_time(minutes=10)
    recharge.use(actor, 50_000)
    assert recharge.policy(actor).pause_cause == "no_card"


def test_what_the_bank_asked_about_can_be_finished_by_the_customer(recharge, till):
    actor = recharge.world.account(card=ASKS)
    recharge.agree(actor)
    recharge.use(actor, 95_000)
    [purchase] = purchases(recharge.world, actor)
    till.pay(actor, purchase.id)
    [asked] = [a for a in till.attempts(purchase.id) if a.status == "needs_authentication"]
    till.gateway.change(asked.reference, Paid(asked.reference))
    assert isinstance(till.finish(actor, purchase.id), Settled)
    assert recharge.months(actor)[True, "Apr"] == (0, 2900)
    assert recharge.policy(actor).status == "paused"
    assert till.books_agree()


def test_what_only_failed_on_its_way_is_tried_again_after_the_cooldown(recharge, till):
    actor = recharge.world.account()
    recharge.world.gateway.answers.append(Declined(DeclineReason.PROCESSING_ERROR, may_retry=True))
    recharge.agree(actor)
    recharge.use(actor, 95_000)
    recharge.work()
    assert recharge.policy(actor).status == "on"
    assert recharge.causes(actor) == ["bought", "declined", "cooldown_until"]
    recharge.world.pass_time(minutes=10)
    recharge.work()
    assert till.taken() == [2900]


def test_an_hour_without_the_processor_is_one_pack_when_it_is_back(world):
    recharge, till = Recharge(world), Till(world)
    actor = recharge.world.account()
    recharge.agree(actor, cooldown=timedelta(0))
    for method in ("charge", "find_payment"):
        for _ in range(300):
            till.gateway.fail_next(method, Fault.OUTAGE)
    recharge.use(actor, 95_000)
    for _ in range(60):
        recharge.world.pass_time(minutes=1)
        till.reconcile()
        recharge.use(actor, 10)
    assert till.taken() == []
    assert recharge.months(actor)[True, "Apr"] == (2900, 0)
    till.gateway._faults.clear()
    till.reconcile()
    recharge.work()
    assert till.taken() == [2900]
    assert till.holds(actor) == ["messages_50k"]
    assert recharge.months(actor)[True, "Apr"] == (0, 2900)


def test_forty_draws_at_once_that_cross_buy_one_pack(recharge, till):
    actor = recharge.world.account()
    recharge.agree(actor, cooldown=timedelta(0))
    recharge.work()
    recharge.use(actor, 89_000)

    def draw(_: int) -> None:
        report(recharge.world, actor, used("messages", 100, recharge.world.now))
        recharge.work()

    with ThreadPoolExecutor(40) as pool:
        list(pool.map(draw, range(40)))
    recharge.work()
    assert recharge.causes(actor).count("bought") == 1
    assert till.taken() == [2900]
    assert till.books_agree()


class Dies(Exception):
    """The process ends here."""


@pytest.mark.parametrize("step", ["open_windows_now", "_act", "ask_first"])
def test_dying_anywhere_buys_one_pack_in_the_end(recharge, till, monkeypatch, step):
    actor = recharge.world.account()
    recharge.agree(actor, cooldown=timedelta(0))

    def dies(*_: object, **__: object) -> None:
        raise Dies(step)

    with monkeypatch.context() as patch:
        patch.setattr(recharging, step, dies)
        recharge.use(actor, 95_000)
    recharge.world.pass_time(minutes=2)
    recharge.work()
    till.reconcile()
    recharge.work()
    assert till.taken() == [2900]
    assert till.holds(actor) == ["messages_50k"]


def test_dying_after_the_charge_is_settled_by_reconcile(recharge, till):
    actor = recharge.world.account()
    recharge.agree(actor, cooldown=timedelta(0))
    till.gateway.fail_next("charge", Fault.ANSWER_LOST)
    recharge.use(actor, 95_000)
    recharge.use(actor, 10)
    assert recharge.causes(actor) == ["bought", "in_flight"]
    recharge.world.pass_time(minutes=2)
    till.reconcile()
    recharge.work()
    assert till.taken() == [2900]
    assert recharge.causes(actor)[-1] == "above_threshold"


def test_turned_off_while_a_pack_is_being_paid_the_pack_comes_and_no_other(recharge, till):
    actor = recharge.world.account()
    recharge.agree(actor, cooldown=timedelta(0))
    till.gateway.fail_next("charge", Fault.ANSWER_LOST)
    recharge.use(actor, 95_000)
    recharge.do("turn_off", actor)
    recharge.world.pass_time(minutes=2)
    till.reconcile()
    assert till.holds(actor) == ["messages_50k"]
    recharge.use(actor, 54_000)
    assert till.taken() == [2900]
    row = recharge.policy(actor)
    assert (row.status, row.look_at) == ("off", None)


def test_a_member_buys_meanwhile_and_nothing_is_called_off(recharge, till):
    actor = recharge.world.account()
    recharge.agree(actor)
    till.gateway.fail_next("charge", Fault.ANSWER_LOST)
    recharge.use(actor, 95_000)
    assert isinstance(recharge.world.buy(actor, "messages_10k"), Settled)
    assert [p.status for p in purchases(recharge.world, actor)] == ["reserved", "settled"]
