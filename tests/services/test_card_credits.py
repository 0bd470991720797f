"""Credits that go to a card: sent once whatever breaks, and kept on the balance where they fail."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from portal.domain.errors import Conflict
from portal.domain.refunds import Refunded, RefundStatus
from portal.gateways.fake_payments import Fault
from portal.models.mails import MailRow
from portal.models.purchases import RefundRow
from portal.services import crediting, refunding
from tests.services.crediting import CARD

CONNECTOR = "salesforce"
LATE_OR_LOST = {
    "answer lost": Fault.ANSWER_LOST, "outage": Fault.OUTAGE, "refused": Fault.REQUEST_REFUSED,
}  # fmt: skip


@pytest.fixture
def actor(world):
    actor = world.account()
    world.buy(actor, CONNECTOR)
    return actor


def reference(world) -> str | None:
    with world.session() as session:
        return session.scalars(select(RefundRow.reference)).one()


@pytest.mark.parametrize("fault", LATE_OR_LOST.values(), ids=LATE_OR_LOST)
def test_a_refund_without_an_answer_is_sent_again_and_happens_once(actor, desk, till, fault):
    till.gateway.fail_next("refund", fault)
    desk.credit(1, "10", to=CARD)
    assert till.refunds() == [(1000, "credited", "requested")]
    assert desk.on("owed_back") == 1000
    assert till.reconcile().still_open == 0
    assert till.refunds() == [(1000, "credited", "succeeded")]
    assert [refund.amount.minor for refund in till.gateway.refunds] == [1000]
    assert (desk.on("owed_back"), desk.agrees()) == (0, True)


def test_dying_before_it_is_sent_leaves_it_to_reconcile(actor, desk, till, monkeypatch):
    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(crediting, "send", die)
        with pytest.raises(KeyboardInterrupt):
            desk.credit(1, "10", to=CARD)
    with pytest.raises(Conflict, match="says exactly that already"):
        desk.credit(1, "10", to=CARD)
    till.reconcile()
    assert till.refunds() == [(1000, "credited", "succeeded")]
    assert len(till.gateway.refunds) == 1


def test_dying_before_it_is_stored_leaves_nothing(actor, desk, till, monkeypatch):
    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(crediting, "give_back_credited", die)
        with pytest.raises(KeyboardInterrupt):
            desk.credit(1, "10", to=CARD)
    assert (desk.notes(actor), till.gateway.refunds) == ([], [])
    assert desk.credit(1, "10", to=CARD) == 1, "the number was not used up"
    assert len(till.gateway.refunds) == 1


def test_once_the_key_is_forgotten_it_is_looked_for_before_it_is_sent(world, actor, desk, till):
    till.gateway.fail_next("refund", Fault.ANSWER_LOST)
    desk.credit(1, "10", to=CARD)
    till.gateway._books.kept.clear()
    till.gateway.fail_next("refund", Fault.REQUEST_REFUSED)
    world.pass_time(hours=25)
    till.reconcile()
    assert till.refunds() == [(1000, "credited", "succeeded")]
    assert len(till.gateway.refunds) == 1


@pytest.mark.parametrize("card", ["pm_card_refundFail"])
def test_a_refund_that_fails_later_is_kept_on_the_balance_once(world, desk, till, card):
    actor = world.account(card=card)
    world.buy(actor, CONNECTOR)
    desk.credit(1, "10", to=CARD)
    assert (till.refunds(), desk.balance(actor)) == ([(1000, "credited", "succeeded")], (0, 0))
    till.gateway.end_refunds()
    for _ in range(3):
        till.hear("refund.failed", "refund", reference(world))
    assert till.refunds() == [(1000, "credited", "failed")]
    assert (desk.balance(actor), desk.on("owed_back")) == ((1000, 0), 0)
    assert desk.agrees()
    with world.session() as session:
        [mail] = session.scalars(select(MailRow).filter_by(kind="refunded")).all()
    assert (mail.notice["kept"], mail.notice["failed"]) == (True, True)


def test_news_that_it_failed_before_its_reference_is_known_are_not_lost(world, desk, till):
    actor = world.account(card="pm_card_refundFail")
    world.buy(actor, CONNECTOR)
    till.gateway.fail_next("refund", Fault.ANSWER_LOST)
    desk.credit(1, "10", to=CARD)
    assert reference(world) is None
    till.gateway.end_refunds()
    [made] = till.gateway._books.refunds
    till.hear("refund.failed", "refund", made)
    assert (reference(world), till.refunds()) == (made, [(1000, "credited", "failed")])
    assert desk.balance(actor) == (1000, 0)
    with world.session() as session:
        row = session.scalars(select(RefundRow)).one()
        older = Refunded(made, RefundStatus.SUCCEEDED)
        refunding.write(desk.counter(session).about(actor.account_id), row.id, older)
    assert till.refunds() == [(1000, "credited", "failed")], "an older answer changes nothing"
    assert (desk.balance(actor), desk.agrees()) == ((1000, 0), True)


def test_a_disputed_payment_is_not_given_back_a_second_time(world, desk, till):
    actor = world.account(card="pm_card_createDispute")
    world.buy(actor, CONNECTOR)
    desk.credit(1, "10", to=CARD)
    assert till.refunds() == [(1000, "credited", "failed")]
    assert (desk.balance(actor), desk.on("owed_back")) == ((0, 0), 1000)
    assert desk.agrees()
