"""Recomputes published cases with the domain: one function per model.

Each takes a case's inputs (and, for two models, its convention) and returns what the case expects.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from portal.domain.catalog import BillingModel, Entitlement, Price, Tier, TierMode
from portal.domain.entitlements import Source, SourceKind, resolve
from portal.domain.grants import Lot, draw
from portal.domain.money import Money, allocate, currency
from portal.domain.periods import Anchor, BillingPeriod, Interval, Period
from portal.domain.pricing import exact_minor
from portal.domain.proration import charge, credit_for, split, unused
from portal.domain.taxes import Tax, tax_on
from tests.support.published import Fields, interval_of, rounded, said, zone_of
from tests.support.published import instant as _local
from tests.unit.samples import ANNUAL, DAILY, MONTHLY, STORAGE, instant, package, recurring

CODE_OF_PRECISION = {0: "jpy", 2: "usd", 3: "kwd"}


def prorated_lines(given: Fields, _: Fields) -> Fields:
    lines = [_line(given, line) for line in given["lines"]]
    net = sum(Decimal(line["amount"]) for line in lines)
    return {"lines": lines, "net": net}


def _line(given: Fields, line: Fields) -> Fields:
    amount = _line_amount(given, line)
    rate = (given | line).get("tax_percent", "0")
    tax = tax_on(Tax(Decimal(rate)), amount)
    shown = {"amount": amount, "tax": tax, "gross": amount + tax}
    in_minor = given["unit"] == "minor"
    return {"id": line["id"]} | {k: m.minor if in_minor else m.major() for k, m in shown.items()}


def _line_amount(given: Fields, line: Fields) -> Money:
    code, zone = given["currency"].lower(), given["timezone"]
    scale = currency(code).exponent if given["unit"] == "minor" else 0
    price = recurring(str(Decimal(line["price"]).scaleb(-scale)), currency=code)
    period = Period(_local(line["period_start"], zone), _local(line["period_end"], zone))
    begin, end = _local(line["from"], zone), _local(line["to"], zone)
    quantity = Decimal(line["quantity"])
    whole = charge(price, quantity, None, begin)
    if end != period.end:
        return split(whole, period, [begin, end])[1]
    if line["direction"] == "charge":
        return charge(price, quantity, period, begin)
    paid = Money.from_major(Decimal(line["cap"]), code) if "cap" in line else whole
    return -credit_for(unused(whole, period, begin), paid, Money.zero(code), Money.zero(code))


def anchor_sequence(given: Fields, _: Fields) -> Fields:
    zone = given.get("timezone", "UTC")
    anchor, interval = Anchor(_local(given["anchor"], zone), zone), interval_of(given["interval"])
    count = range(1, given["periods"] + 1)
    return {"boundaries": [said(anchor.boundary(k, interval), zone) for k in count]}


def period_lookup(given: Fields, _: Fields) -> Fields:
    anchor = Anchor(instant(given["anchor"]), given["timezone"])
    found = anchor.period_at(instant(given["now"]), interval_of(given["interval"]))
    return {"start": said(found.start), "end": said(found.end)}


def step_days(given: Fields, _: Fields) -> Fields:
    steps = {"unit": "day", "count": given["days"]}
    return anchor_sequence(given | {"interval": steps}, {})


def next_anchor_date(given: Fields, _: Fields) -> Fields:
    return {"next": [said(_next_anchor(row)) for row in given["rows"]]}


def _next_anchor(row: Fields) -> datetime:
    start = instant(row["start"])
    month = int(row.get("anchor_month", start.month))
    anchor = Anchor(start.replace(month=month, day=int(row["anchor_day"])))
    return anchor.period_at(start, Interval(BillingPeriod.MONTHLY, row["months"])).end


def bcd_cycles(given: Fields, _: Fields) -> Fields:
    """Periods of a bill-cycle day from `start` on, billed in advance up to `target`."""
    start, target = instant(given["start"]), instant(given["target"])
    end = instant(given["end"]) if "end" in given else None
    interval = ANNUAL if given["period"] == "annual" else MONTHLY
    month = start.month if interval is ANNUAL else 1
    anchor = Anchor(start.replace(month=month, day=int(given["bill_cycle_day"])))
    segments, cycles, begin = [], Fraction(0), start
    while begin <= target and (end is None or begin < end):
        period = anchor.period_at(begin, interval)
        stop = min(period.end, end or period.end)
        share = period.fraction_left(begin) - period.fraction_left(stop)
        whole = period.length // 86_400
        ratio = f"{share * whole}/{whole}"
        segments.append({"from": said(begin), "to": said(stop), "ratio": ratio})
        cycles, begin = cycles + share, stop
    return {"segments": segments, "cycles": rounded(cycles, 9)}


def tiered_price(given: Fields, _: Fields) -> Fields:
    divisor = 100 if given.get("unit") == "percent" else 1
    rows = tuple(
        Tier(
            int(row["up_to"]) if row["up_to"] else None,
            Decimal(row["unit_price"]) / divisor,
            Decimal(row["flat"]),
        )
        for row in given["tiers"]
    )
    mode = TierMode.VOLUME if given["mode"] == "volume" else TierMode.SLAB
    price = recurring("0", billing_model=BillingModel.TIERED, tier_mode=mode, tiers=rows)
    return _totals(price, given["quantities"])


def package_price(given: Fields, convention: Fields) -> Fields:
    size, rounding = int(given["package_size"]), convention["package_rounding"]
    return _totals(package(given["package_price"], size, rounding), given["quantities"])


def _totals(price: Price, quantities: list[str]) -> Fields:
    return {"totals": {q: exact_minor(price, Decimal(q)) / 100 for q in quantities}}


_START = datetime.fromisoformat("2024-01-01T00:00:00+00:00")
_SYMBOLIC = {"T0": _START, "T0+1h": _START + timedelta(hours=1)}


def wallet_burn(given: Fields, _: Fields) -> Fields:
    lots = {row["id"]: _lot(place, row) for place, row in enumerate(given["grants"])}
    drawing = draw(lots.values(), Decimal(given["use"]), _START + timedelta(days=30))
    taken = {one.lot_id: one.units for one in drawing.draws}
    remaining = {name: lot.remaining - taken.get(lot.id, Decimal(0)) for name, lot in lots.items()}
    return {"remaining": remaining, "uncovered": drawing.excess}


def _lot(place: int, row: Fields) -> Lot:
    created = row.get("created_at", "T0")
    at = _SYMBOLIC.get(created) or instant(created)
    return Lot(
        id=place,
        granted=Decimal(row["amount"]),
        remaining=Decimal(row["amount"]),
        effective_at=at,
        created_at=at,
        expires_at=instant(row["expires_at"]) if "expires_at" in row else None,
        priority=row.get("priority", 50),
        promotional=row.get("type") in {"granted", "promotional"},
    )


def allocation(given: Fields, _: Fields) -> Fields:
    code = CODE_OF_PRECISION[given["precision"]]
    weights = [int(weight) for weight in given["weights"]]
    parts = allocate(Money.from_major(Decimal(given["total"]), code), weights)
    return {"parts": [part.major() for part in parts]}


def rounding(given: Fields, _: Fields) -> Fields:
    return {"results": {text: rounded(Fraction(text), given["scale"]) for text in given["values"]}}


def credit_cap(given: Fields, _: Fields) -> Fields:
    def credit(row: Fields) -> Decimal:
        asked, paid, before = (
            Money.from_major(Decimal(row[name]), "usd")
            for name in ("potential", "paid", "already_credited")
        )
        return credit_for(asked, paid, before, Money.zero("usd")).major()

    return {"credits": [credit(row) for row in given["rows"]]}


def entitlement(given: Fields, _: Fields) -> Fields:
    always = instant("2000-01-01")
    sources = [_source(given["base"], 1, always, None)]
    for extra in given["addons"]:
        steps = [(instant(step["at"]), int(step["quantity"])) for step in extra["timeline"]]
        ends = [*(at for at, _ in steps[1:]), None]
        sources += [
            _source(extra["grant"], quantity, at, end)
            for (at, quantity), end in zip(steps, ends, strict=True)
        ]
    probes = given["probe_at"]
    return {"balance_at": {at: resolve(STORAGE, sources, instant(at)).limit for at in probes}}


def _source(grant: str, quantity: int, starts: datetime, ends: datetime | None) -> Source:
    granted = Entitlement(STORAGE, int(grant))
    return Source(SourceKind.ADD_ON, "Storage", granted, quantity, starts, ends)


def day_count(given: Fields, _: Fields) -> Fields:
    zone = given["timezone"]
    spans = [(instant(start), instant(end)) for start, end in given["spans"]]
    return {
        "days": [_days(zone).index_at(e, DAILY) - _days(zone).index_at(s, DAILY) for s, e in spans]
    }


def _days(zone: str) -> Anchor:
    """The local midnights of a zone."""
    return Anchor(_local("2000-01-01", zone), zone)


def local_date(given: Fields, _: Fields) -> Fields:
    at = instant(given["instant"])
    names = {name: zone_of(name) for name in given["timezones"]}
    return {
        "local_dates": {
            name: said(_days(zone).period_at(at, DAILY).start, zone) for name, zone in names.items()
        }
    }


def minor_units(given: Fields, _: Fields) -> Fields:
    return {
        "minor_units": {
            f"{code} {amount}": Money.from_major(Decimal(amount), code).minor
            for code, amount in given["amounts"]
        }
    }


MODELS: dict[str, Callable[[Fields, Fields], Fields]] = {
    model.__name__: model
    for model in (
        prorated_lines,
        anchor_sequence,
        period_lookup,
        step_days,
        next_anchor_date,
        bcd_cycles,
        tiered_price,
        package_price,
        wallet_burn,
        allocation,
        rounding,
        credit_cap,
        entitlement,
        day_count,
        local_date,
        minor_units,
    )
}
