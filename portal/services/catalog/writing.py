"""Writes the changes of a catalog in an order that every constraint allows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, func, insert, select, update
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.catalog import (
    AddOn,
    CreditGrant,
    Entitlement,
    EntityType,
    Feature,
    Plan,
    Price,
)
from portal.models.catalog import (
    AddOnRow,
    CreditGrantRow,
    EntitlementRow,
    FeatureRow,
    PlanRow,
    PriceRow,
)
from portal.services.catalog.changes import Change, Owner
from portal.services.catalog.rows import (
    Values,
    add_on_values,
    credit_grant_values,
    entitlement_values,
    feature_values,
    plan_values,
    price_values,
)

Table = (
    type[FeatureRow]
    | type[PlanRow]
    | type[AddOnRow]
    | type[PriceRow]
    | type[EntitlementRow]
    | type[CreditGrantRow]
)
PARTS = (PriceRow, EntitlementRow, CreditGrantRow)


class Writer:
    """Writes into the open transaction of `session` and leaves the commit to its caller.

    now: when ended prices end and new ones start.
    """

    def __init__(self, session: Session, scope: Scope, now: datetime) -> None:
        self._session = session
        self._here = scope.environment_id
        self._now = now

    def write(self, changes: Sequence[Change]) -> None:
        """Features first, then what leaves (it frees its keys), what comes, unused features."""
        for change in changes:
            if isinstance(change.after, Feature):
                self._put(FeatureRow, change.before, feature_values(change.after))
        for change in changes:
            self._take_away(change)
        self._features = self._ids(FeatureRow)
        for change in changes:
            self._put_entity(change)
        self._owners = {
            EntityType.PLAN: self._ids(PlanRow),
            EntityType.ADDON: self._ids(AddOnRow),
        }
        for change in changes:
            if change.owner is not None:
                self._put_part(change, change.owner)
        for change in changes:
            if isinstance(change.before, Feature) and change.after is None:
                self._delete_feature(change.before.id)

    def _take_away(self, change: Change) -> None:
        match change.before, change.after:
            case Price(id=id), _:
                self._end_price(id)
            case Entitlement(id=id), None:
                self._delete(EntitlementRow, id)
            case CreditGrant(id=id), None:
                self._delete(CreditGrantRow, id)
            case Plan(id=id), None:
                self._delete_with_parts(PlanRow, id)
            case AddOn(id=id), None:
                self._delete_with_parts(AddOnRow, id)

    def _put_entity(self, change: Change) -> None:
        match change.after:
            case Plan() as plan:
                self._put(PlanRow, change.before, plan_values(plan))
            case AddOn() as add_on:
                self._put(AddOnRow, change.before, add_on_values(add_on))

    def _put_part(self, change: Change, owner: Owner) -> None:
        of_owner = self._of(owner)
        match change.after:
            case Price() as price:
                named = self._features[price.feature.lookup_key] if price.feature else None
                self._put(PriceRow, None, price_values(price, named) | of_owner | self._started())
            case Entitlement(feature=feature) as entitlement:
                values = entitlement_values(entitlement, self._features[feature.lookup_key])
                self._put(EntitlementRow, change.before, values | of_owner)
            case CreditGrant(feature=feature) as grant:
                values = credit_grant_values(grant, self._features[feature.lookup_key])
                self._put(CreditGrantRow, change.before, values | of_owner)

    def _of(self, owner: Owner) -> Values:
        is_plan = owner.entity_type is EntityType.PLAN
        id = self._owners[owner.entity_type][owner.lookup_key]
        return {
            "entity_type": owner.entity_type,
            "plan_id": id if is_plan else None,
            "add_on_id": None if is_plan else id,
        }

    def _started(self) -> Values:
        return {"started_at": self._now}

    def _put(self, table: Table, before: Any, values: Values) -> None:
        if before is None:
            row = values | {"environment_id": self._here}
            self._session.execute(insert(table).values(**row))
        else:
            statement = update(table).where(*self._one(table, before.id))
            self._session.execute(statement.values(**values))

    def _end_price(self, id: int) -> None:
        """A clock that went back must not end a price before it started."""
        ended_at = func.greatest(PriceRow.started_at, self._now)
        statement = update(PriceRow).where(*self._one(PriceRow, id)).values(ended_at=ended_at)
        self._session.execute(statement, execution_options={"synchronize_session": False})

    def _delete(self, table: Table, id: int) -> None:
        self._session.execute(delete(table).where(*self._one(table, id)))

    def _delete_feature(self, id: int) -> None:
        """Ended prices for its use go with it: nobody ever had the plan that they are of."""
        named = (PriceRow.environment_id == self._here, PriceRow.feature_id == id)
        self._session.execute(delete(PriceRow).where(*named))
        self._delete(FeatureRow, id)

    def _delete_with_parts(self, table: type[PlanRow] | type[AddOnRow], id: int) -> None:
        """Remove what was never sold, its ended prices too."""
        for part in PARTS:
            owner = part.plan_id if table is PlanRow else part.add_on_id
            of_owner = (part.environment_id == self._here, owner == id)
            self._session.execute(delete(part).where(*of_owner))
        self._delete(table, id)

    def _one(self, table: Table, id: int) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
        return table.environment_id == self._here, table.id == id

    def _ids(self, table: type[FeatureRow] | type[PlanRow] | type[AddOnRow]) -> dict[str, int]:
        here = table.environment_id == self._here
        rows = self._session.execute(select(table.lookup_key, table.id).where(here))
        return {row.lookup_key: row.id for row in rows}
