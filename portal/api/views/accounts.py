"""Accounts: made by the host, and shown to it."""

from __future__ import annotations

from decimal import Decimal

from portal.api.auth import doer
from portal.api.operations import operation
from portal.api.problems import pointer, unfit
from portal.api.requests import database, scope, state_of, wall
from portal.api.schemas.accounts import (
    GivenAccount,
    GivenSubscription,
    ToldAccount,
    ToldSubscription,
    ToldTax,
)
from portal.api.schemas.fields import ACCOUNT_KEY, Amount, Span
from portal.api.schemas.problems import FieldProblem
from portal.domain.keys import Access
from portal.domain.periods import BillingNow
from portal.domain.taxes import NO_TAX, Tax
from portal.queries.accounts import AccountState
from portal.queries.subscriptions import Subscription
from portal.services import host_accounts
from portal.services.accounts import NewAccount
from portal.services.beginnings import Beginning, Elsewhere
from portal.services.host_accounts import Owner, Put, Wanted

KEY = {"key": ACCOUNT_KEY}


@operation(
    "GET", "/accounts/<key>", Access.READ, {200: ToldAccount}, parameters=KEY, refuses=(404,)
)
def get_account(key: str) -> ToldAccount:
    """One account, by the host's own id of it."""
    return told(state_of(key))


@operation(
    "PUT",
    "/accounts/<key>",
    Access.WRITE,
    {200: ToldAccount, 201: ToldAccount},
    parameters=KEY,
    body=GivenAccount,
)
def put_account(key: str, body: GivenAccount) -> tuple[ToldAccount, int]:
    """Make an account, or change what may be changed of it; repeated, it changes nothing.

    `name`, `time_zone`, `tax`, `country` and `customer_type` become what is sent, or their
    defaults. `currency` is for good.
    `owner` and `subscription` are for an account that has none: left out they stay as they are,
    and another one than there is is refused.
    """
    done = host_accounts.put(database(), scope(), _wanted(key, body), doer(), wall())
    if not isinstance(done, Put):
        raise unfit([FieldProblem(pointer=pointer(*u.field), detail=u.detail) for u in done])
    return told(state_of(key)), 201 if done.created else 200


def told(state: AccountState) -> ToldAccount:
    account = state.account
    return ToldAccount(
        key=account.key,
        name=account.name,
        currency=account.currency,
        time_zone=account.zone,
        tax=ToldTax(rate=account.tax.rate, inclusive=account.tax.inclusive, label=account.tax.label)
        if account.tax.rate
        else None,
        country=account.country or None,
        customer_type=account.customer_type,
        legal_profile=account.profile,
        balance=Amount.of(state.balance),
        subscription=_subscription(state.subscription, state.now) if state.subscription else None,
        now=state.now,
    )


def _subscription(subscription: Subscription, now: BillingNow) -> ToldSubscription:
    period = subscription.cycle.billing_period(now)
    return ToldSubscription(
        plan=subscription.plan.lookup_key,
        plan_name=subscription.plan.name,
        price=subscription.price.lookup_key,
        status=subscription.status,
        current_period=Span(start=period.start, end=period.end),
        renews_at=subscription.billed_until,
    )


def _wanted(key: str, body: GivenAccount) -> Wanted:
    tax = NO_TAX
    if body.tax is not None:
        tax = Tax(Decimal(body.tax.rate), body.tax.inclusive, body.tax.label)
    return Wanted(
        account=NewAccount(
            key,
            body.name,
            body.currency,
            body.time_zone,
            tax,
            body.country or "",
            body.customer_type,
        ),
        owner=Owner(body.owner.email, body.owner.name, body.owner.locale) if body.owner else None,
        beginning=_beginning(body.subscription) if body.subscription else None,
    )


def _beginning(given: GivenSubscription) -> Beginning:
    before = given.billed_elsewhere
    elsewhere = Elsewhere(before.started_at, Decimal(before.amount)) if before else None
    return Beginning(given.plan, given.price, elsewhere)
