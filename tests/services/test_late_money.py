"""Money that comes twice, or for what can no longer be given: all of it goes back, once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select, update

from portal.domain.payments import PageStatus
from portal.gateways.fake_payments import Fault
from portal.models.events import EventRow
from portal.models.invoices import InvoiceRow
from portal.models.ledger import AccountBalanceRow, TransferRow
from portal.models.purchases import PaymentAttemptRow, PurchaseRow, RefundRow
from portal.models.subscriptions import InstanceRow, SubscriptionRow
from portal.queries.purchases import Step
from portal.services.attempts import checkout_of
from portal.services.charging import Ended, Settled

CONNECTOR, ONBOARDING, PACK = "salesforce", "onboarding", "messages_100k"


def test_the_older_of_two_checkouts_paid_and_a_third_purchase_before_any_news(world, till, buyer):
    """Source: traps.md 1."""
    accepted = world.accept(world.quote(buyer, ONBOARDING))
    tab = world.accept(world.quote(buyer, ONBOARDING))
    first = world.confirm(buyer, accepted)
    older = till.page(first.purchase_id)
    newer = second_checkout(world, till, first.purchase_id)
    till.gateway.pay_page(older)
    assert world.confirm(buyer, tab) == Settled(first.purchase_id), "what was paid is the answer"
    for page in (older, newer):
        till.hear("checkout.session.completed", "checkout.session", page)
    assert till.gateway.read_page(newer).status is PageStatus.EXPIRED, "nobody can pay it again"
    assert till.taken() == [49900]
    assert (till.holds(buyer), till.refunds()) == ([ONBOARDING], [])
    assert world.rows(PurchaseRow) == world.rows(InstanceRow) == world.rows(InvoiceRow) == 1
    assert till.books_agree()


def test_both_of_two_checkouts_paid_keeps_one_and_returns_the_other(world, till, buyer):
    first = world.buy(buyer, ONBOARDING)
    older = till.page(first.purchase_id)
    newer = second_checkout(world, till, first.purchase_id)
    for page in (newer, older):
        till.gateway.pay_page(page, "visa")
    for page in (older, newer, older):
        till.hear("checkout.session.completed", "checkout.session", page)
    assert till.refunds() == [(49900, "paid_twice", "succeeded")]
    assert [r.amount.minor for r in till.gateway.refunds] == [49900]
    assert (till.taken(), till.holds(buyer)) == ([49900, 49900], [ONBOARDING])
    assert world.rows(InvoiceRow) == 1
    assert till.books_agree()


def second_checkout(world, till, purchase_id: int, key: str = "second-attempt") -> str:
    """A page of a second attempt, as a crash between two requests could leave it."""
    [attempt] = till.attempts(purchase_id)
    labels = attempt.params["labels"] | {"attempt": key}
    page = till.gateway.open_checkout(replace(checkout_of(attempt), key=key, labels=labels))
    with world.session() as session:
        session.add(
            PaymentAttemptRow(
                environment_id=attempt.environment_id,
                account_id=attempt.account_id,
                purchase_id=purchase_id,
                number=2,
                kind="checkout",
                idempotency_key=key,
                amount_minor=attempt.amount_minor,
                currency=attempt.currency,
                params=attempt.params | {"labels": labels},
                status="open",
                page_ref=page.reference,
                page_url=page.url,
            )
        )
        session.commit()
    return page.reference


def test_two_pages_paid_too_late_are_two_refunds(world, till, buyer):
    outcome = world.buy(buyer, CONNECTOR)
    pages = [till.page(outcome.purchase_id), second_checkout(world, till, outcome.purchase_id)]
    world.now = datetime(2026, 5, 2, tzinfo=UTC)
    for page in pages:
        till.gateway.pay_page(page)
    for page in (*pages, *pages):
        till.hear("checkout.session.completed", "checkout.session", page)
    assert till.refunds() == [(3333, "period_over", "succeeded")] * 2
    assert (till.taken(), len(till.gateway.refunds)) == ([3333, 3333], 2)
    assert till.books_agree()


def end_subscription(world, actor) -> None:
    with world.session() as session:
        session.execute(
            update(SubscriptionRow)
            .where(SubscriptionRow.account_id == actor.account_id)
            .values(ended_at=world.now, status="cancelled")
        )
        session.commit()


@pytest.mark.parametrize("add_on", [CONNECTOR, PACK])
def test_a_page_paid_after_the_cycle_turned_is_refunded_in_full(world, till, buyer, add_on):
    outcome = world.buy(buyer, add_on)
    world.now = datetime(2026, 5, 1, tzinfo=UTC)
    till.gateway.pay_page(till.page(outcome.purchase_id))
    assert till.finish(buyer, outcome.purchase_id) == Ended(outcome.purchase_id)
    amount = till.taken()[0]
    assert till.refunds() == [(amount, "period_over", "succeeded")]
    assert [r.amount.minor for r in till.gateway.refunds] == [amount]
    shown = till.shown(buyer, outcome.purchase_id)
    assert (shown.step, shown.refund.amount.minor) == (Step.REFUNDED, amount)
    assert (till.holds(buyer), world.rows(InvoiceRow)) == ([], 0)
    assert till.books_agree()
    till.hear("checkout.session.completed", "checkout.session", till.page(outcome.purchase_id))
    till.reconcile()
    assert len(till.gateway.refunds) == 1


def test_a_second_before_the_cycle_turns_it_is_still_given(world, till, buyer):
    outcome = world.buy(buyer, CONNECTOR)
    world.now = datetime(2026, 4, 30, 23, 59, 59, tzinfo=UTC)
    till.gateway.pay_page(till.page(outcome.purchase_id))
    assert till.finish(buyer, outcome.purchase_id) == Settled(outcome.purchase_id)


def test_what_never_expires_is_given_whenever_it_is_paid(world, till, buyer):
    outcome = world.buy(buyer, "sms_10k")
    world.now = datetime(2026, 6, 1, tzinfo=UTC)
    till.gateway.pay_page(till.page(outcome.purchase_id))
    assert till.finish(buyer, outcome.purchase_id) == Settled(outcome.purchase_id)


def test_money_for_a_subscription_that_has_ended_goes_back(world, till, buyer):
    outcome = world.buy(buyer, CONNECTOR)
    end_subscription(world, buyer)
    till.gateway.pay_page(till.page(outcome.purchase_id))
    till.hear("checkout.session.completed", "checkout.session", till.page(outcome.purchase_id))
    assert till.refunds() == [(3333, "subscription_ended", "succeeded")]
    assert till.books_agree()


def let_go_unheard(till, buyer, purchase_id: int) -> str:
    """The purchase ends while its page, unreachable, stays payable."""
    page = till.page(purchase_id)
    with till.world.session() as session:
        session.execute(
            update(PaymentAttemptRow)
            .where(PaymentAttemptRow.purchase_id == purchase_id)
            .values(status="expired", finished_at=till.world.now)
        )
        session.commit()
    till.stop(buyer, purchase_id)
    assert till.row(purchase_id).status == "failed"
    return page


def test_money_for_a_purchase_let_go_still_buys_it_while_it_can(world, till, buyer):
    outcome = world.buy(buyer, ONBOARDING)
    page = let_go_unheard(till, buyer, outcome.purchase_id)
    till.gateway.pay_page(page)
    till.hear("checkout.session.completed", "checkout.session", page)
    assert (till.holds(buyer), till.refunds()) == ([ONBOARDING], [])
    assert till.finish(buyer, outcome.purchase_id) == Settled(outcome.purchase_id)
    assert till.books_agree()


def test_money_for_a_onetime_add_on_that_is_held_by_now_goes_back(world, till, buyer):
    outcome = world.buy(buyer, ONBOARDING)
    page = let_go_unheard(till, buyer, outcome.purchase_id)
    second = world.buy(buyer, ONBOARDING)
    till.gateway.pay_page(till.page(second.purchase_id))
    till.finish(buyer, second.purchase_id)
    till.gateway.pay_page(page)
    till.hear("checkout.session.completed", "checkout.session", page)
    assert till.refunds() == [(49900, "no_room", "succeeded")]
    assert till.holds(buyer) == [ONBOARDING]
    assert till.books_agree()


@pytest.mark.parametrize(("held", "charged"), [("balance", 2333), ("carried", 4333)])
def test_money_for_a_price_that_counted_with_what_is_used_by_now_goes_back(
    world, till, buyer, held, charged
):
    figures = ("balance_minor", "carried_minor", "balance_reserved_minor", "carried_reserved_minor")
    kept = dict.fromkeys(figures, 0) | {f"{held}_minor": 1000}
    account = {"environment_id": buyer.environment_id, "account_id": buyer.account_id}
    with world.session() as session:
        session.add(AccountBalanceRow(currency="usd", **account, **kept))
        session.commit()
    outcome = world.buy(buyer, CONNECTOR)
    page = let_go_unheard(till, buyer, outcome.purchase_id)
    world.buy(buyer, PACK)
    till.gateway.pay_page(page)
    till.hear("checkout.session.completed", "checkout.session", page)
    assert till.refunds() == [(charged, "balance_used", "succeeded")]
    assert till.holds(buyer) == []


def test_once_paid_no_other_page_can_be_paid(world, till, buyer):
    outcome = world.buy(buyer, ONBOARDING)
    older = till.page(outcome.purchase_id)
    newer = second_checkout(world, till, outcome.purchase_id)
    till.gateway.pay_page(older)
    till.hear("checkout.session.completed", "checkout.session", older)
    assert till.gateway.read_page(newer).status is PageStatus.EXPIRED
    ended = [(a.status, a.finished_at) for a in till.attempts(outcome.purchase_id)]
    assert ended == [("succeeded", world.now), ("expired", world.now)]


LATE_OR_LOST = {
    "answer lost": Fault.ANSWER_LOST, "outage": Fault.OUTAGE, "refused": Fault.REQUEST_REFUSED,
}  # fmt: skip


@pytest.mark.parametrize("fault", LATE_OR_LOST.values(), ids=LATE_OR_LOST)
def test_a_refund_without_an_answer_is_sent_again_and_happens_once(world, till, buyer, fault):
    outcome = world.buy(buyer, CONNECTOR)
    world.now = datetime(2026, 5, 2, tzinfo=UTC)
    till.gateway.pay_page(till.page(outcome.purchase_id))
    till.gateway.fail_next("refund", fault)
    till.finish(buyer, outcome.purchase_id)
    assert till.refunds() == [(3333, "period_over", "requested")]
    assert till.reconcile().still_open == 0
    assert till.refunds() == [(3333, "period_over", "succeeded")]
    assert len(till.gateway.refunds) == 1
    assert till.books_agree()


@pytest.mark.parametrize(
    ("card", "first", "last"),
    [("pendingRefund", "pending", "succeeded"), ("refundFail", "succeeded", "failed")],
)
def test_what_becomes_of_a_refund_later_is_followed(world, till, buyer, card, first, last):
    outcome = world.buy(buyer, CONNECTOR)
    world.now = datetime(2026, 5, 2, tzinfo=UTC)
    till.gateway.pay_page(till.page(outcome.purchase_id), card)
    till.finish(buyer, outcome.purchase_id)
    assert till.refunds() == [(3333, "period_over", first)]
    till.gateway.end_refunds()
    with world.session() as session:
        reference = session.scalars(select(RefundRow.reference)).one()
    for _ in range(3):
        till.hear("refund.updated", "refund", reference)
    assert till.refunds() == [(3333, "period_over", last)]
    assert owed_back(world) == (3333 if last == "failed" else 0)
    assert till.books_agree()


def owed_back(world) -> int:
    with world.session() as session:
        rows = session.scalars(select(TransferRow)).all()
    return sum(
        r.amount_minor * ((r.credit == "owed_back") - (r.debit == "owed_back")) for r in rows
    )


def test_the_story_of_a_purchase_is_in_the_accounts_events(world, till, buyer):
    outcome = world.buy(buyer, CONNECTOR)
    world.now = datetime(2026, 5, 2, tzinfo=UTC)
    till.gateway.pay_page(till.page(outcome.purchase_id))
    till.hear("checkout.session.completed", "checkout.session", till.page(outcome.purchase_id))
    with world.session() as session:
        found = session.execute(
            select(EventRow.name, func.count())
            .filter_by(account_id=buyer.account_id)
            .group_by(EventRow.name)
        )
        names = dict(map(tuple, found))
    told = {"purchase:ended", "payment:late", "refund:requested", "refund:answered"}
    assert {name: names.get(name) for name in told} == dict.fromkeys(told, 1)
