"""What may happen to an account in any order: one history after another, in one database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from sqlalchemy import select, update

from portal.domain.bills import next_bills
from portal.domain.errors import Conflict, NotFound, PaymentsUnavailable
from portal.domain.instances import Phase
from portal.domain.quotes import Start
from portal.domain.taxes import NO_TAX, Tax
from portal.gateways.fake_payments import Fault
from portal.models.accounts import AccountRow
from portal.models.invoices import CollectionRow, InvoiceRow
from portal.models.purchases import PaymentAttemptRow, PurchaseRow
from portal.models.subscriptions import SubscriptionRow
from portal.queries.billing import billing_state
from portal.queries.subscriptions import Instance
from portal.services import (
    accounts,
    charging,
    clock,
    instances,
    invoice_payments,
    settlement,
    withdrawing,
)
from portal.services.charging import NeedsCheckout
from portal.services.recording import Doer
from portal.services.till import Till as Desk
from tests.services.changing import ANNUAL, MONTHLY, Office
from tests.services.paying import Till
from tests.services.time_passing import lines
from tests.support.world import World, paying

ADD_ONS = ("salesforce", "zendesk", "storage_100gb", "members_5", "messages_10k", "onboarding",
           "messages_100k_recurring", "messages_by_use")  # fmt: skip
ONCE = ("salesforce", "zendesk", "onboarding", "messages_by_use")
SEVERAL = ("storage_100gb", "members_5", "messages_100k_recurring")
CARDS = (*["pm_card_visa"] * 4, "pm_card_chargeCustomerFail", "pm_card_authenticationRequired")
PLANS = ("starter", "growth", "business", "enterprise")
INTERVALS = {"monthly": MONTHLY, "annual": ANNUAL}
FAULTS = (Fault.ANSWER_LOST, Fault.ERROR_KEPT, Fault.OUTAGE)
BEGINNINGS = (datetime(2026, 4, 1, tzinfo=UTC), datetime(2026, 1, 31, 8, tzinfo=UTC),
              datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC))  # fmt: skip
ZONES = ("UTC", "America/New_York", "Pacific/Kiritimati")
TAXES = (NO_TAX, Tax(Decimal(20), label="VAT"), Tax(Decimal(20), True, "VAT"))
DYING: dict[str, tuple[Any, str]] = {
    "before it asks": (charging, "ask"),
    "before it writes": (charging, "write_answer"),
    "while it changes the plan": (settlement, "switch_now"),
    "while it raises a quantity": (settlement, "raise_now"),
    "while it writes the invoice": (settlement, "issue_invoice"),
}
"""Where the process may end: nothing asked yet, asked and paid, half settled."""
SHOPS: list[World] = []


class Crash(BaseException):
    """The process dies."""


@contextmanager
def dying(where: str, alive: int) -> Iterator[None]:
    """It dies there, after coming by `alive` times."""
    module, name = DYING[where]
    lived, left = getattr(module, name), [alive]

    def dies(*args: object, **kwargs: object) -> object:
        left[0] -= 1
        if left[0] < 0:
            raise Crash
        return lived(*args, **kwargs)

    setattr(module, name, dies)
    try:
        with suppress(Crash):
            yield
    finally:
        setattr(module, name, lived)


class Living(RuleBasedStateMachine):
    @initialize(
        card=st.sampled_from((*CARDS, None)),
        start=st.tuples(
            st.sampled_from(("starter", "starter", *PLANS)), st.sampled_from(tuple(INTERVALS))
        ),
        currency=st.sampled_from(("usd", "jpy")),
        since=st.sampled_from(BEGINNINGS),
        zone=st.sampled_from(ZONES),
        tax=st.sampled_from(TAXES),
        held=st.sampled_from((*SEVERAL, None)),
    )
    def begin(self, card, start, currency, since, zone, tax, held) -> None:
        """With a card, the first period is billed and paid, and so are three units of what is held
        from then on; without, it was paid elsewhere."""
        self.world = SHOPS[0]
        self.till = Till(self.world)
        self.office = Office(self.world, self.till)
        price = f"{start[0]}_{start[1]}_{currency}"
        self.actor = self.world.account(
            plan=start[0], price=price, currency=currency, since=since, zone=zone, tax=tax,
            card="pm_card_visa" if card else None,
        )  # fmt: skip
        mine = AccountRow.id == self.actor.account_id
        self.world.change(update(AccountRow).where(mine).values(test_clock_at=since))
        if card:
            at = {"billed_until_at": since, "next_due_at": since}
            bills = SubscriptionRow.account_id == self.actor.account_id
            self.world.change(update(SubscriptionRow).where(bills).values(**at))
            self._advance(timedelta(seconds=1))
            if held is not None:
                self.buy(held, 3, renew=True, start=Start.NOW)
            self.another_card(card)

    @rule(
        add_on=st.sampled_from(ADD_ONS),
        quantity=st.integers(1, 3),
        renew=st.booleans(),
        start=st.sampled_from((Start.NOW, Start.NOW, Start.NEXT_CYCLE)),
    )
    def buy(self, add_on: str, quantity: int, renew: bool, start: Start) -> None:
        with suppress(ValueError, Conflict, PaymentsUnavailable):
            self.world.buy(self.actor, add_on, 1 if add_on in ONCE else quantity, renew, start)

    @rule(
        plan=st.sampled_from(PLANS),
        interval=st.sampled_from(tuple(INTERVALS)),
        choice=st.sampled_from(("default", "default", "new")),
    )
    def change_the_plan(self, plan: str, interval: str, choice: str) -> None:
        with suppress(ValueError, Conflict, PaymentsUnavailable):
            quote = self.office.quote(self.actor, plan, INTERVALS[interval])
            self.office.confirm(self.actor, self.office.accept(quote), choice)

    @rule(steps=st.integers(0, 2), yearly=st.booleans())
    def upgrade(self, steps: int, yearly: bool) -> None:
        """To a larger plan, or to the year of the same."""
        subscription = self.world.state(self.actor).subscription
        larger = PLANS[PLANS.index(subscription.plan.lookup_key) :]
        plan = larger[min(steps, len(larger) - 1)]
        is_annual = subscription.price.interval == ANNUAL
        self.change_the_plan(plan, "annual" if yearly or is_annual else "monthly", "default")

    @rule()
    def withdraw(self) -> None:
        self.office.withdraw(self.actor)

    @rule(
        card=st.sampled_from(("visa", "visa_chargeDeclined", "mastercard")),
        go=st.sampled_from((True, True, False)),
    )
    def pay_at_the_checkout(self, card: str, go: bool) -> None:
        for purchase in self._reserved():
            outcome = self.till.finish(self.actor, purchase)
            if isinstance(outcome, NeedsCheckout):
                if go:
                    self.till.gateway.pay_page(self.till.page(purchase), card)
                self.till.finish(self.actor, purchase)

    @rule()
    def pay_on_a_page_left_open(self) -> None:
        """However long ago, and whatever has become of the purchase."""
        with self.world.session() as session:
            mine = PaymentAttemptRow.account_id == self.actor.account_id
            pages = session.scalars(select(PaymentAttemptRow.page_ref).where(mine)).all()
        for page in filter(None, pages):
            with suppress(ValueError, NotFound):
                self.till.gateway.pay_page(page)
                self.till.hear("checkout.session.completed", "checkout.session", page)

    @rule(choice=st.sampled_from(("default", "new", "stop")))
    def pay_another_way_or_stop(self, choice: str) -> None:
        for purchase in self._reserved():
            with suppress(PaymentsUnavailable):
                if choice == "stop":
                    self.till.stop(self.actor, purchase)
                else:
                    self.till.pay(self.actor, purchase, choice)

    @rule(position=st.integers(0, 5))
    def take_back(self, position: int) -> None:
        mine = [i for i in self.world.state(self.actor).instances if i.phase is Phase.SCHEDULED]
        if not mine:
            return
        with self.world.session() as session, suppress(Conflict, NotFound):
            withdrawing.withdraw(
                self.actor, mine[position % len(mine)].id,
                session=session, gateway=self.world.gateway, wall=self.world.wall,
            )  # fmt: skip

    @rule(position=st.integers(0, 5), act=st.sampled_from(("cancel", "keep")))
    def cancel_or_keep(self, position: int, act: str) -> None:
        mine = [i for i in self.world.state(self.actor).instances if i.price.is_recurring]
        if not mine:
            return
        more = ("",) if act == "cancel" else ()
        with self.world.session() as session, suppress(Conflict, NotFound):
            chosen, wall = mine[position % len(mine)].id, self.world.wall
            getattr(instances, act)(self.actor, chosen, *more, session=session, wall=wall)

    @rule(card=st.sampled_from(CARDS))
    def another_card(self, card: str) -> None:
        with self.world.session() as session:
            accounts.save_card(
                session, self.world.scope, self.actor.account_id, card, self.world.gateway,
                self.world.wall,
            )  # fmt: skip

    @rule()
    def pay_what_is_open(self) -> None:
        for invoice in self._open_invoices():
            with self.world.session() as session, suppress(PaymentsUnavailable):
                invoice_payments.pay(
                    self.actor, invoice, paying(),
                    session=session, gateway=self.world.gateway, wall=self.world.wall,
                )  # fmt: skip

    @rule(
        method=st.sampled_from(("charge", "open_checkout", "refund")), fault=st.sampled_from(FAULTS)
    )
    def something_will_fail(self, method: str, fault: Fault) -> None:
        self.till.gateway.fail_next(method, fault)

    @rule(days=st.integers(1, 40), hours=st.integers(0, 23))
    def time_passes(self, days: int, hours: int) -> None:
        self._advance(timedelta(days=days, hours=hours))

    @rule(months=st.integers(1, 6))
    def months_pass(self, months: int) -> None:
        self._advance(timedelta(days=31 * months))

    @rule()
    def the_next_bill_comes_as_it_was_foreseen(self) -> None:
        state = self.world.state(self.actor)
        if state.subscription.status != "active" or self._reserved():
            return
        [bill] = next_bills(billing_state(state), state.now, 1).ahead
        self._advance(bill.at - state.now)
        assert [line.amount.minor for line in bill.lines] == self._billed_at(bill.at)

    @rule(where=st.sampled_from(tuple(DYING)), days=st.integers(1, 90), alive=st.integers(0, 2))
    def the_process_dies_as_time_passes(self, where: str, days: int, alive: int) -> None:
        with dying(where, alive):
            self._advance(timedelta(days=days))

    @rule(where=st.sampled_from(tuple(DYING)), plan=st.sampled_from(PLANS),
          interval=st.sampled_from(tuple(INTERVALS)))  # fmt: skip
    def the_process_dies_as_the_plan_changes(self, where: str, plan: str, interval: str) -> None:
        with dying(where, 0):
            self.change_the_plan(plan, interval, "default")

    @rule(where=st.sampled_from(tuple(DYING)), add_on=st.sampled_from(ADD_ONS))
    def the_process_dies_as_something_is_bought(self, where: str, add_on: str) -> None:
        with dying(where, 0):
            self.buy(add_on, 1, renew=True, start=Start.NOW)

    @rule()
    def everything_is_picked_up(self) -> None:
        self.world.pass_time(minutes=40)
        self.till.reconcile()
        self.till.reconcile()

    def _advance(self, span: timedelta) -> None:
        world, to = self.world, self.world.state(self.actor).now + span
        with world.session() as session:
            desk = Desk(session, world.gateway, world.scope, world.wall, Doer("test"))
            clock.advance(desk, self.actor.account_id, to)

    def _held(self) -> tuple[Instance, ...]:
        return self.world.state(self.actor).held

    def _reserved(self) -> list[int]:
        with self.world.session() as session:
            mine = select(PurchaseRow.id).filter_by(
                account_id=self.actor.account_id, status="reserved"
            )
            return list(session.scalars(mine))

    def _billed_at(self, at: datetime) -> list[int]:
        of_then = {"account_id": self.actor.account_id, "due_at": at}
        with self.world.session() as session:
            invoice = session.scalars(select(InvoiceRow).filter_by(**of_then)).one()
        return [amount for _, _, amount in lines(self.world, invoice)]

    def _open_invoices(self) -> list[int]:
        with self.world.session() as session:
            mine = select(CollectionRow.invoice_id).filter_by(
                account_id=self.actor.account_id, status="open"
            )
            return list(session.scalars(mine))
