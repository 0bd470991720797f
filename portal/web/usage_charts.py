"""The chart of a trend: its points and all the words around them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from flask_babel import gettext as _

from portal.queries.usage_page import Trend
from portal.web.language import date, number, short_day, span
from portal.web.sentences import meter_words
from portal.web.usage_sentences import rate_words

FEWEST_DAYS = 2
"""A line needs two points."""


@dataclass(frozen=True, slots=True)
class ChartWords:
    title: str
    summary: str
    used: str
    projected: str
    limit: str
    today: str
    day: str
    table: str


@dataclass(frozen=True, slots=True)
class Chart:
    """labels: one a day. used: by the end of each day, to now; elapsed: the share of today that is
    over. projected: from today's end on. limit: None = no limit. is_level: drawn in steps."""

    words: ChartWords
    labels: tuple[str, ...]
    used: tuple[Decimal, ...]
    elapsed: float
    projected: tuple[Decimal, ...]
    limit: Decimal | None
    is_level: bool


def chart_of(trend: Trend) -> Chart | None:
    """None where there is nothing to draw: no use at all, or a window of one day."""
    if len(trend.days) < FEWEST_DAYS or not any((*trend.course, *trend.ahead)):
        return None
    return Chart(
        words=_words(trend),
        labels=tuple(short_day(day) for day in trend.days),
        used=trend.course,
        elapsed=trend.elapsed,
        projected=trend.ahead,
        limit=trend.meter.allowance,
        is_level=trend.meter.window is None,
    )


def chartless_words(trend: Trend) -> str:
    """Why there is nothing to draw."""
    meter = trend.meter
    if not trend.months:
        return _("No use has been reported yet. A forecast comes after the first whole day of use.")
    if len(trend.days) < FEWEST_DAYS:
        return _("A line is drawn from the second day on.")
    if meter.window is None:
        return _("Nothing is in use.")
    return _("Nothing has been used since %(date)s.", date=date(meter.window.start))


def _words(trend: Trend) -> ChartWords:
    meter, limit = trend.meter, number(trend.meter.allowance or 0)
    projected = ""
    if trend.forecast is not None:
        projected = _("At %(pace)s", pace=rate_words(trend.forecast.rate))
    return ChartWords(
        title=_("%(feature)s, %(span)s", feature=meter.feature.name, span=_span(trend)),
        summary=_summary(trend),
        used=_("Used so far") if meter.window else _("Level"),
        projected=projected,
        limit=_("Allowance %(limit)s", limit=limit) if meter.window
        else _("Limit %(limit)s", limit=limit),
        today=_("Today"),
        day=_("Day"),
        table=_("Show the numbers as a table"),
    )  # fmt: skip


def _span(trend: Trend) -> str:
    if trend.meter.window is not None:
        return span(trend.meter.window)
    return _("%(start)s – %(end)s", start=short_day(trend.days[0]), end=short_day(trend.days[-1]))


def _summary(trend: Trend) -> str:
    """What the picture shows, for whoever does not see it."""
    said = [f"{meter_words(trend.meter)}."]
    made = trend.forecast
    if made is not None and trend.until is not None:
        said.append(
            _("At this pace %(units)s by %(date)s.", units=number(made.at_end),
              date=date(trend.until))
        )  # fmt: skip
        if made.runs_out_at is not None:
            said.append(_("Nothing is left from %(date)s on.", date=date(made.runs_out_at)))
    return " ".join(said)
