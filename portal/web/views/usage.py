"""Usage and quota: each metered feature's meter, course, forecast, history, and a file of it."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from flask import Blueprint, Response
from flask_babel import gettext as _

from portal.domain.access import Permission
from portal.domain.catalog import FeatureType
from portal.domain.errors import NotFound
from portal.domain.throttle import EXPORT
from portal.queries import usage_page
from portal.queries.usage_days import DayLine, day_lines, with_rests
from portal.web import htmx
from portal.web.access import requires
from portal.web.csv_files import csv_file
from portal.web.pacing import paced
from portal.web.receipts import account_meters
from portal.web.requests import database, member, state

bp = Blueprint("usage", __name__, url_prefix="/settings/billing/usage")


@bp.get("")
@requires(Permission.BILLING_READ)
def index() -> Response:
    account, scope = state(), member().actor.scope
    trends = usage_page.trends(database(), scope, account, account_meters())
    return htmx.page("usage/index.html", "usage/_meters.html", trends=trends, state=account)


@bp.get("/<lookup_key>.csv")
@requires(Permission.BILLING_READ)
@paced(EXPORT)
def days(lookup_key: str) -> Response:
    """Each day of the last twelve months on which the feature was used."""
    account, scope = state(), member().actor.scope
    metered = [f for f in account.catalog.features if f.type is FeatureType.METERED]
    feature = next((f for f in metered if f.lookup_key == lookup_key), None)
    if feature is None:
        raise NotFound("feature")
    today = account.now.astimezone(ZoneInfo(account.account.zone)).date()
    since = usage_page.months_before(today)
    lines = day_lines(database(), scope, account.account.id, feature.id, since)
    head = (_("Day"), _("Broken down by"), _("Value"), feature.unit_plural or feature.name)
    if feature.is_consumed:
        lines = tuple(with_rests(lines))
    rows = ((line.day, line.dimension, _value(line), line.units) for line in lines)
    return csv_file(f"usage-{lookup_key}", head, rows)


def _value(line: DayLine) -> str:
    return line.value or (_("Not broken down") if line.dimension else "")
