"""Accounts as the host makes and changes them: whole or not at all, and every misfit told."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from flask import g
from sqlalchemy import func, select, update

from portal.api.schemas.accounts import ZONES
from portal.models.accounts import AccountRow, MembershipRow, PersonRow
from portal.models.catalog import PriceRow
from portal.models.events import EventRow
from portal.models.subscriptions import SubscriptionRow
from portal.services.renewing import run_due
from portal.web.language import date_time
from tests.api.calling import Caller
from tests.api.conftest import new_key
from tests.web.reading import Visitor

OWNER = {"email": "Olga@acme.test", "name": "Olga"}
ACME = {"name": "Acme", "currency": "usd", "owner": OWNER}
GROWTH = {"plan": "growth", "price": "growth_monthly_usd"}
SINCE_FEBRUARY = {"started_at": "2026-02-01T01:00:00+01:00", "amount": "99.00"}
TABLES = (AccountRow, MembershipRow, PersonRow, SubscriptionRow, EventRow)


def misfits(answer):
    return {
        each.get("pointer") or each["parameter"]: each["detail"] for each in answer.json["errors"]
    }


def counts(world):
    return [world.rows(table) for table in TABLES]


def test_an_account_is_made_once_and_told_the_same_again(host, world):
    wanted = ACME | {"subscription": GROWTH, "time_zone": "Europe/Berlin",
                     "tax": {"rate": "19", "label": "VAT"}}  # fmt: skip
    made = host.put("/accounts/acme", wanted, 201)
    before = counts(world)
    assert host.put("/accounts/acme", wanted, 200).json == made.json
    assert host.get("/accounts/acme").json == made.json
    assert counts(world) == before
    assert made.json["tax"] == {"rate": "19", "inclusive": False, "label": "VAT"}
    assert made.json["subscription"] == {
        "plan": "growth", "plan_name": "Growth", "price": "growth_monthly_usd", "status": "active",
        "current_period": {"start": "2026-04-11T00:00:00Z", "end": "2026-05-11T00:00:00Z"},
        "renews_at": "2026-04-11T00:00:00Z",
    }  # fmt: skip


def test_a_plan_that_begins_now_is_billed_now(host, world):
    host.put("/accounts/acme", ACME | {"subscription": GROWTH}, 201)
    with world.session() as session:
        run_due(session, world.scope, gateway=world.gateway, wall=world.wall)
    told = host.get("/accounts/acme").json["subscription"]
    assert told["renews_at"] == "2026-05-11T00:00:00Z"
    assert told["status"] == "past_due", "nobody has saved a card yet"


def test_a_trial_begins_with_nothing_due(host, world):
    row = PriceRow
    days = update(row).where(row.lookup_key == GROWTH["price"]).values(trial_period_days=14)
    world.change(days)
    wanted = ACME | {"subscription": GROWTH}
    told = host.put("/accounts/acme", wanted, 201).json["subscription"]
    assert (told["status"], told["renews_at"]) == ("trialing", "2026-04-25T00:00:00Z")
    host.put("/accounts/acme", wanted, 200)


def test_what_may_change_changes_and_is_recorded(host, world):
    host.put("/accounts/acme", ACME | {"subscription": GROWTH}, 201)
    new = {"name": "Acme Ltd", "currency": "usd", "time_zone": "Asia/Tokyo",
           "tax": {"rate": "10.5", "inclusive": True, "label": "Consumption tax"}}  # fmt: skip
    told = host.put("/accounts/acme", new, 200).json
    assert (told["name"], told["time_zone"]) == ("Acme Ltd", "Asia/Tokyo")
    assert told["tax"]["rate"] == "10.5"
    assert told["subscription"]["plan"] == "growth", "left out, it stays"
    with world.session() as session:
        row = session.scalars(select(EventRow).where(EventRow.name == "account:changed")).one()
    assert row.actor == f"key:{host.key.split('_')[2]}"
    assert row.detail["changed"] == ["name", "zone", "tax_rate", "tax_inclusive", "tax_label"]
    back = host.put("/accounts/acme", {"name": "Acme", "currency": "usd"}, 200).json
    assert (back["tax"], back["time_zone"]) == (None, "UTC")


def test_what_may_not_change_is_said_and_nothing_else_changes(host, world):
    host.put("/accounts/acme", ACME | {"subscription": GROWTH}, 201)
    before = counts(world)
    wanted = {
        "name": "Other", "currency": "eur", "owner": {"email": "p@acme.test", "name": "P"},
        "subscription": {"plan": "starter", "price": "starter_monthly_usd"},
    }  # fmt: skip
    told = misfits(host.put("/accounts/acme", wanted, 422))
    assert told.keys() == {"#/currency", "#/owner/email", "#/subscription/plan"}
    assert "the account is on growth" in told["#/subscription/plan"]
    assert host.get("/accounts/acme").json["name"] == "Acme"
    assert counts(world) == before
    other = {"plan": "growth", "price": "growth_annual_usd", "billed_elsewhere": SINCE_FEBRUARY}
    told = misfits(host.put("/accounts/acme", ACME | {"subscription": other}, 422))
    assert set(told) == {
        "#/subscription/price", "#/subscription/billed_elsewhere/started_at",
        "#/subscription/billed_elsewhere/amount",
    }  # fmt: skip


def test_country_and_kind_of_customer_choose_the_words(host):
    host.put("/accounts/acme", ACME, 201)
    told = host.get("/accounts/acme").json
    assert (told["country"], told["customer_type"]) == (None, "business")
    assert told["legal_profile"] == "standard"
    consumer = ACME | {"country": "DE", "customer_type": "consumer"}
    told = host.put("/accounts/acme", consumer, 200).json
    assert (told["country"], told["customer_type"]) == ("DE", "consumer")
    assert told["legal_profile"] == "consumer_de"
    assert host.put("/accounts/acme", consumer | {"country": "de"}, 422)
    assert host.put("/accounts/acme", consumer | {"customer_type": "both"}, 422)
    assert host.put("/accounts/acme", ACME, 200).json["legal_profile"] == "standard"


@pytest.mark.parametrize("locale", ["", "de", "pt-BR"])
def test_the_hosts_word_on_the_owners_language_is_kept(locale, host, world):
    host.put("/accounts/acme", ACME | {"owner": OWNER | {"locale": locale}}, 201)
    host.put("/accounts/acme", ACME | {"owner": OWNER | {"locale": "fr"}}, 200)
    with world.session() as session:
        assert session.scalars(select(PersonRow.locale)).all() == [locale], "theirs since"


@pytest.mark.parametrize("locale", ["DE", "de_DE", "german", "../de", "de-"])
def test_what_is_no_language_is_refused(locale, host):
    told = misfits(host.put("/accounts/acme", ACME | {"owner": OWNER | {"locale": locale}}, 422))
    assert set(told) == {"#/owner/locale"}


@pytest.mark.parametrize("started_at", ["2026-04-11T00:00:01Z", "2001-01-01T00:00:00Z"])
def test_every_misfit_of_a_new_account_is_told_at_once(started_at, host, world):
    wanted = {
        "name": "Acme", "currency": "jpy",
        "subscription": {
            "plan": "growth", "price": "growth_monthly_usd",
            "billed_elsewhere": {"started_at": started_at, "amount": "99.50"},
        },
    }  # fmt: skip
    told = misfits(host.put("/accounts/acme", wanted, 422))
    assert set(told) == {
        "#/owner", "#/subscription/price", "#/subscription/billed_elsewhere/started_at",
        "#/subscription/billed_elsewhere/amount",
    }  # fmt: skip
    host.get("/accounts/acme", 404)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""), ("name", " "), ("name", "a\nb"), ("name", "x" * 256), ("name", 5),
        *(("name", f"a{sign}b") for sign in "\x85\u200e\u2028\u202e\u2066"),
        ("owner", {"email": "o@a.test", "name": "Eve\u202egnp.exe"}),
        ("currency", "USD"), ("currency", "xxx"), ("currency", None),
        ("time_zone", "Mars/Olympus"), ("time_zone", "+01:00"), ("time_zone", ""),
        ("time_zone", "localtime"), ("time_zone", "Factory"),
        ("tax", {"rate": "100"}), ("tax", {"rate": "-1"}), ("tax", {"rate": 19}), ("tax", {}),
        ("owner", {"email": "jörg@a.test", "name": "N"}),
        ("owner", {"email": "nobody", "name": "N"}), ("owner", {"email": "a@b", "name": ""}),
        ("subscription", {"plan": "growth"}), ("plan", "growth"),
        ("subscription", GROWTH | {"billed_elsewhere": {"amount": "-1", "started_at": "2026"}}),
        ("subscription", GROWTH | {"billed_elsewhere": {"amount": 99, "started_at": 1770000000}}),
        ("subscription", GROWTH | {"billed_elsewhere": SINCE_FEBRUARY | {"amount": "1e3"}}),
        ("subscription", GROWTH | {"billed_elsewhere": SINCE_FEBRUARY
                                   | {"started_at": "2026-02-01T00:00:00"}}),
    ],
)  # fmt: skip
def test_a_bad_field_is_named(field, value, host):
    told = misfits(host.put("/accounts/acme", ACME | {field: value}, 422))
    assert told
    assert all(pointer.startswith(f"#/{field}") for pointer in told)


@pytest.mark.parametrize("key", ["a%20b", "%00", "a%0A", ".x", "é", "a" * 201])
def test_a_key_that_cannot_be(key, host):
    told = misfits(host.put(f"/accounts/{key}", ACME, 422))
    assert told.keys() == {"key"}


@pytest.mark.parametrize("plan", ["nothing", "legacy_that_never_was"])
def test_a_plan_that_is_not_sold(plan, host):
    told = misfits(host.put("/accounts/a", ACME | {"subscription": GROWTH | {"plan": plan}}, 422))
    assert told == {"#/subscription/plan": "is no plan that is sold"}


def test_somebody_known_keeps_their_name_and_may_own_two_accounts(host, world):
    host.put("/accounts/acme", ACME, 201)
    host.put("/accounts/bolt", ACME | {"owner": {"email": "olga@ACME.test", "name": "O"}}, 201)
    with world.session() as session:
        person = session.scalars(select(PersonRow)).one()
        assert (person.email, person.name) == ("Olga@acme.test", "Olga")
        assert session.scalar(select(func.count()).select_from(MembershipRow)) == 2


def test_ten_at_once_make_one_account(app, world):
    key, wanted = new_key(world), ACME | {"subscription": GROWTH}

    def put(_):
        headers = {"Authorization": f"Bearer {key}"}
        return app.test_client().put("/api/v1/accounts/acme", json=wanted, headers=headers)

    with ThreadPoolExecutor(5) as pool:
        replies = list(pool.map(put, range(10)))
    assert sorted(reply.status_code for reply in replies) == [200] * 9 + [201]
    assert world.rows(AccountRow) == world.rows(SubscriptionRow) == world.rows(MembershipRow) == 1


def test_another_environments_account_is_not_there(host, world, world_database):
    from tests.api.conftest import close, serve

    host.put("/accounts/acme", ACME, 201)
    staging = serve(world, world_database, portal_environment="staging")
    stranger = Caller(staging.test_client(), host.key)
    stranger.get("/accounts/acme", 401)
    close(staging)


def test_every_zone_that_is_taken_can_be_shown(app):
    at = datetime(2026, 4, 11, 12, tzinfo=UTC)
    assert len(ZONES) > 400
    for zone in ZONES:
        with app.test_request_context("/"):
            g.zone = zone
            assert date_time(at).startswith("1")


def test_a_page_of_a_zone_that_only_machines_know(host, app, world):
    """Whoever got it before it was refused."""
    world.account(zone="Factory")
    visit = Visitor(app.test_client())
    visit.sign_in("owner@account1.test")
    assert "1 May 2026" in visit.get("/settings/billing/usage").text


def test_a_test_clock_is_told(host, world):
    from portal.services.clock import advance
    from portal.services.recording import Doer
    from portal.services.till import Till

    actor = world.account()
    with world.session() as session:
        till = Till(session, world.gateway, world.scope, world.wall, Doer("cli", actor.account_id))
        advance(till, actor.account_id, datetime(2026, 5, 2, tzinfo=UTC))
    told = host.get("/accounts/account1").json
    assert told["now"] == "2026-05-02T00:00:00Z"
    assert told["subscription"]["current_period"]["start"] == "2026-05-01T00:00:00Z"
