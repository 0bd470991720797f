"""Bought for the next cycle, as the pages show it, and taken back."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from portal.domain.access import Role
from portal.models.accounts import AccountRow
from portal.models.subscriptions import InstanceRow
from tests.web.reading import HTMX, Visitor

CONNECTOR = "/settings/billing/add-ons/salesforce/purchase"
PACK = "/settings/billing/add-ons/messages_100k/purchase"
SMS = "/settings/billing/add-ons/sms_10k/purchase"
ACTIVE = "/settings/billing/add-ons/active"
LATER = "?quantity=1&start=next_cycle&auto_renew=on"


@pytest.fixture
def owner(world, visit):
    actor = world.account()
    visit.sign_in("owner@account1.test")
    return actor


def form_of(page) -> dict[str, str]:
    return {name: page.hidden(name) for name in ("csrf_token", "token")}


def buttons(page) -> list[str]:
    return [page.words(each) for each in page.all("button")]


def booked(visit) -> None:
    visit.post(CONNECTOR, form_of(visit.get(CONNECTOR + LATER)), 303)


def test_the_preview_says_what_is_due_when(owner, visit):
    page = visit.get(CONNECTOR + LATER)
    assert "Add from 1 May 2026" in buttons(page)
    assert "Nothing is charged before it starts" in page.text
    assert "$50.00 / month" in page.text
    part = visit.get(CONNECTOR + LATER, **HTMX)
    assert "Add from 1 May 2026" in part.text
    assert "Pay $49.00 now" in buttons(visit.get(PACK + "?start=next_cycle"))


def test_the_receipt_the_row_and_the_next_bills_name_the_start(owner, visit):
    reply = visit.post(CONNECTOR, form_of(visit.get(CONNECTOR + LATER)), 303)
    receipt = visit.get(reply.headers["Location"])
    assert "Starts on 1 May 2026" in receipt.text
    assert "Nothing was charged today" in receipt.text
    row = visit.get(ACTIVE)
    assert "first charge 1 May 2026: $50.00" in row.text
    assert "Salesforce connector" in visit.get("/settings/billing/invoices/upcoming").text


def test_a_pack_s_receipt_has_its_invoice_and_its_start(owner, visit):
    reply = visit.post(PACK, form_of(visit.get(PACK + "?start=next_cycle")), 303)
    receipt = visit.get(reply.headers["Location"])
    assert "You paid $49.00" in receipt.text
    assert "Works from" in receipt.text
    assert "from 1 May 2026" in visit.get(ACTIVE).text


def test_what_never_ends_is_not_offered_for_later(owner, visit):
    assert "At the next cycle" not in visit.get(SMS).text
    assert "At the next cycle" in visit.get(PACK).text
    visit.get(SMS + "?start=next_cycle", 422)
    visit.get(CONNECTOR + "?start=yesterday", 422)


def test_taken_back_it_is_in_the_history(owner, world, visit):
    booked(visit)
    url = f"{ACTIVE}/1/withdraw"
    page = visit.get(url)
    assert "It would have started" in page.text
    visit.post(url, {"csrf_token": page.hidden("csrf_token")}, 303)
    text = visit.get(ACTIVE).text
    assert "Taken back before it started" in text
    assert "first charge" not in text
    visit.get(url, 409)
    assert world.rows(InstanceRow) == 1


def test_a_pack_taken_back_says_what_goes_where(owner, world, visit):
    visit.post(PACK, form_of(visit.get(PACK + "?start=next_cycle")), 303)
    page = visit.get(f"{ACTIVE}/1/withdraw")
    assert "$49.00 goes back to the card that paid it" in page.text
    visit.post(f"{ACTIVE}/1/withdraw", {"csrf_token": page.hidden("csrf_token")}, 303)
    assert "Taken back before it started" in visit.get(ACTIVE).text
    assert "Taken back before it started" in visit.get("/settings/billing/credit-notes/1").text
    assert [refund.amount.minor for refund in world.gateway.refunds] == [4900]


def test_once_it_has_started_there_is_nothing_to_take_back(owner, world, visit):
    booked(visit)
    page = visit.get(f"{ACTIVE}/1/withdraw")
    world.change(update(AccountRow).values(test_clock_at=datetime(2026, 5, 1, tzinfo=UTC)))
    visit.post(f"{ACTIVE}/1/withdraw", {"csrf_token": page.hidden("csrf_token")}, 409)
    visit.get(f"{ACTIVE}/1/withdraw", 409)


def test_a_member_may_look_at_it_and_not_take_it_back(owner, app, world, visit):
    booked(visit)
    world.member(owner.account_id, "member@account1.test", Role.MEMBER)
    reader = Visitor(app.test_client())
    reader.sign_in("member@account1.test")
    page = reader.get(f"{ACTIVE}/1/withdraw")
    assert "Your role may look at billing but not change it" in page.text
    reader.post(f"{ACTIVE}/1/withdraw", {"csrf_token": page.hidden("csrf_token")}, 403)


def test_another_account_s_is_not_found(owner, app, world, visit):
    booked(visit)
    world.account()
    stranger = Visitor(app.test_client())
    stranger.sign_in("owner@account2.test")
    stranger.get(f"{ACTIVE}/1/withdraw", 404)
