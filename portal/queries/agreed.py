"""What waits for a boundary, as it is kept and read again: a change of plan, changes of price."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from portal.domain.catalog import Plan, Price
from portal.domain.plan_moves import Fate, Move
from portal.domain.price_changes import PriceChange
from portal.models.price_changes import PriceChangeRow
from portal.models.subscriptions import PlanChangeRow


@dataclass(frozen=True, slots=True)
class AgreedChange:
    """moves: what becomes of the instances that were there when it was agreed. usage_prices: what
    use beyond the allowance costs then."""

    id: int
    plan: Plan
    price: Price
    effective_at: datetime
    moves: tuple[Move, ...]
    usage_prices: tuple[Price, ...] = ()


def price_ids(row: PlanChangeRow) -> list[int]:
    """Every price that it, or one of its moves, names."""
    moved = [move["price_id"] for move in row.moves if move["price_id"] is not None]
    return [row.price_id, *row.usage_price_ids, *moved]


def agreed_change(
    row: PlanChangeRow, plans: Iterable[Plan], prices: dict[int, Price]
) -> AgreedChange:
    return AgreedChange(
        id=row.id,
        plan=next(plan for plan in plans if plan.id == row.plan_id),
        price=prices[row.price_id],
        effective_at=row.effective_at.astimezone(UTC),
        moves=tuple(move_of(move, prices) for move in row.moves),
        usage_prices=tuple(prices[id] for id in row.usage_price_ids),
    )


def price_change(row: PriceChangeRow, prices: dict[int, Price]) -> PriceChange:
    return PriceChange(
        id=row.id,
        instance_id=row.instance_id,
        old=prices[row.old_price_id],
        new=prices[row.new_price_id],
        announced_at=row.announced_at.astimezone(UTC),
        effective_at=row.effective_at.astimezone(UTC),
    )


def plain_moves(moves: Iterable[Move]) -> list[dict[str, Any]]:
    """The same in what JSON knows; `move_of` reads it."""
    return [
        {
            "instance_id": move.instance_id,
            "name": move.name,
            "quantity": move.quantity,
            "fate": str(move.fate),
            "price_id": move.price.id if move.price else None,
            "ends_at": move.ends_at.isoformat() if move.ends_at else None,
        }
        for move in moves
    ]


def move_of(said: dict[str, Any], prices: dict[int, Price]) -> Move:
    ends_at = said["ends_at"]
    return Move(
        instance_id=said["instance_id"],
        name=said["name"],
        quantity=said["quantity"],
        fate=Fate(said["fate"]),
        price=prices[said["price_id"]] if said["price_id"] is not None else None,
        ends_at=datetime.fromisoformat(ends_at).astimezone(UTC) if ends_at else None,
    )
