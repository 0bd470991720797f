"""What the host is told: with what happened, in its transaction, to whoever wants to know."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from portal.domain.events import EventName
from portal.services.delivering import Delivered
from portal.services.expiring import note_endings
from portal.services.instances import cancel
from portal.services.recording import Doer, record
from portal.services.renewing import run_due
from tests.services.hearing import Office
from tests.services.paying import Till


@pytest.fixture
def office(world):
    return Office(world)


def test_a_purchase_is_told_in_order_with_the_account_and_what_it_is_about(office, world):
    actor = world.account()
    office.add()
    world.buy(actor, "salesforce")
    assert office.deliver() == Delivered(3, 0)
    assert office.host.types() == ["invoice.issued", "instance.started", "purchase.settled"]
    said = json.loads(office.host.got[1][0].body)
    assert said.keys() == {"id", "type", "at", "account", "subject", "detail"}
    assert said["account"] == "account1"
    assert said["subject"] == {"kind": "instance", "id": world.state(actor).held[0].id}
    assert said["at"] == "2026-04-11T00:00:00Z"
    assert office.deliver() == Delivered(0, 0), "each once"


def test_nobody_listens_nothing_is_stored(office, world):
    world.buy(world.account(), "salesforce")
    assert office.rows() == []


def test_what_is_rolled_back_was_never_told(office, world):
    actor = world.account()
    office.add()
    with world.session() as session:
        doer = Doer("x", actor.account_id)
        record(session, world.scope, doer, EventName.INVOICE_PAID, "invoice:1", world.now)
        session.rollback()
    assert office.rows() == []


def test_an_endpoint_hears_what_it_asked_for_and_both_hear_one_key(office, world):
    actor = world.account()
    first, second = office.add("purchase.settled"), office.add()
    world.buy(actor, "salesforce")
    office.deliver()
    to = {}
    for parcel, _ in office.host.got:
        said = json.loads(parcel.body)
        to.setdefault(parcel.endpoint_id, {})[said["type"]] = said["id"]
    assert to[first].keys() == {"purchase.settled"}
    assert to[second]["purchase.settled"] == to[first]["purchase.settled"]
    assert len(set(to[second].values())) == 3


def test_an_end_is_told_once_when_its_time_has_come(office, world):
    office.add("instance.ended")
    actor = world.account()
    world.buy(actor, "messages_10k")
    world.buy(actor, "salesforce")
    world.buy(actor, "zendesk")
    pack, connector, _ = sorted(world.state(actor).held, key=lambda i: i.id)
    with world.session() as session:
        cancel(actor, connector.id, "", session=session, wall=world.wall)
    world.now = datetime(2026, 5, 1, tzinfo=UTC) - timedelta(seconds=1)
    assert office.do(note_endings) == 0
    world.pass_time(seconds=1)
    assert office.do(note_endings) == 2
    assert office.do(note_endings) == 0
    office.deliver()
    told = [json.loads(parcel.body) for parcel, _ in office.host.got]
    assert {each["subject"]["id"] for each in told} == {pack.id, connector.id}
    assert {each["at"] for each in told} == {"2026-05-01T00:00:00Z"}


def test_a_decline_and_a_payment_are_told(office, world):
    office.add("invoice.payment_failed", "subscription.past_due", "subscription.renewed")
    world.account(card="pm_card_chargeCustomerFail")
    world.now = datetime(2026, 5, 1, tzinfo=UTC)
    till = Till(world)
    with world.session() as session:
        run_due(session, world.scope, gateway=till.gateway, wall=world.wall)
    office.deliver()
    assert office.host.types() == [
        "subscription.renewed", "invoice.payment_failed", "subscription.past_due"
    ]  # fmt: skip
