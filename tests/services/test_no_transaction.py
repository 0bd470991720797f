"""Nothing of the database is held while the processor is asked, with sessions as the pages have."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.gateways.fake_payments import FakePayments, Fault
from portal.models.purchases import RefundRow
from portal.services.charging import Ended, NeedsCheckout, Settled, Unpaid
from tests.support.world import World

CONNECTOR = "salesforce"
ASKS = "pm_card_authenticationRequired"


class Watching:
    """Passes requests on; each finds the session in no transaction."""

    def __init__(self, real: FakePayments, world: World) -> None:
        self._real, self._world = real, world
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._real, name)
        if not callable(real):
            return real

        def asked(*args: Any, **named: Any) -> Any:
            open_now = [s for s in self._world.sessions if s.in_transaction()]
            assert not open_now, f"{name} is asked in a transaction"
            self.asked.append(name)
            return real(*args, **named)

        return asked


class Expiring(World):
    """Its sessions forget what they read at every commit, as those of the pages do."""

    sessions: list[Session]

    @contextmanager
    def session(self) -> Iterator[Session]:
        info = {"environment_id": self.scope.environment_id}
        with Session(self.engine, info=info) as session:
            self.sessions.append(session)
            yield session
            self.sessions.remove(session)


@pytest.fixture
def world(world_database) -> Iterator[World]:
    world = Expiring(world_database.app_url)
    world.sessions = []
    yield world
    world.engine.dispose()


@pytest.fixture
def watch(world: World) -> Callable[[], list[str]]:
    """From now on; what was asked."""

    def begin() -> list[str]:
        world.gateway = Watching(world.gateway, world)
        asked: list[str] = world.gateway.asked
        return asked

    return begin


def test_a_page_is_opened_read_and_closed(world, till, watch):
    actor = world.account(card=None)
    watched = watch()
    outcome = world.buy(actor, CONNECTOR)
    assert isinstance(outcome, NeedsCheckout)
    assert till.finish(actor, outcome.purchase_id) == outcome
    assert till.stop(actor, outcome.purchase_id) == Ended(outcome.purchase_id)
    again = world.buy(actor, CONNECTOR)
    till.world.gateway._real.pay_page(till.page(again.purchase_id))
    till.hear("checkout.session.completed", "checkout.session", till.page(again.purchase_id))
    assert till.finish(actor, again.purchase_id) == Settled(again.purchase_id)
    assert {"open_checkout", "read_page", "close_page", "make_default"} <= set(watched)


def test_a_payment_is_charged_authenticated_read_and_called_off(world, till, watch):
    actor = world.account(card=ASKS)
    watched = watch()
    outcome = world.buy(actor, CONNECTOR)
    assert till.finish(actor, outcome.purchase_id) == Unpaid(outcome.purchase_id)
    world.pass_time(minutes=36)
    till.reconcile()
    assert {"charge", "authenticate", "read_payment", "cancel_payment"} <= set(watched)


def test_a_payment_is_looked_up(world, till, watch):
    actor = world.account()
    watched = watch()
    world.gateway._real.fail_next("charge", Fault.ERROR_KEPT)
    world.buy(actor, CONNECTOR)
    world.pass_time(minutes=2)
    assert till.reconcile().still_open == 0
    assert "find_payment" in watched


def test_a_refund_is_sent_and_followed(world, till, watch):
    actor = world.account(card=None)
    watched = watch()
    outcome = world.buy(actor, CONNECTOR)
    world.now = datetime(2026, 5, 2, tzinfo=UTC)
    world.gateway._real.pay_page(till.page(outcome.purchase_id), "pendingRefund")
    till.finish(actor, outcome.purchase_id)
    with world.session() as session:
        reference = session.scalars(select(RefundRow.reference)).one()
    till.hear("refund.updated", "refund", reference)
    till.reconcile()
    assert {"refund", "read_refund"} <= set(watched)
