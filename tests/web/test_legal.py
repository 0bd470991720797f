"""Paying buttons and what stands above them, by legal profile; and what is kept of a press."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine, select, text

from portal.domain.legal import CustomerType
from portal.models.consents import ConsentRow
from portal.models.mails import MailRow
from portal.models.purchases import PurchaseRow
from portal.services.verifying import verify
from tests.support.world import World
from tests.web.reading import Reply, Visitor

ADD_ONS = "/settings/billing/add-ons"
CONNECTOR = f"{ADD_ONS}/salesforce/purchase"
LATER = f"{CONNECTOR}?quantity=1&start=next_cycle&auto_renew=on"
PACK = f"{ADD_ONS}/messages_100k/purchase"
ACTIVE = f"{ADD_ONS}/active"
UPGRADE = "/settings/billing/plans/business/monthly"
DOWNGRADE = "/settings/billing/plans/starter/monthly"
MEMBERS = f"{ADD_ONS}/members_5/purchase"
QUANTITY = f"{ACTIVE}/1/quantity"
RECHARGE = "/settings/billing/auto-recharge/messages/consent"
VALUES = {"threshold": "10000", "pack": "messages_100k", "cap": "147.00", "cooldown": "10"}
COUNTRIES = {"consumer_us": "US", "consumer_uk": "GB", "consumer_eu": "FR", "consumer_de": "DE"}
OBLIGATION = "Order with obligation to pay – "
GERMAN = "Zahlungspflichtig bestellen – "


def enter(world: World, visit: Visitor, profile: str, **more: object):
    country = COUNTRIES[profile]
    actor = world.account(country=country, customer_type=CustomerType.CONSUMER, **more)
    visit.sign_in(f"owner@account{world.count}.test")
    return actor


def paying(page: Reply, action: str) -> str:
    """The words of the button that posts to `action`."""
    return page.words(next(form_at(page, action).iter("button")))


def form_at(page: Reply, action: str):
    found = [f for f in page.all("form", method="post") if f.get("action", "").endswith(action)]
    assert found, (action, [f.get("action") for f in page.all("form")])
    return found[-1]


def fields(page: Reply, action: str, *, ticked: bool = True) -> dict[str, str]:
    """What a browser sends: hidden fields, and the box where it is ticked."""
    form = form_at(page, action)
    sent = {
        field.get("name"): field.get("value", "")
        for field in form.iter("input")
        if field.get("type") == "hidden"
    }
    boxes = [field for field in form.iter("input") if field.get("type") == "checkbox"]
    assert all(box.get("checked") is None for box in boxes), "nothing is ticked beforehand"
    return sent | ({box.get("name"): box.get("value") for box in boxes} if ticked else {})


def plain(words: str) -> str:
    return words.replace("\N{NO-BREAK SPACE}", " ")


def consents(world: World, actor) -> list[ConsentRow]:
    with world.session() as session:
        mine = select(ConsentRow).filter_by(account_id=actor.account_id).order_by(ConsentRow.id)
        return list(session.scalars(mine))


def mailed(world: World, kind: str) -> list[str]:
    """What the mail repeats of what was agreed to."""
    with world.session() as session:
        mail = session.scalars(select(MailRow).filter_by(kind=kind)).one()
    return mail.notice["agreed"]


BUTTONS = {
    "consumer_us": {
        CONNECTOR: "Pay $33.33 now",
        LATER: "Agree to pay – $0.00 now, $50.00 on 1 May 2026",
        PACK: "Pay $49.00 now",
        UPGRADE: "Pay $199.33 now",
        DOWNGRADE: "Agree to pay – $0.00 now, $29.00 on 1 May 2026",
        RECHARGE: "Agree to pay up to $147.00 a month",
    },
    "consumer_eu": {
        CONNECTOR: f"{OBLIGATION}$33.33 now",
        LATER: f"{OBLIGATION}$0.00 now, $50.00 on 1 May 2026",
        PACK: f"{OBLIGATION}$49.00 now",
        UPGRADE: f"{OBLIGATION}$199.33 now",
        DOWNGRADE: f"{OBLIGATION}$0.00 now, $29.00 on 1 May 2026",
        RECHARGE: f"{OBLIGATION}up to $147.00 a month",
    },
    "consumer_de": {
        CONNECTOR: f"{GERMAN}33,33 $ jetzt",
        LATER: f"{GERMAN}0,00 $ jetzt, 50,00 $ am 01.05.2026",
        PACK: f"{GERMAN}49,00 $ jetzt",
        UPGRADE: f"{GERMAN}199,33 $ jetzt",
        DOWNGRADE: f"{GERMAN}0,00 $ jetzt, 29,00 $ am 01.05.2026",
        RECHARGE: f"{GERMAN}bis zu 147,00 $ im Monat",
    },
}
BUTTONS["consumer_uk"] = BUTTONS["consumer_eu"]


@pytest.mark.parametrize("profile", COUNTRIES)
def test_every_paying_button_names_the_duty_and_the_amount(profile, world, visit):
    enter(world, visit, profile)
    query = "&".join(f"{name}={value}" for name, value in VALUES.items())
    for url, words in BUTTONS[profile].items():
        page = visit.get(f"{url}?{query}" if url == RECHARGE else url)
        assert paying(page, url.partition("?")[0]) == words
        [button] = form_at(page, url.partition("?")[0]).iter("button")
        assert button.get("lang") == ("de" if words.startswith(GERMAN) else None)


@pytest.mark.parametrize("profile", COUNTRIES)
def test_without_the_box_nothing_is_bought_and_with_it_the_press_is_kept(profile, world, visit):
    actor = enter(world, visit, profile)
    page = visit.get(CONNECTOR)
    again = visit.post(CONNECTOR, fields(page, CONNECTOR, ticked=False), 422)
    assert "Please tick the box above the button" in again.text
    assert world.rows(PurchaseRow) == 0
    assert consents(world, actor) == []
    assert world.gateway.calls == []
    reply = visit.post(CONNECTOR, fields(again, CONNECTOR), 303)
    [kept] = consents(world, actor)
    assert (kept.profile, kept.subject) == (profile, "purchase:1")
    assert plain(kept.button) == BUTTONS[profile][CONNECTOR]
    assert kept.request
    assert kept.address == "127.0.0.1"
    for said in (*kept.statements, kept.request):
        assert plain(said) in again.text
    receipt = visit.get(reply.headers["Location"])
    assert "What you agreed to" in receipt.text
    assert kept.digest in receipt.text
    assert mailed(world, "purchased") == [*kept.statements, kept.request]
    visit.post(CONNECTOR, fields(again, CONNECTOR), 303)
    assert len(consents(world, actor)) == 1, "the same form twice is one press"


def test_a_business_sees_and_ticks_nothing_more_and_its_press_is_kept(world, visit):
    actor = world.account(country="DE")
    visit.sign_in("owner@account1.test")
    page = visit.get(CONNECTOR)
    assert paying(page, CONNECTOR) == "Pay $33.33 now"
    assert page.all("input", name="requested") == []
    visit.post(CONNECTOR, fields(page, CONNECTOR), 303)
    [kept] = consents(world, actor)
    assert (kept.profile, kept.button, kept.statements) == ("standard", "Pay $33.33 now", [])


def test_words_that_hold_no_longer_buy_nothing(world, visit):
    """The host says that the account is a consumer while the page is open."""
    actor = world.account()
    visit.sign_in("owner@account1.test")
    before = fields(visit.get(CONNECTOR), CONNECTOR)
    world.change(
        text(f"update accounts set customer_type = 'consumer' where id = {actor.account_id}")
    )
    page = visit.post(CONNECTOR, before | {"requested": "yes"}, 422)
    assert "Please read this page again" in page.text
    assert world.rows(PurchaseRow) == 0
    assert paying(page, CONNECTOR).startswith(OBLIGATION)


@pytest.mark.parametrize("url", [UPGRADE, DOWNGRADE])
def test_a_change_of_plan_needs_the_box_and_is_kept(url, world, visit):
    actor = enter(world, visit, "consumer_us")
    page = visit.get(url)
    visit.post(url, fields(page, url, ticked=False), 422)
    assert consents(world, actor) == []
    visit.post(url, fields(page, url), 303)
    [kept] = consents(world, actor)
    assert kept.button == BUTTONS["consumer_us"][url]
    assert kept.subject == ("purchase:1" if url == UPGRADE else "plan_change:1")
    assert mailed(world, "plan_changed") == [*kept.statements, kept.request]


def test_more_of_an_add_on_obliges_and_fewer_does_not(world, visit):
    actor = enter(world, visit, "consumer_de")
    world.buy(actor, "members_5", 2)
    more = visit.get(f"{QUANTITY}?quantity=3")
    assert paying(more, QUANTITY) == f"{GERMAN}30,00 $ jetzt"
    fewer = visit.get(f"{QUANTITY}?quantity=1")
    assert paying(fewer, QUANTITY) == "Change to 1 on 1 May 2026"
    visit.post(QUANTITY, fields(more, QUANTITY, ticked=False), 422)
    visit.post(QUANTITY, fields(more, QUANTITY), 303)
    assert [kept.subject for kept in consents(world, actor)] == ["purchase:2"]


def test_another_card_while_the_bank_asks_names_the_amount_and_is_kept(world, visit):
    actor = enter(world, visit, "consumer_de", card="pm_card_authenticationRequired")
    visit.post(CONNECTOR, fields(visit.get(CONNECTOR), CONNECTOR), 303)
    page = visit.get("/settings/billing/purchases/1")
    pay = "/purchases/1/pay"
    assert paying(page, pay) == BUTTONS["consumer_de"][CONNECTOR]
    sent = fields(page, pay)
    assert sent["card"] == "new"
    visit.post("/settings/billing/purchases/1/pay", sent, 303)
    first, second = consents(world, actor)
    assert (second.subject, plain(second.button)) == (first.subject, paying(page, pay))
    assert second.statements


def test_a_consent_that_somebody_changed_is_found(world, visit, world_database):
    enter(world, visit, "consumer_eu")
    visit.post(CONNECTOR, fields(visit.get(CONNECTOR), CONNECTOR), 303)
    with world.session() as session:
        assert verify(session, world.scope) == []
    owner = create_engine(world_database.owner_url)
    with owner.begin() as connection:
        connection.execute(text("update consents set button = 'Continue'"))
    owner.dispose()
    with world.session() as session:
        assert verify(session, world.scope) == [
            "consent 1 to purchase:1: its words are not those that were agreed to"
        ]
