"""The payment methods page: cards as a member sees, adds, chooses and removes them."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import update

from portal.domain.access import Role
from portal.gateways.fake_payments import Fault
from portal.models.accounts import PaymentMethodRow
from portal.models.subscriptions import SubscriptionRow
from tests.support.cards import add, begin, expire, live, rows, sync
from tests.web.reading import HTMX, Reply

URL = "/settings/billing/payment-methods"


@pytest.fixture
def owner(world, visit):
    actor = world.account()
    visit.sign_in("owner@account1.test")
    return actor


def token(page: Reply) -> dict[str, str]:
    return {"csrf_token": page.hidden("csrf_token")}


def words(page: Reply, name: str) -> str:
    return page.words(page.article(name))


def controls(page: Reply, name: str) -> dict[str, bool]:
    """The controls of a card and whether each can be used."""
    article = page.article(name)
    found = {page.words(b): b.get("disabled") is None for b in article.iter("button")}
    return found | {page.words(a): True for a in article.iter("a")}


def page_of(reply: Reply) -> str:
    """The reference of the hosted page that a reply leads to."""
    return urlsplit(reply.headers["Location"]).path.strip("/")


def test_the_default_card_says_what_renews_on_it_and_why_it_stays(owner, world, visit):
    world.buy(owner, "salesforce")
    page = visit.get(URL)
    said = words(page, "Visa ending 4242")
    assert "Default" in said
    assert re.search(r"Expires 12/20\d\d · saved on 11 Apr 2026", said)
    assert re.search(r"Growth ?1 May 2026 for \$99\.00", said)
    assert re.search(r"Salesforce connector ?1 May 2026 for \$50\.00", said)
    assert (
        "Growth renews on it on 1 May 2026 for $99.00, and 1 more."
        " Make another card the default first." in said
    )
    assert controls(page, "Visa ending 4242") == {"Remove Visa ending 4242": False}
    (current,) = page.all("a", aria_current="page")
    assert page.words(current) == "Payment methods"


def test_a_disabled_control_is_described_by_its_reason(owner, visit):
    page = visit.get(URL)
    (button,) = [b for b in page.all("button") if b.get("disabled") is not None]
    (why,) = [e for e in page.all("p") if e.get("id") == button.get("aria-describedby")]
    assert "renews on it" in page.words(why)


def test_adding_a_card_from_the_button_to_the_list(owner, world, visit):
    reply = visit.post(f"{URL}/add", token(visit.get(URL)), 303)
    assert reply.headers["Location"].startswith("https://checkout.test/")
    asked = world.gateway._books.pages[page_of(reply)].asked
    assert (
        asked.return_url == f"http://127.0.0.1:8420{URL}/return?session_id={{CHECKOUT_SESSION_ID}}"
    )
    assert asked.back_url == f"http://127.0.0.1:8420{URL}"
    world.gateway.save_on_page(page_of(reply), "mastercard")
    back = f"{URL}/return?session_id={page_of(reply)}"
    assert visit.get(back, 303).headers["Location"] == URL
    page = visit.get(URL)
    assert "Mastercard ending 4444 was added." in page.text
    assert controls(page, "Mastercard ending 4444") == {
        "Make default Mastercard ending 4444": True,
        "Remove Mastercard ending 4444": True,
    }
    assert live(world, owner) == [("4242", True), ("4444", False)]


def test_htmx_leaves_for_the_processors_page(owner, visit):
    reply = visit.post(f"{URL}/add", token(visit.get(URL)), 204, **HTMX)
    assert reply.headers["HX-Redirect"].startswith("https://checkout.test/")


def test_the_first_card_is_said_to_be_the_default(world, visit):
    actor = world.account(card=None)
    visit.sign_in("owner@account1.test")
    empty = visit.get(URL)
    assert "No cards yet" in empty.text
    assert [empty.words(b) for b in empty.all("button") if "card" in empty.words(b)] == [
        "Add a card"
    ]
    reply = visit.post(f"{URL}/add", token(empty), 303)
    world.gateway.save_on_page(page_of(reply))
    visit.get(f"{URL}/return?session_id={page_of(reply)}", 303)
    assert "Visa ending 4242 was added; it is the default." in visit.get(URL).text
    assert live(world, actor) == [("4242", True)]


def test_the_same_card_again_is_said_in_words(owner, world, visit):
    world.pass_time(minutes=5)
    page = begin(world, owner)
    world.gateway.save_on_page(page)
    visit.get(f"{URL}/return?session_id={page}", 303)
    said = visit.get(URL).text
    assert "Visa ending 4242 was saved already; its details were renewed." in said
    assert len(visit.get(URL).all("article")) == 1


def test_a_card_that_went_again_is_said_too(owner, world, visit):
    page = begin(world, owner)
    saved = world.gateway.save_on_page(page, "mastercard")
    world.gateway.remove_card(saved.reference)
    visit.get(f"{URL}/return?session_id={page}", 303)
    assert "has been removed again since" in visit.get(URL).text


def test_coming_back_too_early_leads_on_and_too_late_says_so(owner, world, visit):
    page = begin(world, owner)
    back = f"{URL}/return?session_id={page}"
    early = visit.get(back)
    assert "Not finished" in early.text
    (on,) = early.all("a", href=f"https://checkout.test/{page}")
    assert early.words(on) == "Go on"
    world.gateway.expire_page(page)
    late = visit.get(back)
    assert "That page has expired" in late.text
    assert [f for f in late.all("form", method="post") if f.get("action") == f"{URL}/add"]


@pytest.mark.parametrize(
    "query",
    ["", "?session_id=", "?session_id=../../x", "?session_id=%01", "?session_id=%D9%A1",
     "?session_id=" + "a" * 400, "?session_id={CHECKOUT_SESSION_ID}"],
)  # fmt: skip
def test_what_is_no_reference_is_not_even_asked_about(query, owner, world, visit):
    world.gateway.fail_next("read_page", Fault.OUTAGE)
    assert "There is nothing here" in visit.get(f"{URL}/return{query}", 404).text


def test_an_unknown_page_is_not_found(owner, visit):
    visit.get(f"{URL}/return?session_id=cs_nonsense", 404)


def test_another_accounts_page_and_cards_are_not_found(owner, world, visit):
    other = world.account()
    add(world, other, "mastercard")
    page = begin(world, other)
    world.gateway.save_on_page(page, "mastercard")
    visit.get(f"{URL}/return?session_id={page}", 404)
    sent = token(visit.get(URL))
    for card in rows(world, other):
        visit.get(f"{URL}/{card.id}/remove", 404)
        for way in ("default", "remove"):
            visit.post(f"{URL}/{card.id}/{way}", sent, 404)
    for number in (0, 2**63 - 1, 2**63, "9" * 5000):
        visit.get(f"{URL}/{number}/remove", 404)
        visit.post(f"{URL}/{number}/default", sent, 404)
    assert live(world, other) == [("4242", True), ("4444", False)]


def test_making_a_card_the_default_whole_and_as_a_fragment(owner, world, visit):
    second = add(world, owner, "mastercard")
    first = rows(world, owner)[0].id
    sent = token(visit.get(URL))
    visit.post(f"{URL}/{second}/default", sent, 303)
    page = visit.get(URL)
    assert "Mastercard ending 4444 is the default now." in page.text
    assert "Renews on this card" in words(page, "Mastercard ending 4444")
    assert "Renews on this card" not in words(page, "Visa ending 4242")
    part = visit.post(f"{URL}/{first}/default", sent, 200, **HTMX)
    assert part.html.lstrip().startswith('<div id="payment_methods-list">')
    assert "Visa ending 4242 is the default now." in part.text
    assert "Default" in words(part, "Visa ending 4242")
    assert live(world, owner) == [("4242", True), ("4444", False)]


def test_an_expired_card_cannot_be_made_the_default(owner, world, visit):
    second = add(world, owner, "mastercard")
    expire(world, second)
    page = visit.get(URL)
    said = words(page, "Mastercard ending 4444")
    assert "Expired 03/2026" in said
    assert "An expired card cannot be the default" in said
    assert controls(page, "Mastercard ending 4444") == {
        "Make default Mastercard ending 4444": False,
        "Remove Mastercard ending 4444": True,
    }
    part = visit.post(f"{URL}/{second}/default", token(page), 200, **HTMX)
    (news,) = part.all("div", class_="alert alert-warning")
    assert "has expired, so it cannot be the default" in part.words(news)
    assert live(world, owner) == [("4242", True), ("4444", False)]


def test_a_default_that_expired_or_expires_soon_is_pointed_at(owner, world, visit):
    (card,) = rows(world, owner)
    mine = update(PaymentMethodRow).where(PaymentMethodRow.id == card.id)
    world.change(mine.values(exp_month=5, exp_year=2026))
    page = visit.get(URL)
    assert "Expires soon" in words(page, "Visa ending 4242")
    assert "Your default card has expired" not in page.text
    world.change(mine.values(exp_month=3))
    page = visit.get(URL)
    assert "Expired" in words(page, "Visa ending 4242")
    assert "Your default card has expired" in page.text


def test_no_default_is_pointed_at(owner, world, visit):
    second = add(world, owner, "mastercard")
    world.gateway.remove_card(rows(world, owner)[0].stripe_payment_method_id)
    sync(world, rows(world, owner)[0].stripe_payment_method_id)
    page = visit.get(URL)
    assert "No card is the default" in page.text
    visit.post(f"{URL}/{second}/default", token(page), 303)
    assert "No card is the default" not in visit.get(URL).text


def test_removing_asks_first(owner, world, visit):
    second = add(world, owner, "mastercard")
    asked = visit.get(f"{URL}/{second}/remove")
    assert "It cannot be charged any more" in asked.text
    assert live(world, owner)[-1] == ("4444", False)
    visit.post(f"{URL}/{second}/remove", token(asked), 303)
    page = visit.get(URL)
    assert "Mastercard ending 4444 was removed." in page.text
    assert len(page.all("article")) == 1
    visit.get(f"{URL}/{second}/remove", 404)
    visit.post(f"{URL}/{second}/remove", token(asked), 303)


def test_what_renews_refuses_the_removal_on_its_page_too(owner, world, visit):
    (card,) = rows(world, owner)
    asked = visit.get(f"{URL}/{card.id}/remove")
    assert "It cannot be removed now" in asked.text
    reply = visit.post(f"{URL}/{card.id}/remove", token(asked), 422)
    assert "Growth renews on it on 1 May 2026 for $99.00. Make another card" in reply.text
    assert live(world, owner) == [("4242", True)]


def test_the_last_card_of_an_account_without_a_plan_can_go(owner, world, visit):
    mine = SubscriptionRow.account_id == owner.account_id
    world.change(update(SubscriptionRow).where(mine).values(ended_at=world.now))
    asked = visit.get(f"{URL}/1/remove")
    assert "None, until you choose or add one" in asked.text
    visit.post(f"{URL}/1/remove", token(asked), 303)
    assert "No cards yet" in visit.get(URL).text


def test_a_processor_that_is_down_changes_nothing_and_says_so(owner, world, visit):
    second = add(world, owner, "mastercard")
    sent = token(visit.get(URL))
    world.gateway.fail_next("remove_card", Fault.OUTAGE)
    reply = visit.post(f"{URL}/{second}/remove", sent, 503)
    assert "Payments are not available at the moment" in reply.text
    world.gateway.fail_next("open_card_entry", Fault.OUTAGE)
    visit.post(f"{URL}/add", sent, 503)
    assert live(world, owner) == [("4242", True), ("4444", False)]


def test_a_member_sees_everything_and_is_told_why_nothing_can_be_done(world, visit):
    owner = world.account()
    second = add(world, owner, "mastercard")
    page = begin(world, owner)
    world.member(owner.account_id, "member@cards.test", Role.MEMBER)
    visit.sign_in("member@cards.test")
    shown = visit.get(URL)
    assert re.search(r"Growth ?1 May 2026 for \$99\.00", words(shown, "Visa ending 4242"))
    for name in ("Visa ending 4242", "Mastercard ending 4444"):
        assert "Your role may look at billing but not change it" in words(shown, name)
        assert not any(controls(shown, name).values())
    (add_button,) = [b for b in shown.all("button") if shown.words(b) == "Add a card"]
    assert add_button.get("disabled") is not None
    for path in (f"{second}/remove", f"return?session_id={page}"):
        looked = visit.get(f"{URL}/{path}")
        own = [f.get("action") for f in looked.all("form", method="post")]
        assert set(own) == {"/sign-out", "/preferences/theme", "/preferences/language"}, path
    sent = token(shown)
    for way in ("add", f"{second}/default", f"{second}/remove"):
        visit.post(f"{URL}/{way}", sent, 403)
        visit.post(f"{URL}/{way}", {}, 400)
    assert live(world, owner) == [("4242", True), ("4444", False)]


def test_nobody_is_let_in_without_signing_in(world, visit):
    world.account()
    for path in ("", "/return?session_id=cs_x", "/1/remove"):
        target = visit.get(f"{URL}{path}", 303).headers["Location"]
        assert parse_qs(urlsplit(target).query)["next"] == [f"{URL}{path}"]
