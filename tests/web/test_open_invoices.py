"""An invoice that is not paid: said on every page, paid on its own, and all goes on."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from portal.domain.access import Role
from portal.models.accounts import PaymentMethodRow
from portal.models.purchases import PaymentAttemptRow
from portal.models.subscriptions import SubscriptionRow
from portal.services import accounts
from portal.services.overdue import charge_new_cards
from tests.services.leaving import save_card
from tests.services.paying import Till
from tests.services.time_passing import run_at, subscription
from tests.web.reading import HTMX, Visitor

MAY_1 = datetime(2026, 5, 1, tzinfo=UTC)
INVOICES = "/settings/billing/invoices"
INVOICE = f"{INVOICES}/1"
CARDS = "/settings/billing/payment-methods"


@pytest.fixture
def till(world):
    return Till(world)


@pytest.fixture
def overdue(world, visit):
    """An owner whose renewal was declined."""
    actor = world.account(card="pm_card_chargeCustomerFail")
    run_at(world, MAY_1)
    visit.sign_in("owner@account1.test")
    return actor


def pay(visit, card: str, status: int = 303, **headers: str):
    page = visit.get(INVOICE)
    data = {"csrf_token": page.hidden("csrf_token"), "card": card}
    return visit.post(f"{INVOICE}/pay", data, status, **headers)


def test_every_page_says_that_a_payment_is_overdue_and_leads_to_it(overdue, visit):
    for path in ("add-ons", "add-ons/active", "usage", "payment-methods"):
        page = visit.get(f"/settings/billing/{path}")
        assert "A payment is overdue" in page.text, path
        assert page.all("a", href="/settings/billing/invoices")
    assert "To pay" in visit.get("/settings/billing/invoices").text
    grid = visit.get("/settings/billing/add-ons")
    assert "An invoice is overdue" in grid.words(grid.article("100,000 message pack"))


def test_the_invoice_says_why_and_another_card_pays_it(overdue, world, till, visit):
    page = visit.get(INVOICE)
    assert "This invoice is not paid" in page.text
    assert "The bank declined the card" in page.text
    reply = pay(visit, "new")
    assert reply.headers["Location"].startswith("https://checkout.test/")
    till.gateway.pay_page(reply.headers["Location"].rpartition("/")[2])
    assert visit.get(f"{INVOICE}/return", 303).headers["Location"] == INVOICE
    page = visit.get(INVOICE)
    assert "This invoice is not paid" not in page.text
    assert "overdue" not in visit.get("/settings/billing/add-ons").text
    assert subscription(world, overdue).status == "active"
    assert till.taken() == [9900]


def test_a_saved_card_that_works_pays_at_once(overdue, world, visit):
    with world.session() as session:
        accounts.save_card(
            session, world.scope, overdue.account_id, "pm_card_visa", world.gateway, world.wall
        )
    card = next(
        e.get("value")
        for e in visit.get(INVOICE).all("input", name="card")
        if e.get("checked") is not None
    )
    reply = pay(visit, card, 204, **HTMX)
    assert reply.headers["HX-Redirect"] == INVOICE
    assert "Invoice 000001 is paid" in visit.get(INVOICE).text


def test_a_card_that_its_bank_forbids_is_offered_after_another_and_says_why(world, visit):
    actor = world.account(card="pm_card_radarBlock")
    run_at(world, MAY_1)
    visit.sign_in("owner@account1.test")
    page = visit.get(INVOICE)
    [chosen] = [e for e in page.all("input", name="card") if e.get("checked") is not None]
    assert chosen.get("value") == "new"
    assert "Its bank has asked us not to charge it again" in page.text
    assert world.rows(PaymentAttemptRow, account_id=actor.account_id) == 1


def test_a_press_on_an_older_page_charges_nothing_more(overdue, world, visit):
    page = visit.get(INVOICE)
    card = page.all("input", name="card")[0].get("value")
    names = ("csrf_token", "seen")
    sent = {name: page.hidden(name) for name in names} | {"card": card}
    for _ in range(3):
        visit.post(f"{INVOICE}/pay", sent, 303)
    assert world.rows(PaymentAttemptRow, account_id=overdue.account_id) == 2
    assert "This invoice is not paid" in visit.get(INVOICE).text


def test_a_choice_that_is_none_pays_nothing(overdue, till, visit):
    assert "This invoice is not paid" in pay(visit, "999", 422).text
    assert till.taken() == []


def test_others_cannot_and_readers_may_not(overdue, world, app, visit):
    world.account()
    stranger = Visitor(app.test_client())
    stranger.sign_in("owner@account2.test")
    token = {
        "csrf_token": stranger.get("/settings/billing/payment-methods").hidden("csrf_token"),
        "card": "new",
    }
    stranger.get(INVOICE, 404)
    stranger.get(f"{INVOICE}/return", 404)
    stranger.post(f"{INVOICE}/pay", token, 404)
    world.member(overdue.account_id, "reader@account1.test", Role.MEMBER)
    reader = Visitor(app.test_client())
    reader.sign_in("reader@account1.test")
    page = reader.get(INVOICE)
    assert not page.all("form", id="invoices-pay-form")
    assert "This invoice is not paid" in page.text


def test_suspended_it_says_so_and_paying_restores(overdue, world, visit):
    run_at(world, datetime(2026, 5, 22, tzinfo=UTC))
    visit.sign_in("owner@account1.test")
    assert "Your plan is suspended" in visit.get("/settings/billing/usage").text
    assert "No bill is coming" in visit.get("/settings/billing/invoices/upcoming").text


def test_what_is_owed_is_told_with_the_next_try_and_the_day_of_suspension(overdue, world, visit):
    run_at(world, datetime(2026, 5, 2, 9, tzinfo=UTC))
    visit.sign_in("owner@account1.test")
    banner = (
        "Owed now: $99.00. We try again on 5 May 2026. Everything keeps working until 22 May 2026"
    )
    assert banner in visit.get("/settings/billing/usage").text
    assert "We try again on 5 May 2026. Everything keeps" in visit.get(INVOICE).text
    page = visit.get("/settings/billing/invoices")
    panel = next(e for e in page.document.iter() if e.get("id") == "invoices-next")
    assert "Owed now: $99.00. We try again on 5 May 2026." in page.words(panel)
    row = next(row for row in page.all("tr") if "000001" in page.words(row))
    amount = [cell.get("data-label") for cell in row.iter() if "$99.00" in page.words(cell)]
    assert "To pay" in amount
    assert "Charged" not in amount


def test_without_a_card_nothing_is_tried_again(world, visit):
    world.account(card=None)
    run_at(world, MAY_1)
    visit.sign_in("owner@account1.test")
    said = "We do not try again by ourselves, unless another card becomes the default."
    assert f"Owed now: $99.00. {said}" in visit.get(INVOICES).text


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "htmx"])
def test_another_default_card_is_said_to_be_charged_before_and_after(
    overdue, world, visit, headers
):
    save_card(world, overdue)
    cards = update(PaymentMethodRow)
    world.change(cards.values(is_default=False))
    world.change(cards.where(PaymentMethodRow.id == 1).values(is_default=True))
    page = visit.get(CARDS)
    before = "What is overdue is charged to another card as soon as it is the default."
    assert before in page.text
    sent = {"csrf_token": page.hidden("csrf_token")}
    answer = visit.post(f"{CARDS}/2/default", sent, 200 if headers else 303, **headers)
    after = "What is overdue is charged to it now; that takes a moment."
    assert after in (answer.text if headers else visit.get(CARDS).text)
    with world.session() as session:
        charge_new_cards(session, world.scope, gateway=world.gateway, wall=world.wall)
    assert before not in visit.get(CARDS).text


def test_a_plan_that_ends_before_is_not_said_to_be_suspended(overdue, world, visit):
    ends_at = datetime(2026, 5, 4, tzinfo=UTC)
    world.change(update(SubscriptionRow).values(cancel_at=ends_at, billed_until_at=ends_at))
    said = visit.get("/settings/billing/usage").text
    assert "Everything keeps working until your plan ends on 4 May 2026." in said
    assert "your plan is suspended" not in said


def test_suspended_add_ons_are_paused_until_it_is_paid(world, visit):
    actor = world.account()
    world.buy(actor, "salesforce")
    with world.session() as session:
        accounts.save_card(
            session, world.scope, actor.account_id, "pm_card_chargeCustomerFail", world.gateway,
            world.wall,
        )  # fmt: skip
    run_at(world, datetime(2026, 5, 23, tzinfo=UTC))
    visit.sign_in("owner@account1.test")
    page = visit.get("/settings/billing/add-ons/active")
    said = page.words(page.article("Salesforce connector"))
    assert "Paused until paid" in said
    assert "goes on once everything is paid" in said
    assert "renews" not in said.replace("Auto-renew", "")
    assert "Owed now: $149.00. Pay what is open" in page.text


def test_the_next_bills_are_what_the_renewal_will_ask_for(world, visit):
    actor = world.account()
    for add_on in ("salesforce", "zendesk"):
        world.buy(actor, add_on)
    visit.sign_in("owner@account1.test")
    for path in ("add-ons/active", "invoices"):
        page = visit.get(f"/settings/billing/{path}")
        table = next(e for e in page.document.iter() if e.get("id") == "invoices-next")
        said = page.words(table)
        assert "1 May 2026" in said
        assert "1 Jun 2026" in said
        assert "Today1 May" in said
        assert "$0.00$184.00$184.00 Without" in said
        assert "$184.00" in said, "plan, Salesforce and Zendesk"
        assert "Without Salesforce connector" in said
        assert "$134.00" in said
    upcoming = visit.get("/settings/billing/invoices/upcoming")
    assert "Growth" in upcoming.text
    run_at(world, MAY_1)
    visit.sign_in("owner@account1.test")
    assert "$184.00" in visit.get("/settings/billing/invoices/3").text
