"""What we make of Stripe's answers about pages and cards that no test card can cause."""

from __future__ import annotations

from typing import Any

import pytest

from portal.domain.errors import NotFound, PaymentsUnavailable
from portal.domain.money import Money
from portal.domain.payments import (
    PageStatus,
    Paid,
)
from tests.gateways.canned import (
    CHECKOUT,
    ENTRY,
    INTENT,
    METHOD,
    NO_ANSWER,
    REFUSED,
    SESSION,
    gateway,
    refusal,
)


@pytest.mark.parametrize(
    ("method", "last4"),
    [
        (METHOD, "4242"),
        (METHOD | {"customer": {"id": "cus_1", "object": "customer"}}, "4242"),
        (METHOD | {"customer": None}, None),
        (METHOD | {"type": "link", "card": None}, None),
        ("pm_1", None),
        (None, None),
    ],
)
def test_which_card_paid(method: Any, last4: str | None) -> None:
    intent = INTENT | {"payment_method": method}
    card = gateway((200, intent))[0].read_payment("pi_1").card
    assert (card.last4 if card else None) == last4
    done = {"status": "complete", "payment_status": "paid", "payment_intent": intent}
    page = gateway((200, SESSION | done))[0].read_page("cs_1")
    assert (page.card.last4 if page.card else None) == last4
    assert page.paid == Paid("pi_1")


@pytest.mark.parametrize(
    ("changes", "status", "paid", "url"),
    [
        ({}, PageStatus.OPEN, None, SESSION["url"]),
        ({"status": "invented_later"}, PageStatus.OPEN, None, SESSION["url"]),
        ({"status": None, "url": None}, PageStatus.OPEN, None, None),
        ({"status": "expired"}, PageStatus.EXPIRED, None, None),
        ({"status": "complete"}, PageStatus.COMPLETE, None, None),
        ({"status": "complete", "payment_status": "paid"}, PageStatus.COMPLETE, None, None),
        (
            {"status": "complete", "payment_status": "paid", "payment_intent": "pi_1"},
            PageStatus.COMPLETE,
            Paid("pi_1"),
            None,
        ),
        (
            {"status": "complete", "payment_status": "unpaid", "payment_intent": "pi_1"},
            PageStatus.COMPLETE,
            None,
            None,
        ),
        (
            {"payment_status": "invented_later", "payment_intent": "pi_1"},
            PageStatus.OPEN,
            None,
            SESSION["url"],
        ),
    ],
)
def test_what_a_session_means(
    changes: dict[str, Any], status: PageStatus, paid: Paid | None, url: str | None
) -> None:
    page = gateway((200, SESSION | changes))[0].read_page("cs_1")
    assert (page.status, page.paid, page.url) == (status, paid, url)
    assert (page.amount, page.customer_ref) == (Money(980, "jpy"), "cus_1")
    assert page.labels == {"attempt_id": "attempt-2"}


def test_a_card_that_only_tried_is_not_the_pages() -> None:
    waiting = SESSION | {"payment_intent": INTENT | {"payment_method": METHOD}}
    assert gateway((200, waiting))[0].read_page("cs_1").card is None


def test_a_session_of_nobody() -> None:
    page = gateway((200, SESSION | {"customer": None, "metadata": None}))[0].read_page("cs_1")
    assert (page.customer_ref, page.labels) == ("", {})


@pytest.mark.parametrize(("status", "body"), [*REFUSED, *NO_ANSWER])
def test_no_page_is_never_an_unknown(status: int, body: Any) -> None:
    payments, _ = gateway((status, body))
    with pytest.raises(PaymentsUnavailable):
        payments.open_checkout(CHECKOUT)
    with pytest.raises(PaymentsUnavailable):
        payments.open_card_entry(ENTRY)


def test_a_page_that_cannot_be_closed_is_read() -> None:
    done = SESSION | {"status": "complete", "payment_status": "paid", "payment_intent": "pi_1"}
    payments, network = gateway((400, refusal(param="session")), (200, done))
    assert payments.close_page("cs_1").paid == Paid("pi_1")
    assert [sent[0] for sent in network.sent] == ["post", "get"]


@pytest.mark.parametrize(("status", "body"), NO_ANSWER)
def test_a_page_is_not_called_closed_without_an_answer(status: int, body: Any) -> None:
    payments, network = gateway((status, body), (200, SESSION | {"status": "expired"}))
    with pytest.raises(PaymentsUnavailable):
        payments.close_page("cs_1")
    assert len(network.sent) == 1


def test_a_card_that_stays_is_not_called_removed() -> None:
    payments, _ = gateway((400, refusal()), (200, METHOD))
    with pytest.raises(PaymentsUnavailable):
        payments.remove_card("pm_1")


NO_CARD: dict[str, Any] = {
    "without the key": {k: v for k, v in METHOD.items() if k != "card"},
    "with null": METHOD | {"card": None},
}


@pytest.mark.parametrize("method", NO_CARD.values(), ids=NO_CARD)
def test_what_is_no_card_is_none_that_we_could_have(method: dict[str, Any]) -> None:
    payments, _ = gateway((200, method | {"type": "us_bank_account"}))
    with pytest.raises(NotFound, match="us_bank_account"):
        payments.read_card("pm_1")
