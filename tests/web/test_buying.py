"""The confirm page and the paying button, as a browser uses them."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from portal.models.invoices import InvoiceRow
from portal.models.purchases import PurchaseRow
from portal.models.subscriptions import InstanceRow
from portal.services.plans import Agreed
from tests.services.changing import Office
from tests.services.paying import Till
from tests.web.reading import HTMX

CONNECTOR = "/settings/billing/add-ons/salesforce/purchase"
PACK = "/settings/billing/add-ons/messages_100k/purchase"


@pytest.fixture
def owner(world, visit):
    actor = world.account()
    visit.sign_in("owner@account1.test")
    return actor


@pytest.fixture
def till(world):
    return Till(world)


def form_of(page) -> dict[str, str]:
    return {name: page.hidden(name) for name in ("csrf_token", "token")}


def button(page) -> str:
    pay = next(
        f for f in page.all("form", method="post") if f.get("action", "").endswith("purchase")
    )
    return page.words(next(pay.iter("button")))


def test_button_receipt_invoice_line_and_charge_say_the_same_amount(owner, world, visit):
    page = visit.get(CONNECTOR)
    assert button(page) == "Pay $33.33 now"
    assert "$50.00 × 20 of 30 days (1,728,000 of 2,592,000 s) = $33.33" in page.text
    assert "$50.00" in page.text
    assert "1 May 2026" in page.text
    reply = visit.post(CONNECTOR, form_of(page), 303)
    receipt = visit.get(reply.headers["Location"])
    assert "$33.33" in receipt.text
    assert "$33.33" in visit.get("/settings/billing/invoices/1").text
    assert [c.amount.minor for c in world.gateway.taken] == [3333]


def test_the_meter_rises_in_the_very_response_of_the_payment(owner, visit):
    assert "100,000" in visit.get("/settings/billing/usage").text
    page = visit.get(PACK)
    reply = visit.post(PACK, form_of(page), 200, **HTMX)
    meter = reply.all("meter")[0]
    assert float(meter.get("max")) == 200_000
    assert reply.headers["HX-Push-Url"] == "/settings/billing/purchases/1"
    assert "$49.00" in reply.text


def test_the_same_form_twice_and_from_two_tabs_buys_once(owner, world, visit):
    first, second = visit.get(CONNECTOR), visit.get(CONNECTOR)
    a = visit.post(CONNECTOR, form_of(first), 303)
    again = visit.post(CONNECTOR, form_of(first), 303)
    assert a.headers["Location"] == again.headers["Location"]
    other_tab = visit.post(CONNECTOR, form_of(second), 422)
    assert "You have it already" in other_tab.text
    assert world.rows(InstanceRow) == world.rows(InvoiceRow) == len(world.gateway.taken) == 1


def test_nothing_is_offered_while_another_plan_is_on_its_way(world, visit, till):
    """Its first bill says what a period costs; the page of a second before it says so."""
    office = Office(world, till)
    actor = office.account(plan="business", price="business_monthly_usd")
    assert isinstance(office.change(actor, "starter"), Agreed)
    world.now = datetime(2026, 4, 30, 23, 50, tzinfo=UTC)
    visit.sign_in("owner@account1.test")
    page = visit.get(CONNECTOR)
    world.now = datetime(2026, 5, 1, 0, 0, 20, tzinfo=UTC)
    said = "Your plan is being renewed; try again in a few minutes"
    assert said in visit.get(CONNECTOR).text
    assert said in visit.post(CONNECTOR, form_of(page), 422).text
    assert said in visit.get("/settings/billing/add-ons").text
    office.run_due()
    assert button(visit.get(CONNECTOR)) == "Pay $50.00 now"


def test_a_get_writes_nothing(owner, world, visit):
    for _ in range(3):
        visit.get(CONNECTOR)
    assert world.rows(PurchaseRow) == world.rows(InstanceRow) == 0


BAD_TOKENS = {
    "missing": lambda token: "",
    "garbage": lambda token: "nonsense",
    "tampered": lambda token: token[:-2] + ("aa" if token[-2:] != "aa" else "bb"),
    "cut": lambda token: token[:40],
    "binary": lambda token: "\x01\xff",
}


@pytest.mark.parametrize("kind", BAD_TOKENS)
def test_a_bad_token_never_charges_and_explains(kind, owner, world, visit):
    page = visit.get(CONNECTOR)
    data = form_of(page) | {"token": BAD_TOKENS[kind](page.hidden("token"))}
    reply = visit.post(CONNECTOR, data, 422)
    assert "Please check the price again" in reply.text
    assert "Nothing was charged" in reply.text
    assert button(reply) == "Pay $33.33 now"
    assert world.gateway.calls == []


def test_a_token_of_another_add_on_is_refused(owner, world, visit):
    data = form_of(visit.get(PACK))
    assert "This price is for another add-on" in visit.post(CONNECTOR, data, 422).text
    assert world.gateway.calls == []


def test_a_foreign_accounts_token_is_refused(world, visit, app):
    world.account()
    world.account()
    visit.sign_in("owner@account1.test")
    foreign = visit.get(CONNECTOR).hidden("token")
    from tests.web.reading import Visitor

    other = Visitor(app.test_client())
    other.sign_in("owner@account2.test")
    data = form_of(other.get(CONNECTOR)) | {"token": foreign}
    assert "Please check the price again" in other.post(CONNECTOR, data, 422).text
    assert world.gateway.calls == []


def test_a_stale_page_shows_old_and_new_price(owner, world, visit):
    page = visit.get(CONNECTOR)
    world.now = datetime(2026, 4, 11, 0, 16, tzinfo=UTC)
    reply = visit.post(CONNECTOR, form_of(page), 422)
    assert "The price on that page had expired" in reply.text
    assert "You saw $33.33" in reply.text
    fresh = visit.post(CONNECTOR, form_of(reply), 303)
    assert fresh.headers["Location"].startswith("/settings/billing/purchases/")


def test_auto_renew_off_is_part_of_the_price_and_of_what_is_bought(owner, world, visit):
    page = visit.get(CONNECTOR + "?quantity=1&auto_renew=off")
    visit.post(CONNECTOR, form_of(page), 303)
    held = world.state(owner).held[0]
    assert held.span.cancel_at == datetime(2026, 5, 1, tzinfo=UTC)


def test_a_small_amount_is_carried_and_said_so(owner, world, visit):
    world.now = datetime(2026, 4, 30, 19, 25, tzinfo=UTC)
    visit.sign_in("owner@account1.test")
    page = visit.get(CONNECTOR)
    assert button(page) == "Add to plan – $0.32 on your next invoice"
    reply = visit.post(CONNECTOR, form_of(page), 303)
    receipt = visit.get(reply.headers["Location"])
    assert "$0.32" in receipt.text
    assert world.gateway.calls == []
    assert len(world.state(owner).held) == 1


def test_no_answer_from_the_bank_waits_and_is_settled_by_asking_again(owner, world, visit):
    from portal.gateways.fake_payments import Fault

    world.gateway.answers.append(Fault.ANSWER_LOST)
    reply = visit.post(CONNECTOR, form_of(visit.get(CONNECTOR)), 303)
    url = reply.headers["Location"]
    waiting = visit.get(url)
    assert "not been charged twice" in waiting.text
    token = {"csrf_token": waiting.hidden("csrf_token")}
    visit.post(url + "/check", token, 303)
    assert "$33.33" in visit.get(url).text
    assert len(world.gateway.taken) == 1


def test_a_preview_follows_the_quantity(owner, visit):
    part = visit.get(PACK + "?quantity=3&auto_renew=on", **HTMX)
    assert re.search(r"Pay \$147\.00 now", part.text)
    assert "300,000" in part.text


def test_cancel_keep_and_the_switch(owner, world, visit):
    world.buy(owner, "salesforce")
    instance = world.state(owner).held[0].id
    active = "/settings/billing/add-ons/active"
    page = visit.get(active)
    row = page.article("Salesforce connector")
    switch = next(b for b in row.iter("button") if b.get("role") == "switch")
    assert switch.get("aria-checked") == "true"
    token = {"csrf_token": page.hidden("csrf_token")}
    reply = visit.post(
        f"{active}/{instance}/auto-renew", token | {"auto_renew": "off"}, 200, **HTMX
    )
    row = reply.article("Salesforce connector")
    assert "1 May 2026" in " ".join("".join(row.itertext()).split())
    visit.post(f"{active}/{instance}/keep", token, 303)
    assert world.state(owner).held[0].renews
    cancel = visit.get(f"{active}/{instance}/cancel")
    assert "1 May 2026" in cancel.text
    too_long = token | {"reason": "x" * 501}
    assert "at most 500 characters" in visit.post(f"{active}/{instance}/cancel", too_long, 422).text
    visit.post(f"{active}/{instance}/cancel", token | {"reason": "Too dear"}, 303)
    assert not world.state(owner).held[0].renews
    visit.get(f"{active}/{instance}/cancel", 409)
    assert len(world.gateway.taken) == 1
