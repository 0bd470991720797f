"""Corrections of what was sold: never more than was billed, once, and the books agree."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from sqlalchemy import select

from portal.domain.errors import Conflict, NotFound
from portal.domain.payments import Paid
from portal.domain.taxes import Tax
from portal.models.credit_notes import CreditNoteRow
from portal.models.events import EventRow
from portal.models.invoices import InvoiceRow
from portal.models.mails import MailRow
from portal.models.purchases import PaymentAttemptRow, RefundRow
from portal.services import charging
from tests.services.crediting import BALANCE, CARD
from tests.services.time_passing import collections, renewals, run_at, subscription

CONNECTOR, PACK = "salesforce", "messages_100k"
VAT = Tax(Decimal(20), False, "VAT")
MAY_1 = datetime(2026, 5, 1, tzinfo=UTC)


def test_all_of_an_invoice_goes_to_the_balance_and_pays_the_next_one(world, desk, till):
    actor = world.account(tax=VAT)
    world.buy(actor, CONNECTOR)
    assert desk.credit(1) == 1
    assert desk.lines(1) == [("credit", -3333), ("tax", -667)]
    assert (desk.balance(actor), till.refunds()) == ((4000, 0), [])
    assert desk.agrees()
    world.buy(actor, PACK)
    assert till.taken() == [4000, 4900 + 980 - 4000]
    assert desk.agrees()


def test_a_part_takes_its_tax_along_and_the_rest_gives_back_exactly_what_is_left(world, desk):
    actor = world.account(tax=VAT)
    world.buy(actor, CONNECTOR)
    desk.credit(1, "10.01")
    desk.credit(1, "0.02")
    desk.credit(1, reason="The rest.")
    given = [line for number in (1, 2, 3) for line in desk.lines(number)]
    assert given[:2] == [("credit", -1001), ("tax", -201)]
    assert sum(amount for kind, amount in given if kind == "credit") == -3333
    assert sum(amount for kind, amount in given if kind == "tax") == -667
    with pytest.raises(Conflict, match="nothing is left"):
        desk.credit(1, reason="Once more.")
    assert (desk.balance(actor), desk.on("revenue"), desk.on("tax")) == ((4000, 0), 0, 0)
    assert desk.agrees()


@pytest.mark.parametrize("inclusive", [False, True])
def test_yen_and_tax_inside(world, desk, inclusive):
    tax = Tax(Decimal(10), inclusive, "Consumption tax")
    actor = world.account(plan="starter", price="starter_monthly_jpy", currency="jpy", tax=tax)
    world.buy(actor, PACK)
    desk.credit(1, "1001")
    desk.credit(1)
    whole = desk.invoice(actor).total_minor
    assert desk.balance(actor) == (whole, 0)
    assert (desk.on("revenue"), desk.on("tax")) == (0, 0)
    assert desk.agrees()
    assert [note.number for note in desk.notes(actor)] == [1, 2]


def test_the_same_request_twice_credits_once_and_says_so(world, desk):
    actor = world.account()
    world.buy(actor, CONNECTOR)
    desk.credit(1, "5")
    for again in ("5", "5.00"):
        with pytest.raises(Conflict, match="CN000001 says exactly that already"):
            desk.credit(1, again)
    assert desk.balance(actor) == (500, 0)
    assert desk.credit(1, "5", reason="Again, on purpose.") == 2
    assert desk.balance(actor) == (1000, 0)


def test_many_at_once_never_give_back_more_than_was_billed(world, desk):
    actor = world.account()
    world.buy(actor, CONNECTOR)

    def ask(turn: int) -> bool:
        try:
            desk.credit(1, "10", reason=f"Turn {turn}.")
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        done = list(pool.map(ask, range(6)))
    assert sum(done) == 3
    assert desk.balance(actor) == (3000, 0)
    assert sorted(note.number for note in desk.notes(actor)) == [1, 2, 3]
    assert desk.agrees()


REFUSED = [
    ({"amount": "33.34"}, "only 33.33 USD is left of Salesforce connector"),
    ({"amount": "1.234"}, "1.234 has more decimals than USD"),
    ({"amount": "-1"}, "must be more than nothing"),
    ({"amount": "0.00"}, "must be more than nothing"),
    ({"line": 2}, "there is no line 2: the invoice sells 1"),
]


@pytest.mark.parametrize(("asked", "why"), REFUSED)
def test_what_cannot_be_given_back_is_refused_with_the_reason(world, desk, asked, why):
    world.buy(world.account(), CONNECTOR)
    with pytest.raises((Conflict, NotFound), match=why):
        desk.credit(1, **asked)
    assert world.rows(CreditNoteRow) == 0


def test_an_unknown_invoice_and_an_amount_without_its_line(world, desk):
    actor = world.account()
    with pytest.raises(NotFound, match="there is no invoice 000007"):
        desk.credit(7)
    world.buy(actor, CONNECTOR)
    run_at(world, MAY_1)
    with pytest.raises(Conflict, match="an amount needs --line, of 1 to 2"):
        desk.credit(2, "5")
    desk.credit(2, "5", line=2)
    assert desk.lines(1) == [("credit", -500)]


def test_to_the_card_that_paid_once_and_the_rest_to_the_balance(world, desk, till):
    actor = world.account()
    world.buy(actor, PACK)
    desk.credit(1, "20")
    world.buy(actor, CONNECTOR)
    assert till.taken() == [4900, 1333]
    seen = desk.foresee(2, to=CARD)
    assert (seen.to.to_card.minor, seen.to.to_balance.minor) == (1333, 2000)
    desk.credit(2, to=CARD)
    assert till.refunds() == [(1333, "credited", "succeeded")]
    assert [r.amount.minor for r in till.gateway.refunds] == [1333]
    assert (desk.balance(actor), desk.on("owed_back")) == ((2000, 0), 0)
    assert desk.agrees()
    assert [(n.card_brand, n.card_last4) for n in desk.notes(actor)] == [("", ""), ("visa", "4242")]


def test_what_no_card_paid_cannot_go_to_one(world, desk):
    actor = world.account()
    world.buy(actor, PACK)
    desk.credit(1)
    world.buy(actor, CONNECTOR)
    with pytest.raises(Conflict, match="no card paid for it"):
        desk.credit(2, to=CARD)


def test_a_part_to_the_card_then_another(world, desk, till):
    actor = world.account()
    world.buy(actor, CONNECTOR)
    desk.credit(1, "10", to=CARD)
    desk.credit(1, "10", to=CARD, reason="Once more.")
    assert till.refunds() == [(1000, "credited", "succeeded")] * 2
    assert desk.foresee(1, to=CARD).to.to_card.minor == 1333
    assert desk.agrees()


class TestOpenInvoices:
    @pytest.fixture
    def owing(self, world):
        """A renewal of 99.00 that was declined."""
        actor = world.account(card="pm_card_chargeCustomerFail")
        run_at(world, MAY_1)
        return actor

    def test_a_part_lowers_what_is_to_pay(self, world, desk, till, owing):
        whole = renewals(world, owing)[0].charged_minor
        desk.credit(1, "19")
        assert (desk.balance(owing), desk.on("receivable")) == ((0, 0), -(whole - 1900))
        assert desk.agrees()
        run_at(world, datetime(2026, 5, 2, tzinfo=UTC))
        asked = [charge.amount.minor for charge in till.gateway.calls]
        assert asked == [whole, whole - 1900]

    def test_all_of_it_restores_the_account_and_nothing_is_charged_again(
        self, world, desk, till, owing
    ):
        assert subscription(world, owing).status == "past_due"
        desk.credit(1, to=CARD)
        assert collections(world, owing)[0].status == "credited"
        assert subscription(world, owing).status == "active"
        assert (desk.balance(owing), till.refunds()) == ((0, 0), [])
        assert desk.agrees()
        run_at(world, datetime(2026, 5, 9, tzinfo=UTC))
        assert len(till.gateway.calls) == 1

    def test_too_little_to_charge_moves_to_the_next_bill(self, world, desk, owing):
        whole = renewals(world, owing)[0].charged_minor
        desk.credit(1, str(Decimal(whole - 32) / 100))
        assert desk.balance(owing) == (0, 32)
        assert collections(world, owing)[0].status == "credited"
        assert desk.agrees()

    def test_a_payment_under_way_is_called_off_first(self, world, desk, till):
        actor = world.account(card="pm_card_authenticationRequired")
        run_at(world, MAY_1)
        desk.credit(1)
        assert collections(world, actor)[0].status == "credited"
        assert desk.agrees()

    def test_money_beyond_what_is_left_to_pay_is_the_accounts(self, world, desk, owing):
        """A payment of the whole that was thought to have failed arrives after the credit."""
        desk.credit(1, "19")
        with world.session() as session:
            attempt = session.scalars(select(PaymentAttemptRow)).one()
            paid = Paid("pi_late")
            charging.write_answer(desk.counter(session).about(owing.account_id), attempt.id, paid)
        assert collections(world, owing)[0].status == "paid"
        assert desk.balance(owing) == (1900, 0)
        assert desk.agrees()


def test_a_credit_note_is_an_event_with_its_actor_and_a_mail(world, desk):
    actor = world.account()
    world.buy(actor, CONNECTOR)
    desk.credit(1, to=CARD)
    with world.session() as session:
        told = session.scalars(select(EventRow).filter_by(name="credit_note:issued")).one()
        mails = session.scalars(select(MailRow).filter_by(kind="credited")).all()
    assert (told.actor, told.account_id) == ("staff:ann", actor.account_id)
    assert told.detail["reason"] == "It did not work."
    assert [mail.notice["to_card"]["minor"] for mail in mails] == [3333]


def test_the_invoice_stays_as_it_was_issued(world, desk):
    actor = world.account(tax=VAT)
    world.buy(actor, CONNECTOR)
    before = row_of(world)
    desk.credit(1, to=CARD)
    assert row_of(world) == before
    assert world.rows(RefundRow) == 1
    assert desk.balance(actor) == (0, 0)


def row_of(world) -> tuple:
    with world.session() as session:
        return tuple(session.execute(select(*InvoiceRow.__table__.columns)).one())


def test_the_balance_is_the_default(desk, world):
    world.buy(world.account(), CONNECTOR)
    seen = desk.foresee(1, to=BALANCE)
    assert (seen.to.to_balance.minor, seen.to.to_card.minor) == (3333, 0)
