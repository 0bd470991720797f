"""Another quantity of what renews, as the pages ask for it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from portal.domain.access import Role
from portal.models.accounts import AccountRow
from portal.models.purchases import PurchaseRow
from portal.models.subscriptions import InstanceRow
from tests.web.reading import HTMX, Visitor

ACTIVE = "/settings/billing/add-ons/active"
URL = f"{ACTIVE}/1/quantity"


@pytest.fixture
def owner(world, visit):
    actor = world.account()
    world.buy(actor, "members_5", 2)
    visit.sign_in("owner@account1.test")
    return actor


def form_of(page) -> dict[str, str]:
    return {name: page.hidden(name) for name in ("csrf_token", "token")}


def buttons(page) -> list[str]:
    return [page.words(each) for each in page.all("button")]


def quantity(world) -> tuple[int, int | None]:
    with world.session() as session:
        row = session.get_one(InstanceRow, (world.scope.environment_id, 1))
        return row.quantity, row.next_quantity


def test_the_row_leads_to_the_page_and_more_is_priced(owner, visit):
    assert "Change quantity" in visit.get(ACTIVE).text
    page = visit.get(URL)
    assert "Nothing to change" in page.text
    more = visit.get(URL + "?quantity=4")
    assert "Pay $60.00 now" in buttons(more)
    assert "$45.00 × 2 × 20 of 30 days" in more.text
    assert "$180.00 / month" in more.text
    part = visit.get(URL + "?quantity=4", **HTMX)
    assert "<html" not in part.html
    assert "Pay $60.00 now" in buttons(part)


def test_paid_it_is_there_with_a_receipt(owner, world, visit):
    reply = visit.post(URL, form_of(visit.get(URL + "?quantity=4")), 303)
    receipt = visit.get(reply.headers["Location"])
    assert "You have 4 now" in receipt.text
    assert "You paid $60.00" in receipt.text
    assert quantity(world) == (4, None)
    again = visit.post(URL, form_of(visit.get(URL + "?quantity=5")), 204, **HTMX)
    assert again.headers["HX-Redirect"].startswith("/settings/billing/purchases/")


def test_fewer_is_agreed_shown_and_taken_back(owner, world, visit):
    page = visit.get(URL + "?quantity=1")
    assert "Change to 1 on 1 May 2026" in buttons(page)
    reply = visit.post(URL, form_of(page), 303)
    assert reply.headers["Location"] == f"{ACTIVE}#instance-1"
    assert "Quantity 2 (1 from 1 May 2026 on)" in visit.get(ACTIVE).text
    assert "Agreed already: 1 from 1 May 2026 on" in visit.get(URL).text
    back = visit.get(URL + "?quantity=2")
    assert "Keep 2" in buttons(back)
    visit.post(URL, form_of(back), 303)
    assert quantity(world) == (2, None)
    assert world.rows(PurchaseRow) == 1


def test_bad_input_says_so_and_keeps_what_was_typed(owner, visit):
    for typed in ("0", "-1", "many", "", "9999999999", "1.5"):
        page = visit.get(URL + f"?quantity={typed}", 422)
        assert "Enter a whole number from 1 to 20" in page.text, typed
        assert "Pay" not in " ".join(buttons(page))
    assert visit.get(URL + "?quantity=9999", 422).all("input", name="quantity")[0].get("value") == (
        "9999"
    )


def test_a_stale_or_foreign_token_charges_nothing(owner, world, visit):
    page = visit.get(URL + "?quantity=4")
    form = form_of(page)
    charges = len(world.gateway.taken)
    assert "not valid any more" in visit.post(URL, form | {"token": "x"}, 422).text
    world.pass_time(minutes=16)
    text = visit.post(URL, form, 422).text
    assert "The price on that page had expired" in text
    assert "Pay $" in text, "and has the price as it is now"
    assert len(world.gateway.taken) == charges
    world.buy(owner, "storage_100gb")
    other = visit.post(f"{ACTIVE}/2/quantity", form, 422)
    assert "another add-on" in other.text


def test_why_not(owner, world, visit):
    world.buy(owner, "messages_100k")
    visit.get(f"{ACTIVE}/2/quantity", 409)
    world.change(update(AccountRow).values(test_clock_at=datetime(2026, 5, 1, tzinfo=UTC)))
    assert "It is being renewed" in visit.get(URL + "?quantity=3").text


def test_a_member_sees_what_it_would_cost(owner, app, world, visit):
    world.member(owner.account_id, "member@account1.test", Role.MEMBER)
    reader = Visitor(app.test_client())
    reader.sign_in("member@account1.test")
    page = reader.get(URL + "?quantity=4")
    assert "Your role may look but not change it" in page.text
    assert "$60.00" in page.text
    owners = form_of(visit.get(URL + "?quantity=4"))
    reader.post(URL, owners | {"csrf_token": reader.get(ACTIVE).hidden("csrf_token")}, 403)
    key = world.key_of(world.account())
    stranger = Visitor(app.test_client())
    stranger.sign_in(f"owner@account{key}.test")
    stranger.get(URL, 404)


def test_a_declined_payment_is_named_until_it_ends(owner, world, visit):
    from portal.services import accounts

    with world.session() as session:
        accounts.save_card(
            session, world.scope, owner.account_id, "pm_card_chargeCustomerFail",
            world.gateway, world.wall,
        )  # fmt: skip
    reply = visit.post(URL, form_of(visit.get(URL + "?quantity=4")), 303)
    page = visit.get(reply.headers["Location"])
    assert "Leave it as it is" in buttons(page)
    assert "A payment is not finished" in visit.get(ACTIVE).text
    assert "A payment for more of it is not finished yet" in visit.get(URL + "?quantity=3").text
    visit.post(reply.headers["Location"] + "/stop", {"csrf_token": page.hidden("csrf_token")}, 303)
    assert "A payment is not finished" not in visit.get(ACTIVE).text
    assert quantity(world) == (2, None)
