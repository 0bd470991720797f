"""What a quantity costs at a price, before any proration: exact, in minor units."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from portal.domain.catalog import BillingModel, Price, Tier, TierMode, TransformQuantity
from portal.domain.money import currency


@dataclass(frozen=True, slots=True)
class Part:
    """One product of the working: `count` times `unit_amount`, or a flat fee (count None).

    unit_amount: major units. count: units or blocks.
    """

    unit_amount: Decimal
    count: Decimal | None


def parts(price: Price, quantity: Decimal) -> tuple[Part, ...]:
    """The products whose sum is the price of `quantity` units; none for zero units.

    Raises ValueError for a negative quantity or a price whose tiers do not cover it.
    Source: upstream-systems.md §1.2.1; billing-conventions.md §3 rule 14 (zero costs zero).
    """
    if quantity < 0:
        raise ValueError("a quantity is not negative")
    if quantity == 0:
        return ()
    match price.billing_model:
        case BillingModel.FLAT_FEE:
            return (Part(price.amount, quantity),)
        case BillingModel.PACKAGE:
            blocks = blocks_of(price.transform_quantity or TransformQuantity(1), quantity)
            return (Part(price.amount, Decimal(blocks)),)
        case BillingModel.TIERED:
            tiered = _volume if price.tier_mode is TierMode.VOLUME else _slab
            return tiered(price.tiers, quantity)


def exact_minor(price: Price, quantity: Decimal) -> Fraction:
    """The sum of `parts`, in minor units of the price's currency, not yet rounded."""
    scale: int = 10 ** currency(price.currency).exponent
    products = (
        Fraction(part.unit_amount) * Fraction(1 if part.count is None else part.count)
        for part in parts(price, quantity)
    )
    return scale * sum(products, Fraction(0))


def blocks_of(transform: TransformQuantity, quantity: Decimal) -> int:
    """Whole blocks of `divide_by` units that `quantity` makes."""
    exact = Fraction(quantity) / transform.divide_by
    return exact.__ceil__() if transform.round == "up" else exact.__floor__()


def _volume(tiers: tuple[Tier, ...], quantity: Decimal) -> tuple[Part, ...]:
    """The one tier that holds the quantity prices all of it."""
    for tier in tiers:
        if tier.up_to is None or quantity <= tier.up_to:
            return _tier_parts(tier, quantity)
    raise ValueError("the last tier must be open")


def _slab(tiers: tuple[Tier, ...], quantity: Decimal) -> tuple[Part, ...]:
    """Each tier prices its own slice; the flat of every tier entered is added."""
    found: list[Part] = []
    below = Decimal(0)
    for tier in tiers:
        top = quantity if tier.up_to is None else min(quantity, Decimal(tier.up_to))
        found += _tier_parts(tier, top - below)
        below = top
        if below == quantity:
            return tuple(found)
    raise ValueError("the last tier must be open")


def _tier_parts(tier: Tier, units: Decimal) -> tuple[Part, ...]:
    flat = (Part(tier.flat_amount, None),) if tier.flat_amount else ()
    return (Part(tier.unit_amount, units), *flat)
