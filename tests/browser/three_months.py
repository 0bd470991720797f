"""Three months in an account's life, as its owner lives them with the test clock."""

from __future__ import annotations

import io
from collections.abc import Callable

from playwright.sync_api import expect
from pypdf import PdfReader

from tests.browser.portal_pages import Portal

PACK, CONNECTOR = "100,000 message pack", "Zendesk connector"
MOVED_MS = 60_000
Taken = Callable[[], list[int]]
"""What was charged so far, oldest first, in minor units, by the processor's own books."""


def to_the_next_bill(portal: Portal) -> None:
    portal.open("clock")
    portal.page.get_by_role("button", name="To the next bill").click()
    expect(portal.page.locator("main")).to_contain_text("It is now", timeout=MOVED_MS)


def open_unpaid_invoice(portal: Portal) -> None:
    rows = portal.page.get_by_role("row").filter(has_text="Download PDF")
    rows.filter(has_text="To pay").get_by_role("link").first.click()


def live_three_months(portal: Portal, taken: Taken) -> list[int]:
    """Renewals and an expired pack; a decline and its recovery; a downgrade and its invoice.

    An account on a monthly plan above Starter, with one good card. Returns what the three bills
    came to.
    """
    for add_on in (PACK, CONNECTOR):
        portal.choose(add_on).click()
        expect(portal.page.locator("#purchases-receipt")).to_be_visible()
    bills = [_renew(portal, taken), _decline_and_recover(portal, taken)]
    _downgrade(portal)
    _make_default(portal, "Visa ending 4242")
    bills.append(_pay_what_was_foretold(portal, taken))
    portal.open("plans")
    expect(portal.page.locator("#plans-current")).to_contain_text("Starter")
    _read_the_last_invoice(portal, bills[-1])
    return bills


def _renew(portal: Portal, taken: Taken) -> int:
    bill = _pay_what_was_foretold(portal, taken)
    portal.open("add-ons/active")
    expect(portal.row(CONNECTOR)).to_contain_text("renews")
    expect(portal.page.locator("#active-history")).to_contain_text(PACK)
    return bill


def _decline_and_recover(portal: Portal, taken: Taken) -> int:
    """The amount that the bank declined, and that another card paid then."""
    _save_a_card_that_declines(portal)
    _make_default(portal, "Visa ending 0341")
    due, before = _foretold(portal), taken()
    to_the_next_bill(portal)
    expect(portal.page.locator("main")).to_contain_text("A payment is overdue")
    assert taken() == before
    portal.open("add-ons")
    expect(portal.card(PACK)).to_contain_text("An invoice is overdue")
    portal.page.get_by_role("link", name="See invoices and pay").click()
    open_unpaid_invoice(portal)
    expect(portal.page.locator("main")).to_contain_text("The bank declined the card")
    portal.page.get_by_label("Visa ending 4242").check()
    portal.page.get_by_role("button", name=f"Pay {due} now").click()
    expect(portal.page.locator("main")).to_contain_text("is paid. Thank you.")
    assert taken() == [*before, _minor(due)]
    portal.open("add-ons")
    expect(portal.card(PACK).get_by_role("link", name="Add to plan")).to_be_visible()
    return _minor(due)


def _downgrade(portal: Portal) -> None:
    portal.open("plans/starter/monthly")
    expect(portal.page.locator("main")).to_contain_text("At the end of your term, on 1 ")
    portal.page.get_by_role("button", name="Change on 1 ").click()
    expect(portal.page.locator("main")).to_contain_text("Your plan changes on 1 ")


def _read_the_last_invoice(portal: Portal, amount: int) -> None:
    portal.open("invoices")
    with portal.page.expect_download() as loading:
        portal.page.get_by_role("link", name="Download PDF").first.click()
    pages = PdfReader(io.BytesIO(loading.value.path().read_bytes())).pages
    said = "".join(page.extract_text() for page in pages)
    for part in ("Starter", CONNECTOR, f"${amount / 100:,.2f}"):
        assert part in said, said


def _pay_what_was_foretold(portal: Portal, taken: Taken) -> int:
    due, before = _minor(_foretold(portal)), taken()
    to_the_next_bill(portal)
    assert taken() == [*before, due]
    return due


def _foretold(portal: Portal) -> str:
    """What the next bill comes to, as its page says: $144.00."""
    portal.open("invoices/upcoming")
    total = portal.page.get_by_role("row").filter(has_text="To pay").first
    return total.get_by_role("cell").last.inner_text().strip()


def _minor(dollars: str) -> int:
    return int(dollars.removeprefix("$").replace(",", "").replace(".", ""))


def _save_a_card_that_declines(portal: Portal) -> None:
    portal.open("payment-methods")
    portal.page.get_by_role("button", name="Add a card").click()
    portal.page.get_by_role("button", name="Can be saved, never charged 0341").click()
    portal.page.get_by_role("button", name="Save card").click()


def _make_default(portal: Portal, name: str) -> None:
    portal.open("payment-methods")
    card = portal.page.get_by_role("article", name=name)
    card.get_by_role("button", name="Make default").click()
    expect(card).to_contain_text("Default")
