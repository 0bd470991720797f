"""The hosted page, as a browser without JavaScript meets it."""

from __future__ import annotations

import re
import urllib.error
import urllib.parse
import urllib.request
from html.parser import HTMLParser

import pytest

from portal.sandbox.cards import CARDS
from portal.sandbox.typed_cards import OFFERED
from tests.sandbox.checkout import CANCEL, line, payment, saving
from tests.sandbox.test_three_d_secure import _Stay, look, press

GOOD = {"number": "4242 4242 4242 4242", "exp": "12 / 40", "cvc": "123"}


class Page(HTMLParser):
    """What a page's fields hold, which buttons it has, and its words."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self.buttons: list[str] = []
        self.links: list[str] = []
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "input":
            self.fields[given["name"]] = given["value"]
        if tag == "button":
            self.buttons.append(given.get("value", given["type"]))
        if tag == "a":
            self.links.append(given["href"])

    def handle_data(self, data):
        self.words.extend(data.split())

    @property
    def text(self) -> str:
        return " ".join(self.words)


def submit(url, **fields):
    """(status, where to, page) of one press on the page's button."""
    data = urllib.parse.urlencode(fields).encode()
    try:
        with urllib.request.build_opener(_Stay).open(url, data) as answer:
            return answer.status, None, Page(answer.read().decode())
    except urllib.error.HTTPError as answer:
        with answer:
            place = answer.headers.get("Location")
            return answer.code, place, Page(answer.read().decode())


def card(number, **more):
    return {**GOOD, "number": number, **more}


def paid_at(api, session):
    return api.checkout.sessions.retrieve(session, {"expand": ["payment_intent"]})


def test_what_it_shows(api, customer):
    made = api.checkout.sessions.create(payment(customer, line(1000, quantity=2), line(50)))
    page = Page(look(made.url))
    assert "No real card is charged" in page.text
    for words in ("Pay $20.50", "Seats × 2", "$20.00", "Total $20.50", "ada@example.com"):
        assert words in page.text
    assert list(page.fields) == ["number", "exp", "cvc"]
    assert page.links == [CANCEL]


def test_pay(api, customer):
    made = api.checkout.sessions.create(payment(customer))
    status, place, _ = submit(made.url, **GOOD)
    assert (status, place) == (303, f"http://127.0.0.1:9/return?session_id={made.id}")
    done = paid_at(api, made.id)
    assert (done.status, done.payment_status) == ("complete", "paid")
    assert done.payment_intent.amount_received == 1500
    saved = api.customers.payment_methods.list(customer.id).data
    assert [(m.card.last4, m.card.exp_year) for m in saved] == [("4242", 2040)]


def test_pressed_twice_pays_once(api, customer):
    made = api.checkout.sessions.create(payment(customer))
    assert submit(made.url, **GOOD)[:2] == submit(made.url, **GOOD)[:2]
    assert len(api.charges.list({}).data) == 1
    page = Page(look(made.url))
    assert "All done" in page.text
    assert page.fields == {}
    assert page.links == [f"http://127.0.0.1:9/return?session_id={made.id}"]


def test_save_a_card(api, customer):
    made = api.checkout.sessions.create(saving(customer))
    page = Page(look(made.url))
    assert "Save a card" in page.text
    assert "Nothing is charged now" in page.text
    assert submit(made.url, **card("5555555555554444"))[0] == 303
    saved = api.customers.payment_methods.list(customer.id).data
    assert [m.card.last4 for m in saved] == ["4444"]
    assert "The card has been saved" in Page(look(made.url)).text


def test_yen(api, customer):
    made = api.checkout.sessions.create(payment(customer, line(12800, "jpy")))
    assert "Pay ¥12,800" in Page(look(made.url)).text


@pytest.mark.parametrize("params", [payment, saving], ids=["payment", "setup"])
def test_a_decline_is_said_and_what_was_typed_is_kept(api, customer, params):
    made = api.checkout.sessions.create(params(customer))
    typed = card("4000 0000 0000 9995", exp="01/2041", cvc="999")
    status, place, page = submit(made.url, **typed)
    assert (status, place) == (422, None)
    assert "Your card has insufficient funds" in page.text
    assert page.fields == typed
    assert "Your card has insufficient funds" in Page(look(made.url)).text
    assert submit(made.url, **GOOD)[0] == 303
    assert api.checkout.sessions.retrieve(made.id).status == "complete"


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"number": ""}, "card number is incomplete"),
        ({"number": "4242 4242 4242 4241"}, "card number is incorrect"),
        ({"number": "4111111111111111"}, "used a non test card"),
        ({"exp": ""}, "expiration date is incomplete"),
        ({"exp": "13/40"}, "expiration month is invalid"),
        ({"exp": "12/20"}, "expiration year is invalid"),
        ({"exp": "13/40", "cvc": ""}, "expiration month is invalid. Security code Your card's"),
        ({"cvc": ""}, "security code is incomplete"),
        ({"cvc": "12"}, "security code is invalid"),
        ({"number": "378282246310005"}, "security code is invalid"),
    ],
)
def test_typed_wrong(api, customer, typed, words):
    made = api.checkout.sessions.create(payment(customer))
    given = {**GOOD, **typed}
    status, _, page = submit(made.url, **given)
    assert status == 422
    assert words in page.text
    assert page.fields == given
    assert api.checkout.sessions.retrieve(made.id).payment_intent is None


def test_every_test_card_is_offered(api, customer):
    offered = [name for names in OFFERED.values() for name in names]
    assert sorted(offered) == sorted(c.names[0] for c in CARDS)
    made = api.checkout.sessions.create(payment(customer))
    assert Page(look(made.url)).buttons == ["submit", *offered]
    filled = Page(look(f"{made.url}?card=amex"))
    assert filled.fields == {"number": "3782 8224 6310 005", "exp": "12 / 40", "cvc": "1234"}
    assert submit(made.url, **filled.fields)[0] == 303


ON_SESSION = {  # last digits -> words of the refusal, or the bank's page
    "0002": "was declined",
    "9995": "insufficient funds",
    "9987": "was declined",
    "9979": "was declined",
    "6975": "too frequently",
    "0069": "has expired",
    "0127": "security code is incorrect",
    "0119": "error occurred while processing",
    "0341": "was declined",
    "0019": "was declined",
    **dict.fromkeys(("3155", "3184", "0446", "3178", "3220", "1629"), "3ds"),
}
AFTER_3DS = {"3178": "insufficient funds", "1629": "was declined"}


@pytest.mark.parametrize("test_card", CARDS, ids=lambda one: one.names[0])
def test_every_card_of_the_table(api, customer, test_card):
    made = api.checkout.sessions.create(payment(customer))
    expected = ON_SESSION.get(test_card.last4)
    filled = Page(look(f"{made.url}?card={test_card.names[0]}")).fields
    status, place, page = submit(made.url, **filled)
    if expected == "3ds":
        assert (status, place) == (303, f"/3ds/{paid_at(api, made.id).payment_intent.id}")
        bank = urllib.parse.urljoin(made.url, place)
        assert "paying $15.00" in Page(look(bank)).text
        back = press(bank, "ok").geturl()
        refused = AFTER_3DS.get(test_card.last4)
        if refused is None:
            assert back.startswith("http://127.0.0.1:9/return")
        else:
            assert back == made.url
            assert refused in Page(look(back)).text
        expected = refused
    elif expected is not None:
        assert status == 422
        assert expected in page.text
    assert paid_at(api, made.id).payment_status == ("unpaid" if expected else "paid")


def test_failing_at_the_bank_leads_back_to_the_page(api, customer):
    made = api.checkout.sessions.create(payment(customer))
    _, place, _ = submit(made.url, **card("4000 0027 6000 3184"))
    assert press(urllib.parse.urljoin(made.url, place), "fail").geturl() == made.url
    page = Page(look(made.url))
    assert "unable to authenticate" in page.text
    assert page.fields["number"] == ""


def test_an_expired_page(running, api, customer):
    made = api.checkout.sessions.create(payment(customer))
    running.control("clock", advance=1900)
    page = Page(look(made.url))
    assert "This page has expired" in page.text
    assert (page.fields, page.links) == ({}, [CANCEL])
    status, place, page = submit(made.url, **GOOD)
    assert (status, place, page.fields) == (200, None, {})
    assert api.charges.list({}).data == []


def test_nothing_foreign_gets_in(api, customer):
    made = api.checkout.sessions.create(payment(customer, line(name="<script>x</script>")))
    with urllib.request.urlopen(made.url) as answer:
        policy = answer.headers["Content-Security-Policy"]
        html = answer.read().decode()
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert policy.endswith("form-action 'self' http://127.0.0.1:9")
    assert re.findall(r"<script|<style|\sstyle=|\son\w+=", html) == []
    assert answer.headers["Cache-Control"] == "no-store"
    style = urllib.parse.urljoin(made.url, "/static/css/sandbox.css")
    assert ".sheet" in look(style)


@pytest.mark.parametrize("path", ["static/css/portal.css", "c/pay", "c"])
def test_nothing_there(running, path):
    with pytest.raises(urllib.error.HTTPError) as caught:
        look(f"{running.direct}/{path}")
    caught.value.close()
    assert caught.value.code == 404


@pytest.mark.parametrize("path", ["c/pay/cs_test_none", "3ds/seti_none", "3ds/x", "c/pay/x/y"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_people_are_told_that_a_page_is_gone(running, path, method):
    body = b"step=ok" if method == "POST" else None
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{running.direct}/{path}", body)
    with caught.value as answer:
        page = Page(answer.read().decode())
    assert answer.code == 404
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    for words in ("There is no such page", "No real card is charged"):
        assert words in page.text
