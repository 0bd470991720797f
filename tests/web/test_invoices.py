"""Invoices as pages and as files: the same figures in both, for their own account only."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy import create_engine, text

from portal.domain.access import Role
from portal.domain.taxes import Tax
from portal.models.invoices import InvoiceDocumentRow
from tests.gateways.test_pdf import is_accessible, text_of

LIST = "/settings/billing/invoices"
PDF = f"{LIST}/1/pdf"


@pytest.fixture
def owner(world, visit):
    actor = world.account(tax=Tax(Decimal(20), False, "VAT"))
    world.buy(actor, "salesforce")
    visit.sign_in("owner@account1.test")
    return actor


def test_the_page_and_the_list_lead_to_the_file(owner, visit):
    for path in (LIST, f"{LIST}/1"):
        links = visit.get(path).all("a", href=PDF)
        assert ["".join(link.itertext()).split()[:2] for link in links] == [["Download", "PDF"]]


def test_links_in_the_list_say_which_invoice(owner, world, visit):
    world.buy(owner, "messages_10k")
    page = visit.get(LIST)
    names = [page.words(a) for a in page.all("a") if a.get("href", "").endswith("/pdf")]
    assert names == ["Download PDF 000002", "Download PDF 000001"]


def test_the_file_is_named_after_the_invoice_and_kept_nowhere_else(owner, visit):
    reply = visit.client.get(PDF)
    assert reply.status_code == 200
    assert reply.mimetype == "application/pdf"
    assert reply.headers["Content-Disposition"] == "attachment; filename=invoice-000001.pdf"
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert reply.headers["Cache-Control"] == "private, no-store"
    assert is_accessible(reply.data)


def test_the_file_says_what_the_page_says(owner, visit):
    page, said = visit.get(f"{LIST}/1"), text_of(visit.client.get(PDF).data)
    amounts = {page.words(e) for e in page.all("span", class_="money")}
    amounts |= {page.words(e) for e in page.document.iter() if e.get("class") == "money"}
    assert amounts == {"$33.33", "$6.67", "$40.00"}
    both = {*amounts, "Salesforce connector", "Account1", "Billing", "VAT", "Visa ending 4242"}
    both |= {"11 Apr 2026 – 1 May 2026", "20 % of $33.33 = $6.67"}
    both |= {"$50.00 × 20 of 30 days (1,728,000 of 2,592,000 s) = $33.33"}
    assert {word for word in both if word not in page.text} == set()
    assert {word for word in both if word not in said} == set()
    assert "Invoice 000001" in said
    assert "Questions? help@portal.test" in said


def test_the_same_file_every_time(owner, world, visit):
    first = visit.client.get(PDF).data
    world.pass_time(minutes=20)
    assert visit.client.get(PDF).data == first
    assert world.rows(InvoiceDocumentRow) == 1


def test_who_may_only_look_may_have_the_file(owner, world, visit):
    world.member(owner.account_id, "reader@account1.test", Role.MEMBER)
    visit.client.delete_cookie("portal")
    visit.sign_in("reader@account1.test")
    assert visit.client.get(PDF).status_code == 200


def test_another_accounts_file_is_not_there(owner, world, visit):
    other = world.account()
    visit.client.delete_cookie("portal")
    visit.sign_in(f"owner@account{world.key_of(other)}.test")
    for number in ("1", "999", str(2**63 - 1)):
        page = visit.get(f"{LIST}/{number}/pdf", 404)
        assert "There is nothing here" in page.text
    assert world.rows(InvoiceDocumentRow) == 0


def test_a_stranger_signs_in_first(world, visit):
    world.buy(world.account(), "salesforce")
    reply = visit.get(PDF, 303)
    assert reply.headers["Location"].startswith("/sign-in")
    assert world.rows(InvoiceDocumentRow) == 0


def test_a_damaged_file_is_a_failure_of_ours(owner, world, world_database, visit):
    visit.client.get(PDF)
    database = create_engine(world_database.owner_url)
    with database.begin() as connection:
        connection.execute(text("update invoice_documents set content = 'forged'"))
    database.dispose()
    page = visit.get(PDF, 500)
    assert "Something went wrong on our side" in page.text
    assert "forged" not in page.html


def test_an_open_invoice_says_what_is_to_pay(owner, world, world_database, visit):
    database = create_engine(world_database.owner_url)
    with database.begin() as connection:
        connection.execute(
            text("update invoices set status = 'open', card_brand = '', card_last4 = ''")
        )
    database.dispose()
    page = visit.get(f"{LIST}/1")
    assert "To pay $40.00" in page.text
    assert "Paid" not in page.text
    assert "To pay" in visit.get(LIST).text
    assert "Issued on 11 Apr 2026 with $40.00 to pay." in text_of(visit.client.get(PDF).data)
