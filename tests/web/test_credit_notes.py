"""Credit notes and the balance as pages and files: linked both ways, for their own account only."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from portal.domain.access import Role
from portal.domain.taxes import Tax
from portal.models.credit_notes import CreditNoteDocumentRow
from portal.services.documents import print_missing
from tests.gateways.test_pdf import is_accessible, text_of
from tests.services.crediting import CARD, Desk
from tests.services.paying import Till
from tests.services.time_passing import run_at
from tests.web.reading import HTMX

LIST = "/settings/billing/invoices"
NOTE = "/settings/billing/credit-notes/1"
PDF = f"{NOTE}/pdf"


@pytest.fixture
def desk(world):
    return Desk(world, Till(world))


@pytest.fixture
def owner(world, visit):
    actor = world.account(tax=Tax(Decimal(20), False, "VAT"))
    world.buy(actor, "salesforce")
    visit.sign_in("owner@account1.test")
    return actor


def test_list_invoice_and_note_lead_to_each_other(owner, desk, visit):
    desk.credit(1, "10")
    listed = visit.get(LIST)
    assert [listed.words(a) for a in listed.all("a", href=NOTE)] == ["CN000001"]
    assert "Paid Partly credited" in listed.text
    invoice = visit.get(f"{LIST}/1")
    assert invoice.all("a", href=NOTE)
    assert "Partly credited" in invoice.text
    assert visit.get(NOTE).all("a", href=f"{LIST}/1")


def test_all_of_it_is_credited_in_words(owner, desk, visit):
    desk.credit(1)
    for path in (LIST, f"{LIST}/1"):
        words = visit.get(path).text
        assert "Credited" in words
        assert "Partly credited" not in words


def test_the_note_says_what_why_and_where_it_went(owner, desk, visit):
    desk.credit(1, "10", to=CARD)
    page = visit.get(NOTE)
    assert page.all("h1")[0].text.strip() == "Credit note CN000001"
    for said in (
        "It did not work.", "Salesforce connector", "$10.00 of $33.33", "To Visa ending 4242",
        "20 % tax on $33.33 less that on $23.33 kept = $2.00", "Credited $12.00",
        "$12.00 was returned to your card; banks take 5 to 10 days to show it.",
    ):  # fmt: skip
        assert said in page.text, said


def test_the_panel_says_what_the_balance_is_and_where_it_came_from(owner, world, desk, visit):
    assert "Credit balance" not in visit.get(LIST).text
    desk.credit(1)
    world.pass_time(minutes=20)
    world.buy(owner, "messages_10k")
    panel = visit.get(LIST).text.partition("Credit balance")[2]
    assert panel.strip().startswith("$31.60")
    assert "It pays your next charges first, taxes included. It does not expire." in panel
    assert "11 Apr 2026 Paid for invoice 000002 -$8.40" in panel
    assert "11 Apr 2026 Credit note CN000001 $40.00" in panel


def test_a_refund_that_failed_is_in_the_panel_and_on_the_note(world, desk, visit):
    actor = world.account(card="pm_card_refundFail")
    world.buy(actor, "salesforce")
    visit.sign_in("owner@account1.test")
    desk.credit(1, to=CARD)
    desk.till.gateway.end_refunds()
    desk.till.hear("charge.refunded", "charge", "ch_1", payment_intent=desk.payment(actor))
    assert "A refund that your bank did not take $33.33" in visit.get(LIST).text
    assert "it is on your account balance now" in visit.get(NOTE).text
    assert "Returned payments" not in visit.get(LIST).text


def test_an_open_invoice_asks_for_what_is_left(world, desk, visit):
    world.account(card="pm_card_chargeCustomerFail")
    run_at(world, datetime(2026, 5, 1, tzinfo=UTC))
    desk.credit(1, "19")
    visit.sign_in("owner@account1.test")
    page = visit.get(f"{LIST}/1")
    assert "Pay $80.00 now" in page.text
    assert "Taken off by credit notes -$19.00" in page.text
    assert "To pay $80.00" in page.text
    desk.credit(1)
    page = visit.get(f"{LIST}/1")
    assert "This invoice is not paid" not in page.text
    assert "Credited" in page.text


def test_the_file_says_what_the_page_says(owner, desk, visit):
    desk.credit(1, "10", to=CARD)
    reply = visit.client.get(PDF)
    assert reply.headers["Content-Disposition"] == "attachment; filename=credit-note-000001.pdf"
    assert is_accessible(reply.data)
    said = text_of(reply.data)
    for words in (
        "Credit note CN000001", "For invoice 000001. It did not work.", "Account1",
        "Salesforce connector", "$10.00 of $33.33", "VAT", "$2.00", "of which tax",
        "To Visa ending 4242", "Credited", "$12.00", "11 Apr 2026 – 1 May 2026",
    ):  # fmt: skip
        assert words in said, words


def test_the_file_is_kept_as_it_was_made(owner, world, desk, visit):
    desk.credit(1)
    first = visit.client.get(PDF).data
    world.pass_time(minutes=20)
    assert visit.client.get(PDF).data == first
    assert world.rows(CreditNoteDocumentRow) == 1


def test_the_worker_makes_missing_files(owner, world, desk, app):
    desk.credit(1)
    printer = app.extensions["portal"].printer
    with app.app_context(), world.session() as session:
        print_missing(session, world.scope, printer=printer, wall=world.wall)
    assert world.rows(CreditNoteDocumentRow) == 1


def test_who_may_only_look_may_look(owner, world, desk, visit):
    desk.credit(1)
    world.member(owner.account_id, "reader@account1.test", Role.MEMBER)
    visit.client.delete_cookie("portal")
    visit.sign_in("reader@account1.test")
    assert visit.get(NOTE).all("h1")
    assert "<html" not in visit.get(NOTE, **HTMX).html
    assert visit.client.get(PDF).status_code == 200


def test_another_accounts_note_is_not_there(owner, world, desk, visit):
    desk.credit(1)
    other = world.account()
    visit.client.delete_cookie("portal")
    visit.sign_in(f"owner@account{world.key_of(other)}.test")
    for path in (NOTE, PDF, "/settings/billing/credit-notes/999"):
        visit.get(path, 404)
    assert "CN000001" not in visit.get(LIST).text
    assert world.rows(CreditNoteDocumentRow) == 0
