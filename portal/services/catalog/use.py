"""What is wrong with a price for use, beside what it stands among."""

from __future__ import annotations

from collections.abc import Iterator

from portal.domain.arrears import price_for_use
from portal.domain.catalog import AddOn, AddOnType, Feature, Plan, Price, PriceType


def use_problems(what: str, sold: Plan | AddOn, price: Price, feature: Feature) -> Iterator[str]:
    """Why the USAGE price `price` of `sold` would charge nobody, or not say what is paid.

    what: "plan x" or "add-on x".
    """
    key = feature.lookup_key
    if price_for_use(sold, [price], feature) is None:
        yield (
            f"a USAGE price charges beyond a soft limit: {what} has no"
            f" usage_limit of {key} with is_soft_limit true"
        )
    if not isinstance(sold, AddOn):
        return
    if sold.type is not AddOnType.ONETIME:
        yield f"a USAGE price charges for use once: {what} must be of type onetime"
    if not any(_goes_with(price, fixed) for fixed in sold.prices):
        yield (
            f"a USAGE price goes with a FIXED one: {what} has none in"
            f' {price.currency.upper()} for its period or a multiple; amount "0.00" asks nothing'
        )


def uncharged(add_on: AddOn) -> Iterator[tuple[Price, str]]:
    """FIXED prices whose buyers would pass the allowance for nothing, and what is missing."""
    usage = [price for price in add_on.prices if price.type is PriceType.USAGE and price.feature]
    for feature in dict.fromkeys(price.feature.lookup_key for price in usage if price.feature):
        mine = [p for p in usage if p.feature and p.feature.lookup_key == feature]
        for fixed in add_on.prices:
            if fixed.type is PriceType.FIXED and not any(_goes_with(p, fixed) for p in mine):
                yield fixed, f"who pays this is charged nothing for use of {feature}"


def _goes_with(price: Price, fixed: Price) -> bool:
    """Whether who pays `fixed` can be charged `price` for use."""
    if fixed.type is PriceType.USAGE or fixed.currency != price.currency:
        return False
    if fixed.interval is None or price.interval is None:
        return False
    return price.interval.divides(fixed.interval)
