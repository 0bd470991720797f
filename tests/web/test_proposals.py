"""Support proposes, the customer sees it and decides, and only the customer pays."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from portal.domain.access import Actor, Role
from portal.domain.declines import DeclineReason
from portal.domain.payments import Declined
from portal.domain.proposals import LIFE
from portal.models.events import EventRow
from portal.models.mails import MailRow
from portal.models.proposals import ProposalRow
from portal.models.purchases import PurchaseRow
from portal.models.subscriptions import SubscriptionRow
from tests.support.world import World
from tests.web.reading import HTMX, Reply, Visitor
from tests.web.staffing import AtDesk

GRID = "/settings/billing/add-ons"
PACK = {"add_on": "messages_100k", "quantity": "2", "auto_renew": "off"}
TITLE = "Ann, our support, proposes"


@dataclass
class Table:
    """Support's browser and the customer's."""

    desk: AtDesk
    customer: Visitor
    actor: Actor

    @property
    def world(self) -> World:
        return self.desk.world

    @property
    def page(self) -> str:
        return f"/staff/accounts/{self.actor.account_id}/proposals"

    def propose(self, status: int = 303, **given: str) -> Reply:
        return self.desk.send(self.page, self.page, status, **(PACK | {"note": ""} | given))

    def withdraw(self, number: int = 1, status: int = 303, account: int = 0) -> Reply:
        page = self.page if not account else f"/staff/accounts/{account}/proposals"
        return self.desk.send(self.page, f"{page}/{number}/withdraw", status)

    def decline(self, number: int = 1, status: int = 303) -> Reply:
        token = self.customer.get(GRID).hidden("csrf_token")
        there = f"/settings/billing/proposals/{number}/decline"
        return self.customer.post(there, {"csrf_token": token}, status)

    def link(self) -> str:
        page = self.customer.get(GRID)
        return next(a.get("href", "") for a in page.all("a") if "proposal=" in a.get("href", ""))

    def buy(self, where: str, status: int = 303) -> Reply:
        page = self.customer.get(where)
        form = {n: page.hidden(n) for n in ("csrf_token", "token")}
        card = page.all("input", name="card")[0].get("value", "")
        return self.customer.post(where.partition("?")[0], form | {"card": card}, status)

    def states(self) -> list[str]:
        page = self.desk.visitor.get(self.page)
        return [page.words(e) for e in page.all("article")]

    def told(self) -> list[tuple[str, str, int | None]]:
        with self.world.session() as session:
            mine = EventRow.name.startswith("proposal:")
            rows = session.scalars(select(EventRow).where(mine).order_by(EventRow.id))
            return [(row.name, row.actor, row.account_id) for row in rows]


@pytest.fixture
def table(world, app, visit) -> Table:
    actor = world.account()
    desk = AtDesk(world, Visitor(app.test_client())).set_up()
    visit.sign_in("owner@account1.test")
    return Table(desk, visit, actor)


def test_what_support_prepares_appears_and_the_customer_buys_it(table):
    assert TITLE not in table.customer.get(GRID).text
    table.propose(note="For your campaign.")
    page = table.customer.get(GRID)
    assert f"{TITLE}: 2 × 100,000 message pack" in page.text
    assert "“For your campaign.”" in page.text
    assert "$98.00 due now." in page.text
    confirm = table.customer.get(table.link())
    assert "Pay $98.00 now" in confirm.text
    assert confirm.all("input", name="quantity")[0].get("value") == "2"
    table.buy(table.link())
    assert [c.amount.minor for c in table.world.gateway.taken] == [9800]
    assert TITLE not in table.customer.get(GRID).text
    assert "Bought" in table.states()[0]
    with table.world.session() as session:
        row, bought = session.scalars(select(ProposalRow)).one(), select(PurchaseRow)
        purchase = session.scalars(bought).one()
        assert (row.purchase_id, purchase.person_id) == (purchase.id, table.actor.person_id)
    table.withdraw(status=409)
    table.decline(status=409)


def test_nothing_is_bought_by_proposing(table):
    table.propose()
    assert table.world.gateway.taken == []
    assert table.world.rows(PurchaseRow) == 0
    shown = table.propose(200, add_on="salesforce", quantity="1", auto_renew="on", show="1")
    assert "$33.33" in shown.text
    assert table.world.rows(ProposalRow) == 1


def test_it_is_seen_by_all_members_and_answered_by_those_who_may_buy(table, app):
    table.world.member(table.actor.account_id, "looks@account1.test", Role.MEMBER)
    table.propose()
    looks = Visitor(app.test_client())
    looks.sign_in("looks@account1.test")
    page = looks.get(GRID)
    assert TITLE in page.text
    assert "No, thank you" not in page.text
    token = page.hidden("csrf_token")
    looks.post("/settings/billing/proposals/1/decline", {"csrf_token": token}, 403)
    with table.world.session() as session:
        mails = session.scalars(select(MailRow).where(MailRow.kind == "proposed")).all()
    assert [mail.recipient for mail in mails] == ["owner@account1.test"]


def test_a_no_is_kept_and_said_once(table):
    table.propose()
    table.decline()
    assert "The proposal is declined" in table.customer.get(GRID).text
    assert TITLE not in table.customer.get(GRID).text
    assert "Declined" in table.states()[0]
    table.decline(status=409)
    assert table.told() == [
        ("proposal:made", "staff:1", table.actor.account_id),
        ("proposal:declined", f"person:{table.actor.person_id}", table.actor.account_id),
    ]
    activity = table.customer.get("/settings/billing/activity").text
    assert "Ann proposed 2 × 100,000 message pack" in activity
    assert "The proposal of 100,000 message pack was declined" in activity


def test_one_that_was_taken_back_is_gone_and_what_is_bought_then_is_the_customers_own(table):
    table.propose()
    link = table.link()
    table.withdraw()
    assert TITLE not in table.customer.get(GRID).text
    table.decline(status=409)
    table.buy(link)
    assert len(table.world.gateway.taken) == 1
    assert "Withdrawn" in table.states()[0]
    assert "Ann took the proposal" in table.customer.get("/settings/billing/activity").text


def test_it_waits_two_weeks(table):
    table.propose()
    table.world.now += LIFE - timedelta(seconds=1)
    table.customer.sign_in("owner@account1.test")
    assert TITLE in table.customer.get(GRID).text
    table.world.now += timedelta(seconds=1)
    assert TITLE not in table.customer.get(GRID).text


def test_a_decline_of_the_card_leaves_it_open(table):
    table.propose()
    table.world.gateway.answers.append(Declined(DeclineReason.INSUFFICIENT_FUNDS, may_retry=True))
    table.buy(table.link())
    assert "Being paid" in table.states()[0]
    assert TITLE not in table.customer.get(GRID).text, "it says that a payment is not finished"
    table.withdraw(status=409)
    table.world.change(update(PurchaseRow).values(status="failed", failure="lapsed"))
    assert "Waits for an answer" in table.states()[0]
    assert TITLE in table.customer.get(GRID).text


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"add_on": ""}, "Choose an add-on"),
        ({"add_on": "nothing"}, "Not a valid choice"),
        ({"quantity": "0"}, "from 1 to 100"),
        ({"quantity": "101"}, "from 1 to 100"),
        ({"quantity": "x"}, "from 1 to 100"),
        ({"add_on": "salesforce", "quantity": "2"}, "1 of it at most"),
        ({"note": "x" * 501}, "At most 500"),
    ],
)
def test_what_cannot_be_proposed_is_refused(table, given, said):
    assert said in table.propose(422, **given).text
    assert table.world.rows(ProposalRow) == 0
    assert table.told() == []


def test_one_of_each_at_a_time(table):
    table.propose()
    assert "proposed already" in table.propose(422).text
    table.withdraw()
    table.propose()
    assert table.world.rows(ProposalRow) == 2


def test_another_accounts_is_not_there(table, app):
    other = table.world.account()
    table.propose()
    theirs = Visitor(app.test_client())
    theirs.sign_in("owner@account2.test")
    page = theirs.get(GRID)
    assert TITLE not in page.text
    token = page.hidden("csrf_token")
    theirs.post("/settings/billing/proposals/1/decline", {"csrf_token": token}, 404)
    table.withdraw(status=404, account=other.account_id)
    table.withdraw(status=404, number=9)
    table.desk.visitor.get("/staff/accounts/99/proposals", 404)
    theirs.get(f"{GRID}/messages_100k/purchase?quantity=2&proposal=1")
    Table(table.desk, theirs, other).buy(f"{GRID}/messages_100k/purchase?quantity=2&proposal=1")
    with table.world.session() as session:
        assert session.scalars(select(ProposalRow.purchase_id)).one() is None


@pytest.mark.parametrize("number", ["x", "-1", "9" * 30, "²", "1.5", ""])
def test_a_number_in_the_address_that_is_none_does_no_harm(table, number):
    page = table.customer.get(f"{GRID}/messages_100k/purchase?quantity=2&proposal={number}")
    assert "Pay $98.00 now" in page.text


def test_an_add_on_that_cannot_be_added_any_more_says_so(table):
    table.propose(add_on="salesforce", quantity="1", auto_renew="on")
    table.world.buy(table.actor, "salesforce")
    assert "It cannot be added at the moment" in table.customer.get(GRID).text


def test_without_a_plan_nothing_can_be_proposed(table):
    gone = {"ended_at": table.world.now, "status": "cancelled"}
    table.world.change(update(SubscriptionRow).values(gone))
    page = table.desk.visitor.get(table.page)
    assert "can buy nothing at the moment" in page.text


def test_the_page_belongs_to_accounts(table):
    page = table.desk.visitor.get(table.page)
    [here] = [a for a in page.all("a") if a.get("aria-current") == "true"]
    assert page.words(here) == "Accounts"


def test_the_page_is_a_fragment_too(table):
    assert "<html" not in table.desk.visitor.get(table.page, **HTMX).html
