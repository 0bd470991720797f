"""Who holds what of the catalog: the accounts a change touches, and what was ever sold."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.catalog import AddOn, Catalog, EntityType, Feature, Plan, Price
from portal.domain.instances import InstanceStatus
from portal.models.accounts import AccountRow
from portal.models.catalog import PriceRow
from portal.models.purchases import QuoteRow
from portal.models.subscriptions import InstanceRow, SubscriptionRow
from portal.models.usage import CounterRow, LotRow, UsageEventRow
from portal.services.catalog.changes import Change, Entity

Target = tuple[EntityType | type[Price], int]
"""A plan or add-on by its id, or a price row by its id."""

_LIVE = (InstanceStatus.PENDING_PAYMENT, InstanceStatus.SCHEDULED, InstanceStatus.ACTIVE)


@dataclass(frozen=True, slots=True)
class Sold:
    """Ids of what was ever bought, quotes included, and keys of features ever used."""

    plans: frozenset[int]
    add_ons: frozenset[int]
    prices: frozenset[int]
    features: frozenset[str]

    def has(self, entity: Entity) -> bool:
        return entity.id in (self.plans if isinstance(entity, Plan) else self.add_ons)


def find_sold(session: Session, scope: Scope, catalog: Catalog) -> Sold:
    """What of `catalog` was ever sold; a feature counts when something sold grants it."""
    here = scope.environment_id
    bought = or_(
        *(
            exists().where(table.environment_id == here, table.price_id == PriceRow.id)
            for table in (SubscriptionRow, InstanceRow, QuoteRow)
        )
    )
    statement = select(PriceRow.id, PriceRow.plan_id, PriceRow.add_on_id)
    rows = session.execute(statement.where(PriceRow.environment_id == here, bought)).all()
    sold = Sold(
        plans=frozenset(row.plan_id for row in rows if row.plan_id),
        add_ons=frozenset(row.add_on_id for row in rows if row.add_on_id),
        prices=frozenset(row.id for row in rows),
        features=frozenset(),
    )
    granted = {
        feature.lookup_key
        for entity in _entities(catalog)
        if sold.has(entity)
        for feature in _granted(entity)
    }
    charged = _charged_for(session, scope, catalog, sold.plans)
    used = _used(session, scope, catalog)
    return replace(sold, features=frozenset(granted | charged | used))


def _used(session: Session, scope: Scope, catalog: Catalog) -> set[str]:
    """Keys of features with lots, counters or usage."""
    used: set[int] = set()
    for table in (LotRow, CounterRow, UsageEventRow):
        used |= {
            feature.id
            for feature in catalog.features
            if session.scalar(
                select(
                    exists().where(
                        table.environment_id == scope.environment_id,
                        table.feature_id == feature.id,
                    )
                )
            )
        }
    return {feature.lookup_key for feature in catalog.features if feature.id in used}


def _charged_for(
    session: Session, scope: Scope, catalog: Catalog, plans: Iterable[int]
) -> set[str]:
    """Keys of features whose use a price of one of these plans charges for, or did."""
    priced = set(
        session.scalars(
            select(PriceRow.feature_id).where(
                PriceRow.environment_id == scope.environment_id,
                PriceRow.plan_id.in_(plans),
                PriceRow.feature_id.is_not(None),
            )
        )
    )
    return {feature.lookup_key for feature in catalog.features if feature.id in priced}


def _entities(catalog: Catalog) -> tuple[Entity, ...]:
    return (*catalog.plans, *catalog.add_ons)


def _granted(entity: Entity) -> Iterable[Feature]:
    yield from (entitlement.feature for entitlement in entity.entitlements)
    yield from (grant.feature for grant in entity.credit_grants)


@dataclass(frozen=True, slots=True)
class Holders:
    """Accounts that hold each plan, add-on and price row now; names by account id."""

    by_target: dict[Target, frozenset[int]]
    names: dict[int, str]

    def touched(self, change: Change, stored: Catalog) -> tuple[str, ...]:
        """Names of the accounts that `change` touches, sorted."""
        ids: set[int] = set()
        for target in _targets(change, stored):
            ids |= self.by_target.get(target, frozenset())
        return tuple(sorted(self.names[id] for id in ids))


def find_holders(session: Session, scope: Scope, now: datetime) -> Holders:
    """Holders at `now`: live subscriptions, and instances that have not ended."""
    found: defaultdict[Target, set[int]] = defaultdict(set)
    here = scope.environment_id
    plans = select(SubscriptionRow.plan_id, SubscriptionRow.price_id, SubscriptionRow.account_id)
    live = (SubscriptionRow.environment_id == here, SubscriptionRow.ended_at.is_(None))
    for plan_id, price_id, account_id in session.execute(plans.where(*live)):
        found[EntityType.PLAN, plan_id].add(account_id)
        found[Price, price_id].add(account_id)
    add_ons = select(InstanceRow.add_on_id, InstanceRow.price_id, InstanceRow.account_id)
    held = add_ons.where(InstanceRow.environment_id == here, _is_live(now)).distinct()
    for add_on_id, price_id, account_id in session.execute(held):
        found[EntityType.ADDON, add_on_id].add(account_id)
        found[Price, price_id].add(account_id)
    accounts = select(AccountRow.id, AccountRow.name).where(
        AccountRow.environment_id == here, AccountRow.id.in_(set().union(*found.values()))
    )
    names = {row.id: row.name for row in session.execute(accounts)}
    return Holders({target: frozenset(ids) for target, ids in found.items()}, names)


def _is_live(now: datetime) -> ColumnElement[bool]:
    stops_at = func.least(InstanceRow.ends_at, InstanceRow.cancel_at)
    return and_(InstanceRow.status.in_(_LIVE), or_(stops_at.is_(None), stops_at > now))


def _targets(change: Change, stored: Catalog) -> Iterable[Target]:
    """What an account must hold for `change` to touch it.

    A price touches the buyers of the row that ends: they keep it, nobody else has it.
    """
    match change.before, change.owner:
        case Price(id=id), _:
            yield Price, id
        case Feature(lookup_key=key), _:
            for entity in _entities(stored):
                if any(feature.lookup_key == key for feature in _granted(entity)):
                    yield _target(entity)
        case ((Plan() | AddOn() as entity), _):
            yield _target(entity)
        case _, owner if owner is not None and not isinstance(change.record, Price):
            yield owner.entity_type, owner.id


def _target(entity: Entity) -> Target:
    return (EntityType.PLAN if isinstance(entity, Plan) else EntityType.ADDON), entity.id
