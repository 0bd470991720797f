"""What the usage page says of a trend: its outlook, pace, forecast and what to buy, as phrases."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from flask_babel import gettext as _
from flask_babel import ngettext

from portal.domain.catalog import BillingModel, Feature, Price, TierMode
from portal.domain.forecast import Outlook, RunRate
from portal.domain.money import round_half_away
from portal.queries.packs import Mix, Suggested
from portal.queries.usage_page import Trend
from portal.queries.use_pace import UsePace
from portal.queries.use_prices import UsePrice
from portal.queries.use_then import UseThen
from portal.web.language import date, date_time, money, number, unit_price
from portal.web.sentences import meter_state, meter_tone, units_of

_TONES = {
    Outlook.ENOUGH: "green",
    Outlook.SOON: "orange",
    Outlook.AT_ONCE: "red",
    Outlook.USED_UP: "red",
}


def outlook_tone(trend: Trend) -> str:
    """By the forecast; as its bar is where there is none, and gray for what is not included."""
    meter = trend.meter
    if meter.allowance is not None and not meter.allowance and not meter.used:
        return "gray"
    return _TONES[trend.outlook] if _is_foreseen(trend) else meter_tone(meter)


def outlook_words(trend: Trend) -> str:
    """The same in words."""
    if not _is_foreseen(trend) or trend.forecast is None:
        return meter_state(trend.meter)
    match trend.outlook:
        case Outlook.USED_UP:
            return _("Used up")
        case Outlook.AT_ONCE:
            return _("Runs out within 24 hours")
        case Outlook.SOON:
            return _("Runs out within 7 days")
        case Outlook.ENOUGH if trend.forecast.runs_out_at is None and trend.refills:
            return _("Enough until it resets")
        case Outlook.ENOUGH:
            return _("Enough for 7 days and more")


def rate_label(rate: RunRate) -> str:
    """`Pace, last 7 days`."""
    if rate.is_today:
        return _("Pace of today so far")
    days = rate.days
    return ngettext("Pace, one day so far", "Pace, last %(shown)s days", days, shown=number(days))


def rate_words(rate: RunRate) -> str:
    """`3,372 a day`."""
    return a_day(rate.rounded, rate.units)


def a_day(pace: Decimal, used: Decimal) -> str:
    """pace: as RunRate.rounded has it. used: the units that it is of."""
    if not pace and used:
        return _("less than %(units)s a day", units=number(Decimal(1) / 10))
    return _("%(units)s a day", units=number(pace))


def run_out_words(trend: Trend) -> str:
    """When nothing will be left."""
    made = trend.forecast
    if trend.outlook is Outlook.USED_UP:
        return _("Nothing is left")
    if made is not None and made.runs_out_at is not None:
        return (
            date_time(made.runs_out_at)
            if trend.outlook is Outlook.AT_ONCE
            else date(made.runs_out_at)
        )
    return _("Not before it resets") if trend.refills else _("Not at this pace")


def short_words(trend: Trend) -> str:
    """How much more would last until the window ends."""
    made, feature = trend.forecast, trend.meter.feature
    if made is None or trend.until is None:
        return ""
    day = date(trend.until)
    if not made.short:
        return _("Nothing to buy: at this pace it lasts until %(date)s.", date=day)
    what = feature.unit_singular if made.short == 1 else feature.unit_plural
    units = {"units": number(made.short), "what": what or feature.name, "date": day}
    if trend.mix is not None and not trend.mix.suggested:
        return _("%(units)s more %(what)s would last until %(date)s at this pace. Nothing to buy:"
                 " no pack costs less than what is charged for them.", **units)  # fmt: skip
    if trend.mix is None:
        return _("%(units)s more %(what)s would last until %(date)s at this pace, but nothing that"
                 " you can buy now brings as much.", **units)  # fmt: skip
    return _("%(units)s more %(what)s would last until %(date)s at this pace. What costs least:",
             **units)  # fmt: skip


def pick_words(suggested: Suggested) -> str:
    """`Add 2 × 100,000 message pack for $98.00`."""
    name = suggested.name
    if suggested.quantity > 1:
        name = f"{number(suggested.quantity)} × {name}"
    return _("Add %(what)s for %(amount)s", what=name, amount=money(suggested.amount))


def mix_notes(trend: Trend, mix: Mix) -> list[str]:
    """What else there is to know about it."""
    notes = []
    if len(mix.suggested) > 1:
        notes.append(_("Together %(amount)s.", amount=money(mix.amount)))
    if mix.rest and trend.beyond:
        notes.append(
            _("%(units)s beyond the allowance: about %(amount)s on the bill of %(date)s.",
              units=units_of(trend.meter.feature, mix.rest), amount=money(mix.rest_amount),
              date=date(trend.beyond.due_at))
        )  # fmt: skip
    notes += [
        _("%(name)s: %(units)s until %(date)s. Auto-renew is off unless you turn it on.",
          name=each.name, units=units_of(trend.meter.feature, each.units or 0),
          date=date(trend.until))
        for each in mix.suggested
        if each.renews and each.units is not None and trend.until is not None
    ]  # fmt: skip
    return notes


def use_price_words(price: Price, feature: Feature) -> str:
    """What use beyond the allowance costs: `$0.0008 a message`."""
    what = feature.unit_singular or feature.name
    match price.billing_model:
        case BillingModel.FLAT_FEE:
            cost = unit_price(price.amount, price.currency)
            return _("%(price)s a %(what)s", price=cost, what=what)
        case BillingModel.PACKAGE:
            block = price.transform_quantity.divide_by if price.transform_quantity else 1
            cost = unit_price(price.amount, price.currency)
            return _("%(price)s for each %(units)s", price=cost, units=number(block))
        case BillingModel.TIERED:
            return _tiers(price, what)


def _tiers(price: Price, what: str) -> str:
    """`$0.001 a message up to 1,000, then $0.0008 a message`."""
    said = []
    for tier in price.tiers:
        amount = unit_price(tier.unit_amount, price.currency)
        cost = _("%(price)s a %(what)s", price=amount, what=what)
        if tier.flat_amount:
            flat = unit_price(tier.flat_amount, price.currency)
            cost = _("%(flat)s and %(price)s", flat=flat, price=cost)
        if tier.up_to is not None:
            cost = _("%(price)s up to %(units)s", price=cost, units=number(tier.up_to))
        said.append(cost)
    listed = _(", then ").join(said)
    if price.tier_mode is TierMode.VOLUME:
        return _("%(prices)s, for all of them", prices=listed)
    return listed


def use_sold_words(price: Price) -> str:
    """The same of what is sold: `Messages beyond the allowance: $0.0008 a message`."""
    if price.feature is None:
        raise ValueError("a price for use names its feature")
    cost = use_price_words(price, price.feature)
    return _("%(what)s beyond the allowance: %(price)s", what=price.feature.name, price=cost)


def use_then_words(then: UseThen) -> str:
    """`$0.001 a message while you have Messages by use, $0.0006 a message without it`."""
    plan = use_price_words(then.price, then.feature)
    if then.held is None:
        return plan
    held = use_price_words(then.held, then.feature)
    return _("%(held)s while you have %(add_on)s, %(plan)s without it", held=held,
             add_on=then.add_on, plan=plan)  # fmt: skip


def use_pace_words(pace: UsePace) -> str:
    """What use comes to at today's pace; empty before there is one."""
    if pace.more is None or pace.cost is None:
        return ""
    until = date(pace.until)
    if not pace.more:
        return _("Nothing: the allowance lasts until %(date)s", date=until)
    return _("About %(amount)s by %(date)s, for %(units)s", amount=money(pace.cost), date=until,
             units=units_of(pace.feature, pace.more))  # fmt: skip


def beyond_bill(beyond: UsePrice) -> str:
    """What is billed for it so far: `$8.00 on 1 May 2026`."""
    return _("%(amount)s on %(date)s", amount=money(beyond.so_far), date=date(beyond.due_at))


def share_percent(units: Decimal, whole: Decimal) -> int:
    """Whole percent, for a bar: none for what is below zero, and never more than the whole."""
    if units <= 0 or not whole:
        return 0
    return min(round_half_away(Fraction(units) * 100 / Fraction(whole)), 100)


def _is_foreseen(trend: Trend) -> bool:
    return trend.forecast is not None and trend.meter.allowance is not None
