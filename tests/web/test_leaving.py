"""Cancelling the plan on its pages, keeping it, and every page once it has ended."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from portal.domain.access import Role
from portal.models.accounts import AccountRow
from portal.models.subscriptions import SubscriptionRow
from tests.services.changing import Office
from tests.services.leaving import cancel_plan, carry, on_trial
from tests.services.paying import Till
from tests.services.time_passing import run, run_at, subscription
from tests.web.reading import HTMX, Visitor

GRID, PLANS = "/settings/billing/add-ons", "/settings/billing/plans"
ACTIVE = f"{GRID}/active"
CANCEL, KEEP = f"{PLANS}/cancel", f"{PLANS}/keep"
MAY_1 = datetime(2026, 5, 1, tzinfo=UTC)
PAGES = (GRID, ACTIVE, "/settings/billing/usage", PLANS, "/settings/billing/invoices",
         "/settings/billing/invoices/upcoming", "/settings/billing/payment-methods",
         f"{PLANS}/business/monthly", f"{GRID}/salesforce/purchase")  # fmt: skip


@pytest.fixture
def till(world) -> Till:
    return Till(world)


@pytest.fixture
def owner(world, till, visit):
    """Somebody with a connector, members and a pack."""
    actor = Office(world, till).account()
    world.buy(actor, "salesforce")
    world.buy(actor, "members_5", 2)
    world.buy(actor, "messages_10k")
    visit.sign_in("owner@account1.test")
    return actor


def set_clock(world, at: datetime) -> None:
    """The accounts' time; the visitor's session goes by the wall."""
    world.change(update(AccountRow).values(test_clock_at=at))


def post(visit, url: str, status: int = 303, **fields: str):
    token = visit.get(PLANS).hidden("csrf_token")
    return visit.post(url, {"csrf_token": token} | fields, status)


def test_two_steps_say_all_that_ends_and_one_button_ends_it(owner, world, till, visit):
    index = visit.get(PLANS)
    assert index.all("a", href=CANCEL)
    page = visit.get(CANCEL)
    for said in (
        "Growth and all its add-ons", "1 May 2026", "Everything works as it does now",
        "is not refunded", "Salesforce connector", "× 2",
        "Would be charged on 1 May 2026; now it is not", "Paid once; what is left of it",
        "download your invoices", "No bill any more", "$239.00 on 1 May 2026",
    ):  # fmt: skip
        assert said in page.text, said
    assert subscription(world, owner).cancel_at is None, "looking changes nothing"
    buttons = [page.words(b) for f in page.all("form", action=CANCEL) for b in f.iter("button")]
    assert buttons == ["Cancel plan"]
    taken = till.taken()
    reply = visit.post(CANCEL, {"csrf_token": page.hidden("csrf_token"), "reason": "dear"}, 303)
    assert reply.headers["Location"] == PLANS
    assert subscription(world, owner).cancel_reason == "dear"
    assert till.taken() == taken
    assert visit.get(CANCEL, 303).headers["Location"] == PLANS


def test_the_end_is_said_on_every_page_and_keep_is_where_the_plan_is(owner, visit):
    post(visit, CANCEL)
    for url in PAGES:
        assert "Your plan ends on 1 May 2026" in visit.get(url).text, url
    plans = visit.get(PLANS)
    assert "it renews on 1 May 2026 for $99.00" in plans.text
    assert "Ends on" in plans.text
    assert not plans.all("a", href=CANCEL)
    assert "Your plan is cancelled; keep it to change it" in plans.words(plans.article("Business"))
    row = visit.get(ACTIVE).article("Salesforce connector")
    said = plans.words(row)
    assert "Ends 1 May 2026" in said
    assert "no further charge" in said
    assert "ends with your plan on 1 May 2026" in said
    assert "Your next bills" not in visit.get(ACTIVE).text
    assert list(row.iter("form")) == []
    confirm = visit.get(f"{GRID}/zendesk/purchase")
    assert "1 May 2026, with your plan" in confirm.text
    assert "No further charge" in confirm.text
    assert "If you keep your plan It renews with it, until you stop it" in confirm.text
    once = visit.get(f"{GRID}/zendesk/purchase?auto_renew=off")
    assert "If you keep your plan" not in once.text


def test_keep_brings_all_back(owner, world, visit):
    post(visit, CANCEL)
    assert post(visit, KEEP).headers["Location"] == PLANS
    assert "Your plan goes on and renews on 1 May 2026" in visit.get(PLANS).text
    assert "ends on" not in visit.get(GRID).text
    row = visit.get(ACTIVE).article("Salesforce connector")
    assert "renews 1 May 2026" in " ".join("".join(row.itertext()).split())


def test_too_late_to_keep_is_said_kindly(owner, world, visit):
    post(visit, CANCEL)
    form = {"csrf_token": visit.get(PLANS).hidden("csrf_token")}
    set_clock(world, MAY_1)
    visit.post(KEEP, form, 303)
    assert "it can no longer be kept" in visit.get(PLANS).text


@pytest.mark.parametrize("ran", [True, False])
def test_after_the_end_every_page_says_so_and_leads_on(ran, owner, world, visit):
    post(visit, CANCEL)
    set_clock(world, MAY_1)
    if ran:
        run(world)
    for url in PAGES:
        page = visit.get(url)
        assert "Your Growth plan ended on 1 May 2026" in page.text, url
        assert page.all("a", href=PLANS), url
        assert "You can start again at any time" in page.text, url
        assert "<html" not in visit.get(url, **HTMX).html
    grid = visit.get(GRID)
    assert "You need a plan first" in grid.words(grid.article("Zendesk connector"))
    assert "You have no plan" in visit.get(PLANS).text
    assert "Nothing to measure" in visit.get("/settings/billing/usage").text
    history = visit.get(ACTIVE)
    assert "Salesforce connector" in history.text
    assert visit.get("/settings/billing/invoices/1").all("h1")
    assert visit.get(CANCEL, 303).headers["Location"] == PLANS


def test_what_is_open_can_be_paid_after_the_end(world, till, visit):
    actor = world.account(card="pm_card_chargeCustomerFail")
    run_at(world, MAY_1)
    cancel_plan(world, actor)
    run_at(world, datetime(2026, 7, 1, tzinfo=UTC))
    visit.sign_in("owner@account1.test")
    assert "once it is paid you can start again" in visit.get(GRID).text
    assert visit.get(GRID).all("a", href="/settings/billing/invoices/1")
    invoice = visit.get("/settings/billing/invoices/1")
    data = {"csrf_token": invoice.hidden("csrf_token"), "card": "new"}
    reply = visit.post("/settings/billing/invoices/1/pay", data, 303)
    till.gateway.pay_page(reply.headers["Location"].rpartition("/")[2])
    visit.get("/settings/billing/invoices/1/return", 303)
    assert "not paid" not in visit.get("/settings/billing/invoices/1").text
    assert subscription(world, actor).status == "cancelled"


def test_a_reader_sees_all_and_may_do_nothing(owner, world, visit, app):
    world.member(owner.account_id, "reader@account1.test", Role.MEMBER)
    reader = Visitor(app.test_client())
    reader.sign_in("reader@account1.test")
    page = reader.get(CANCEL)
    assert "Growth and all its add-ons" in page.text
    assert "Your role may look but not change the plan" in page.text
    assert page.all("form", action=CANCEL) == []
    token = page.hidden("csrf_token")
    for url in (CANCEL, KEEP):
        reader.post(url, {"csrf_token": token}, 403)
        visit.post(url, {}, 400)
    assert world.rows(SubscriptionRow, cancel_at=None) == 1
    post(visit, CANCEL)
    plans = reader.get(PLANS)
    assert "Your plan ends on 1 May 2026" in plans.text
    assert plans.all("form", action=KEEP) == []


def test_too_long_a_reason_is_said_and_nothing_typed_is_lost(owner, world, visit):
    reply = post(visit, CANCEL, 422, reason="x" * 501)
    assert "Please use at most 500 characters" in reply.text
    assert "x" * 501 in reply.html
    assert subscription(world, owner).cancel_at is None


@pytest.mark.parametrize(
    ("cents", "said"),
    [(80, "$0.80 joins your last bill"), (32, "$0.32 is too little to charge a card")],
)
def test_cents_from_earlier_are_named(cents, said, world, visit):
    actor = world.account()
    carry(world, actor, cents)
    visit.sign_in("owner@account1.test")
    assert said in visit.get(CANCEL).text


def test_an_agreed_change_is_said_to_be_withdrawn(owner, world, till, visit):
    Office(world, till).change(owner, "starter")
    assert "The change to Starter is withdrawn" in visit.get(CANCEL).text
    post(visit, CANCEL)
    assert "Your plan changes on" not in visit.get(PLANS).text


def test_a_trial_shows_its_end_and_what_is_charged_then(world, visit):
    on_trial(world, world.now)
    visit.sign_in("owner@account1.test")
    page = visit.get(PLANS)
    assert "Trial until 25 Apr 2026" in page.text
    assert "First bill, when the trial ends $29.00 on 25 Apr 2026" in page.text
    assert "Your trial runs until 25 Apr 2026, 14 days left" in page.text
    grid = visit.get(GRID)
    pack = grid.words(grid.article("100,000 message pack"))
    assert "Add-ons can be bought once your trial has ended" in pack
    assert "it ends before anything is charged" in visit.get(CANCEL).text
    post(visit, CANCEL)
    assert "Your plan ends on 25 Apr 2026" in visit.get(GRID).text
