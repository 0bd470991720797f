"""A quote through the API is the confirm page's, to the cent; refusals are the card's."""

from __future__ import annotations

from decimal import Decimal

import pytest

from portal.api.views.quotes import SAID
from portal.domain.eligibility import Reason
from portal.domain.lines import LineKind
from portal.domain.taxes import Tax
from portal.models.purchases import PurchaseRow, QuoteRow
from tests.web.reading import Visitor


def asked(add_on, **more):
    return {"account": "account1", "add_on": add_on} | more


@pytest.mark.parametrize(
    ("add_on", "quantity", "auto_renew"),
    [("salesforce", 1, True), ("salesforce", 1, False), ("messages_100k", 3, True),
     ("members_5", 2, True), ("sms_10k", 1, True), ("sla_support", 1, True)],
)  # fmt: skip
def test_every_figure_is_the_services_own(add_on, quantity, auto_renew, host, world):
    actor = world.account(tax=Tax(Decimal(19), False, "VAT"))
    quote = world.quote(actor, add_on, quantity, auto_renew)
    told = host.post("/quotes", asked(add_on, quantity=quantity, auto_renew=auto_renew), 200).json
    assert [Decimal(each["amount"]["amount"]) for each in told["lines"]] == [
        line.amount.major() for line in quote.lines
    ]
    assert Decimal(told["due"]["amount"]) == quote.due.major()
    assert Decimal(told["tax"]["amount"]) == quote.sum_of(LineKind.TAX).major()
    assert (told["going_forward"] is None) is (quote.going_forward is None)
    if quote.going_forward:
        assert Decimal(told["going_forward"]["amount"]["amount"]) == (
            quote.going_forward.amount.major()
        )
    assert [each["units"] for each in told["capacity"]] == [
        None if c.units is None else f"{c.units.normalize():f}" for c in quote.capacity
    ]
    assert world.rows(QuoteRow) == world.rows(PurchaseRow) == 0


def test_the_page_it_leads_to_names_the_same_amount(host, world, app):
    world.account()
    told = host.post("/quotes", asked("salesforce"), 200).json
    visit = Visitor(app.test_client())
    visit.sign_in("owner@account1.test")
    page = visit.get(told["pay_url"].removeprefix("http://127.0.0.1:8420"))
    assert f"Pay ${told['charged']['amount']} now" in page.text
    assert told["lines"][0]["working"] in page.text


def test_a_small_amount_is_carried(host, world):
    world.account()
    world.now = world.now.replace(day=30, hour=20)
    told = host.post("/quotes", asked("salesforce"), 200).json
    assert told["charged"]["amount"] == "0.00"
    assert told["carried"] == told["due"]
    assert Decimal(told["due"]["amount"]) > 0


def test_what_cannot_be_bought_says_why(host, world):
    actor = world.account()
    world.buy(actor, "sla_support")
    answer = host.post("/quotes", asked("sla_support"), 409)
    assert answer.json["type"] == "urn:portal:problem:cannot-be-bought"
    assert answer.json["reason"] == "owned"


def test_without_a_plan(host, world):
    owner = {"email": "o@acme.test", "name": "O"}
    host.put("/accounts/acme", {"name": "A", "currency": "usd", "owner": owner}, 201)
    told = host.post("/quotes", asked("salesforce", account="acme"), 409).json
    assert told["reason"] == "no_subscription"


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [({"add_on": "nothing"}, "#/add_on"), ({"quantity": 0}, "#/quantity"),
     ({"quantity": 101}, "#/quantity"), ({"quantity": "1"}, "#/quantity"),
     ({"quantity": 1.5}, "#/quantity"), ({"auto_renew": "yes"}, "#/auto_renew"),
     ({"quantity": 2, "add_on": "sla_support"}, "#/quantity"), ({"account": "a b"}, "#/account"),
     ({"add_on": "a\x00"}, "#/add_on"), ({"price": 1}, "#/price")],
)  # fmt: skip
def test_a_bad_field_is_named(changes, pointer, host, world):
    world.account()
    answer = host.post("/quotes", asked("salesforce") | changes, 422)
    assert [each["pointer"] for each in answer.json["errors"]] == [pointer]


def test_a_draft_is_nothing_and_an_account_may_be_nobody(host, world):
    world.account()
    draft = next(a.lookup_key for a in world.catalog().add_ons if a.status == "draft")
    host.post("/quotes", asked(draft), 422)
    host.post("/quotes", asked("salesforce", account="nobody"), 404)


def test_every_reason_has_its_words():
    assert set(SAID) == set(Reason)


def test_from_the_next_cycle_on(host, world):
    world.account()
    told = host.post("/quotes", asked("salesforce", start="next_cycle"), 200).json
    assert told["due"]["amount"] == "0.00"
    assert told["starts_at"] == told["going_forward"]["next_at"] == "2026-05-01T00:00:00Z"
    answer = host.post("/quotes", asked("onboarding", start="next_cycle"), 422)
    assert [each["pointer"] for each in answer.json["errors"]] == ["#/start"]
    host.post("/quotes", asked("salesforce", start="later"), 422)
