"""The cases that others published: their figures, and when what was found agrees with them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from portal.domain.money import round_half_away
from portal.domain.periods import BillingPeriod, Interval

Fields = dict[str, Any]

_FIGURES = Path(__file__).with_name("published_cases.json")
CASES: dict[str, Fields] = {case["id"]: case for case in json.loads(_FIGURES.read_text("utf-8"))}
"""By id. What they were published with besides, and why, is said where source_url leads."""
_PERIODS = {"day": "DAILY", "week": "WEEKLY", "month": "MONTHLY", "year": "ANNUAL"}


def expected(case: Fields) -> Fields:
    """What the case gives under the convention we follow, where it says so, else as printed."""
    wanted = dict(case.get("under_recommended_convention") or case["expected"])
    rule = case.get("convention", {}).get("zero_quantity")
    if rule == "first_tier_flat" and "0" in wanted["totals"]:
        # Zero units cost nothing here, whatever flat fee the first tier has (rule 14).
        wanted["totals"] = wanted["totals"] | {"0": "0"}
    return wanted


def agrees(wanted: Any, found: Any) -> bool:
    """Equal as numbers where both are numbers; `found` may say more than is wanted."""
    if isinstance(wanted, dict):
        return all(key in found and agrees(value, found[key]) for key, value in wanted.items())
    if isinstance(wanted, list):
        return len(wanted) == len(found) and all(map(agrees, wanted, found))
    return str(wanted) == str(found) or _number(wanted) == _number(found) is not None


def _number(said: Any) -> Fraction | None:
    try:
        return Fraction(str(said))
    except ValueError:
        return None


def instant(text: str, zone: str = "UTC") -> datetime:
    """A bare date is that zone's midnight."""
    at = datetime.fromisoformat(text)
    return (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)


def said(at: datetime, zone: str = "UTC") -> str:
    """A local midnight is said as its date."""
    local = at.astimezone(ZoneInfo(zone))
    if local.time() == datetime.min.time():
        return local.date().isoformat()
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def zone_of(name: str) -> str:
    """The IANA name of a zone that a case names, of which one is an offset."""
    return "Etc/GMT-3" if name == "+03:00" else name


def interval_of(given: Fields) -> Interval:
    """unit and count."""
    return Interval(BillingPeriod(_PERIODS[given["unit"]]), given["count"])


def rounded(value: Fraction, decimals: int) -> Fraction:
    return Fraction(round_half_away(value * 10**decimals), 10**decimals)
