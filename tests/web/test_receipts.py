"""Receipts of paid renewals: on the invoice's page and as files, for their own account only."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from portal.models.invoices import InvoiceDocumentRow
from portal.services import accounts
from tests.gateways.test_pdf import is_accessible, text_of
from tests.services.time_passing import run_at

MAY_1 = datetime(2026, 5, 1, tzinfo=UTC)
LIST = "/settings/billing/invoices"
INVOICE = f"{LIST}/1"
RECEIPT = "/settings/billing/receipts/1/pdf"


@pytest.fixture
def owner(world, visit):
    actor = world.account()
    run_at(world, MAY_1)
    visit.sign_in("owner@account1.test")
    return actor


@pytest.fixture
def overdue(world, visit):
    actor = world.account(card="pm_card_chargeCustomerFail")
    run_at(world, MAY_1)
    visit.sign_in("owner@account1.test")
    return actor


def test_a_paid_renewal_says_how_it_was_paid_and_leads_to_its_receipt(owner, visit):
    page = visit.get(INVOICE)
    facts = dict(zip(map(page.words, page.all("dt")), map(page.words, page.all("dd")), strict=True))
    assert facts["Paid with"] == "Visa ending 4242"
    assert facts["Paid on"] == "1 May 2026, 00:00 UTC"
    [link] = page.all("a", href=RECEIPT)
    assert page.words(link) == "Receipt"


def test_the_receipt_says_that_nothing_is_left_to_pay(owner, visit):
    reply = visit.client.get(RECEIPT)
    assert reply.mimetype == "application/pdf"
    assert reply.headers["Content-Disposition"] == "attachment; filename=receipt-000001.pdf"
    assert is_accessible(reply.data)
    said = text_of(reply.data)
    for word in ("Receipt for invoice 000001", "Account1", "$99.00", "Questions?"):
        assert word in said
    assert "Paid on 1 May 2026 with Visa ending 4242. Nothing is left to pay." in said
    assert visit.client.get(RECEIPT).data == reply.data


def test_the_invoice_of_a_renewal_asks_for_nothing_that_is_charged_by_itself(owner, visit):
    said = text_of(visit.client.get(f"{INVOICE}/pdf").data)
    assert "Issued on 1 May 2026. $99.00 is charged to Visa ending 4242." in said
    assert "To be charged" in said
    assert "to pay" not in said.casefold()


def test_without_a_card_the_invoice_asks_for_the_money(world, visit):
    world.account(card=None)
    run_at(world, MAY_1)
    visit.sign_in("owner@account1.test")
    said = text_of(visit.client.get(f"{INVOICE}/pdf").data)
    assert "Issued on 1 May 2026 with $99.00 to pay." in said


def test_what_is_not_paid_has_no_receipt_until_it_is(overdue, world, visit):
    page = visit.get(INVOICE)
    assert "Paid" not in page.text
    assert not page.all("a", href=RECEIPT)
    visit.get(RECEIPT, 404)
    with world.session() as session:
        accounts.save_card(
            session, world.scope, overdue.account_id, "pm_card_mastercard", world.gateway,
            world.wall,
        )  # fmt: skip
    card = next(e for e in page.all("input", name="card") if e.get("value") != "new")
    chosen = str(int(card.get("value") or 0) + 1)
    data = {"csrf_token": page.hidden("csrf_token"), "card": chosen}
    visit.post(f"{INVOICE}/pay", data, 303)
    paid = visit.get(INVOICE)
    assert "Mastercard ending 4444" in paid.text
    assert paid.all("a", href=RECEIPT)
    assert "with Mastercard ending 4444" in text_of(visit.client.get(RECEIPT).data)


def test_another_accounts_receipt_is_not_there(owner, world, visit):
    other = world.account()
    visit.client.delete_cookie("portal")
    visit.sign_in(f"owner@account{world.key_of(other)}.test")
    assert "There is nothing here" in visit.get(RECEIPT, 404).text
    assert world.rows(InvoiceDocumentRow) == 0


def test_a_purchase_has_none_but_its_invoice(world, visit):
    world.buy(world.account(), "salesforce")
    visit.sign_in("owner@account1.test")
    page = visit.get(INVOICE)
    assert "Paid with" in page.text
    assert not page.all("a", href=RECEIPT)
    visit.get(RECEIPT, 404)
