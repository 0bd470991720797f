"""One price of the file: its fields, and the rules that tie them together."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from portal.domain.catalog import (
    BillingCadence,
    BillingModel,
    CapacityEnds,
    EntityType,
    InvoiceCadence,
    Price,
    PriceType,
    Tier,
    TierMode,
    TransformQuantity,
)
from portal.domain.money import CURRENCIES, Money
from portal.domain.periods import BillingPeriod, Interval
from portal.services.catalog.contents import Features, read_feature
from portal.services.catalog.fields import MOST_UNITS, Fields

PRICE_FIELDS = (
    *("lookup_key", "amount", "currency", "type", "billing_model", "tier_mode", "tiers"),
    *("transform_quantity", "billing_cadence", "billing_period", "billing_period_count"),
    *("invoice_cadence", "capacity_ends", "trial_period_days", "feature"),
)
_PERIOD_FIELDS = ("billing_period", "billing_period_count", "trial_period_days")
_FORMS = {form: form for form in CapacityEnds if form is not CapacityEnds.DURATION}


def read_price(fields: Fields, entity: EntityType, features: Features) -> Price:
    """The price, with every broken rule reported."""
    model = fields.choice("billing_model", BillingModel, BillingModel.FLAT_FEE)
    cadence = fields.choice("billing_cadence", BillingCadence)
    kind = fields.choice("type", PriceType, PriceType.FIXED)
    usual = InvoiceCadence.ARREAR if kind is PriceType.USAGE else InvoiceCadence.ADVANCE
    ends, duration = _capacity_ends(fields)
    price = Price(
        lookup_key=fields.key(),
        entity_type=entity,
        amount=_amount(fields, model),
        currency=_currency(fields),
        billing_cadence=cadence,
        interval=_interval(fields),
        type=kind,
        billing_model=model,
        tier_mode=fields.choice("tier_mode", TierMode) if fields.has("tier_mode") else None,
        tiers=_tiers(fields),
        transform_quantity=_transform(fields),
        invoice_cadence=fields.choice("invoice_cadence", InvoiceCadence, usual),
        capacity_ends=ends,
        capacity_duration=duration,
        trial_period_days=fields.integer("trial_period_days", 0, 730, default=0),
        feature=read_feature(fields, features) if fields.has("feature") else None,
    )
    for rule in (_by_cadence, _by_entity, _by_type, _by_use, _by_model):
        rule(fields, price)
    _amounts_fit(fields, price)
    return price


def _amount(fields: Fields, model: BillingModel) -> Decimal:
    tiered = fields.fine("billing_model") and model is BillingModel.TIERED
    return fields.amount("amount", default=Decimal(0) if tiered else None)


def _currency(fields: Fields) -> str:
    code = fields.text("currency").lower()
    if fields.fine("currency") and code not in CURRENCIES:
        known = ", ".join(sorted(CURRENCIES))
        fields.blame("currency", f"unknown currency {code!r}; known are {known}")
    return code


def _interval(fields: Fields) -> Interval | None:
    count = fields.integer("billing_period_count", 1, 1000, default=1)
    if not fields.has("billing_period"):
        return None
    return Interval(fields.choice("billing_period", BillingPeriod), count)


def _capacity_ends(fields: Fields) -> tuple[CapacityEnds | None, timedelta | None]:
    """One of the words, or a number of days."""
    if not fields.has("capacity_ends"):
        return None, None
    value = fields.text("capacity_ends")
    if value in _FORMS:
        return CapacityEnds(value), None
    if fields.fine("capacity_ends") and "day" not in value:
        fields.blame(
            "capacity_ends",
            f"capacity_ends {value!r} is not window, cycle, never or a number of days"
            ' like "90 days"',
        )
        return None, None
    return CapacityEnds.DURATION, fields.days("capacity_ends")


def _transform(fields: Fields) -> TransformQuantity | None:
    inner = fields.one("transform_quantity", ("divide_by", "round"))
    if inner is None:
        return None
    divide_by = inner.integer("divide_by", 1, MOST_UNITS)
    rounding = inner.text("round", default="up")
    if inner.fine("round") and rounding not in ("up", "down"):
        inner.blame("round", f"round {rounding!r} is not one of up, down")
    return TransformQuantity(divide_by, rounding)


def _tiers(fields: Fields) -> tuple[Tier, ...]:
    """The tiers, reported where they do not rise or where another than the last is open."""
    entries = fields.entries("tiers", ("up_to", "unit_amount", "flat_amount"))
    found: list[Tier] = []
    highest = 0
    for entry in entries:
        is_open = entry.is_null("up_to") or not entry.has("up_to")
        up_to = None if is_open else entry.integer("up_to", 1, MOST_UNITS)
        found.append(
            Tier(up_to, entry.amount("unit_amount"), entry.amount("flat_amount", Decimal(0)))
        )
        if up_to is None:
            if entry is not entries[-1]:
                entry.blame("up_to", "up_to is missing: only the last tier is open")
        elif entry.fine("up_to"):
            if up_to <= highest:
                entry.blame("up_to", f"up_to {up_to:,} must be above the tier before, {highest:,}")
            highest = max(highest, up_to)
    if found and found[-1].up_to is not None:
        entries[-1].blame("up_to", "the last tier must be open: leave its up_to out")
    return tuple(found)


def _by_cadence(fields: Fields, price: Price) -> None:
    if not fields.fine("billing_cadence"):
        return
    if price.is_recurring:
        if not fields.has("billing_period"):
            fields.blame("billing_period", "billing_period is missing: a RECURRING price needs one")
        if fields.has("capacity_ends"):
            fields.blame(
                "capacity_ends", "a RECURRING price has no capacity_ends: it lasts while renewed"
            )
        return
    for name in _PERIOD_FIELDS:
        if fields.has(name):
            fields.blame(name, f"a ONETIME price has no {name}: it is charged once")
    if price.invoice_cadence is InvoiceCadence.ARREAR and price.type is PriceType.FIXED:
        fields.blame("invoice_cadence", "a ONETIME price is charged in ADVANCE")


def _by_entity(fields: Fields, price: Price) -> None:
    if not fields.fine("billing_cadence") or price.is_recurring:
        return
    if price.entity_type is EntityType.PLAN:
        fields.blame("billing_cadence", "a plan's price must be RECURRING")
    elif not fields.has("capacity_ends"):
        fields.blame(
            "capacity_ends",
            "capacity_ends is missing: a ONETIME price says when what was bought ends"
            ' (window, cycle, never or "90 days")',
        )


def _by_type(fields: Fields, price: Price) -> None:
    if not fields.fine("type", "invoice_cadence") or price.type is not PriceType.USAGE:
        return
    if price.invoice_cadence is InvoiceCadence.ADVANCE:
        fields.blame("invoice_cadence", "a USAGE price is charged in ARREAR: use is known after")
    if fields.fine("billing_cadence") and not price.is_recurring:
        fields.blame("type", "a USAGE price must be RECURRING")
    if price.trial_period_days:
        fields.blame("trial_period_days", "a USAGE price has no trial_period_days")


def _by_use(fields: Fields, price: Price) -> None:
    """A USAGE price charges for one consumed feature; no other price names any."""
    if not fields.fine("type", "feature"):
        return
    feature = price.feature
    if price.type is PriceType.FIXED:
        if fields.has("feature"):
            fields.blame("feature", "only a USAGE price names a feature")
    elif not fields.has("feature"):
        fields.blame("feature", "feature is missing: a USAGE price says what use it charges for")
    elif feature is not None and not feature.is_consumed:
        fields.blame("feature", f"{feature.lookup_key} is not consumed: a level has no use to add")


def _by_model(fields: Fields, price: Price) -> None:
    if not fields.fine("billing_model"):
        return
    needs: dict[BillingModel, tuple[str, ...]] = {
        BillingModel.FLAT_FEE: (),
        BillingModel.PACKAGE: ("transform_quantity",),
        BillingModel.TIERED: ("tier_mode", "tiers"),
    }
    for name in ("transform_quantity", "tier_mode", "tiers"):
        needed = name in needs[price.billing_model]
        if needed and not fields.has(name):
            fields.blame(name, f"{name} is missing: a {price.billing_model} price needs it")
        elif fields.has(name) and not needed:
            fields.blame(name, f"a {price.billing_model} price has no {name}")
    if price.billing_model is BillingModel.TIERED:
        if fields.has("amount"):
            fields.blame("amount", "a TIERED price has no amount: its tiers have theirs")
        if fields.fine("tiers") and not price.tiers:
            fields.blame("tiers", "tiers must have at least one tier")


def _amounts_fit(fields: Fields, price: Price) -> None:
    """What is charged as it stands must be an amount that the currency can express.

    Prices per unit of use and of tiers may be finer: their sum is rounded once.
    """
    if price.type is PriceType.FIXED and fields.fine("amount", "currency", "type"):
        _fits(fields, "amount", price.amount, price.currency)


def _fits(fields: Fields, name: str, amount: Decimal, code: str) -> None:
    row = CURRENCIES[code]
    try:
        minor = Money.from_major(amount, code).minor
    except ValueError:
        places = f"has {row.exponent} decimal places" if row.exponent else "has no decimal places"
        fields.blame(name, f"{name} {amount} is too precise: {code.upper()} {places}")
        return
    if minor % row.step:
        smallest = Money(row.step, code).major()
        fields.blame(name, f"{name} {amount} is not a multiple of {smallest} {code.upper()}")
