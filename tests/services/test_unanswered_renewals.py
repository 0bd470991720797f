"""A renewal that the processor would not take, or did not answer: no decline, and asked again."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from portal.domain.errors import PaymentsUnavailable
from portal.gateways.fake_payments import Fault
from portal.models.purchases import PaymentAttemptRow
from tests.services.leaving import told
from tests.services.test_dunning import FAILS, MAY_1, settle_card, status
from tests.services.time_passing import run_at


def asked(world, actor) -> list[tuple[str, str]]:
    """Key and status of each attempt."""
    mine = select(PaymentAttemptRow).filter_by(account_id=actor.account_id)
    with world.session() as session:
        rows = session.scalars(mine.order_by(PaymentAttemptRow.id))
        return [(row.idempotency_key, row.status) for row in rows]


def refuse_requests(monkeypatch, gateway) -> None:
    """As with a wrong key: nothing that is asked for is taken."""

    def refused(*_args, **_more):
        raise PaymentsUnavailable("401 Invalid API Key")

    for method in ("charge", "find_payment"):
        monkeypatch.setattr(gateway, method, refused)


def test_a_request_that_is_not_taken_is_no_decline_and_is_asked_again(world, till):
    actor = world.account()
    till.gateway.fail_next("charge", Fault.REQUEST_REFUSED)
    run_at(world, MAY_1)
    assert (status(world, actor), told(world, actor, "payment_failed")) == ("active", [])
    [(key, standing)] = asked(world, actor)
    assert standing == "started"
    world.pass_time(minutes=2)
    till.reconcile()
    assert (asked(world, actor), till.taken()) == ([(key, "succeeded")], [9900])
    assert [asked.key for asked in till.gateway.taken] == [key]
    assert till.books_agree()


def test_a_wrong_key_for_days_stops_nothing_and_is_charged_once_it_is_mended(
    world, till, monkeypatch
):
    actor = world.account()
    refuse_requests(monkeypatch, till.gateway)
    for hours in range(0, 30 * 24, 9):
        run_at(world, MAY_1 + timedelta(hours=hours, minutes=2))
        till.reconcile()
    assert (status(world, actor), len(asked(world, actor))) == ("active", 1)
    monkeypatch.undo()
    till.reconcile()
    assert [standing for _key, standing in asked(world, actor)] == ["expired", "succeeded"]
    assert (till.taken(), told(world, actor, "payment_failed")) == ([9900], [])
    till.reconcile()
    assert till.taken() == [9900]
    assert till.books_agree()


def test_what_did_arrive_before_the_key_was_forgotten_is_not_asked_for_again(world, till):
    actor = world.account()
    till.gateway.fail_next("charge", Fault.ANSWER_LOST)
    run_at(world, MAY_1)
    world.pass_time(days=3)
    till.reconcile()
    assert [standing for _key, standing in asked(world, actor)] == ["succeeded"]
    assert till.taken() == [9900]


def test_no_retry_goes_beside_one_that_has_no_answer(world, till):
    actor = world.account(card=FAILS)
    run_at(world, MAY_1)
    settle_card(world, actor)
    till.gateway.fail_next("charge", Fault.ANSWER_LOST)
    run_at(world, MAY_1 + timedelta(days=1))
    run_at(world, MAY_1 + timedelta(days=4))
    assert [standing for _key, standing in asked(world, actor)] == ["declined", "started"]
    till.reconcile()
    assert (till.taken(), till.refunds(), status(world, actor)) == ([9900], [], "active")
