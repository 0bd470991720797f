"""Every page, in both themes and at three widths: axe, sideways scroll, silence of the console."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from portal.domain.access import Role
from tests.browser.portal_pages import Portal
from tests.browser.soundness import axe, sideways, sound

PAGES = (
    "add-ons",
    "add-ons?text=submarine",
    "add-ons/salesforce/purchase",
    "add-ons/messages_100k/purchase?quantity=3&auto_renew=on",
    "add-ons/messages_100k/purchase?quantity=0&auto_renew=on",
    "add-ons/active",
    "add-ons/active/{recurring}/cancel",
    "usage",
    "wallet",
    "notifications",
    "members",
    "members/leave",
    "security",
    "security/password",
    "security/two-step",
    "activity",
    "activity?kind=money&since=2031-01-01",
    "invoices",
    "invoices/{invoice}",
    "purchases/{purchase}",
    "payment-methods",
    "payment-methods/{card}/remove",
    "nothing-here",
)


@pytest.fixture(scope="module")
def holder(stack) -> dict[str, Any]:
    """An account with one of everything: packs, an alert, a cancelled one, tax, invoices."""
    from datetime import timedelta
    from decimal import Decimal

    from portal.domain.taxes import Tax
    from portal.domain.usage import Usage
    from portal.models.accounts import PaymentMethodRow
    from portal.models.invoices import InvoiceRow
    from portal.services import instances, usage

    world = stack.world
    actor = world.account(tax=Tax(Decimal(20), False, "VAT"))
    for add_on in ("messages_100k", "salesforce", "zendesk", "members_5", "sms_10k"):
        world.buy(actor, add_on)
    held = {i.add_on.lookup_key: i.id for i in world.state(actor).held}
    with world.session() as session:
        instances.cancel(actor, held["zendesk"], "Trying out", session=session, wall=world.wall)
        reported = [
            *(
                Usage(f"m{n}", "messages", Decimal(24_000), world.now - timedelta(days=n), by)
                for n, by in ((1, {"channel": "Website"}), (2, {"channel": "E-mail"}), (3, {}))
            ),
            Usage("o", "members", Decimal(9), world.now - timedelta(days=6)),
            Usage("s", "sms", Decimal(40), world.now),
        ]
        usage.count(session, world.scope, actor.account_id, reported, world.wall)
        level = Usage("p", "members", Decimal(12), world.now)
        usage.ingest(session, world.scope, actor.account_id, [level], wall=world.wall)
        invoice = session.query(InvoiceRow).filter_by(account_id=actor.account_id).first()
        cards = session.query(PaymentMethodRow.id).filter_by(account_id=actor.account_id)
        card = cards.scalar()
    mail = "looker@portal.test"
    world.member(actor.account_id, mail, Role.MEMBER)
    return {
        "owner": f"owner@account{world.key_of(actor)}.test",
        "member": mail,
        "recurring": held["salesforce"],
        "invoice": invoice.number,
        "purchase": invoice.purchase_id,
        "card": card,
    }


def test_every_page_is_sound_for_who_may_only_look(stack, holder, open_page):
    portal = Portal(open_page(width=390), stack.url).sign_in(holder["member"])
    for path in PAGES:
        portal.open(path.format(**holder))
        assert sideways(portal.page) <= 0, path
        assert axe(portal.page) == [], path


def test_every_page_is_sound(stack, holder, open_page):
    portal = Portal(open_page(), stack.url)
    portal.page.goto(f"{stack.url}/sign-in")
    sound(portal.page)
    portal.sign_in(holder["owner"])
    for path in PAGES:
        portal.open(path.format(**holder))
        sound(portal.page)
        portal.page.evaluate("document.documentElement.dir = 'rtl'")
        portal.page.set_viewport_size({"width": 320, "height": 900})
        assert sideways(portal.page) <= 0, (path, "right to left")


def test_what_goes_wrong_looks_sound_too(stack, open_page):
    """A declined card, an expired price, and a bank that does not answer."""
    declining = stack.world.account(card="pm_card_chargeCustomerFail")
    portal = Portal(open_page(), stack.url)
    portal.sign_in(f"owner@account{stack.world.key_of(declining)}.test")
    portal.choose("Salesforce connector").click()
    expect(portal.page.get_by_role("alert").first).to_contain_text("did not go through")
    sound(portal.page)
    portal.choose("10,000 message pack")
    portal.page.locator("[name=token]").evaluate("field => field.value = 'tampered'")
    portal.paying_button.click()
    expect(portal.page.locator("main")).to_contain_text("Please check the price again")
    sound(portal.page)
    waiting = stack.world.account()
    portal = Portal(open_page(scripts=False), stack.url)
    portal.sign_in(f"owner@account{stack.world.key_of(waiting)}.test")
    portal.choose("Salesforce connector")
    stack.break_next("POST /v1/payment_intents", "429")
    portal.paying_button.click()
    expect(portal.page.locator("main")).to_contain_text("not been charged twice")
    look = Portal(open_page(), stack.url)
    look.sign_in(f"owner@account{stack.world.key_of(waiting)}.test")
    look.page.goto(portal.page.url)
    sound(look.page)
    portal.page.get_by_role("button", name="Check again").click()
    expect(portal.page.locator("#purchases-receipt")).to_contain_text("$33.33")
    assert stack.charges(waiting.account_id) == [(3333, "usd")]


def test_a_printed_receipt_has_no_controls(stack, holder, open_page):
    portal = Portal(open_page(), stack.url).sign_in(holder["owner"])
    portal.open("purchases/{purchase}".format(**holder))
    portal.page.emulate_media(media="print")
    expect(portal.page.get_by_role("navigation", name="Billing")).to_be_hidden()
    expect(portal.page.get_by_role("button", name="Sign out")).to_be_hidden()
    expect(portal.page.locator("#purchases-receipt")).to_contain_text("$58.80")


def test_the_chosen_theme_beats_the_systems(stack, holder, open_page):
    portal = Portal(open_page(scheme="light"), stack.url).sign_in(holder["owner"])
    portal.page.get_by_role("button", name="Dark theme").click()
    expect(portal.page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    ground = portal.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert max(int(part) for part in ground[4:-1].split(",")[:3]) < 90
    assert axe(portal.page) == []


def test_the_keyboard_alone_reaches_the_payment(stack, open_page):
    actor = stack.world.account()
    mail = f"owner@account{stack.world.key_of(actor)}.test"
    portal = Portal(open_page(), stack.url).sign_in(mail)
    portal.open("add-ons/salesforce/purchase")
    for _ in range(60):
        portal.page.keyboard.press("Tab")
        focused = portal.page.evaluate("document.activeElement.textContent.trim()")
        if focused == "Pay $33.33 now":
            break
    portal.page.keyboard.press("Enter")
    expect(portal.page.locator("#purchases-receipt")).to_contain_text("$33.33")
    assert stack.charges(actor.account_id) == [(3333, "usd")]


def test_after_sign_out_the_back_button_shows_nothing(stack, holder, open_page):
    portal = Portal(open_page(), stack.url).sign_in(holder["owner"])
    portal.open("invoices")
    portal.page.get_by_role("button", name="Sign out").click()
    expect(portal.page.get_by_label("Password")).to_be_visible()
    portal.page.go_back()
    expect(portal.page.get_by_label("Password")).to_be_visible()
