"""Search: what the query language finds, page by page, and what it does not read."""

from __future__ import annotations

import pytest
import stripe

from tests.sandbox.conftest import charge_params


@pytest.fixture
def three(api):
    made = [
        {"email": "ada@example.com", "name": "Ada Lovelace", "metadata": {"org": "1"}},
        {"email": "Grace@Example.com", "name": "Grace", "metadata": {"org": "2", "it's": "x"}},
        {"email": "mary@example.org", "name": "Mary"},
    ]
    return {api.customers.create(params).id: params["name"] for params in made}


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ('email:"grace@example.com"', ["Grace"]),
        ("email:'ada@example.com' OR name:'mary'", ["Mary", "Ada Lovelace"]),
        ('email~"example.com" AND -name:"grace"', ["Ada Lovelace"]),
        ('metadata["org"]:"2" name:"Grace"', ["Grace"]),
        ("metadata[\"it's\"]:'x'", ["Grace"]),
        ('metadata["org"]:null', ["Mary"]),
        ('-metadata["org"]:null', ["Grace", "Ada Lovelace"]),
        ('-metadata["org"]:"1"', ["Mary", "Grace"]),
        ('name:"nobody"', []),
        ("created>1000000000", ["Mary", "Grace", "Ada Lovelace"]),
        ("created<=1000000000", []),
    ],
)
def test_customers(api, three, query, names):
    found = api.customers.search({"query": query})
    assert [three[each.id] for each in found.data] == names
    assert (found.has_more, found.next_page) == (False, None)
    assert found.url == "/v1/customers/search"


def test_the_deleted_are_not_found(api, three):
    (mary,) = api.customers.search({"query": 'metadata["org"]:null'}).data
    api.customers.delete(mary.id)
    assert api.customers.search({"query": 'metadata["org"]:null'}).data == []


def test_payment_intents(api, customer, saved_card):
    paid = api.payment_intents.create(
        charge_params(customer, saved_card.id, metadata={"attempt_id": "a1"})
    )
    open_one = api.payment_intents.create({"amount": 900, "currency": "eur"})

    def found(query):
        return [each.id for each in api.payment_intents.search({"query": query}).data]

    assert found('metadata["attempt_id"]:"a1" AND status:"succeeded"') == [paid.id]
    assert found("amount<1000") == [open_one.id]
    assert found(f"customer:'{customer.id}'") == [paid.id]
    assert found('currency:"usd" OR currency:"eur"') == [open_one.id, paid.id]


def test_page_by_page(api, three):
    first = api.customers.search({"query": 'email~"example"', "limit": 2})
    assert first.has_more is True
    second = api.customers.search({"query": 'email~"example"', "page": first.next_page})
    assert [c.id for c in [*first.data, *second.data]] == list(three)[::-1]
    everyone = api.customers.search({"query": 'email~"example"', "limit": 1})
    assert [c.id for c in everyone.auto_paging_iter()] == list(three)[::-1]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", "empty string for 'query'"),
        (" ", "unable to parse"),
        ("email", "unable to parse"),
        ("email:ada@example.com", "unable to parse"),
        ('email>"a"', "unable to parse"),
        ('created:"yesterday"', "unable to parse"),
        ('email:"a" and', "unable to parse"),
        (" ".join(['name:"a"'] * 11), "unable to parse"),
        ('card:"4242"', "unsupported search field"),
        ("amount:5", "unsupported search field"),
        ('name["x"]:"a"', "unsupported search field"),
        ('email~"ab"', "at least 3"),
        ('name:"a" AND name:"b" OR name:"c"', "cannot combine"),
    ],
)
def test_queries_that_stripe_refuses(api, query, words):
    with pytest.raises(stripe.InvalidRequestError, match=words) as caught:
        api.customers.search({"query": query})
    assert (caught.value.http_status, caught.value.param) == (400, "query")


@pytest.mark.parametrize(
    ("params", "param"), [({"page": "x"}, "page"), ({"limit": 0}, "limit"), ({}, "query")]
)
def test_other_parameters(wrong_api, params, param):
    query = {} if param == "query" else {"query": 'name:"a"'}
    with pytest.raises(stripe.InvalidRequestError) as caught:
        wrong_api.customers.search({**query, **params})
    assert caught.value.param == param
