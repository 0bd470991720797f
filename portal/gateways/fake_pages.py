"""The fake's hosted pages: the portal opens, reads and closes them, a test's customer fills in."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlsplit

from portal.domain.errors import NotFound, PaymentsUnavailable
from portal.domain.payments import (
    CardEntry,
    ChargeOutcome,
    Checkout,
    Declined,
    HostedPage,
    NeedsAuthentication,
    PageStatus,
    Paid,
    SavedCard,
)
from portal.gateways.fake_books import (
    FakeDesk,
    Page,
    Payment,
    check_amount,
    check_customer,
    unavailable,
)
from portal.gateways.fake_cards import (
    CARDS,
    FAILED_CHALLENGE,
    FAILED_CHALLENGE_OF_ENTRY,
    bank_page,
    card_behind,
    digest,
    reference_of,
    refusal,
)

SHORTEST_S, LONGEST_S = 30 * 60, 24 * 3600  # how long a page may stay open
SLACK_S = 60


class FakePages(FakeDesk):
    """Pages live by the clock only when a test gave one; else `expire_page` ends them."""

    def open_checkout(self, checkout: Checkout) -> HostedPage:
        def opened() -> HostedPage:
            check_amount(checkout.amount)
            return self._opened(checkout)

        return self._asked_once("open_checkout", checkout.key, checkout, opened, unavailable)

    def open_card_entry(self, entry: CardEntry) -> HostedPage:
        def opened() -> HostedPage:
            return self._opened(entry)

        return self._asked_once("open_card_entry", entry.key, entry, opened, unavailable)

    def read_page(self, reference: str) -> HostedPage:
        return self._asked("read_page", lambda: self._shown(reference), unavailable)

    def close_page(self, reference: str) -> HostedPage:
        def closed() -> HostedPage:
            self._expire(reference)
            return self._shown(reference)

        return self._asked("close_page", closed, unavailable)

    def pay_page(self, reference: str, card_name: str = "visa") -> ChargeOutcome:
        """Let the customer pay there; a refused card leaves the page open for another.

        Raises ValueError unless it is an open Checkout.
        """
        with self._lock:
            page = self._to_fill_in(reference)
            if not isinstance(page.asked, Checkout):
                raise ValueError(f"nothing is to be paid on {reference}")
            payment_ref = f"pi_{digest(page.asked.key)}"
            outcome = CARDS[card_name].on_session(payment_ref)
            card_ref = self._new_card(page, card_name)
            made = Payment(page.asked, outcome, self._wall_now(), card_ref, reference)
            self._books.payments[payment_ref] = made
            self._after_try(reference, card_ref, outcome)
            return outcome

    def save_on_page(
        self, reference: str, card_name: str = "visa"
    ) -> SavedCard | Declined | NeedsAuthentication:
        """Let the customer save a card there; a refused one leaves the page open for another.

        Raises ValueError unless it is an open card entry.
        """
        with self._lock:
            page = self._to_fill_in(reference)
            if not isinstance(page.asked, CardEntry):
                raise ValueError(f"{reference} is to be paid")
            card, card_ref = CARDS[card_name], self._new_card(page, card_name)
            if card.codes and not card.saves:
                return refusal(card.codes, None)
            if card.asks_when_saved:
                asked = f"seti_{digest(page.asked.key)}"
                self._books.pages[reference] = replace(page, trying=card_ref)
                return NeedsAuthentication(asked, bank_page(asked))
            self._complete(reference, card_ref)
            return self._card(card_ref)

    def expire_page(self, reference: str) -> None:
        """Let its time run out."""
        with self._lock:
            self._expire(reference)

    def pass_challenge(
        self, reference: str, ok: bool = True
    ) -> ChargeOutcome | SavedCard | HostedPage:
        """Let the customer succeed, or fail, at the bank's page; pressed twice, once is done.

        reference: as in NeedsAuthentication. Answers what became of the payment or the card,
        or the page where no card waits for the bank any more.
        """
        with self._lock:
            if reference in self._books.payments:
                return self._pay_after_challenge(reference, ok)
            for page_ref, page in self._books.pages.items():
                if reference == f"seti_{digest(page.asked.key)}":
                    return self._save_after_challenge(page_ref, page, ok)
            raise NotFound(f"the bank knows no {reference!r}")

    def _pay_after_challenge(self, reference: str, ok: bool) -> ChargeOutcome:
        payment = self._payment(reference)
        asked = payment.outcome
        card = card_behind(payment.card_ref)
        if not isinstance(asked, NeedsAuthentication) or asked.url is None or card is None:
            return asked
        outcome = card.settled(reference) if ok else refusal(FAILED_CHALLENGE, reference)
        self._books.payments[reference] = replace(payment, outcome=outcome)
        if payment.page:
            self._after_try(payment.page, payment.card_ref, outcome)
        return outcome

    def _save_after_challenge(
        self, page_ref: str, page: Page, ok: bool
    ) -> SavedCard | Declined | HostedPage:
        if not page.trying:
            return self._shown(page_ref)
        if not ok:
            self._books.pages[page_ref] = replace(page, trying="")
            return refusal(FAILED_CHALLENGE_OF_ENTRY, None)
        self._complete(page_ref, page.trying)
        return self._card(page.trying)

    def _opened(self, asked: Checkout | CardEntry) -> HostedPage:
        check_customer(asked.customer_ref)
        for url in (asked.return_url, asked.back_url):
            if urlsplit(url).scheme not in ("http", "https"):
                raise PaymentsUnavailable("url_invalid")
        left = asked.expires_at.timestamp() - self._wall_now()
        if self._timed and not SHORTEST_S - SLACK_S <= left <= LONGEST_S + SLACK_S:
            raise PaymentsUnavailable("expires_at must be 30 minutes to 24 hours ahead")
        reference = f"cs_{digest(asked.key)}"
        self._books.pages[reference] = Page(asked)
        return self._shown(reference)

    def _page(self, reference: str) -> Page:
        if reference not in self._books.pages:
            raise NotFound(f"No such checkout.session: {reference!r}")
        page = self._books.pages[reference]
        if self._timed and page.asked.expires_at.timestamp() <= self._wall_now():
            self._end(reference, page)
        return self._books.pages[reference]

    def _to_fill_in(self, reference: str) -> Page:
        page = self._page(reference)
        if page.status is not PageStatus.OPEN:
            raise ValueError(f"{reference} is {page.status}")
        return page

    def _new_card(self, page: Page, name: str) -> str:
        unique = f"page{digest(page.asked.key + name)}"
        return reference_of(name, page.asked.customer_ref, unique)

    def _after_try(self, reference: str, card_ref: str, outcome: ChargeOutcome) -> None:
        if isinstance(outcome, Paid):
            self._complete(reference, card_ref, outcome)

    def _complete(self, reference: str, card_ref: str, paid: Paid | None = None) -> None:
        self._books.pages[reference] = replace(
            self._books.pages[reference],
            status=PageStatus.COMPLETE,
            paid=paid,
            card_ref=card_ref,
            trying="",
        )

    def _expire(self, reference: str) -> None:
        self._end(reference, self._page(reference))

    def _end(self, reference: str, page: Page) -> None:
        """Close it while it is open, and with it the payment it had begun."""
        if page.status is not PageStatus.OPEN:
            return
        self._books.pages[reference] = replace(page, status=PageStatus.EXPIRED, trying="")
        begun = f"pi_{digest(page.asked.key)}"
        if begun in self._books.payments:
            self._called_off(begun)

    def _shown(self, reference: str) -> HostedPage:
        page = self._page(reference)
        asked = page.asked
        return HostedPage(
            reference=reference,
            status=page.status,
            url=f"https://checkout.test/{reference}" if page.status is PageStatus.OPEN else None,
            paid=page.paid,
            card=self._kept_card(page.card_ref),
            amount=asked.amount if isinstance(asked, Checkout) else None,
            customer_ref=asked.customer_ref,
            labels=dict(asked.labels),
        )
