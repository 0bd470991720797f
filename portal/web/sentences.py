"""What templates say about capacity, meters, lines, cards and taxed amounts, each as a phrase."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Protocol

from flask_babel import gettext as _

from portal.domain.capacity import Capacity
from portal.domain.catalog import Entitlement, Feature, FeatureType
from portal.domain.instances import Phase
from portal.domain.lines import LineKind
from portal.domain.money import Money
from portal.domain.periods import BillingPeriod
from portal.domain.taxes import Tax
from portal.domain.working import Working, WorkingKind
from portal.queries.cancelling import EndingAddOn
from portal.queries.invoices import InvoiceLine
from portal.queries.subscriptions import Instance
from portal.queries.usage import Meter
from portal.web.language import date, money, number, span, working

AMBER_PERCENT, RED_PERCENT = 75, 100


class Line(Protocol):
    """A line of a quote or of an invoice."""

    @property
    def kind(self) -> LineKind: ...
    @property
    def name(self) -> str: ...
    @property
    def quantity(self) -> int: ...
    @property
    def included(self) -> bool: ...
    @property
    def working(self) -> Working: ...


def units_of(feature: Feature, units: Decimal | int) -> str:
    """`100,000 messages`, `10,000 SMS credits`; `File storage: 100 GB` where the name says more."""
    unit = feature.unit_singular if units == 1 else feature.unit_plural
    named, plural = feature.name, feature.unit_plural
    if not unit or named.casefold() == plural.casefold():
        return f"{number(units)} {unit or named}"
    if named.casefold().endswith(plural.casefold()):
        return f"{number(units)} {named[: -len(plural)]}{unit}"
    return f"{named}: {number(units)} {unit}"


def brings(capacity: Capacity) -> str:
    """What a purchase brings and until when, as one line."""
    feature, until = capacity.feature, capacity.until
    if feature.type is not FeatureType.METERED:
        return _until(_unlocks(feature, capacity.entitlement), until)
    if capacity.units is None:
        return _until(_("Unlimited %(what)s", what=_plural(feature)), until)
    if capacity.then_units is not None and until:
        return _(
            "%(units)s until %(date)s, then %(then)s %(each)s",
            units=units_of(feature, capacity.units),
            date=date(until),
            then=number(capacity.then_units),
            each=_each(capacity.entitlement),
        )
    if capacity.credit_grant is not None and until is None:
        return _("%(units)s that never expire", units=units_of(feature, capacity.units))
    return _until(_more(feature, capacity.units), until)


def granted(instance: Instance) -> tuple[str, ...]:
    """What an instance gives while it is in force, without dates."""
    given = [
        _given(e, instance.quantity)
        for e in instance.add_on.entitlements
        if e.is_enabled and e.usage_limit != 0
    ]
    given += [
        units_of(grant.feature, grant.credits * instance.quantity)
        for grant in instance.add_on.credit_grants
    ]
    return tuple(given)


def _given(e: Entitlement, quantity: int) -> str:
    if e.feature.type is not FeatureType.METERED:
        return f"{e.feature.name}: {e.static_value}" if e.static_value else e.feature.name
    if e.usage_limit is None:
        return _("Unlimited %(what)s", what=_plural(e.feature))
    units = units_of(e.feature, e.usage_limit * quantity)
    return f"{units} {_each(e)}" if e.feature.is_consumed and e.usage_reset_period else units


def _until(what: str, end: datetime | None) -> str:
    return _("%(what)s until %(date)s", what=what, date=date(end)) if end else what


def _unlocks(feature: Feature, entitlement: Entitlement | None) -> str:
    if entitlement is not None and entitlement.static_value:
        return f"{feature.name}: {entitlement.static_value}"
    return _("Unlocks %(feature)s", feature=feature.name)


def _plural(feature: Feature) -> str:
    same = feature.name.casefold() == feature.unit_plural.casefold()
    return feature.unit_plural if same else feature.name


def _more(feature: Feature, units: Decimal) -> str:
    """Units that come on top of what is there."""
    said = units_of(feature, units)
    return said.replace(": ", ": +", 1) if said.startswith(f"{feature.name}: ") else f"+{said}"


def _each(entitlement: Entitlement | None) -> str:
    if entitlement is None:
        return _("each time it renews")
    paces = {
        BillingPeriod.DAILY: _("each day"),
        BillingPeriod.WEEKLY: _("each week"),
        BillingPeriod.MONTHLY: _("each month"),
        BillingPeriod.QUARTERLY: _("each quarter"),
        BillingPeriod.HALF_YEARLY: _("each half-year"),
        BillingPeriod.ANNUAL: _("each year"),
    }
    return paces[entitlement.usage_reset_period or BillingPeriod.MONTHLY]


def taxed(amount: Money, tax_amount: Money, tax: Tax) -> str:
    """A price with its tax, and how much of it that is."""
    if not tax.rate:
        return money(amount)
    whole = amount if tax.inclusive else amount + tax_amount
    return _(
        "%(amount)s including %(tax)s %(label)s",
        amount=money(whole),
        tax=money(tax_amount),
        label=tax.label or _("tax"),
    )


def line_label(line: Line) -> str:
    """What a line of a quote or an invoice is for."""
    match line.kind:
        case LineKind.CHARGE if line.quantity > 1:
            return f"{charge_name(line)} × {number(line.quantity)}"
        case LineKind.CHARGE:
            return charge_name(line)
        case LineKind.TAX if line.included:
            return _("%(label)s, included", label=line.name or _("Tax"))
        case LineKind.TAX:
            return line.name or _("Tax")
        case LineKind.CREDIT:
            return _("%(what)s, unused", what=line.name)
        case LineKind.CARRIED:
            return _("Earlier small amount")
        case LineKind.BALANCE:
            return _("Account balance")


def charge_name(line: Line) -> str:
    """What a charge line is for, without how many of it."""
    if line.working.kind is WorkingKind.BEYOND:
        return _("%(what)s beyond the allowance", what=line.name)
    return line.name


def line_notes(line: InvoiceLine) -> str:
    """What an invoice's line is for, from when to when, and how its amount came about."""
    said = working(line.working)
    return f"{span(line.period)}: {said}" if line.period else said


def card_words(brand: str, last4: str) -> str:
    """`Visa ending 4242`."""
    names = {"amex": "American Express", "diners": "Diners Club", "jcb": "JCB",
             "unionpay": "UnionPay", "eftpos_au": "eftpos"}  # fmt: skip
    name = names.get(brand, brand.replace("_", " ").title()) or _("Card")
    return _("%(brand)s ending %(last4)s", brand=name, last4=last4)


def meter_words(meter: Meter) -> str:
    """`59,794 of 200,000 messages used, 140,206 left`."""
    feature, used = meter.feature, number(meter.used)
    what = feature.unit_plural or feature.name
    if meter.allowance is None or meter.left is None:
        return _("%(used)s %(what)s used, no limit", used=used, what=what)
    if not meter.allowance and not meter.used:
        return _("Your plan has no %(what)s", what=what)
    numbers = {"used": used, "of": number(meter.allowance), "what": what}
    if not meter.left:
        return _("%(used)s of %(of)s %(what)s used, nothing left", **numbers)
    return _("%(used)s of %(of)s %(what)s used, %(left)s left", left=number(meter.left), **numbers)


def meter_tone(meter: Meter) -> str:
    """green, orange from 75 % used, red once nothing is left, blue without a limit."""
    if meter.percent is None:
        return "blue"
    if meter.percent >= RED_PERCENT or meter.excess:
        return "red"
    return "orange" if meter.percent >= AMBER_PERCENT else "green"


def meter_state(meter: Meter) -> str:
    """The tone of a meter in words."""
    if meter.percent is None:
        return _("No limit")
    if not meter.allowance and not meter.used:
        return _("Not included")
    tone = meter_tone(meter)
    if tone == "red":
        return _("Used up") if meter.feature.is_consumed else _("Full")
    return _("Running low") if tone == "orange" else _("Plenty left")


def renewal(instance: Instance) -> str:
    """What the auto-renew switch, Cancel or Keep came to."""
    name, stops_at = instance.add_on.name, instance.span.stops_at
    if instance.renews or stops_at is None:
        return _("Auto-renew is on: %(what)s goes on until you stop it.", what=name)
    return _("Auto-renew is off: %(what)s works until %(date)s.", what=name, date=date(stops_at))


def ending_words(add_on: EndingAddOn) -> str:
    """What becomes of the charges for an add-on that ends with its plan."""
    if add_on.billed_next_at is not None:
        day = date(add_on.billed_next_at)
        return _("Charged on %(date)s still, and never past the end", date=day)
    if add_on.else_at is not None:
        return _("Would be charged on %(date)s; now it is not", date=date(add_on.else_at))
    span = add_on.instance.span
    if span.stops_at is not None and span.stops_at <= span.starts_at:
        return _("Never starts: the plan ends before")
    if add_on.instance.price.is_recurring:
        return _("Cancelled already")
    return _("Paid once; what is left of it is not refunded")


def phase_words(instance: Instance) -> tuple[str, str]:
    """The badge of an instance: its words and tone."""
    span = instance.span
    if instance.phase is Phase.SCHEDULED:
        return _("Starts %(date)s", date=date(span.starts_at)), "violet"
    if span.stops_at and (instance.phase is Phase.CANCELLING or instance.ends_with_plan):
        return _("Ends %(date)s", date=date(span.stops_at)), "orange"
    return _("Active"), "green"
