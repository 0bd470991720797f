"""An account as every page and service sees it: its clock, plan, instances and balances."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC

from sqlalchemy.orm import Session

from portal.domain.access import Actor, Permission, Scope
from portal.domain.arrears import Excess
from portal.domain.catalog import AddOn, Catalog, Price
from portal.domain.eligibility import Holding, Standing, covered_by
from portal.domain.errors import NotFound
from portal.domain.instances import HELD_PHASES, Phase, SubscriptionStatus
from portal.domain.legal import CustomerType, LegalProfile, profile_of
from portal.domain.money import Money
from portal.domain.periods import BillingNow, BillingPeriod, Interval, WallNow
from portal.domain.price_changes import PriceChange
from portal.domain.quotes import Buyer
from portal.domain.taxes import Tax
from portal.models.accounts import AccountRow
from portal.models.ledger import AccountBalanceRow
from portal.models.price_changes import PriceChangeRow
from portal.models.subscriptions import PlanChangeRow
from portal.queries.account_rows import (
    FormerPlan,
    LiveRows,
    former_plan,
    instance_rows,
    live_rows,
    named_prices,
)
from portal.queries.agreed import AgreedChange, agreed_change, price_change
from portal.queries.arrears import UnbilledRows, excess_of
from portal.queries.catalog import current_catalog, prices_by_id
from portal.queries.items import items_of, over_by_change
from portal.queries.subscriptions import (
    BoughtRow,
    Instance,
    Subscription,
    ending,
    instance_of,
    over_with_its_plan,
    subscription_of,
)


@dataclass(frozen=True, slots=True)
class Account:
    """now: the account's own now, which a test clock may have set. country: empty where unknown."""

    id: int
    key: str
    name: str
    currency: str
    zone: str
    tax: Tax
    stripe_customer_id: str | None
    now: BillingNow
    country: str = ""
    customer_type: CustomerType = CustomerType.BUSINESS

    @property
    def profile(self) -> LegalProfile:
        return profile_of(self.country, self.customer_type)


@dataclass(frozen=True, slots=True)
class AccountState:
    """Everything a purchase or a page depends on, read in one transaction.

    balance and carried: available, that is less what open purchases hold. agreed: the change of
    plan at the end of the term. plan_purchase_id: of a change now, or of a plan that is to begin,
    that is not paid for yet.
    former: the plan that ended last, where there is none now.
    price_changes: announced and not applied yet, in order. beyond: what was used beyond the
    allowance and is not billed. owes: whether an invoice of the subscription is not paid.
    """

    account: Account
    subscription: Subscription | None
    instances: tuple[Instance, ...]
    balance: Money
    carried: Money
    catalog: Catalog
    agreed: AgreedChange | None = None
    plan_purchase_id: int | None = None
    former: FormerPlan | None = None
    price_changes: tuple[PriceChange, ...] = ()
    beyond: tuple[Excess, ...] = ()
    owes: bool = False

    @property
    def now(self) -> BillingNow:
        return self.account.now

    @property
    def quoted_on(self) -> int:
        """The subscription that quotes are made on; that which ended last, where there is none now.

        Raises NotFound for an account that never had one.
        """
        if self.subscription is not None:
            return self.subscription.id
        if self.former is None:
            raise NotFound("subscription")
        return self.former.subscription_id

    @property
    def unfinished(self) -> tuple[Instance, ...]:
        """Instances whose payment has no end yet."""
        return tuple(i for i in self.instances if i.phase is Phase.PENDING)

    @property
    def held(self) -> tuple[Instance, ...]:
        """Instances in force now or scheduled."""
        return tuple(i for i in self.instances if i.phase in HELD_PHASES)

    def find_add_on(self, lookup_key: str) -> AddOn | None:
        return next((a for a in self.catalog.add_ons if a.lookup_key == lookup_key), None)

    def holding(self, add_on: AddOn) -> Holding:
        """What the subscription has of `add_on`, in units."""
        mine = [i for i in self.instances if i.add_on.id == add_on.id]
        held = [i for i in mine if i.phase in HELD_PHASES]
        pending = [i for i in mine if i.phase is Phase.PENDING]
        unpaid = [i.purchase_id for i in pending] + [i.raise_purchase_id for i in mine]
        cancelling = [i.id for i in held if i.phase is Phase.CANCELLING and i.price.is_recurring]
        return Holding(
            units=sum(i.quantity for i in held),
            pending_units=sum(i.quantity for i in pending) + sum(i.raised for i in mine),
            instance_id=held[0].id if held else None,
            cancelling_id=cancelling[0] if cancelling else None,
            pending_purchase_id=next((each for each in unpaid if each is not None), None),
        )

    def standing(self, actor: Actor, then: AgreedChange | None = None) -> Standing:
        """The subscription as eligibility sees it, for `actor`; then: once that has happened."""
        may_update = actor.holds(Permission.BILLING_UPDATE)
        if self.subscription is None:
            interval = Interval(BillingPeriod.MONTHLY)
            return Standing(None, "", interval, self.account.currency, frozenset(), {}, may_update)
        plan = then.plan if then else self.subscription.plan
        price = then.price if then else self.subscription.price
        granted = [e for e in plan.entitlements if e.is_enabled]
        return Standing(
            status=self.subscription.status,
            plan_key=plan.lookup_key,
            plan_interval=price.interval or self.subscription.cycle.interval,
            currency=self.account.currency,
            covered=covered_by(plan),
            reset_periods={
                e.feature.lookup_key: e.usage_reset_period for e in granted if e.usage_reset_period
            },
            may_update=may_update,
            term_is_over=self._term_is_over,
            is_renewing=self.is_changing and self.subscription.status is SubscriptionStatus.ACTIVE,
        )

    @property
    def is_changing(self) -> bool:
        """Whether the agreed change of plan has come and its renewal has not run yet."""
        return self.agreed is not None and self.agreed.effective_at <= self.now

    @property
    def _term_is_over(self) -> bool:
        """Whether the plan is cancelled and only add-ons that are paid for longer go on."""
        cancel_at = self.subscription.cancel_at if self.subscription else None
        return cancel_at is not None and cancel_at <= self.now

    def buyer(self) -> Buyer:
        """The state that a quote depends on. Raises NotFound without a subscription."""
        if self.subscription is None:
            raise NotFound("subscription")
        return Buyer(
            account_id=self.account.id,
            subscription_id=self.subscription.id,
            plan_key=self.subscription.plan.lookup_key,
            cycle=self.subscription.cycle,
            currency=self.account.currency,
            tax=self.account.tax,
            balance=self.balance,
            carried=self.carried,
            ends_at=self.subscription.ends_at,
        )


def account_state(
    session: Session, scope: Scope, account_id: int, wall: WallNow, *, over: bool = False
) -> AccountState:
    """The whole state of one account. Raises NotFound for another scope's or no account.

    over: with a subscription that is over by the clock, while its last bills are still to be made.
    """
    account = _account(session.get(AccountRow, (scope.environment_id, account_id)), wall)
    catalog = current_catalog(session, scope)
    live = live_rows(session, scope, account_id)
    bought = instance_rows(session, scope, account_id)
    prices = prices_by_id(session, scope, named_prices(live, bought), catalog.features)
    subscription, instances = _held(account, catalog, prices, live, bought)
    former = None
    if live is None or (not over and _is_over(subscription, account.now)):
        former = former_plan(session, scope, account_id, catalog.plans, subscription)
        subscription = live = None
    balance, carried = _balances(session, scope, account)
    change, repriced, unbilled = _waiting(live)
    state = AccountState(
        account=account,
        subscription=subscription,
        instances=instances,
        balance=balance,
        carried=carried,
        catalog=catalog,
        agreed=agreed_change(change, catalog.plans, prices) if change else None,
        plan_purchase_id=live.plan_purchase_id if live else former.purchase_id if former else None,
        former=former,
        price_changes=tuple(price_change(row, prices) for row in repriced),
        beyond=excess_of(unbilled, catalog.features, prices),
        owes=live is not None and live.owes,
    )
    return _changed(state) if state.is_changing else state


def _changed(state: AccountState) -> AccountState:
    """What the change of plan ends is over by the clock, like all that begins with it."""
    if state.subscription is None:
        return state
    items = items_of(
        state.subscription, state.instances, state.price_changes, state.agreed, state.now
    )
    return replace(state, instances=over_by_change(state.instances, items, state.now))


def _held(
    account: Account,
    catalog: Catalog,
    prices: dict[int, Price],
    live: LiveRows | None,
    bought: list[BoughtRow],
) -> tuple[Subscription | None, tuple[Instance, ...]]:
    """The subscription and all instances ever bought, as the account's clock has them."""
    add_ons = {a.id: a for a in catalog.add_ons}
    instances = tuple(instance_of(each, add_ons, prices, account.now) for each in bought)
    if live is None:
        return None, instances
    row = live.subscription
    subscription = subscription_of(row, catalog, prices, account.zone)
    instances = tuple(
        each if one.row.subscription_id == row.id else over_with_its_plan(each)
        for each, one in zip(instances, bought, strict=True)
    )
    return ending(subscription, instances, row.cancel_at, account.now)


def _waiting(
    live: LiveRows | None,
) -> tuple[PlanChangeRow | None, tuple[PriceChangeRow, ...], UnbilledRows]:
    return (live.change, live.price_changes, live.unbilled) if live else (None, (), UnbilledRows())


def _is_over(subscription: Subscription | None, now: BillingNow) -> bool:
    ends_at = subscription.ends_at if subscription else None
    return ends_at is not None and ends_at <= now


def billing_now(row: AccountRow, wall: WallNow) -> BillingNow:
    """The account's now: its test clock where one is set, else the wall's."""
    return BillingNow((row.test_clock_at or wall).astimezone(UTC))


def _account(row: AccountRow | None, wall: WallNow) -> Account:
    if row is None:
        raise NotFound("account")
    return Account(
        id=row.id,
        key=row.key,
        name=row.name,
        currency=row.currency,
        zone=row.zone,
        tax=Tax(row.tax_rate, row.tax_inclusive, row.tax_label),
        stripe_customer_id=row.stripe_customer_id,
        now=billing_now(row, wall),
        country=row.country,
        customer_type=CustomerType(row.customer_type),
    )


def _balances(session: Session, scope: Scope, account: Account) -> tuple[Money, Money]:
    row = session.get(AccountBalanceRow, (scope.environment_id, account.id))
    if row is None:
        return Money.zero(account.currency), Money.zero(account.currency)
    return Money(row.balance_minor, row.currency), Money(row.carried_minor, row.currency)
