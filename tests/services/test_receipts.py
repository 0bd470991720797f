"""Receipts: what paid an invoice that was issued open, printed once it is paid, and mailed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from portal.domain.access import Actor
from portal.domain.errors import NotFound
from portal.domain.mails import Attachment
from portal.domain.money import Money
from portal.models.invoices import ReceiptDocumentRow
from portal.queries.documents import IssuedReceipt
from portal.services import accounts, invoice_payments
from portal.services.documents import RECEIPTS, Issued, document_of, print_missing
from portal.services.invoice_payments import AtCheckout
from tests.services.crediting import Desk
from tests.services.time_passing import renewals, run_at
from tests.support.mails import Office
from tests.support.world import World, paying

MAY_1 = datetime(2026, 5, 1, tzinfo=UTC)
FAILS = "pm_card_chargeCustomerFail"


@dataclass
class Press:
    printed_of: list[Issued] = field(default_factory=list)

    def printed(self, paper: Issued) -> bytes:
        self.printed_of.append(paper)
        return f"{type(paper).__name__} {paper.number}".encode()

    @property
    def receipts(self) -> list[IssuedReceipt]:
        return [each for each in self.printed_of if isinstance(each, IssuedReceipt)]


@pytest.fixture
def press() -> Press:
    return Press()


def ask(world: World, actor: Actor, number: int, press: Press) -> bytes:
    with world.session() as session:
        found = document_of(
            actor, number, RECEIPTS, session=session, printer=press, wall=world.wall
        )
    return found.content


def pay(world: World, actor: Actor, card="default"):
    invoice = renewals(world, actor)[0]
    with world.session() as session:
        return invoice_payments.pay(
            actor, invoice.id, paying(card),
            session=session, gateway=world.gateway, wall=world.wall,
        )  # fmt: skip


def good_card(world: World, actor: Actor, token: str = "pm_card_mastercard") -> None:
    with world.session() as session:
        accounts.save_card(session, world.scope, actor.account_id, token, world.gateway, world.wall)


def test_a_paid_renewal_has_a_receipt_of_what_paid_it(world, press):
    actor = world.account(zone="America/New_York")
    run_at(world, MAY_1)
    assert ask(world, actor, 1, press) == b"IssuedReceipt 000001"
    [receipt] = press.receipts
    assert (receipt.paid, receipt.owed) == (Money(9900, "usd"), Money(9900, "usd"))
    assert (receipt.card_brand, receipt.card_last4) == ("visa", "4242")
    assert receipt.issued_at == receipt.invoice_issued_at == MAY_1
    assert (receipt.account_name, receipt.zone) == ("Account1", "America/New_York")
    assert receipt.locale == "en"
    world.pass_time(days=3)
    assert ask(world, actor, 1, press) == b"IssuedReceipt 000001"
    assert len(press.receipts) == 1


def test_what_is_not_paid_has_none_and_has_one_once_it_is(world, press):
    actor = world.account(card=FAILS)
    run_at(world, MAY_1)
    with pytest.raises(NotFound):
        ask(world, actor, 1, press)
    world.pass_time(hours=30)
    good_card(world, actor)
    pay(world, actor)
    ask(world, actor, 1, press)
    [receipt] = press.receipts
    assert (receipt.card_brand, receipt.card_last4) == ("mastercard", "4444")
    assert (receipt.invoice_issued_at, receipt.issued_at) == (MAY_1, MAY_1 + timedelta(hours=30))


def test_a_card_typed_at_the_checkout_is_the_one_that_paid(world, till, press):
    actor = world.account(card=FAILS)
    run_at(world, MAY_1)
    outcome = pay(world, actor, "new")
    assert isinstance(outcome, AtCheckout)
    till.gateway.pay_page(outcome.url.rpartition("/")[2])
    pay(world, actor)
    ask(world, actor, 1, press)
    assert [each.card_last4 for each in press.receipts] == ["4242"]


def test_what_credit_notes_took_off_before_is_said(world, till, press):
    actor = world.account(card=FAILS)
    run_at(world, MAY_1)
    Desk(world, till).credit(1, "20")
    good_card(world, actor)
    pay(world, actor)
    ask(world, actor, 1, press)
    [receipt] = press.receipts
    assert (receipt.owed.minor, receipt.taken_off.minor, receipt.paid.minor) == (9900, 2000, 7900)
    assert receipt.to_balance.minor == 0


def test_a_purchase_has_its_receipt_in_its_invoice_alone(world, press):
    actor = world.account()
    world.buy(actor, "salesforce")
    with pytest.raises(NotFound):
        ask(world, actor, 1, press)


def test_another_accounts_receipt_is_nothing(world, press):
    world.account()
    run_at(world, MAY_1)
    with pytest.raises(NotFound):
        ask(world, world.account(), 1, press)
    assert press.printed_of == []


def test_receipts_are_printed_with_what_else_is_missing(world, press):
    for card in ("pm_card_visa", FAILS):
        world.account(card=card)
    run_at(world, MAY_1)
    with world.session() as session:
        made = [
            print_missing(session, world.scope, printer=press, wall=world.wall) for _ in range(2)
        ]
    assert made == [3, 0]
    assert len(press.receipts) == world.rows(ReceiptDocumentRow) == 1


@pytest.mark.parametrize(
    "statement", ["update receipt_documents set made_at = now()", "delete from receipt_documents"]
)
def test_the_portal_cannot_change_what_it_kept(world, press, statement):
    actor = world.account()
    run_at(world, MAY_1)
    ask(world, actor, 1, press)
    with world.session() as session, pytest.raises(ProgrammingError, match="permission denied"):
        session.execute(text(statement))


BOTH = (
    Attachment("receipt-000001.pdf", b"%PDF IssuedReceipt 000001"),
    Attachment("invoice-000001.pdf", b"%PDF IssuedInvoice 000001"),
)


def test_the_mail_of_a_renewal_carries_receipt_and_invoice(world):
    world.account()
    run_at(world, MAY_1)
    office = Office(world)
    office.send()
    [mail] = [m for m in office.bag.mails if m.letter.subject == "renewed"]
    assert mail.attachments == BOTH
    assert [notice.recovered for notice, _ in office.writer.written] == [False]


def test_the_mail_of_a_payment_after_a_decline_says_so(world):
    actor = world.account(card=FAILS)
    run_at(world, MAY_1)
    office = Office(world)
    office.send()
    assert [m.attachments for m in office.bag.mails] == [BOTH[1:]], "nothing is paid yet"
    office.empty()
    good_card(world, actor)
    pay(world, actor)
    office.send()
    assert [m.attachments for m in office.bag.mails if m.letter.subject == "renewed"] == [BOTH]
    assert [n.recovered for n, _ in office.writer.written if n.kind == "renewed"] == [True]
