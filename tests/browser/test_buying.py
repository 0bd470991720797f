"""The way this product exists for, in a real browser, with and without JavaScript."""

from __future__ import annotations

from decimal import Decimal

import pytest
from playwright.sync_api import expect

from portal.domain.access import Role
from portal.models.subscriptions import InstanceRow
from tests.browser.portal_pages import Portal

PACK, CONNECTOR = "100,000 message pack", "Salesforce connector"


@pytest.fixture(params=[True, False], ids=["script", "no script"])
def customer(request, stack, open_page) -> tuple[Portal, int]:
    """A fresh Growth account's owner, signed in, 20 of 30 days before the boundary."""
    actor = stack.world.account()
    portal = Portal(open_page(scripts=request.param), stack.url)
    return portal.sign_in(f"owner@account{stack.world.key_of(actor)}.test"), actor.account_id


def test_button_receipt_invoice_and_charge_say_the_same(customer, stack):
    portal, account = customer
    before = portal.open("usage").meter("Messages")
    for add_on, amount, minor in ((PACK, "$49.00", 4900), (CONNECTOR, "$33.33", 3333)):
        button = portal.choose(add_on)
        expect(button).to_have_text(f"Pay {amount} now")
        button.click()
        receipt = portal.page.locator("#purchases-receipt")
        expect(receipt).to_contain_text(amount)
        assert stack.charges(account)[-1] == (minor, "usd")
        if add_on == PACK:
            assert portal.meter("Messages") == before + Decimal(100_000)
        receipt.get_by_role("link", name="invoice").or_(
            receipt.locator("a[href*='/invoices/']")
        ).first.click()
        expect(portal.page.locator("main")).to_contain_text(amount)
    assert len(stack.charges(account)) == 2
    assert portal.open("usage").meter("Messages") == before + Decimal(100_000)
    portal.open("add-ons/active")
    expect(portal.row(PACK)).to_contain_text("1 May 2026")
    expect(portal.row(CONNECTOR)).to_contain_text("$50.00")


def test_auto_renew_off_and_on_again_then_cancel_and_keep(customer, stack):
    portal, account = customer
    portal.choose(CONNECTOR).click()
    expect(portal.page.locator("#purchases-receipt")).to_be_visible()
    portal.open("add-ons/active")
    switch = portal.row(CONNECTOR).get_by_role("switch", name="Auto-renew")
    expect(switch).to_have_attribute("aria-checked", "true")
    switch.click()
    expect(switch).to_have_attribute("aria-checked", "false")
    expect(portal.row(CONNECTOR)).to_contain_text("1 May 2026")
    switch.click()
    expect(switch).to_have_attribute("aria-checked", "true")
    portal.row(CONNECTOR).get_by_role("link", name="Cancel").click()
    expect(portal.page.locator("main")).to_contain_text("1 May 2026")
    portal.page.locator("main").get_by_role("button", name="Cancel").click()
    keep = portal.row(CONNECTOR).get_by_role("button", name="Keep")
    keep.click()
    expect(portal.row(CONNECTOR).get_by_role("link", name="Cancel")).to_be_visible()
    assert len(stack.charges(account)) == 1


def test_a_double_click_pays_once(customer, stack):
    portal, account = customer
    portal.choose(CONNECTOR).dblclick(no_wait_after=True)
    expect(portal.page.locator("#purchases-receipt")).to_contain_text("$33.33")
    assert stack.charges(account) == [(3333, "usd")]


def test_back_and_pay_again_shows_the_same_purchase(customer, stack):
    portal, account = customer
    portal.choose(CONNECTOR).click()
    expect(portal.page.locator("#purchases-receipt")).to_be_visible()
    portal.page.go_back()
    again = portal.page.get_by_role("button", name="Pay $33.33 now")
    if again.count():
        again.click()
    assert stack.charges(account) == [(3333, "usd")]


def test_the_preview_follows_quantity_and_renewal(customer, stack):
    portal, _ = customer
    portal.choose(PACK)
    portal.page.get_by_label("Quantity").fill("3")
    update = portal.page.get_by_role("button", name="Update")
    if update.is_visible():
        update.click()
    expect(portal.paying_button).to_have_text("Pay $147.00 now")
    expect(portal.page.locator("#addons-preview")).to_contain_text("300,000")


def test_a_declined_card_ends_in_words_and_a_way_on(stack, open_page):
    for scripts in (True, False):
        actor = stack.world.account(card="pm_card_chargeCustomerFail")
        portal = Portal(open_page(scripts=scripts), stack.url)
        portal.sign_in(f"owner@account{stack.world.key_of(actor)}.test")
        portal.choose(CONNECTOR).click()
        alert = portal.page.get_by_role("alert").first
        expect(alert).to_contain_text("The payment did not go through")
        expect(portal.page.get_by_role("button", name="Pay $33.33 now")).to_be_enabled()
        assert stack.charges(actor.account_id) == []
        assert stack.world.state(actor).held == ()


def test_two_tabs_buy_once(stack, open_page):
    actor = stack.world.account()
    page = open_page()
    first = Portal(page, stack.url).sign_in(f"owner@account{stack.world.key_of(actor)}.test")
    second = Portal(page.context.new_page(), stack.url)
    first.choose(CONNECTOR)
    second.choose(CONNECTOR)
    first.paying_button.click()
    expect(first.page.locator("#purchases-receipt")).to_be_visible()
    second.paying_button.click()
    expect(
        second.page.get_by_role("alert").or_(second.page.get_by_role("status")).first
    ).to_be_visible()
    expect(second.page.locator("main")).to_contain_text("You have it already")
    assert stack.charges(actor.account_id) == [(3333, "usd")]
    assert stack.world.rows(InstanceRow, account_id=actor.account_id) == 1


def test_a_member_looks_and_is_told_why_not(stack, open_page):
    owner = stack.world.account()
    mail = f"member{owner.account_id}@portal.test"
    stack.world.member(owner.account_id, mail, Role.MEMBER)
    portal = Portal(open_page(), stack.url).sign_in(mail)
    button = portal.card(CONNECTOR).get_by_role("button", name="Add to plan")
    expect(button).to_be_disabled()
    expect(portal.card(CONNECTOR)).to_contain_text("Your role may look but not buy")
    portal.open("add-ons/salesforce/purchase")
    expect(portal.page.get_by_role("button", name="Pay $33.33 now")).to_be_disabled()
    csrf = portal.page.locator("meta[name=csrf-token]").get_attribute("content")
    forged = portal.page.request.post(
        f"{stack.url}/settings/billing/add-ons/salesforce/purchase",
        form={"csrf_token": csrf or "", "token": "anything"},
        headers={"Referer": stack.url},
    )
    assert forged.status == 403
    assert stack.charges(owner.account_id) == []


def test_webhooks_arrive_and_change_nothing_that_is_settled(customer, stack):
    from portal.models.events import StripeEventRow

    portal, account = customer
    portal.choose(PACK).click()
    expect(portal.page.locator("#purchases-receipt")).to_be_visible()
    with stack.world.session() as session:
        arrived = lambda: session.query(StripeEventRow).filter_by(type="payment_intent.succeeded")  # noqa: E731
        for _ in range(100):
            session.rollback()
            if arrived().count() and all(row.processed_at for row in arrived()):
                break
            portal.page.wait_for_timeout(50)
        assert all(row.processed_at for row in arrived())
        assert arrived().count() >= 1
    assert stack.charges(account) == [(4900, "usd")]
