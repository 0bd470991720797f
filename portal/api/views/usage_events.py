"""Reports of use: every event is counted once, and what cannot be counted is refused alone."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import assert_never

from portal.api.operations import operation
from portal.api.requests import database, scope, wall
from portal.api.schemas.fields import RFC3339, Span
from portal.api.schemas.usage_events import (
    GivenEvent,
    GivenReport,
    ToldReport,
    ToldVerdict,
    VerdictWord,
)
from portal.domain.keys import Access
from portal.domain.periods import Period
from portal.domain.usage import Counted, Duplicate, Late, Refusal, Refused, Usage, Verdict
from portal.queries.account_rows import account_ids
from portal.services.usage import ingest_all

UNITS = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?", re.ASCII)
UNKNOWN_ACCOUNT = "unknown_account"


@operation("POST", "/usage-events", Access.WRITE, {200: ToldReport}, body=GivenReport)
def report_usage(body: GivenReport) -> ToldReport:
    """Report what was used: one event, or up to 1,000.

    Safe to repeat: an id that was counted before is told as a duplicate. An event more than five
    minutes in the future is refused, one up to 24 hours late goes to its own window. What no
    allowance covers is counted all the same: ask for the entitlement first.
    """
    events = body.events
    ids = account_ids(database(), scope(), {event.account for event in events})
    told: dict[int, ToldVerdict] = {}
    reports: defaultdict[int, dict[int, Usage]] = defaultdict(dict)
    for index, event in enumerate(events):
        read = _read(event, ids.get(event.account))
        if isinstance(read, ToldVerdict):
            told[index] = read
        else:
            reports[ids[event.account]][index] = read
    for index, verdict in _count(reports).items():
        told[index] = _told(events[index], verdict)
    return _report([told[index] for index in range(len(events))])


def _count(reports: Mapping[int, Mapping[int, Usage]]) -> dict[int, Verdict]:
    """What became of each event, by its place in the report. reports: by account's id."""
    sent = {account_id: list(placed.values()) for account_id, placed in reports.items()}
    verdicts = ingest_all(database(), scope(), sent, wall=wall())
    return {
        index: verdict
        for account_id, placed in reports.items()
        for index, verdict in zip(placed, verdicts[account_id], strict=True)
    }


def _read(event: GivenEvent, account_id: int | None) -> Usage | ToldVerdict:
    """The event as the domain knows it, or why it cannot be read."""
    if account_id is None:
        return _refused(event, UNKNOWN_ACCOUNT, "There is no account with this key.")
    if not UNITS.fullmatch(event.units):
        return _refused(event, Refusal.UNITS, "Units are a decimal, such as 12 or 0.5.")
    at = _instant(event.occurred_at)
    if at is None:
        detail = "An instant is written like 2026-11-01T09:12:44Z."
        return _refused(event, Refusal.TIME, detail)
    return Usage(
        event_id=event.id,
        feature=event.feature,
        units=Decimal(event.units),
        occurred_at=at,
        dimensions=event.dimensions,
        reason=event.reason,
    )


def _instant(written: str) -> datetime | None:
    try:
        return datetime.fromisoformat(written.upper()) if RFC3339.fullmatch(written) else None
    except ValueError:
        return None


def _told(event: GivenEvent, verdict: Verdict) -> ToldVerdict:
    match verdict:
        case Counted(_, window):
            return _verdict(event, VerdictWord.COUNTED, window)
        case Late(_, window):
            return _verdict(event, VerdictWord.LATE, window)
        case Duplicate():
            return _verdict(event, VerdictWord.DUPLICATE, None)
        case Refused(_, reason, detail):
            return _refused(event, reason, detail)
        case _:
            assert_never(verdict)


def _refused(event: GivenEvent, reason: str, detail: str) -> ToldVerdict:
    return _verdict(event, VerdictWord.REFUSED, None, reason, detail)


def _verdict(
    event: GivenEvent,
    word: VerdictWord,
    window: Period | None,
    reason: str | None = None,
    detail: str | None = None,
) -> ToldVerdict:
    span = Span(start=window.start, end=window.end) if window else None
    return ToldVerdict(
        account=event.account,
        id=event.id,
        verdict=word,
        window=span,
        reason=reason,
        detail=detail,
    )


def _report(results: list[ToldVerdict]) -> ToldReport:
    counts = Counter(each.verdict for each in results)
    return ToldReport(
        counted=counts[VerdictWord.COUNTED],
        late=counts[VerdictWord.LATE],
        duplicate=counts[VerdictWord.DUPLICATE],
        refused=counts[VerdictWord.REFUSED],
        results=results,
    )
