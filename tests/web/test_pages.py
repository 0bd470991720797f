"""Every page: whole and as a fragment, for those who may and those who may not."""

from __future__ import annotations

import pytest

from portal.domain.access import Role
from portal.domain.taxes import Tax
from tests.web.reading import HTMX

PAGES = {
    "/settings/billing/add-ons": "Add-ons",
    "/settings/billing/add-ons?cadence=recurring&text=sales": "Add-ons",
    "/settings/billing/add-ons/salesforce/purchase": "Confirm purchase",
    "/settings/billing/add-ons/messages_100k/purchase?quantity=3&auto_renew=on": "Confirm purchase",
    "/settings/billing/add-ons/active": "Active add-ons",
    "/settings/billing/usage": "Usage and quota",
    "/settings/billing/wallet": "Wallet",
    "/settings/billing/wallet?page=7": "Wallet",
    "/settings/billing/notifications": "Notifications",
    "/settings/billing/members": "Members",
    "/settings/billing/security": "Security",
    "/settings/billing/security/password": "Change password",
    "/settings/billing/security/two-step": "Two-step sign-in",
    "/settings/billing/auto-recharge": "Auto-recharge",
    "/settings/billing/auto-recharge/messages": "Auto-recharge for Messages",
    "/settings/billing/invoices": "Invoices",
    "/settings/billing/payment-methods": "Payment methods",
    "/settings/billing/payment-methods/1/remove": "Remove Visa ending 4242",
}


OWN = "/settings/billing/security"
HARMLESS = ("/sign-out", "/preferences/theme", "/preferences/language")


@pytest.fixture
def owner(world, visit):
    actor = world.account()
    visit.sign_in("owner@account1.test")
    return actor


@pytest.mark.parametrize("url", PAGES)
def test_a_page_whole_and_as_a_fragment(url, owner, visit):
    page = visit.get(url)
    assert visit.get(url).all("h1")[0].text.strip() == PAGES[url]
    part = visit.get(url, **HTMX)
    assert "<html" not in part.html
    root = next(e.get("id") for e in part.document.iter() if isinstance(e.tag, str) and e.get("id"))
    assert [e for e in page.document.iter() if e.get("id") == root], "the page holds its fragment"
    assert "HX-Request" in part.headers["Vary"]


@pytest.mark.parametrize("extra", [{"HX-Boosted": "true"}, {"HX-History-Restore-Request": "true"}])
def test_boosted_and_restored_loads_get_the_whole_page(extra, owner, visit):
    assert "<html" in visit.get("/settings/billing/add-ons", **(HTMX | extra)).html


@pytest.mark.parametrize("url", PAGES)
def test_signed_out_visitors_are_sent_to_sign_in_and_back(url, world, visit):
    world.account()
    reply = visit.get(url, 303)
    assert reply.headers["Location"].startswith("/sign-in?next=/settings/billing")
    part = visit.get(url, 401, **HTMX)
    assert part.headers["HX-Redirect"].startswith("/sign-in?next=")


@pytest.mark.parametrize("url", PAGES)
def test_a_member_sees_the_same_pages_and_is_told_why_not(url, world, visit):
    world.account(role=Role.MEMBER)
    visit.sign_in("owner@account1.test")
    page = visit.get(url)
    own = url.startswith(OWN)
    assert ("You can look, not change" in page.text) is not own
    for form in page.all("form", method="post"):
        harmless = form.get("action") in HARMLESS or own
        assert harmless or not form.findall(".//button"), form.get("action")


def test_headers_of_every_kind_of_reply(owner, visit):
    for url, status in (("/settings/billing/add-ons", 200), ("/nowhere", 404), ("/healthz", 200)):
        headers = visit.get(url, status).headers
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert headers["Cache-Control"] == "private, no-store"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"


def test_static_files_come_compressed_and_stay(visit, world):
    world.account()
    page = visit.get("/sign-in")
    css = next(e.get("href") for e in page.all("link", rel="stylesheet"))
    reply = visit.client.get(css, headers={"Accept-Encoding": "gzip"})
    assert reply.headers["Content-Encoding"] == "gzip"
    assert "immutable" in reply.headers["Cache-Control"]
    assert reply.mimetype == "text/css"
    plain = visit.client.get(css)
    assert "Content-Encoding" not in plain.headers
    assert len(plain.data) > 3 * len(reply.data)
    plain.close()
    reply.close()


def test_the_grid_filters_and_says_how_many(owner, visit):
    everything = visit.get("/settings/billing/add-ons").all("article")
    recurring = visit.get("/settings/billing/add-ons?cadence=recurring").all("article")
    once = visit.get("/settings/billing/add-ons?cadence=one-time").all("article")
    assert len(recurring) > 3 < len(once)
    assert len(recurring) + len(once) == len(everything)
    found = visit.get("/settings/billing/add-ons?text=salesforce")
    assert len(found.all("article")) == 1
    nothing = visit.get("/settings/billing/add-ons?text=submarine")
    assert nothing.all("article") == []
    assert "Clear filters" in nothing.text
    odd = visit.get("/settings/billing/add-ons?cadence=%01&category=zzz&text=" + "x" * 500)
    assert odd.all("article") == []


def test_an_owned_add_on_stays_visible_with_one_reason_and_one_way_out(owner, world, visit):
    world.buy(owner, "sla_support")
    card = visit.get("/settings/billing/add-ons").article("Priority SLA support")
    words = " ".join("".join(card.itertext()).split())
    assert "You have it already" in words
    (way_out,) = card.iter("a")
    assert way_out.get("href").startswith("/settings/billing/add-ons/active#instance-")


def test_drafts_are_invisible(owner, world, visit):
    draft = next(a for a in world.catalog().add_ons if a.status == "draft")
    assert draft.name not in visit.get("/settings/billing/add-ons").text
    visit.get(f"/settings/billing/add-ons/{draft.lookup_key}/purchase", 404)


@pytest.mark.parametrize("quantity", ["0", "-1", "101", "abc", "", "1.5", "9" * 30])
def test_a_bad_quantity_is_told_beside_the_field(quantity, owner, visit):
    url = f"/settings/billing/add-ons/messages_100k/purchase?quantity={quantity}&auto_renew=on"
    for headers in ({}, HTMX):
        reply = visit.get(url, 422, **headers)
        assert "Enter a whole number from 1 to 100" in reply.text
    assert not visit.get(url, 422).all("input", name="token")


@pytest.mark.parametrize("quantity", ["-1", "0", "abc"])
def test_a_bad_quantity_is_told_to_a_member_too(quantity, world, visit):
    world.account(role=Role.MEMBER)
    visit.sign_in("owner@account1.test")
    url = f"/settings/billing/add-ons/messages_100k/purchase?quantity={quantity}"
    assert "Enter a whole number from 1 to 100" in visit.get(url, 422).text


def test_an_option_left_out_of_the_url_has_its_default(owner, visit):
    page = visit.get("/settings/billing/add-ons/salesforce/purchase?auto_renew=off")
    assert "Pay $33.33 now" in page.text
    assert "1 May 2026" in page.text


def test_yen_have_no_decimals_and_tax_can_be_inside(world, visit):
    from decimal import Decimal

    tax = Tax(Decimal(10), True, "Consumption tax")
    world.account(
        plan="starter", price="starter_monthly_jpy", currency="jpy", zone="Asia/Tokyo", tax=tax
    )
    visit.sign_in("owner@account1.test")
    page = visit.get("/settings/billing/add-ons/messages_100k/purchase")
    assert "¥7,300" in page.text
    assert "." not in page.text[page.text.index("¥7,300") : page.text.index("¥7,300") + 8]
    assert "Consumption tax" in page.text
