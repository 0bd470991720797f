"""The prices that two lookup keys mean, and why nobody can be moved from one to the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.catalog import AddOn, Catalog, Plan, Price, Status
from portal.domain.price_changes import Mismatch, mismatches
from portal.models.catalog import PriceRow
from portal.models.price_changes import PriceChangeRow
from portal.models.subscriptions import InstanceRow, SubscriptionRow
from portal.queries.catalog import load_catalog, price_of
from portal.services.catalog.changes import subject

_WHY = {
    Mismatch.SAME: "the two prices are the same",
    Mismatch.CURRENCY: "they are in different currencies",
    Mismatch.INTERVAL: "they are charged in different intervals",
    Mismatch.ONETIME: "what is charged once is never charged again",
    Mismatch.TYPE: "one is for use, the other is not",
    Mismatch.FEATURE: "they are for use of different features",
    Mismatch.INVOICE_CADENCE: "one is charged in ADVANCE, the other in ARREAR",
}


@dataclass(frozen=True, slots=True)
class Pair:
    """olds: the prices to move from, several where one has changed more than once under one
    lookup key. problems: why nobody can be moved; empty when they can."""

    olds: tuple[Price, ...]
    new: Price | None
    problems: tuple[str, ...]


def find_pair(session: Session, scope: Scope, old_key: str, new_key: str) -> Pair:
    """What the keys mean now: NEW is the price in force, OLD every other row of its name."""
    here = PriceRow.environment_id == scope.environment_id
    current = select(PriceRow).where(here, PriceRow.lookup_key == new_key)
    new = session.scalar(current.where(PriceRow.ended_at.is_(None)))
    rows = session.scalars(
        select(PriceRow).where(here, PriceRow.lookup_key == old_key).order_by(PriceRow.id)
    )
    olds = [row for row in rows if new is None or row.id != new.id]
    problems = []
    if new is None:
        problems.append(f"there is no price {new_key} in the catalog")
    if not olds:
        problems.append(f"there is no old price {old_key}")
    if new is None or not olds:
        return Pair((), None, tuple(problems))
    return _checked(session, scope, new, _relevant(session, scope, olds))


def _relevant(session: Session, scope: Scope, olds: list[PriceRow]) -> list[PriceRow]:
    """Those that somebody pays, or will; the last one where nobody does."""
    paid = _paid(session, scope)
    return [row for row in olds if row.id in paid] or olds[-1:]


def _paid(session: Session, scope: Scope) -> set[int]:
    here = scope.environment_id
    live = (SubscriptionRow.environment_id == here, SubscriptionRow.ended_at.is_(None))
    bought = InstanceRow.environment_id == here
    plans = select(SubscriptionRow.price_id).where(*live)
    others = (
        select(func.unnest(SubscriptionRow.usage_price_ids)).where(*live),
        select(InstanceRow.price_id).where(bought),
        select(func.unnest(InstanceRow.usage_price_ids)).where(bought),
    )
    to_come = select(PriceChangeRow.new_price_id).where(
        PriceChangeRow.environment_id == here, PriceChangeRow.status == "scheduled"
    )
    return set(session.scalars(plans.union(*others, to_come)))


def _checked(session: Session, scope: Scope, new: PriceRow, olds: list[PriceRow]) -> Pair:
    """The pair without the rows that ask what the new one asks, unless there is no other."""
    catalog = load_catalog(session, scope)
    features = {feature.id: feature for feature in catalog.features}
    wanted, prices = price_of(new, features), {row.id: price_of(row, features) for row in olds}
    other = [row for row in olds if Mismatch.SAME not in mismatches(prices[row.id], wanted)] or olds
    problems: list[str] = []
    for row in other:
        problems += _problems(catalog, row, new)
        problems += [_WHY[reason] for reason in mismatches(prices[row.id], wanted)]
    found = tuple(prices[row.id] for row in other)
    return Pair(found, wanted, tuple(dict.fromkeys(problems)))


def _problems(catalog: Catalog, old: PriceRow, new: PriceRow) -> Iterator[str]:
    was, will = _entity(catalog, old), _entity(catalog, new)
    if (old.plan_id, old.add_on_id) != (new.plan_id, new.add_on_id):
        whose = f"{old.lookup_key} is a price of {subject(was)}"
        yield f"{whose}, {new.lookup_key} of {subject(will)}"
    if old.ended_at is None and was.status is not Status.ARCHIVED:
        yield f"{old.lookup_key} is still sold: end it in the catalog first"
    if will.status is Status.DRAFT:
        yield f"{subject(will)} is a draft"


def _entity(catalog: Catalog, row: PriceRow) -> Plan | AddOn:
    of: tuple[Plan | AddOn, ...] = catalog.plans if row.plan_id else catalog.add_ons
    return next(each for each in of if each.id == (row.plan_id or row.add_on_id))
