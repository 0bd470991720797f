"""What comes to 0.00, as its pages and its mail say it: in plain words, and without an invoice."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from portal.domain.mails import Reader
from portal.domain.money import Money
from portal.domain.notices import Sold
from portal.models.invoices import InvoiceRow
from portal.web.mail import LetterWriter
from tests.services.changing import Office
from tests.services.paying import Till
from tests.support.notices import BOUGHT
from tests.web.conftest import settings_for
from tests.web.reading import HTMX

BASE = "/settings/billing"
NONE = "None, since there was nothing to pay"


@pytest.fixture
def owner(world, visit):
    world.now = datetime(2026, 4, 30, 23, 59, 59, tzinfo=UTC)
    actor = Office(world, Till(world)).account()
    visit.sign_in("owner@account1.test")
    return actor


@pytest.fixture
def act(world, visit):
    """Confirm what an address offers; its button, and the receipt that follows."""

    def follow(url: str) -> tuple[str, str]:
        page, before = visit.get(url), world.rows(InvoiceRow)
        form = next(f for f in page.all("form") if any(
            e.get("name") == "token" for e in f.iter("input")))  # fmt: skip
        button = page.words(next(form.iter("button")))
        sent = {name: page.hidden(name) for name in ("csrf_token", "token")}
        reply = visit.post(form.get("action"), sent, 303)
        assert world.rows(InvoiceRow) == before
        receipt = visit.get(reply.headers["Location"])
        part = visit.get(reply.headers["Location"], **HTMX)
        assert ("<html" in part.html, "nothing to pay" in part.text) == (
            False,
            "nothing to pay" in receipt.text,
        )
        return button, receipt.text

    return follow


def test_an_add_on_is_added_and_its_receipt_says_why_there_is_no_invoice(owner, act, visit):
    button, receipt = act(f"{BASE}/add-ons/salesforce/purchase")
    assert button == "Add to plan"
    assert "Added to your plan" in receipt
    assert "There was nothing to pay for Salesforce connector." in receipt
    assert "1 of 2,592,000 s" in receipt, "the working of 0.00"
    assert NONE in receipt
    assert "Salesforce connector" in visit.get(f"{BASE}/add-ons/active").text


def test_more_units_say_so_too(owner, act, world):
    world.buy(owner, "members_5")
    _, receipt = act(f"{BASE}/add-ons/active/1/quantity?quantity=3")
    assert "You have 3 now" in receipt
    assert "There was nothing to pay for" in receipt
    assert NONE in receipt


def test_a_plan_says_so_too(owner, act):
    _, receipt = act(f"{BASE}/plans/business/monthly")
    assert "Your plan was changed to Business" in receipt
    assert "There was nothing to pay." in receipt
    assert NONE in receipt


def test_what_is_charged_later_is_not_said_to_cost_nothing(owner, act):
    _, receipt = act(f"{BASE}/add-ons/salesforce/purchase?start=next_cycle")
    assert "is charged when it starts. Nothing was charged today." in receipt
    assert "nothing to pay" not in receipt


def test_the_mail_says_that_there_was_nothing_to_pay(app, world_database):
    writer = LetterWriter(app, settings_for(world_database))
    reader = Reader("en", "UTC", "Northwind")
    free = (Sold("Salesforce connector", 1, Money(0, "usd")),)
    notice = replace(BOUGHT, sold=free, charged=Money(0, "usd"), carried=Money(0, "usd"),
                     invoice=None)  # fmt: skip
    assert "There was nothing to pay." in writer.write(notice, reader).text
    assert "nothing to pay" not in writer.write(BOUGHT, reader).text
