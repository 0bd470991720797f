"""What every payment gateway must do: the fake, the sandbox, and Stripe itself alike."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from portal.domain.declines import DeclineReason
from portal.domain.errors import NotFound, PaymentsUnavailable
from portal.domain.money import Money
from portal.domain.payments import (
    CardNews,
    CardRefused,
    ChargeOutcome,
    Checkout,
    Declined,
    HostedPage,
    NeedsAuthentication,
    PageStatus,
    Paid,
    PaymentNews,
    Unknown,
)
from portal.domain.refunds import Refunded, RefundStatus
from tests.gateways.conftest import ChargeFor
from tests.gateways.processors import (
    PageClosed,
    Processor,
    SandboxProcessor,
    customer,
    fresh,
    saved,
)
from tests.gateways.samples import a_checkout, a_refund, an_entry, like

AT_ONCE = 12
HOUR_S = 3600
BACK = "http://127.0.0.1/back"

PAID, ASKS = "paid", "asks"


@dataclass(frozen=True, slots=True)
class Refusal:
    """How a card is declined."""

    reason: DeclineReason
    code: str
    may_retry: bool = True


@dataclass(frozen=True, slots=True)
class CardCase:
    """What becomes of `pm_card_<name>`.

    away: charged while the customer is away. there: paid with at a Checkout, after the bank
    where it `asks`. saves: what a card entry ends with, after the bank where it `asks_saving`.
    later: a charge of the card that was saved there.
    """

    name: str
    away: str | Refusal
    there: str | Refusal
    saves: str | Refusal = "saved"
    later: str | Refusal = PAID
    asks: bool = False
    asks_saving: bool = False


def _declined(name: str, reason: DeclineReason, code: str, may_retry: bool = True) -> CardCase:
    """A card that is refused everywhere with the same words."""
    refusal = Refusal(reason, code, may_retry)
    return CardCase(name, away=refusal, there=refusal, saves=refusal)


GENERIC = Refusal(DeclineReason.REFUSED, "card_declined")
NO_FUNDS = Refusal(DeclineReason.INSUFFICIENT_FUNDS, "card_declined")
BLOCKED = Refusal(DeclineReason.REFUSED, "card_declined", may_retry=False)
SECURE: Any = {"asks": True, "asks_saving": True}
# Every card with a token. Source: reference/stripe.md §5
CARDS = [
    CardCase("visa", PAID, PAID),
    CardCase("mastercard", PAID, PAID),
    _declined("chargeDeclined", DeclineReason.REFUSED, "card_declined"),
    _declined("visa_chargeDeclined", DeclineReason.REFUSED, "card_declined"),
    _declined(
        "visa_chargeDeclinedInsufficientFunds", DeclineReason.INSUFFICIENT_FUNDS, "card_declined"
    ),
    _declined("visa_chargeDeclinedLostCard", DeclineReason.REFUSED, "card_declined", False),
    _declined("visa_chargeDeclinedStolenCard", DeclineReason.REFUSED, "card_declined", False),
    _declined(
        "visa_chargeDeclinedVelocityLimitExceeded",
        DeclineReason.INSUFFICIENT_FUNDS,
        "card_declined",
    ),
    _declined("chargeDeclinedExpiredCard", DeclineReason.EXPIRED_CARD, "expired_card"),
    _declined("chargeDeclinedIncorrectCvc", DeclineReason.INCORRECT_DETAILS, "incorrect_cvc"),
    _declined("chargeDeclinedProcessingError", DeclineReason.PROCESSING_ERROR, "processing_error"),
    CardCase("chargeCustomerFail", GENERIC, GENERIC, later=GENERIC),
    CardCase("radarBlock", BLOCKED, BLOCKED, later=BLOCKED),
    CardCase("authenticationRequiredOnSetup", ASKS, PAID, **SECURE),
    CardCase("authenticationRequired", ASKS, PAID, later=ASKS, **SECURE),
    CardCase("authenticationRequiredSetupForOffSession", PAID, PAID, asks=True),
    CardCase(
        "authenticationRequiredChargeDeclinedInsufficientFunds",
        ASKS,
        NO_FUNDS,
        later=NO_FUNDS,
        **SECURE,
    ),
    CardCase("threeDSecure2Required", ASKS, PAID, **SECURE),
    CardCase("threeDSecureRequiredChargeDeclined", ASKS, GENERIC, later=ASKS, **SECURE),
    CardCase("createDispute", PAID, PAID),
    CardCase("createDisputeProductNotReceived", PAID, PAID),
    CardCase("createDisputeInquiry", PAID, PAID),
    CardCase("pendingRefund", PAID, PAID),
    CardCase("refundFail", PAID, PAID),
]
SUCCEEDED, PENDING, FAILED = RefundStatus.SUCCEEDED, RefundStatus.PENDING, RefundStatus.FAILED
# token, how a refund to it begins, how it ends, how much has gone back then
REFUNDS = [
    ("visa", SUCCEEDED, SUCCEEDED, 4900),
    ("createDisputeInquiry", SUCCEEDED, SUCCEEDED, 4900),
    ("pendingRefund", PENDING, SUCCEEDED, 4900),
    ("refundFail", SUCCEEDED, FAILED, 0),
]
each_card = pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)


def came_to(outcome: ChargeOutcome) -> str | Refusal:
    """An outcome in the words of the table."""
    match outcome:
        case Paid():
            return PAID
        case NeedsAuthentication():
            return ASKS
        case Declined(reason=reason, code=code, may_retry=may_retry):
            return Refusal(reason, code or "", may_retry)
        case _:
            pytest.fail(f"no clear answer: {outcome}")


def found(processor: Processor, checkout: Checkout) -> ChargeOutcome:
    """What the payment behind a Checkout stands at; the portal is told of declines so."""
    news = processor.gateway.find_payment(like(checkout), HOUR_S)
    assert news is not None
    return news.outcome


def test_a_customer_is_made_once_per_key(processor: Processor) -> None:
    key, labels = fresh("customer"), {"account": "northwind"}
    first = processor.gateway.create_customer(key, "Northwind", "a@northwind.test", labels)
    again = processor.gateway.create_customer(key, "Northwind", "a@northwind.test", labels)
    assert first.startswith("cus_")
    assert again == first
    with pytest.raises(PaymentsUnavailable):
        processor.gateway.create_customer(key, "Another", "a@northwind.test", labels)


def test_a_saved_card_shows_what_may_be_shown(processor: Processor) -> None:
    card = saved(processor, customer(processor))
    assert (card.brand, card.last4) == ("visa", "4242")
    assert 1 <= card.exp_month <= 12
    assert card.exp_year >= 2026
    assert card.fingerprint


def test_the_card_saved_last_is_the_default(processor: Processor) -> None:
    owner = customer(processor)
    saved(processor, owner)
    last = saved(processor, owner, "mastercard")
    assert processor.default_card(owner) == last.reference


def test_a_card_is_saved_once_per_key(processor: Processor) -> None:
    owner, key = customer(processor), fresh("card")
    first = processor.gateway.save_card(owner, "pm_card_visa", key)
    assert processor.gateway.save_card(owner, "pm_card_visa", key) == first


def test_the_same_card_saved_twice_has_one_fingerprint(processor: Processor) -> None:
    owner = customer(processor)
    one, two = saved(processor, owner), saved(processor, owner)
    other = saved(processor, owner, "mastercard")
    assert one.reference != two.reference
    assert one.fingerprint == two.fingerprint
    assert other.fingerprint != one.fingerprint


def test_a_card_may_be_refused_when_it_is_saved(processor: Processor) -> None:
    with pytest.raises(CardRefused) as refused:
        saved(processor, customer(processor), "visa_chargeDeclinedInsufficientFunds")
    assert refused.value.declined.reason is DeclineReason.INSUFFICIENT_FUNDS


def test_a_charge_takes_the_amount(processor: Processor, charge_for: ChargeFor) -> None:
    owner = customer(processor)
    charge = charge_for(owner, saved(processor, owner).reference)
    outcome = processor.gateway.charge(charge)
    assert isinstance(outcome, Paid)
    assert processor.amounts_taken(owner) == [(4900, "usd")]
    assert processor.descriptions(owner) == [charge.description]


def test_yen_have_no_cents(processor: Processor, charge_for: ChargeFor) -> None:
    owner = customer(processor)
    charge = charge_for(owner, saved(processor, owner).reference, 980, "jpy")
    outcome = processor.gateway.charge(charge)
    assert isinstance(outcome, Paid)
    assert processor.amounts_taken(owner) == [(980, "jpy")]
    assert processor.gateway.read_payment(outcome.reference).amount == Money(980, "jpy")


@each_card
def test_each_card_while_the_customer_is_away(
    processor: Processor, charge_for: ChargeFor, card: CardCase
) -> None:
    owner = customer(processor)
    charge = charge_for(owner, f"pm_card_{card.name}")
    outcome = processor.gateway.charge(charge)
    assert came_to(outcome) == card.away
    assert processor.amounts_taken(owner) == ([(4900, "usd")] if card.away == PAID else [])
    assert not isinstance(outcome, Unknown)
    assert outcome.reference is not None
    assert processor.gateway.read_payment(outcome.reference).outcome == outcome


@each_card
def test_each_card_at_the_checkout(
    processor: Processor, charge_for: ChargeFor, card: CardCase
) -> None:
    owner = customer(processor)
    checkout = a_checkout(owner)
    page = processor.gateway.open_checkout(checkout)
    asked = processor.use_card(page, card.name)
    assert (asked is not None) == card.asks
    if asked:
        assert processor.gateway.read_page(page.reference) == page, "it waits for the bank"
        assert came_to(found(processor, checkout)) == ASKS
        processor.pass_challenge(asked)
    outcome = found(processor, checkout)
    assert came_to(outcome) == card.there
    after = processor.gateway.read_page(page.reference)
    if card.there != PAID:
        assert after == page, "it waits for another card"
        assert processor.amounts_taken(owner) == []
        return
    assert (after.status, after.paid, after.url) == (PageStatus.COMPLETE, outcome, None)
    assert processor.amounts_taken(owner) == [(4900, "usd")]
    assert after.card is not None
    again = processor.gateway.charge(charge_for(owner, after.card.reference))
    assert came_to(again) == card.later


@each_card
def test_each_card_saved_on_a_page(
    processor: Processor, charge_for: ChargeFor, card: CardCase
) -> None:
    owner = customer(processor)
    page = processor.gateway.open_card_entry(an_entry(owner))
    asked = processor.use_card(page, card.name)
    assert (asked is not None) == card.asks_saving
    if asked:
        assert processor.gateway.read_page(page.reference) == page, "it waits for the bank"
        processor.pass_challenge(asked)
    after = processor.gateway.read_page(page.reference)
    if card.saves != "saved":
        assert after == page, "it waits for another card"
        return
    assert (after.status, after.paid, after.amount) == (PageStatus.COMPLETE, None, None)
    assert after.card is not None
    assert processor.gateway.read_card(after.card.reference) == CardNews(after.card, owner)
    again = processor.gateway.charge(charge_for(owner, after.card.reference))
    assert came_to(again) == card.later


def test_a_card_that_saves_may_still_decline(processor: Processor, charge_for: ChargeFor) -> None:
    owner = customer(processor)
    charge = charge_for(owner, saved(processor, owner, "chargeCustomerFail").reference)
    outcome = processor.gateway.charge(charge)
    assert isinstance(outcome, Declined)
    assert outcome.reason is DeclineReason.REFUSED
    assert outcome.may_retry
    assert processor.gateway.charge(charge) == outcome, "a decline is kept for its key too"


def test_the_same_key_twice_is_one_payment(processor: Processor, charge_for: ChargeFor) -> None:
    owner = customer(processor)
    charge = charge_for(owner, saved(processor, owner).reference)
    first = processor.gateway.charge(charge)
    assert isinstance(first, Paid)
    assert processor.gateway.charge(charge) == first
    assert processor.amounts_taken(owner) == [(4900, "usd")]


def test_two_keys_are_two_payments(processor: Processor, charge_for: ChargeFor) -> None:
    owner = customer(processor)
    card = saved(processor, owner).reference
    first = processor.gateway.charge(charge_for(owner, card))
    second = processor.gateway.charge(charge_for(owner, card))
    assert first != second
    assert processor.amounts_taken(owner) == [(4900, "usd")] * 2


def test_a_used_key_with_another_amount_is_refused(
    processor: Processor, charge_for: ChargeFor
) -> None:
    owner = customer(processor)
    charge = charge_for(owner, saved(processor, owner).reference)
    processor.gateway.charge(charge)
    with pytest.raises(PaymentsUnavailable):
        processor.gateway.charge(replace(charge, amount=Money(5000, "usd")))
    assert processor.amounts_taken(owner) == [(4900, "usd")]


def test_many_at_once_with_one_key_are_one_payment(
    processor: Processor, charge_for: ChargeFor
) -> None:
    owner = customer(processor)
    charge = charge_for(owner, saved(processor, owner).reference)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        outcomes = list(pool.map(processor.gateway.charge, [charge] * AT_ONCE))
    told = {outcome for outcome in outcomes if not isinstance(outcome, Unknown)}
    assert told == {processor.gateway.charge(charge)}
    assert isinstance(told.pop(), Paid)
    assert processor.amounts_taken(owner) == [(4900, "usd")]


def test_an_amount_below_the_minimum_is_our_mistake(
    processor: Processor, charge_for: ChargeFor
) -> None:
    owner = customer(processor)
    with pytest.raises(PaymentsUnavailable, match="amount_too_small"):
        processor.gateway.charge(charge_for(owner, saved(processor, owner).reference, 49))
    assert processor.amounts_taken(owner) == []


def test_an_unknown_customer_is_our_mistake(processor: Processor, charge_for: ChargeFor) -> None:
    with pytest.raises(PaymentsUnavailable):
        processor.gateway.charge(charge_for("nobody", "pm_card_visa"))


def test_a_removed_card_is_declined_for_good(processor: Processor, charge_for: ChargeFor) -> None:
    owner = customer(processor)
    card = saved(processor, owner)
    processor.gateway.remove_card(card.reference)
    outcome = processor.gateway.charge(charge_for(owner, card.reference))
    assert isinstance(outcome, Declined)
    assert (outcome.reason, outcome.may_retry) == (DeclineReason.REFUSED, False)


def test_anothers_card_is_declined(processor: Processor, charge_for: ChargeFor) -> None:
    card, stranger = saved(processor, customer(processor)), customer(processor)
    outcome = processor.gateway.charge(charge_for(stranger, card.reference))
    assert isinstance(outcome, Declined)
    assert not outcome.may_retry
    assert processor.amounts_taken(stranger) == []


def test_a_payment_is_read_by_its_reference(processor: Processor, charge_for: ChargeFor) -> None:
    owner = customer(processor)
    charge = charge_for(owner, saved(processor, owner).reference)
    outcome = processor.gateway.charge(charge)
    assert isinstance(outcome, Paid)
    news = processor.gateway.read_payment(outcome.reference)
    assert (news.outcome, news.amount, news.labels) == (outcome, charge.amount, charge.labels)


def test_a_payment_that_is_not_there(processor: Processor) -> None:
    with pytest.raises(NotFound):
        processor.gateway.read_payment("pi_nothing")


def test_a_payment_is_found_by_its_labels(processor: Processor, charge_for: ChargeFor) -> None:
    owner = customer(processor)
    card = saved(processor, owner).reference
    charge, other, unmade = (charge_for(owner, card) for _ in range(3))
    outcome = processor.gateway.charge(charge)
    processor.gateway.charge(other)
    news = processor.gateway.find_payment(charge, HOUR_S)
    assert news is not None
    assert (news.outcome, news.amount, news.labels) == (outcome, charge.amount, charge.labels)
    assert processor.gateway.find_payment(unmade, HOUR_S) is None


def test_a_declined_payment_is_found_too(processor: Processor, charge_for: ChargeFor) -> None:
    charge = charge_for(customer(processor), "pm_card_visa_chargeDeclined")
    outcome = processor.gateway.charge(charge)
    news = processor.gateway.find_payment(charge, HOUR_S)
    assert news is not None
    assert news.outcome == outcome


def test_of_several_with_the_labels_the_paid_one_is_found(
    processor: Processor, charge_for: ChargeFor
) -> None:
    owner = customer(processor)
    paid = charge_for(owner, saved(processor, owner).reference)
    outcome = processor.gateway.charge(paid)
    declined = replace(paid, key=fresh("attempt"), card_ref="pm_card_visa_chargeDeclined")
    assert isinstance(processor.gateway.charge(declined), Declined)
    news = processor.gateway.find_payment(paid, HOUR_S)
    assert news is not None
    assert news.outcome == outcome


def test_only_recent_payments_are_looked_through(
    processor: Processor, charge_for: ChargeFor
) -> None:
    owner = customer(processor)
    charge = charge_for(owner, saved(processor, owner).reference)
    processor.gateway.charge(charge)
    processor.ahead = 2 * HOUR_S
    assert processor.gateway.find_payment(charge, HOUR_S) is None
    assert processor.gateway.find_payment(charge, 3 * HOUR_S) is not None


def test_a_clock_ahead_of_the_processors_hides_nothing(
    sandbox: SandboxProcessor, charge_for: ChargeFor
) -> None:
    charge = charge_for(customer(sandbox), "pm_card_visa")
    sandbox.gateway.charge(charge)
    sandbox.ahead = 120
    assert sandbox.gateway.find_payment(charge, 1) is not None


def test_a_charge_without_labels_cannot_be_looked_up(
    processor: Processor, charge_for: ChargeFor
) -> None:
    owner = customer(processor)
    with pytest.raises(ValueError, match="labels"):
        processor.gateway.find_payment(replace(charge_for(owner, "pm_card_visa"), labels={}), 60)


def test_a_payment_tells_which_card_paid(processor: Processor, charge_for: ChargeFor) -> None:
    owner = customer(processor)
    card = saved(processor, owner)
    paid = processor.gateway.charge(charge_for(owner, card.reference))
    assert isinstance(paid, Paid)
    assert processor.gateway.read_payment(paid.reference).card == card
    once = processor.gateway.charge(charge_for(owner, "pm_card_visa"))
    assert isinstance(once, Paid)
    assert processor.gateway.read_payment(once.reference).card is None, "it was not kept"
    failing = saved(processor, owner, "chargeCustomerFail").reference
    declined = processor.gateway.charge(charge_for(owner, failing))
    assert isinstance(declined, Declined)
    assert declined.reference is not None
    assert processor.gateway.read_payment(declined.reference).card is None


def test_a_card_is_read(processor: Processor) -> None:
    owner = customer(processor)
    card = saved(processor, owner)
    assert processor.gateway.read_card(card.reference) == CardNews(card, owner)
    with pytest.raises(NotFound):
        processor.gateway.read_card("pm_nothing")


def test_a_card_is_removed_for_good(processor: Processor) -> None:
    owner = customer(processor)
    card, other = saved(processor, owner), saved(processor, owner)
    processor.gateway.remove_card(card.reference)
    processor.gateway.remove_card(card.reference)
    processor.gateway.remove_card("pm_nothing")
    assert processor.gateway.read_card(card.reference) == CardNews(card, None)
    assert processor.gateway.read_card(other.reference) == CardNews(other, owner)
    assert processor.default_card(owner) == other.reference


def test_the_default_goes_with_its_card(processor: Processor) -> None:
    owner = customer(processor)
    processor.gateway.remove_card(saved(processor, owner).reference)
    assert processor.default_card(owner) is None


def test_another_card_becomes_the_default(processor: Processor) -> None:
    owner = customer(processor)
    first, second = saved(processor, owner), saved(processor, owner)
    for card in (first, second, first, first):
        processor.gateway.make_default(owner, card.reference)
        assert processor.default_card(owner) == card.reference


def test_only_a_card_of_the_customers_becomes_the_default(processor: Processor) -> None:
    owner, stranger = customer(processor), customer(processor)
    card, removed = saved(processor, owner), saved(processor, stranger)
    processor.gateway.remove_card(removed.reference)
    for reference in (card.reference, removed.reference, "pm_nothing"):
        with pytest.raises(PaymentsUnavailable):
            processor.gateway.make_default(stranger, reference)
    assert processor.default_card(stranger) is None


def test_a_checkout_is_opened_once_per_key(processor: Processor) -> None:
    checkout = a_checkout(customer(processor))
    page = processor.gateway.open_checkout(checkout)
    assert page == HostedPage(
        reference=page.reference,
        status=PageStatus.OPEN,
        url=page.url,
        paid=None,
        card=None,
        amount=Money(4900, "usd"),
        customer_ref=checkout.customer_ref,
        labels=checkout.labels,
    )
    assert page.url is not None
    assert page.url.startswith("http")
    assert processor.gateway.open_checkout(checkout) == page
    assert processor.gateway.read_page(page.reference) == page
    with pytest.raises(PaymentsUnavailable):
        processor.gateway.open_checkout(replace(checkout, amount=Money(5000, "usd")))
    assert processor.gateway.open_checkout(a_checkout(checkout.customer_ref)) != page


def test_a_card_entry_is_opened_once_per_key(processor: Processor) -> None:
    entry = an_entry(customer(processor))
    page = processor.gateway.open_card_entry(entry)
    assert (page.status, page.amount, page.labels) == (PageStatus.OPEN, None, entry.labels)
    assert (page.paid, page.card, page.customer_ref) == (None, None, entry.customer_ref)
    assert processor.gateway.open_card_entry(entry) == page
    with pytest.raises(PaymentsUnavailable):
        processor.gateway.open_card_entry(replace(entry, back_url="http://127.0.0.1/other"))


WRONG_PAGES = [
    pytest.param({"customer_ref": "nobody"}, id="unknown customer"),
    pytest.param({"return_url": "/return"}, id="return address without a host"),
    pytest.param({"back_url": "javascript:alert(1)"}, id="way back that is no page"),
    pytest.param({"expires_at": datetime.now(UTC) + timedelta(minutes=20)}, id="too short"),
    pytest.param({"expires_at": datetime.now(UTC) + timedelta(hours=30)}, id="too long"),
]


@pytest.mark.parametrize(
    "wrong",
    [
        *WRONG_PAGES,
        pytest.param({"amount": Money(49, "usd")}, id="below the minimum"),
        pytest.param({"amount": Money(0, "usd")}, id="nothing"),
        pytest.param({"amount": Money(-4900, "usd")}, id="less than nothing"),
    ],
)
def test_a_checkout_that_cannot_be(processor: Processor, wrong: dict[str, Any]) -> None:
    checkout = a_checkout(customer(processor))
    with pytest.raises(PaymentsUnavailable):
        processor.gateway.open_checkout(replace(checkout, **wrong))
    good = replace(checkout, key=fresh("attempt"))
    assert processor.gateway.open_checkout(good).status is PageStatus.OPEN


@pytest.mark.parametrize("wrong", WRONG_PAGES)
def test_a_card_entry_that_cannot_be(processor: Processor, wrong: dict[str, Any]) -> None:
    with pytest.raises(PaymentsUnavailable):
        processor.gateway.open_card_entry(replace(an_entry(customer(processor)), **wrong))


def test_a_page_that_is_not_there(processor: Processor) -> None:
    with pytest.raises(NotFound):
        processor.gateway.read_page("cs_test_nothing")
    with pytest.raises(NotFound):
        processor.gateway.close_page("cs_test_nothing")


def test_a_paid_checkout_tells_all_of_it(processor: Processor) -> None:
    owner = customer(processor)
    checkout = a_checkout(owner, 980, "jpy")
    page = processor.gateway.open_checkout(checkout)
    processor.use_card(page, "mastercard")
    paid = processor.gateway.read_page(page.reference)
    assert paid.paid is not None
    assert paid.card is not None
    assert (paid.card.brand, paid.card.last4) == ("mastercard", "4444")
    assert (paid.amount, paid.labels) == (Money(980, "jpy"), checkout.labels)
    news = processor.gateway.read_payment(paid.paid.reference)
    assert news == PaymentNews(paid.paid, checkout.amount, checkout.labels, paid.card)
    assert processor.gateway.read_card(paid.card.reference).customer_ref == owner
    assert processor.amounts_taken(owner) == [(980, "jpy")]
    assert processor.descriptions(owner) == [checkout.description]
    assert processor.default_card(owner) is None, "the portal says which card is the default"


def test_a_card_removed_since_is_not_the_pages(processor: Processor) -> None:
    page = processor.gateway.open_checkout(a_checkout(customer(processor)))
    processor.use_card(page, "visa")
    paid = processor.gateway.read_page(page.reference)
    assert paid.card is not None
    assert paid.paid is not None
    processor.gateway.remove_card(paid.card.reference)
    assert processor.gateway.read_page(page.reference) == replace(paid, card=None)
    assert processor.gateway.read_payment(paid.paid.reference).card is None


def test_a_page_takes_another_card_and_pays_once(processor: Processor) -> None:
    owner = customer(processor)
    checkout = a_checkout(owner)
    page = processor.gateway.open_checkout(checkout)
    for name in ("visa_chargeDeclined", "authenticationRequired", "visa"):
        processor.use_card(page, name)
    assert came_to(found(processor, checkout)) == PAID
    with pytest.raises(PageClosed):
        processor.use_card(page, "visa")
    assert processor.amounts_taken(owner) == [(4900, "usd")]


def test_a_failed_challenge_leaves_the_page_open(processor: Processor) -> None:
    checkout = a_checkout(customer(processor))
    page = processor.gateway.open_checkout(checkout)
    asked = processor.use_card(page, "authenticationRequired")
    assert asked is not None
    processor.pass_challenge(asked, ok=False)
    assert processor.gateway.read_page(page.reference) == page
    outcome = found(processor, checkout)
    assert isinstance(outcome, Declined)
    assert outcome.reason is DeclineReason.AUTHENTICATION_FAILED


def test_a_failed_challenge_saves_no_card(processor: Processor) -> None:
    page = processor.gateway.open_card_entry(an_entry(customer(processor)))
    asked = processor.use_card(page, "authenticationRequired")
    assert asked is not None
    processor.pass_challenge(asked, ok=False)
    processor.pass_challenge(asked)
    assert processor.gateway.read_page(page.reference) == page
    processor.use_card(page, "visa")
    assert processor.gateway.read_page(page.reference).card is not None


def closed(page: HostedPage) -> HostedPage:
    return replace(page, status=PageStatus.EXPIRED, url=None)


def test_a_closed_page_takes_no_card(processor: Processor) -> None:
    owner = customer(processor)
    for page in (
        processor.gateway.open_checkout(a_checkout(owner)),
        processor.gateway.open_card_entry(an_entry(owner)),
    ):
        for _ in range(2):
            assert processor.gateway.close_page(page.reference) == closed(page)
        with pytest.raises(PageClosed):
            processor.use_card(page, "visa")
        assert processor.gateway.read_page(page.reference) == closed(page)
    assert processor.amounts_taken(owner) == []


def test_a_page_whose_time_ran_out(processor: Processor) -> None:
    owner = customer(processor)
    checkout = a_checkout(owner)
    page = processor.gateway.open_checkout(checkout)
    processor.run_out(page)
    assert processor.gateway.read_page(page.reference) == closed(page)
    assert processor.gateway.close_page(page.reference) == closed(page)
    assert processor.gateway.find_payment(like(checkout), HOUR_S) is None
    with pytest.raises(PageClosed):
        processor.use_card(page, "visa")


def test_a_page_that_was_paid_just_now_stays_paid(processor: Processor) -> None:
    owner = customer(processor)
    page = processor.gateway.open_checkout(a_checkout(owner))
    processor.use_card(page, "visa")
    late = processor.gateway.close_page(page.reference)
    assert late == processor.gateway.read_page(page.reference)
    assert late.status is PageStatus.COMPLETE
    assert late.paid is not None
    assert late.card is not None


def test_closing_ends_what_the_page_had_begun(processor: Processor) -> None:
    owner = customer(processor)
    checkout = a_checkout(owner)
    page = processor.gateway.open_checkout(checkout)
    asked = processor.use_card(page, "authenticationRequired")
    assert asked is not None
    processor.gateway.close_page(page.reference)
    ended = Declined(DeclineReason.REFUSED, may_retry=False, reference=asked)
    assert found(processor, checkout) == ended
    assert processor.gateway.cancel_payment(asked) == ended
    processor.pass_challenge(asked)
    assert found(processor, checkout) == ended
    assert processor.amounts_taken(owner) == []


def test_a_pages_payment_ends_with_its_page_only(processor: Processor) -> None:
    owner = customer(processor)
    checkout = a_checkout(owner)
    page = processor.gateway.open_checkout(checkout)
    processor.use_card(page, "visa_chargeDeclined")
    declined = found(processor, checkout)
    assert isinstance(declined, Declined)
    assert declined.reference is not None
    assert isinstance(processor.gateway.cancel_payment(declined.reference), Unknown)
    card = saved(processor, owner).reference
    told = processor.gateway.authenticate(declined.reference, card, BACK, fresh("authenticate"))
    assert told == declined
    processor.use_card(page, "visa")
    assert found(processor, checkout) == Paid(declined.reference)
    assert processor.gateway.cancel_payment(declined.reference) == Paid(declined.reference)


def test_a_number_that_is_no_cards(sandbox: SandboxProcessor) -> None:
    page = sandbox.gateway.open_checkout(a_checkout(customer(sandbox)))
    assert page.url is not None
    typed = {"number": "4242 4242 4242 4241", "exp": "12 / 40", "cvc": "123"}
    assert requests.post(page.url, data=typed, timeout=5).status_code == 422
    assert sandbox.gateway.read_page(page.reference) == page


@dataclass(frozen=True, slots=True)
class Asked:
    """A payment that the bank wants to see the customer about, and whose it is."""

    owner: str
    card: str
    reference: str


@pytest.fixture
def asked(processor: Processor, charge_for: ChargeFor) -> Asked:
    owner = customer(processor)
    card = saved(processor, owner, "authenticationRequired").reference
    outcome = processor.gateway.charge(charge_for(owner, card))
    assert isinstance(outcome, NeedsAuthentication)
    assert outcome.url is None
    return Asked(owner, card, outcome.reference)


def authenticated(processor: Processor, asked: Asked, card: str = "") -> ChargeOutcome:
    """Authenticate with a new key, with the card of the payment unless another is named."""
    return processor.gateway.authenticate(
        asked.reference, card or asked.card, BACK, fresh("authenticate")
    )


def test_the_bank_is_asked_with_the_customer_there(processor: Processor, asked: Asked) -> None:
    key = fresh("authenticate")
    outcome = processor.gateway.authenticate(asked.reference, asked.card, BACK, key)
    assert isinstance(outcome, NeedsAuthentication)
    assert outcome.reference == asked.reference
    assert outcome.url is not None
    assert outcome.url.startswith("http")
    assert processor.gateway.authenticate(asked.reference, asked.card, BACK, key) == outcome
    assert processor.gateway.read_payment(asked.reference).outcome == outcome
    with pytest.raises(PaymentsUnavailable):
        processor.gateway.authenticate(asked.reference, asked.card, f"{BACK}/other", key)
    assert processor.amounts_taken(asked.owner) == []


def test_a_passed_challenge_pays(processor: Processor, asked: Asked) -> None:
    authenticated(processor, asked)
    processor.pass_challenge(asked.reference)
    processor.pass_challenge(asked.reference, ok=False)
    news = processor.gateway.read_payment(asked.reference)
    assert news.outcome == Paid(asked.reference)
    assert news.card is not None
    assert news.card.reference == asked.card
    assert authenticated(processor, asked) == Paid(asked.reference)
    assert processor.amounts_taken(asked.owner) == [(4900, "usd")]


def test_a_failed_challenge_may_be_tried_again(processor: Processor, asked: Asked) -> None:
    authenticated(processor, asked)
    processor.pass_challenge(asked.reference, ok=False)
    failed = processor.gateway.read_payment(asked.reference).outcome
    assert came_to(failed) == Refusal(
        DeclineReason.AUTHENTICATION_FAILED, "payment_intent_authentication_failure"
    )
    assert isinstance(authenticated(processor, asked), NeedsAuthentication)
    processor.pass_challenge(asked.reference)
    assert processor.gateway.read_payment(asked.reference).outcome == Paid(asked.reference)


@pytest.mark.parametrize(
    ("name", "refusal"),
    [
        ("threeDSecureRequiredChargeDeclined", GENERIC),
        ("authenticationRequiredChargeDeclinedInsufficientFunds", NO_FUNDS),
    ],
)
def test_authenticated_and_still_declined(
    processor: Processor, asked: Asked, name: str, refusal: Refusal
) -> None:
    card = saved(processor, asked.owner, name).reference
    assert isinstance(authenticated(processor, asked, card), NeedsAuthentication)
    processor.pass_challenge(asked.reference)
    assert came_to(processor.gateway.read_payment(asked.reference).outcome) == refusal
    assert processor.amounts_taken(asked.owner) == []


def test_another_card_may_need_no_bank(processor: Processor, asked: Asked) -> None:
    failing = saved(processor, asked.owner, "chargeCustomerFail").reference
    declined = authenticated(processor, asked, failing)
    assert came_to(declined) == GENERIC
    assert processor.gateway.read_payment(asked.reference).outcome == declined
    good = saved(processor, asked.owner).reference
    assert authenticated(processor, asked, good) == Paid(asked.reference)
    assert processor.amounts_taken(asked.owner) == [(4900, "usd")]


def test_a_card_that_cannot_be_authenticated(processor: Processor, asked: Asked) -> None:
    removed = saved(processor, asked.owner).reference
    processor.gateway.remove_card(removed)
    strangers = saved(processor, customer(processor)).reference
    for card in (removed, strangers, "pm_nothing"):
        outcome = authenticated(processor, asked, card)
        assert isinstance(outcome, Declined)
        assert (outcome.may_retry, outcome.reference) == (False, asked.reference)
    assert processor.amounts_taken(asked.owner) == []


def test_no_payment_to_go_on_with(processor: Processor) -> None:
    with pytest.raises(NotFound):
        processor.gateway.authenticate("pi_nothing", "pm_card_visa", BACK, fresh("authenticate"))
    with pytest.raises(NotFound):
        processor.gateway.cancel_payment("pi_nothing")


def test_a_cancelled_payment_takes_nothing(processor: Processor, asked: Asked) -> None:
    ended = Declined(DeclineReason.REFUSED, may_retry=False, reference=asked.reference)
    for _ in range(2):
        assert processor.gateway.cancel_payment(asked.reference) == ended
    assert authenticated(processor, asked) == ended
    assert processor.gateway.read_payment(asked.reference).outcome == ended
    assert processor.amounts_taken(asked.owner) == []


def test_a_payment_is_cancelled_under_the_banks_eyes(processor: Processor, asked: Asked) -> None:
    authenticated(processor, asked)
    ended = processor.gateway.cancel_payment(asked.reference)
    assert isinstance(ended, Declined)
    processor.pass_challenge(asked.reference)
    assert processor.gateway.read_payment(asked.reference).outcome == ended
    assert processor.amounts_taken(asked.owner) == []


def test_too_late_to_cancel(processor: Processor, charge_for: ChargeFor) -> None:
    owner = customer(processor)
    paid = processor.gateway.charge(charge_for(owner, "pm_card_visa"))
    assert isinstance(paid, Paid)
    assert processor.gateway.cancel_payment(paid.reference) == paid
    assert processor.amounts_taken(owner) == [(4900, "usd")]


def test_a_declined_payment_can_be_called_off(processor: Processor, charge_for: ChargeFor) -> None:
    declined = processor.gateway.charge(charge_for(customer(processor), "pm_card_chargeDeclined"))
    assert isinstance(declined, Declined)
    assert declined.reference is not None
    ended = Declined(DeclineReason.REFUSED, may_retry=False, reference=declined.reference)
    assert processor.gateway.cancel_payment(declined.reference) == ended


Pay = Callable[..., str]


@pytest.fixture
def pay(processor: Processor, charge_for: ChargeFor) -> Pay:
    """Makes payments of 49.00 with a test card."""

    def make(name: str = "visa") -> str:
        outcome = processor.gateway.charge(charge_for(customer(processor), f"pm_card_{name}"))
        assert isinstance(outcome, Paid)
        return outcome.reference

    return make


@pytest.mark.parametrize(("name", "first", "last", "returned"), REFUNDS)
def test_each_refund(
    processor: Processor,
    pay: Pay,
    name: str,
    first: RefundStatus,
    last: RefundStatus,
    returned: int,
) -> None:
    payment = pay(name)
    made = processor.gateway.refund(a_refund(payment))
    assert isinstance(made, Refunded)
    assert made.reference is not None
    assert (made.status, made.failure) == (first, "")
    news = processor.gateway.read_refund(made.reference)
    assert (news.stands, news.amount, news.payment_ref) == (made, Money(4900, "usd"), payment)
    if first is not last:
        processor.end_refunds(made.reference)
    ended = processor.gateway.read_refund(made.reference).stands
    assert (ended.reference, ended.status) == (made.reference, last)
    assert bool(ended.failure) == (last is FAILED)
    assert processor.amount_returned(payment) == returned
    again = processor.gateway.refund(a_refund(payment, 100))
    assert isinstance(again, Refunded)
    assert (again.reference is not None) == (last is FAILED), "what came back can go back again"


@pytest.mark.parametrize("name", ["createDispute", "createDisputeProductNotReceived"])
def test_a_disputed_payment_is_not_refunded(processor: Processor, pay: Pay, name: str) -> None:
    payment = pay(name)
    processor.wait_for_dispute(payment)
    told = processor.gateway.refund(a_refund(payment))
    assert isinstance(told, Refunded)
    assert (told.reference, told.status) == (None, FAILED)
    assert told.failure in ("charge_disputed", "refund_disputed_payment")
    assert processor.amount_returned(payment) == 0


def test_a_checkout_is_refunded_too(processor: Processor) -> None:
    page = processor.gateway.open_checkout(a_checkout(customer(processor)))
    processor.use_card(page, "visa")
    paid = processor.gateway.read_page(page.reference).paid
    assert paid is not None
    made = processor.gateway.refund(a_refund(paid.reference, 1000))
    assert isinstance(made, Refunded)
    assert made.status is SUCCEEDED
    assert processor.amount_returned(paid.reference) == 1000


def test_the_refunds_of_a_payment_are_listed_oldest_first(processor: Processor, pay: Pay) -> None:
    payment, other = pay(), pay()
    asked = [a_refund(payment, 1000), a_refund(other, 500), a_refund(payment, 300)]
    for refund in asked:
        processor.gateway.refund(refund)
    listed = processor.gateway.refunds_of(payment)
    assert [(news.amount.minor, news.payment_ref) for news in listed] == [
        (1000, payment), (300, payment),
    ]  # fmt: skip
    assert [news.labels for news in listed] == [asked[0].labels, asked[2].labels]


def test_a_refund_is_made_once_per_key(processor: Processor, pay: Pay) -> None:
    payment = pay()
    refund = a_refund(payment, 1000)
    made = processor.gateway.refund(refund)
    assert processor.gateway.refund(refund) == made
    with pytest.raises(PaymentsUnavailable):
        processor.gateway.refund(replace(refund, amount=Money(1001, "usd")))
    assert processor.amount_returned(payment) == 1000


def test_many_refunds_at_once_with_one_key_are_one(processor: Processor, pay: Pay) -> None:
    payment = pay()
    refund = a_refund(payment, 1000)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        outcomes = set(pool.map(processor.gateway.refund, [refund] * AT_ONCE))
    told = {outcome for outcome in outcomes if not isinstance(outcome, Unknown)}
    assert told == {processor.gateway.refund(refund)}
    assert processor.amount_returned(payment) == 1000


def test_no_more_goes_back_than_was_paid(processor: Processor, pay: Pay) -> None:
    payment = pay()
    assert isinstance(processor.gateway.refund(a_refund(payment, 1900)), Refunded)
    too_much = Refunded(None, FAILED, "amount_too_large")
    assert processor.gateway.refund(a_refund(payment, 3001)) == too_much
    rest = processor.gateway.refund(a_refund(payment, 3000))
    assert isinstance(rest, Refunded)
    assert rest.status is SUCCEEDED
    assert processor.gateway.refund(a_refund(payment, 1)) == Refunded(None, SUCCEEDED)
    assert processor.amount_returned(payment) == 4900


def test_a_refund_that_is_our_mistake(
    processor: Processor, pay: Pay, charge_for: ChargeFor
) -> None:
    declined = processor.gateway.charge(charge_for(customer(processor), "pm_card_chargeDeclined"))
    assert isinstance(declined, Declined)
    assert declined.reference is not None
    payment = pay()
    for wrong in (
        a_refund("pi_nothing"),
        a_refund(declined.reference),
        a_refund(payment, 0),
        a_refund(payment, -1),
    ):
        with pytest.raises(PaymentsUnavailable):
            processor.gateway.refund(wrong)
    assert processor.amount_returned(payment) == 0
    with pytest.raises(NotFound):
        processor.gateway.read_refund("re_nothing")
