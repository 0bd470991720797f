"""Checkout Sessions over the API: made, read, finished without a browser, expired."""

from __future__ import annotations

import time

import pytest
import stripe

from tests.sandbox.checkout import CANCEL, RETURN, confirm, line, payment, saving
from tests.sandbox.conftest import KEY, charge_params, wait_for


@pytest.fixture
def pages(running):
    """The library's client for addresses it has no names for."""
    return stripe.StripeClient(
        KEY, base_addresses={"api": running.url}, http_client=running.client()._requestor._client
    )


def kinds(api):
    return [event.type for event in reversed(api.events.list({"limit": 100}).data)]


def test_payment_from_start_to_end(api, pages, customer):
    made = api.checkout.sessions.create(
        payment(customer, line(1000, quantity=2), line(500, name="Calls"))
    )
    assert (made.status, made.payment_status, made.payment_intent) == ("open", "unpaid", None)
    assert (made.amount_subtotal, made.amount_total, made.currency) == (2500, 2500, "usd")
    assert made.url.endswith(f"/c/pay/{made.id}")
    assert (made.success_url, made.cancel_url) == (RETURN, CANCEL)
    assert made.customer_details.email == "ada@example.com"
    page = confirm(pages, made.id, "pm_card_visa", expected_amount=2500)
    assert (page["status"], page["payment_status"]) == ("complete", "paid")
    done = api.checkout.sessions.retrieve(
        made.id, {"expand": ["payment_intent.latest_charge", "line_items", "customer"]}
    )
    assert (done.status, done.payment_status, done.url) == ("complete", "paid", None)
    intent = done.payment_intent
    assert (intent.status, intent.amount_received) == ("succeeded", 2500)
    assert intent.metadata.to_dict() == {"order_id": "7"}
    assert intent.latest_charge.calculated_statement_descriptor == "SANDBOX* PACK"
    assert [(i.description, i.quantity, i.amount_total) for i in done.line_items.data] == [
        ("Seats", 2, 2000),
        ("Calls", 1, 500),
    ]
    assert done.client_reference_id == "order-7"
    assert kinds(api)[1:] == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_method.attached",
        "payment_intent.succeeded",
        "charge.updated",
        "checkout.session.completed",
    ]
    renewal = api.payment_intents.create(charge_params(customer, intent.payment_method))
    assert renewal.status == "succeeded"


def test_saving_a_card_from_start_to_end(api, pages, customer):
    made = api.checkout.sessions.create(saving(customer))
    assert (made.payment_status, made.amount_total) == ("no_payment_required", None)
    waiting = api.setup_intents.retrieve(made.setup_intent)
    assert (waiting.status, waiting.metadata.to_dict()) == (
        "requires_payment_method",
        {"org_id": "1"},
    )
    confirm(pages, made.id, "pm_card_mastercard")
    done = api.checkout.sessions.retrieve(made.id, {"expand": ["setup_intent.payment_method"]})
    assert (done.status, done.payment_status) == ("complete", "no_payment_required")
    method = done.setup_intent.payment_method
    assert (method.customer, method.card.brand) == (customer.id, "mastercard")
    assert kinds(api)[1:] == [
        "setup_intent.created",
        "payment_method.attached",
        "setup_intent.succeeded",
        "checkout.session.completed",
    ]


def test_a_decline_leaves_it_open_for_another_card(api, pages, customer):
    made = api.checkout.sessions.create(payment(customer))
    with pytest.raises(stripe.CardError) as caught:
        confirm(pages, made.id, "pm_card_visa_chargeDeclinedInsufficientFunds")
    assert caught.value.error.decline_code == "insufficient_funds"
    still = api.checkout.sessions.retrieve(made.id, {"expand": ["payment_intent"]})
    assert (still.status, still.payment_status, still.url) == ("open", "unpaid", made.url)
    assert still.payment_intent.status == "requires_payment_method"
    for act in (api.payment_intents.confirm, api.payment_intents.cancel):
        with pytest.raises(stripe.InvalidRequestError, match="created by a Checkout Session"):
            act(still.payment_intent.id)
    done = confirm(pages, made.id, "pm_card_visa")
    assert done["payment_intent"] == still.payment_intent.id
    assert len(api.charges.list({"payment_intent": done["payment_intent"]}).data) == 2
    found = api.checkout.sessions.list({"payment_intent": done["payment_intent"]}).data
    assert [s.id for s in found] == [made.id]


def test_line_items_come_in_their_order(api, customer):
    lines = [line(100 + n, name=f"Line {n}") for n in range(3)]
    made = api.checkout.sessions.create(payment(customer, *lines))
    page = api.checkout.sessions.line_items.list(made.id, {"limit": 2})
    assert ([i.description for i in page.data], page.has_more) == (["Line 0", "Line 1"], True)
    rest = api.checkout.sessions.line_items.list(made.id, {"starting_after": page.data[1].id})
    assert [i.price.unit_amount for i in rest.data] == [102]


def test_a_line_may_name_a_price(api, pages, customer):
    product = pages.raw_request("post", "/v1/products", name="Seats").data
    price = pages.raw_request(
        "post", "/v1/prices", product=product["id"], currency="usd", unit_amount=1500
    ).data
    made = api.checkout.sessions.create(
        payment(customer, {"price": price["id"], "quantity": 2}), {}
    )
    assert made.amount_total == 3000
    (only,) = api.checkout.sessions.line_items.list(made.id).data
    assert (only.description, only.price.id) == ("Seats", price["id"])
    found = pages.raw_request("get", f"/v1/prices/{price['id']}").data
    assert (found["active"], found["product"]) == (True, product["id"])
    kinds = ["product.created", "price.created"]
    told = api.events.list({"types": kinds}).data
    assert [e.data.object.id for e in reversed(told)] == [product["id"], price["id"]]


def test_lists_and_metadata(api, customer):
    first = api.checkout.sessions.create(payment(customer))
    second = api.checkout.sessions.create(saving(customer))
    assert [s.id for s in api.checkout.sessions.list({"customer": customer.id}).data] == [
        second.id,
        first.id,
    ]
    changed = api.checkout.sessions.update(first.id, {"metadata": {"late": "1"}})
    assert changed.metadata.to_dict() == {"order_id": "7", "late": "1"}
    assert api.checkout.sessions.list({"status": "complete"}).data == []


@pytest.mark.parametrize("params", [payment, saving], ids=["payment", "setup"])
def test_expired_on_request(api, pages, customer, params):
    made = api.checkout.sessions.create(params(customer))
    gone = api.checkout.sessions.expire(made.id)
    assert (gone.status, gone.url) == ("expired", None)
    assert kinds(api)[-1] == "checkout.session.expired"
    with pytest.raises(stripe.InvalidRequestError, match="status of `expired`"):
        api.checkout.sessions.expire(made.id)
    with pytest.raises(stripe.InvalidRequestError, match="status of `expired`"):
        confirm(pages, made.id, "pm_card_visa")
    assert api.charges.list({}).data == []


def test_paid_cannot_expire(api, pages, customer):
    made = api.checkout.sessions.create(payment(customer))
    confirm(pages, made.id, "pm_card_visa")
    with pytest.raises(stripe.InvalidRequestError, match="status of `complete`") as caught:
        api.checkout.sessions.expire(made.id)
    assert caught.value.http_status == 400


def test_expired_by_the_clock(running, api, pages, customer):
    made = api.checkout.sessions.create(payment(customer))
    with pytest.raises(stripe.CardError):
        confirm(pages, made.id, "pm_card_visa_chargeDeclined")
    running.control("clock", advance=1700)
    assert api.checkout.sessions.retrieve(made.id).status == "open"
    running.control("clock", advance=200)
    gone = api.checkout.sessions.retrieve(made.id, {"expand": ["payment_intent"]})
    assert (gone.status, gone.payment_intent.status) == ("expired", "canceled")
    assert kinds(api)[-2:] == ["payment_intent.canceled", "checkout.session.expired"]


def test_the_clock_tells_of_an_expiry_nobody_asked_about(start, receiver):
    running = start(webhook=receiver.url)
    api = running.client()
    api.checkout.sessions.create(payment(api.customers.create({})))
    running.control("clock", advance=2000)
    assert wait_for(lambda: "checkout.session.expired" in receiver.kinds)


def test_an_expiry_survives_a_restart(start, tmp_path):
    first = start(state=tmp_path / "state.db")
    api = first.client()
    made = api.checkout.sessions.create(payment(api.customers.create({})))
    first.hang_up()
    start.stop(first)
    second = start(state=tmp_path / "state.db")
    second.clock.ahead = 2000
    assert second.client().checkout.sessions.retrieve(made.id).status == "expired"


def test_yen_have_no_decimals(api, pages, customer):
    made = api.checkout.sessions.create(payment(customer, line(1500, "jpy")))
    assert (made.amount_total, made.currency) == (1500, "jpy")
    assert confirm(pages, made.id, "pm_card_visa")["amount_total"] == 1500


def test_authentication_has_its_own_page(api, pages, customer):
    made = api.checkout.sessions.create(payment(customer))
    page = confirm(pages, made.id, "pm_card_threeDSecure2Required")
    assert page["status"] == "open"
    intent = api.payment_intents.retrieve(page["payment_intent"])
    assert intent.status == "requires_action"
    assert intent.next_action.redirect_to_url.return_url == made.url


def test_the_page_is_readable_without_a_browser(api, pages, customer):
    made = api.checkout.sessions.create(payment(customer))
    page = pages.raw_request("get", f"/v1/payment_pages/{made.id}").data
    assert (page["id"], page["object"], page["status"]) == (made.id, "payment_page", "open")
    with pytest.raises(stripe.InvalidRequestError, match="has changed"):
        confirm(pages, made.id, "pm_card_visa", expected_amount=1)
    with pytest.raises(stripe.InvalidRequestError) as caught:
        confirm(pages, made.id, "pm_card_visa", amount=1)
    assert caught.value.code == "parameter_unknown"


SOON, LATE = int(time.time()) + 600, int(time.time()) + 90_000


@pytest.mark.parametrize(
    ("params", "code", "param"),
    [
        ({"mode": "subscription"}, None, "mode"),
        ({"mode": None}, "parameter_missing", "mode"),
        ({"line_items": None}, "parameter_missing", "line_items"),
        ({"line_items": [line(49)]}, "amount_too_small", "amount"),
        ({"line_items": [line(), line(currency="eur")]}, None, "line_items"),
        ({"line_items": [line(quantity=0)]}, "parameter_invalid_integer", None),
        (
            {"line_items": [{"quantity": 1, "price": "price_1"}]},
            "resource_missing",
            "line_items[0][price]",
        ),
        ({"currency": "eur"}, None, "currency"),
        ({"success_url": None}, "parameter_missing", "success_url"),
        ({"success_url": "return"}, "url_invalid", "success_url"),
        ({"expires_at": SOON}, None, "expires_at"),
        ({"expires_at": LATE}, None, "expires_at"),
        ({"setup_intent_data": {"description": "x"}}, None, "setup_intent_data"),
        ({"customer_email": "a@example.com"}, "parameters_exclusive", "customer"),
        ({"customer": "cus_none"}, "resource_missing", "customer"),
        ({"ui_mode": "elements"}, None, "ui_mode"),
        ({"allowed_payment_method_types": ["klarna"]}, None, "allowed_payment_method_types"),
        ({"payment_intent_data": {"capture_method": "manual"}}, None, None),
        ({"payment_intent_data": {"statement_descriptor_suffix": "12"}}, None, None),
    ],
)
def test_refused(api, customer, params, code, param):
    asked = {k: v for k, v in {**payment(customer), **params}.items() if v is not None}
    with pytest.raises(stripe.InvalidRequestError) as caught:
        api.checkout.sessions.create(asked)
    assert (caught.value.http_status, caught.value.code) == (400, code)
    if param:
        assert caught.value.param == param


def test_setup_needs_a_currency_or_the_types(api, wrong_api, customer):
    asked = saving(customer)
    del asked["currency"]
    assert api.checkout.sessions.create(asked).status == "open"
    del asked["allowed_payment_method_types"]
    with pytest.raises(stripe.InvalidRequestError) as caught:
        api.checkout.sessions.create(asked)
    assert caught.value.param == "currency"
    with pytest.raises(stripe.InvalidRequestError) as caught:
        wrong_api.checkout.sessions.create({**asked, "payment_method_types": ["card"]})
    assert caught.value.code == "payment_method_types_no_longer_supported"
