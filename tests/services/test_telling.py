"""Notices made of what was just written: the invoice's figures, the clock's dates."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select, update

from portal.domain.access import Actor
from portal.domain.instances import SubscriptionStatus
from portal.domain.money import Money
from portal.domain.periods import BillingNow
from portal.models.accounts import PaymentMethodRow
from portal.models.catalog import PriceRow
from portal.models.invoices import CollectionRow, InvoiceRow
from portal.models.purchases import PurchaseRow
from portal.models.subscriptions import SubscriptionRow
from portal.services import telling, telling_standing
from portal.services.collecting import open_invoices
from portal.services.recording import Doer
from portal.services.reminding import remind_of_trials
from portal.services.till import Till
from tests.services.time_passing import renewals, run_at
from tests.support.mails import Office
from tests.support.world import World

MAY_1 = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.fixture
def office(world: World) -> Office:
    return Office(world)


class Acting:
    """A till for one call, and the commit after it."""

    def __init__(self, world: World) -> None:
        self.world = world

    def __enter__(self) -> Till:
        self._session = self.world.session()
        session = self._session.__enter__()
        return Till(session, self.world.gateway, self.world.scope, self.world.wall, Doer("test"))

    def __exit__(self, *error: Any) -> None:
        self._session.__exit__(*error)


def told(office: Office, kind: str) -> list[dict[str, Any]]:
    return [row.notice for row in office.rows() if row.kind == kind]


def tell_of_purchases(world: World) -> None:
    with Acting(world) as till:
        for purchase in till.session.scalars(select(PurchaseRow).order_by(PurchaseRow.id)):
            telling.bought(till, purchase)
        till.session.commit()


def test_what_renews_says_when_and_what_does_not_says_until_when(world, office):
    actor = world.account()
    for add_on, renew in (("salesforce", True), ("members_5", False), ("messages_100k", True)):
        world.buy(actor, add_on, renew=renew)
    tell_of_purchases(world)
    renews, stops, pack = told(office, "purchased")
    assert (renews["renews_at"], renews["ends_at"]) == ("2026-05-01T00:00:00Z", None)
    assert (stops["renews_at"], stops["ends_at"]) == (None, "2026-05-01T00:00:00Z")
    assert (pack["renews_at"], pack["ends_at"]) == (None, "2026-05-01T00:00:00Z")
    assert pack["sold"] == [
        {
            "name": "100,000 message pack",
            "quantity": 1,
            "beyond": False,
            "amount": {"minor": 4900, "currency": "usd"},
        }
    ]
    assert (pack["charged"]["minor"], pack["carried"]["minor"]) == (4900, 0)
    assert pack["invoice"] == {"id": pack["invoice"]["id"], "number": 3}


def renewal(world: World, actor: Actor, at: datetime = MAY_1) -> InvoiceRow:
    run_at(world, at)
    return renewals(world, actor)[-1]


def test_a_renewal_says_what_was_charged_and_when_the_next_is(world, office):
    actor = world.account()
    invoice = renewal(world, actor)
    with Acting(world) as till:
        telling.renewed(till, invoice, Money(invoice.charged_minor, invoice.currency))
        till.session.commit()
    [notice] = told(office, "renewed")
    assert notice["invoice"] == {"id": invoice.id, "number": invoice.number}
    assert (notice["charged"]["minor"], notice["next_at"]) == (9900, "2026-06-01T00:00:00Z")
    assert [line["amount"]["minor"] for line in notice["sold"]] == [9900]


def fail(world: World, actor: Actor, reason: str) -> None:
    with Acting(world) as till:
        row = till.session.scalars(select(CollectionRow).filter_by(account_id=actor.account_id))
        mine = till.session.scalars(select(SubscriptionRow).filter_by(account_id=actor.account_id))
        telling.failed(till, row.one(), open_invoices(till.session, mine.one()), reason)
        till.session.commit()


@pytest.mark.parametrize(
    ("card", "noted", "reason", "retry_at"),
    [
        ("pm_card_chargeCustomerFail", "expired_card", "expired_card", "2026-05-02T00:00:00Z"),
        (
            "pm_card_chargeCustomerFail", "needs_authentication", "authentication_failed",
            "2026-05-02T00:00:00Z",
        ),
        (None, "no_card", None, None),
    ],
)  # fmt: skip
def test_a_failed_renewal_says_why_and_what_comes_next(
    world, office, card, noted, reason, retry_at
):
    actor = world.account(card=card)
    renewal(world, actor)
    stored = told(office, "payment_failed")
    if not stored:
        fail(world, actor, noted)
        [notice] = told(office, "payment_failed")
        assert notice["reason"] == reason
    [notice] = told(office, "payment_failed")
    assert (notice["tries"], notice["retry_at"]) == (1, retry_at)
    assert notice["suspends_at"] == "2026-05-22T00:00:00Z"
    assert notice["amount"]["minor"] == 9900


def restate(world: World, actor: Actor, before: SubscriptionStatus) -> None:
    with Acting(world) as till:
        mine = till.session.scalars(select(SubscriptionRow).filter_by(account_id=actor.account_id))
        telling_standing.restated(till, mine.one(), before, BillingNow(world.now))
        till.session.commit()


def test_a_suspension_says_what_is_owed_and_its_end_that_all_is_well(world, office):
    actor = world.account()
    run_at(world, MAY_1)  # paid, and so not owed
    world.change(update(PaymentMethodRow).values(detached_at=MAY_1))
    run_at(world, datetime(2026, 6, 1, tzinfo=UTC))
    restate(world, actor, SubscriptionStatus.ACTIVE)
    assert told(office, "suspended") == told(office, "restored") == []
    run_at(world, datetime(2026, 6, 22, tzinfo=UTC))
    restate(world, actor, SubscriptionStatus.PAST_DUE)
    [notice] = told(office, "suspended")
    assert notice["owed"]["minor"] == 9900
    world.change(update(SubscriptionRow).values(status="active"))
    restate(world, actor, SubscriptionStatus.PAST_DUE)
    assert told(office, "restored") == [], "it had never stopped"
    restate(world, actor, SubscriptionStatus.SUSPENDED)
    assert len(told(office, "restored")) == 1


def test_a_change_of_plan_is_told_when_agreed_and_when_made(world, office):
    actor = world.account()
    with Acting(world) as till:
        for scheduled in (True, False, False):
            telling.plan_changed(
                till, actor.account_id, "plan_change:1", "Growth", "Starter", MAY_1,
                scheduled=scheduled,
            )  # fmt: skip
        till.session.commit()
    assert [n["scheduled"] for n in told(office, "plan_changed")] == [True, False]


def test_a_trial_is_told_of_three_days_before_its_end_and_once(world, office):
    world.account()
    growth = update(PriceRow).where(PriceRow.lookup_key == "growth_monthly_usd")
    began, ends = datetime(2026, 4, 1, tzinfo=UTC), datetime(2026, 4, 15, tzinfo=UTC)
    trying = update(SubscriptionRow).values(
        status="trialing", started_at=began, billing_anchor_at=ends, billed_until_at=ends
    )
    world.change(growth.values(trial_period_days=14), trying)
    for day, hour, mails in ((11, 0, 0), (11, 23, 0), (12, 0, 1), (14, 0, 1), (15, 0, 1)):
        world.now = began.replace(day=day, hour=hour)
        with world.session() as session:
            remind_of_trials(session, world.scope, world.wall)
        assert len(told(office, "trial_ending")) == mails
    [notice] = told(office, "trial_ending")
    assert (notice["ends_at"], notice["amount"]["minor"]) == ("2026-04-15T00:00:00Z", 9900)


def test_without_a_trial_nothing_is_told(world, office):
    world.account()
    with world.session() as session:
        remind_of_trials(session, world.scope, world.wall)
    assert told(office, "trial_ending") == []
