"""Withdrawing from a contract: the two controls, the money line by line, and once whoever asks."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from portal.domain.access import Role
from portal.gateways.fake_payments import Fault
from portal.models.accounts import AccountRow
from portal.models.purchases import RefundRow
from tests.services.beyond import LIMIT, Meterage
from tests.services.changing import Office
from tests.services.leaving import on_trial
from tests.services.paying import Till
from tests.services.time_passing import run_at
from tests.services.using import report, used
from tests.support.world import APRIL_11
from tests.web.reading import HTMX, Visitor
from tests.web.test_legal import ACTIVE, CONNECTOR, PACK, consents, enter, fields, form_at, plain

PLANS = "/settings/billing/plans"
ADD_ON = "/settings/billing/withdrawals/add-ons/1"
PLAN = "/settings/billing/withdrawals/plan"
HERE = "Withdraw from contract here"


def bought(world, visit, profile: str, url: str = CONNECTOR):
    actor = enter(world, visit, profile)
    visit.post(url, fields(visit.get(url), url), 303)
    return actor


def links(page, to: str):
    return page.all("a", href=to)


@pytest.mark.parametrize("profile", ["consumer_uk", "consumer_eu", "consumer_de"])
def test_both_controls_say_what_the_law_says(profile, world, visit):
    bought(world, visit, profile)
    german = profile == "consumer_de"
    [link] = links(visit.get(ACTIVE), ADD_ON)
    here = "Vertrag widerrufen" if german else HERE
    assert visit.get(ACTIVE).words(link) == f"{here} Salesforce connector"
    page = visit.get(ADD_ON)
    [button] = form_at(page, ADD_ON).iter("button")
    assert page.words(button) == ("Widerruf bestätigen" if german else "Confirm withdrawal")
    assert [link.get("lang"), button.get("lang")] == (["de", "de"] if german else [None, None])
    assert button.get("disabled") is None
    assert links(visit.get(PLANS), PLAN)


@pytest.mark.parametrize("profile", ["consumer_us", None])
def test_where_there_is_no_such_right_there_is_no_control(profile, world, visit):
    if profile is None:
        world.account(country="DE")
        visit.sign_in("owner@account1.test")
        visit.post(CONNECTOR, fields(visit.get(CONNECTOR), CONNECTOR), 303)
    else:
        bought(world, visit, profile)
    assert HERE not in visit.get(ACTIVE).text + visit.get(PLANS).text
    for url in (ADD_ON, PLAN):
        visit.get(url, 303)
        visit.post(url, {"csrf_token": visit.get(ACTIVE).hidden("csrf_token")}, 303)
    assert world.rows(RefundRow) == 0


def test_the_statement_names_the_control(world, visit):
    actor = bought(world, visit, "consumer_de")
    [kept] = consents(world, actor)
    [said] = [each for each in kept.statements if "within 14 days" in each]
    assert "Choose “Vertrag widerrufen” beside your active add-on" in said


def test_the_money_line_by_line(world, visit):
    bought(world, visit, "consumer_eu")
    world.change(update(AccountRow).values(test_clock_at=datetime(2026, 4, 16, tzinfo=UTC)))
    page = visit.get(ADD_ON)
    text = plain(page.text)
    assert "Charged for Salesforce connector" in text
    assert "5 of 20 days have passed" in text
    table = plain(page.words(page.all("table")[0]))
    assert "$33.33" in table
    assert "-$8.33" in table.replace("−", "-")
    assert table.endswith("You get back$25.00")
    assert "27 Apr 2026" in text
    part = visit.get(ADD_ON, **HTMX)
    assert "<html" not in part.html


def test_units_that_are_used_count_where_they_are_the_larger_share(world, visit):
    url = "/settings/billing/add-ons/messages_100k_recurring/purchase"
    actor = bought(world, visit, "consumer_eu", url)
    report(world, actor, used("messages", 140_000, APRIL_11))
    text = plain(visit.get(ADD_ON).text)
    words = "of the 66,667 messages that were paid for"
    assert f"40,000 {words} are used, a larger share than 0 of 20 days" in text
    assert "You get back $10.40" in text
    world.change(update(AccountRow).values(test_clock_at=datetime(2026, 4, 25, tzinfo=UTC)))
    text = plain(visit.get(ADD_ON).text)
    assert f"14 of 20 days have passed, a larger share than 40,000 {words}" in text
    assert "You get back $7.80" in text


def test_confirmed_it_ends_and_comes_back_once_however_often_it_is_sent(world, visit):
    bought(world, visit, "consumer_eu", PACK)
    page = visit.get(ADD_ON)
    assert "0% of its units are used" in page.text
    sent = fields(page, ADD_ON)
    visit.post(ADD_ON, sent, 303)
    first = visit.get(ACTIVE).text
    assert "You withdrew from the contract about 100,000 message pack on" in first
    assert "$49.00 goes back to you" in plain(first)
    visit.post(ADD_ON, sent, 303)
    assert "You had withdrawn from it already" in visit.get(ACTIVE).text
    visit.get(ADD_ON, 303)
    assert [asked.amount.minor for asked in world.gateway.refunds] == [4900]
    assert "You withdrew from the contract" in visit.get("/settings/billing/credit-notes/1").text
    assert "The contract about" in visit.get("/settings/billing/activity").text


def test_the_provider_being_down_stops_nobody(world, visit):
    bought(world, visit, "consumer_de")
    world.gateway.fail_next("refund", Fault.OUTAGE)
    visit.post(ADD_ON, fields(visit.get(ADD_ON), ADD_ON), 303)
    assert "You withdrew from the contract" in visit.get(ACTIVE).text
    Till(world).reconcile()
    assert world.rows(RefundRow, status="succeeded") == 1


def test_while_a_charge_has_no_answer_the_page_says_to_try_again(world, visit):
    actor = on_trial(world, APRIL_11)
    world.change(update(AccountRow).values(country="FR", customer_type="consumer"))
    for _ in range(2):
        world.gateway.fail_next("charge", Fault.OUTAGE)
    run_at(world, datetime(2026, 4, 25, tzinfo=UTC))
    visit.sign_in("owner@account1.test")
    visit.post(PLAN, fields(visit.get(PLAN), PLAN), 303)
    assert "A payment for it is under way." in visit.get(PLAN).text
    assert world.state(actor).subscription is not None


def test_the_plan_and_what_is_on_it(world, visit):
    actor = bought(world, visit, "consumer_eu")
    office = Office(world, Till(world))
    office.change(actor, "business")
    page = visit.get(PLAN)
    assert "Ends with it" in page.text
    assert "Salesforce connector" in page.text
    visit.post(PLAN, fields(page, PLAN), 303)
    assert "You withdrew from the contract about Business" in visit.get(PLANS).text
    assert world.state(actor).subscription is None
    visit.post(PLAN, fields(page, PLAN), 303)
    assert "You had withdrawn from it already" in visit.get(PLANS).text


def test_use_that_is_not_billed_yet_is_named_and_not_charged(world, visit):
    meterage = Meterage(world)
    actor = meterage.account()
    world.change(update(AccountRow).values(country="FR", customer_type="consumer"))
    meterage.at("2026-04-11")
    visit.sign_in("owner@account1.test")
    assert "not billed yet" not in visit.get(PLAN).text
    meterage.use(actor, LIMIT + 10_000)
    said = "Use beyond the allowance that is not billed yet, $8.00, is not charged."
    assert said in plain(visit.get(PLAN).text)


def test_a_member_may_look_and_another_account_finds_nothing(app, world, visit):
    actor = bought(world, visit, "consumer_eu")
    world.member(actor.account_id, "member@account1.test", Role.MEMBER)
    reader = Visitor(app.test_client())
    reader.sign_in("member@account1.test")
    page = reader.get(ADD_ON)
    assert "Your role may look at billing but not change it" in page.text
    reader.post(ADD_ON, {"csrf_token": page.hidden("csrf_token")}, 403)
    world.account()
    stranger = Visitor(app.test_client())
    stranger.sign_in("owner@account2.test")
    stranger.get(ADD_ON, 404)
    assert world.rows(RefundRow) == 0


CANCELS = (("/settings/billing/add-ons/active/1/cancel", ADD_ON), (f"{PLANS}/cancel", PLAN))


@pytest.mark.parametrize(("url", "instead"), CANCELS)
def test_a_page_that_cancels_names_the_withdrawal_while_there_is_one(url, instead, world, visit):
    bought(world, visit, "consumer_eu")
    page = visit.get(url)
    assert "You can still withdraw from the contract instead" in page.text
    assert "is not refunded" not in page.text
    assert len(links(page, instead)) == 1
    world.change(update(AccountRow).values(test_clock_at=datetime(2026, 4, 30, tzinfo=UTC)))
    page = visit.get(url)
    assert "is not refunded" in page.text
    assert links(page, instead) == []
