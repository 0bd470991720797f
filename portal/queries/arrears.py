"""What an account has used beyond its allowance and is not billed for yet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from portal.domain.arrears import Excess
from portal.domain.catalog import Feature, Price
from portal.models.subscriptions import SubscriptionRow
from portal.models.usage import ArrearRow, CounterRow


@dataclass(frozen=True, slots=True)
class UnbilledRows:
    """counters: with excess that is not settled. arrears: settled, and waiting for their bill."""

    counters: tuple[CounterRow, ...] = ()
    arrears: tuple[ArrearRow, ...] = ()

    @property
    def price_ids(self) -> set[int]:
        return {row.price_id for row in self.arrears if row.price_id is not None}


def has_unbilled() -> ColumnElement[bool]:
    """Whether there is anything to read: most accounts stay within their allowance.

    Correlated to SubscriptionRow.
    """
    return or_(
        select(CounterRow.account_id)
        .where(*_unsettled(), CounterRow.account_id == SubscriptionRow.account_id)
        .correlate(SubscriptionRow)
        .exists(),
        select(ArrearRow.id).where(*_waiting()).correlate(SubscriptionRow).exists(),
    )


def unbilled_rows(session: Session, row: SubscriptionRow) -> UnbilledRows:
    """All of a subscription, in the order in which it was used; nothing from before it began."""
    of = SubscriptionRow
    mine = (of.environment_id == row.environment_id, of.id == row.id)
    counters = select(CounterRow).join(of, CounterRow.account_id == of.account_id)
    arrears = select(ArrearRow).join(of, ArrearRow.subscription_id == of.id)
    fresh = {"populate_existing": True}
    return UnbilledRows(
        counters=tuple(
            session.scalars(
                counters.where(*mine, *_unsettled())
                .order_by(CounterRow.window_start_at, CounterRow.feature_id)
                .execution_options(**fresh)
            )
        ),
        arrears=tuple(
            session.scalars(
                arrears.where(*mine, *_waiting()).order_by(ArrearRow.id).execution_options(**fresh)
            )
        ),
    )


def excess_of(
    rows: UnbilledRows, features: Iterable[Feature], prices: dict[int, Price]
) -> tuple[Excess, ...]:
    """The same in the domain's types, what is settled first."""
    return tuple(_excess(rows, {feature.id: feature for feature in features}, prices))


def _excess(
    rows: UnbilledRows, features: dict[int, Feature], prices: dict[int, Price]
) -> Iterator[Excess]:
    for settled in rows.arrears:
        yield Excess(
            feature=features[settled.feature_id],
            window_start_at=settled.window_start_at.astimezone(UTC),
            units=settled.units,
            price=prices[settled.price_id] if settled.price_id is not None else None,
            due_at=settled.due_at.astimezone(UTC),
            id=settled.id,
        )
    for counter in rows.counters:
        yield Excess(
            feature=features[counter.feature_id],
            window_start_at=counter.window_start_at.astimezone(UTC),
            units=counter.excess - counter.settled,
        )


def _unsettled() -> tuple[ColumnElement[bool], ...]:
    return (
        CounterRow.environment_id == SubscriptionRow.environment_id,
        CounterRow.window_start_at >= SubscriptionRow.started_at,
        CounterRow.excess > CounterRow.settled,
    )


def _waiting() -> tuple[ColumnElement[bool], ...]:
    return (
        ArrearRow.environment_id == SubscriptionRow.environment_id,
        ArrearRow.account_id == SubscriptionRow.account_id,
        ArrearRow.subscription_id == SubscriptionRow.id,
        ArrearRow.price_id.is_not(None),
        ArrearRow.invoice_id.is_(None),
    )
