"""The wallet, the notices about use, and the page where a member chooses mails."""

from __future__ import annotations

import csv
from datetime import timedelta
from io import StringIO

import pytest
from sqlalchemy import update

from portal.domain.access import Role
from portal.models.catalog import AddOnRow
from portal.models.subscriptions import SubscriptionRow
from portal.services.mail_choices import choices_of
from tests.services.test_wallet import grant
from tests.services.using import give, report, used
from tests.web.reading import HTMX, Visitor

BASE = "/settings/billing"
WALLET, CHOICES = f"{BASE}/wallet", f"{BASE}/notifications"
HOSTILE = '=HYPERLINK("http://x")'


@pytest.fixture
def actor(world, visit):
    actor = world.account()
    visit.sign_in("owner@account1.test")
    return actor


def alerts(page) -> str:
    found = [e for e in page.all("div") if e.get("id") == "layouts-alerts"]
    return page.words(found[0]) if found else ""


def test_an_empty_wallet_leads_to_what_brings_credits(actor, visit):
    page = visit.get(WALLET)
    assert "No credits now" in page.text
    assert "Ledger" not in page.text
    links = {page.words(a): a.get("href") for a in page.all("a")}
    assert links["Buy 10,000 SMS credits"] == f"{BASE}/add-ons/sms_10k/purchase"
    assert links["Wallet"] == WALLET


@pytest.fixture
def reader(actor, world, app) -> Visitor:
    """A signed-in member of the same account who may only look."""
    world.member(actor.account_id, "reader@x.test", Role.MEMBER)
    reader = Visitor(app.test_client())
    reader.sign_in("reader@x.test")
    return reader


def test_a_member_who_may_not_buy_is_led_to_the_add_ons(reader):
    assert "Buy " not in reader.get(WALLET).text
    assert "See add-ons" in reader.get(WALLET).text


def test_credits_their_order_their_ends_and_their_ledger(actor, world, visit):
    world.buy(actor, "sms_10k")
    grant(world, actor, "soon", 400, world.now + timedelta(days=20))
    report(world, actor, used("sms", 7, world.now))
    world.pass_time(days=1)
    visit.sign_in("owner@account1.test")
    page = visit.get(WALLET)
    rows = [page.words(row) for row in page.all("tr")]
    assert rows[1] == "Your plan since 11 Apr 2026 393 of 400 1 May 2026 260 will expire unused"
    assert rows[2].endswith("10,000 of 10,000 Never Nothing expires")
    assert "260 will expire unused at today's pace" in page.text
    assert "7 a day, after one whole day." in page.text
    assert rows[4:] == [
        "11 Apr 2026 Used: SMS credits -7 10,393",
        "11 Apr 2026 Received: SMS credits, Your plan +400 10,400",
        "11 Apr 2026 Received: SMS credits, 10,000 SMS credits +10,000 10,000",
    ]
    assert [a.get("href") for a in page.all("a") if page.words(a) == "10,000 SMS credits"] == [
        f"{BASE}/purchases/1"
    ] * 2


def test_without_a_plan_the_wallet_says_that_it_waits(actor, world, visit):
    world.buy(actor, "sms_10k")
    mine = update(SubscriptionRow).where(SubscriptionRow.account_id == actor.account_id)
    world.change(mine.values(ended_at=world.now, cancel_at=world.now))
    page = visit.get(WALLET)
    assert "Your credits wait for a plan" in page.text
    assert "10,000 of 10,000" in page.text


def test_the_csv_has_every_entry_and_no_formula(actor, world, visit):
    world.change(update(AddOnRow).where(AddOnRow.lookup_key == "sms_10k").values(name=HOSTILE))
    world.buy(actor, "sms_10k")
    report(world, actor, used("sms", "1.5", world.now))
    reply = visit.client.get(f"{WALLET}/ledger.csv")
    assert reply.headers["Content-Disposition"] == 'attachment; filename="credits.csv"'
    rows = list(csv.reader(StringIO(reply.get_data().decode("utf-8-sig"))))
    assert rows == [
        ["Day", "Credits", "What", "Source", "Units", "Balance"],
        ["2026-04-11", "SMS credits", "Used", "", "-1.5", "9998.5"],
        ["2026-04-11", "SMS credits", "Received", f"'{HOSTILE}", "10000", "10000"],
    ]


def test_the_ledgers_pages_lead_to_each_other(actor, world, visit):
    for n in range(31):
        grant(world, actor, f"lot{n}", 1, None)
    page = visit.get(f"{WALLET}?page=1")
    assert "Page 1 of 2" in page.text
    assert "Newer" not in page.text
    assert "Newer" in visit.get(f"{WALLET}?page=2").text
    for odd in ("0", "-3", "99", "abc", "9" * 30):
        assert "Page 1 of 2" in visit.get(f"{WALLET}?page={odd}").text


def test_a_quota_that_runs_low_is_said_with_the_way_out_until_it_does_not(actor, world, visit):
    report(world, actor, used("messages", 91_000, world.now))
    for url in ("add-ons", "add-ons/active", "usage", "wallet", "plans"):
        page = visit.get(f"{BASE}/{url}")
        assert "91% of your messages are used" in alerts(page)
        assert "9,000 of 100,000 messages are left. They start anew on 1 May 2026." in alerts(page)
        links = {page.words(a): a.get("href") for a in page.all("a")}
        assert links["Add 10,000 message pack"] == f"{BASE}/add-ons/messages_10k/purchase"
        assert ("Compare the plans" in alerts(page)) is (url != "plans")
        assert alerts(visit.get(f"{BASE}/{url}", **HTMX)) == ""
    assert alerts(visit.get(f"{BASE}/invoices")) == ""
    world.buy(actor, "messages_100k")
    assert alerts(visit.get(f"{BASE}/usage")) == ""


def test_the_pack_that_is_offered_lasts_to_the_windows_end_at_the_present_pace(actor, world, visit):
    for days in range(7):
        report(world, actor, used("messages", 13_000, world.now - timedelta(days=days + 1)))
    said = alerts(visit.get(f"{BASE}/usage"))
    assert "Add 100,000 message pack" in said


def test_one_who_may_not_buy_sees_the_notice_without_the_pack(actor, world, reader):
    report(world, actor, used("messages", 100_000, world.now))
    said = alerts(reader.get(f"{BASE}/usage"))
    assert "All of your messages are used" in said
    assert "Add " not in said


def test_what_expires_soon_is_said(actor, world, visit):
    give(world, actor, "sms", ("credits", 400, world.now + timedelta(days=60)))
    assert alerts(visit.get(f"{BASE}/usage")) == ""
    world.pass_time(days=55)
    visit.sign_in("owner@account1.test")
    assert "400 credits expire on 10 Jun 2026, within 7 days. See your wallet" in alerts(
        visit.get(f"{BASE}/usage")
    )


def test_choices_are_shown_saved_and_kept(actor, world, visit):
    page = visit.get(CHOICES)
    on = [e.get("name") for e in page.all("input", type="checkbox") if "checked" in e.attrib]
    assert on == ["alerts", "expiries"]
    assert "owner@account1.test" in page.text
    assert "they cannot be switched off" in page.text
    token = page.hidden("csrf_token")
    visit.post(CHOICES, {"csrf_token": token, "digest": "y"}, 303)
    page = visit.get(CHOICES)
    on = [e.get("name") for e in page.all("input", type="checkbox") if "checked" in e.attrib]
    assert on == ["digest"]
    assert "Saved" in page.text
    with world.session() as session:
        since = choices_of(session, actor)
    assert since.digest


def test_a_reader_sees_why_there_is_nothing_to_choose(reader):
    page = reader.get(CHOICES)
    assert all("disabled" in e.attrib for e in page.all("input", type="checkbox"))
    assert "owners, admins and billing members" in page.text


def test_every_page_leads_to_the_choices(actor, visit):
    page = visit.get(f"{BASE}/invoices")
    assert [a for a in page.all("a", href=CHOICES) if page.words(a) == "Notifications"]
