"""What is sold, and what an account has bought of it."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from pydantic import Field

from portal.api.operations import operation
from portal.api.paging import PageQuery, page_of
from portal.api.requests import database, scope, state_of
from portal.api.schemas.add_ons import (
    AddOnPage,
    InstancePage,
    ToldAddOn,
    ToldGrant,
    ToldInstance,
    ToldPrice,
)
from portal.api.schemas.fields import ACCOUNT_KEY, Amount
from portal.domain.catalog import AddOn, CreditGrant, Entitlement, Price, Status
from portal.domain.instances import HELD_PHASES
from portal.domain.keys import Access
from portal.domain.money import currency
from portal.queries.accounts import AccountState
from portal.queries.active import row_of
from portal.queries.catalog import current_catalog
from portal.queries.subscriptions import Instance


class InstanceQuery(PageQuery):
    which: Literal["held", "all"] = Field(
        "held", description="held: in force or scheduled. all: also ended, failed and unpaid ones."
    )


@operation("GET", "/add-ons", Access.READ, {200: AddOnPage}, query=PageQuery)
def list_add_ons(query: PageQuery) -> AddOnPage:
    """Every add-on that is sold here, with its prices and what one unit brings."""
    catalog = current_catalog(database(), scope())
    sold = [each for each in catalog.add_ons if each.status is Status.PUBLISHED]
    page = page_of(sold, query, lambda each: (each.sort, each.lookup_key))
    return AddOnPage(data=[_add_on(each) for each in page.items], next_cursor=page.next_cursor)


@operation(
    "GET",
    "/accounts/<key>/add-ons",
    Access.READ,
    {200: InstancePage},
    parameters={"key": ACCOUNT_KEY},
    query=InstanceQuery,
    refuses=(404,),
)
def list_account_add_ons(key: str, query: InstanceQuery) -> InstancePage:
    """What an account holds: one row for each purchase."""
    state = state_of(key)
    shown = [i for i in state.instances if query.which == "all" or i.phase in HELD_PHASES]
    page = page_of(shown, query, lambda each: (each.id, ""))
    data = [_instance(state, each) for each in page.items]
    return InstancePage(data=data, next_cursor=page.next_cursor)


def _add_on(add_on: AddOn) -> ToldAddOn:
    return ToldAddOn(
        lookup_key=add_on.lookup_key,
        name=add_on.name,
        type=add_on.type,
        benefit=add_on.benefit,
        description=add_on.description,
        category=add_on.category,
        most_units=add_on.most_units,
        allowed_plans=list(add_on.allowed_plans),
        prices=[_price(each) for each in add_on.prices],
        brings=[
            *(_entitled(each) for each in add_on.entitlements if each.is_enabled),
            *(_credited(each) for each in add_on.credit_grants),
        ],
    )


def _price(price: Price) -> ToldPrice:
    return ToldPrice(
        lookup_key=price.lookup_key,
        unit_amount=unit_amount(price),
        currency=price.currency,
        type=price.type,
        feature=price.feature.lookup_key if price.feature else None,
        cadence=price.billing_cadence,
        model=price.billing_model,
        every=price.interval.period if price.interval else None,
        every_count=price.interval.count if price.interval else None,
        capacity_ends=price.capacity_ends,
    )


def unit_amount(price: Price) -> str:
    """With every decimal that it has, and never fewer than its currency."""
    fewest = currency(price.currency).exponent
    digits = max(fewest, -int(price.amount.normalize().as_tuple().exponent))
    return f"{price.amount:.{digits}f}"


def _entitled(e: Entitlement) -> ToldGrant:
    return ToldGrant(
        feature=e.feature.lookup_key,
        name=e.feature.name,
        type=e.feature.type,
        units=None if e.usage_limit is None else Decimal(e.usage_limit),
        resets=e.usage_reset_period,
        value=e.static_value,
    )


def _credited(grant: CreditGrant) -> ToldGrant:
    return ToldGrant(
        feature=grant.feature.lookup_key,
        name=grant.feature.name,
        type=grant.feature.type,
        units=grant.credits,
        resets=grant.period,
        value="",
    )


def _instance(state: AccountState, instance: Instance) -> ToldInstance:
    row = row_of(state, instance)
    renews_at = row.period.end if instance.renews and row.period else None
    return ToldInstance(
        id=instance.id,
        add_on=instance.add_on.lookup_key,
        name=instance.add_on.name,
        quantity=instance.quantity,
        price=instance.price.lookup_key,
        use_prices=[each.lookup_key for each in instance.usage_prices],
        phase=instance.phase,
        starts_at=instance.span.starts_at,
        ends_at=instance.span.stops_at,
        auto_renew=instance.renews,
        renews_at=renews_at,
        next_charge=Amount.of(row.next_charge) if row.next_charge else None,
    )
