"""Pages of lists, and ids replaced by objects on request."""

from __future__ import annotations

import pytest
import stripe

from tests.sandbox.conftest import charge_params


@pytest.fixture
def five(api):
    return [api.customers.create({"email": f"{n}@example.com"}).id for n in range(5)]


def test_newest_first_and_cursors(api, five):
    newest_first = five[::-1]
    first = api.customers.list({"limit": 2})
    assert [c.id for c in first.data] == newest_first[:2]
    assert (first.has_more, first.url) == (True, "/v1/customers")
    second = api.customers.list({"limit": 3, "starting_after": newest_first[1]})
    assert [c.id for c in second.data] == newest_first[2:]
    assert second.has_more is False
    before = api.customers.list({"limit": 2, "ending_before": newest_first[3]})
    assert [c.id for c in before.data] == newest_first[1:3]
    assert before.has_more is True


def test_paging_through_everything(api, five):
    assert [c.id for c in api.customers.list({"limit": 2}).auto_paging_iter()] == five[::-1]


def test_filters(api, running, five):
    found = api.customers.list({"email": "3@example.com"})
    assert [c.id for c in found.data] == [five[3]]
    running.clock.ahead = 1000
    late = api.customers.create({})
    assert [c.id for c in api.customers.list({"created": {"gte": late.created}}).data] == [late.id]
    early = api.customers.list({"created": {"lt": late.created}, "limit": 100})
    assert [c.id for c in early.data] == five[::-1]


def test_intents_of_one_customer(api, customer, saved_card, five):
    intent = api.payment_intents.create(charge_params(customer, saved_card.id))
    api.payment_intents.create({"amount": 100, "currency": "usd", "customer": five[0]})
    assert [i.id for i in api.payment_intents.list({"customer": customer.id}).data] == [intent.id]


@pytest.mark.parametrize("limit", [0, 101])
def test_limit(wrong_api, limit):
    with pytest.raises(stripe.InvalidRequestError) as caught:
        wrong_api.customers.list({"limit": limit})
    assert caught.value.param == "limit"


def test_bad_cursors(wrong_api, five):
    with pytest.raises(stripe.InvalidRequestError, match="No such customer"):
        wrong_api.customers.list({"starting_after": "cus_none"})
    with pytest.raises(stripe.InvalidRequestError, match="only one"):
        wrong_api.customers.list({"starting_after": five[0], "ending_before": five[1]})


def test_expand_through_several_objects(api, customer, saved_card):
    made = api.payment_intents.create(
        charge_params(customer, saved_card.id, expand=["latest_charge.balance_transaction"])
    )
    assert made.latest_charge.balance_transaction.net == 1500 - 74
    assert made.customer == customer.id
    seen = api.payment_intents.retrieve(made.id, {"expand": ["customer", "payment_method"]})
    assert (seen.customer.email, seen.payment_method.card.last4) == ("ada@example.com", "4242")
    assert isinstance(seen.latest_charge, str)


def test_expand_in_lists(api, customer, saved_card):
    api.payment_intents.create(charge_params(customer, saved_card.id))
    listed = api.payment_intents.list({"expand": ["data.latest_charge.payment_intent"]})
    assert listed.data[0].latest_charge.payment_intent.id == listed.data[0].id


def test_expand_nothing_to_expand(api):
    intent = api.payment_intents.create(
        {"amount": 100, "currency": "usd", "expand": ["latest_charge.balance_transaction"]}
    )
    assert intent.latest_charge is None


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("amount", "cannot be expanded"),
        ("nothing", "cannot be expanded"),
        ("latest_charge.payment_intent.latest_charge.payment_intent.customer", "more than 4"),
    ],
)
def test_expand_refused(wrong_api, path, message):
    with pytest.raises(stripe.InvalidRequestError, match=message):
        wrong_api.payment_intents.create({"amount": 100, "currency": "usd", "expand": [path]})


def test_lists_want_data_before_the_path(wrong_api, customer):
    with pytest.raises(stripe.InvalidRequestError, match=r"data\.customer"):
        wrong_api.payment_intents.list({"expand": ["customer"]})
