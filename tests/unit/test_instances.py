"""Where an instance stands at an instant, by the clock (product.md §6)."""

from __future__ import annotations

import pytest

from portal.domain.instances import HELD_PHASES, InstanceStatus, Phase, Span, phase
from tests.unit.samples import instant

START, CANCEL, END = "2026-04-11", "2026-05-01", "2026-05-11"
OPEN = Span(instant(START), None, None)
CANCELLING = Span(instant(START), None, instant(CANCEL))
BOUNDED = Span(instant(START), instant(END), None)
BOTH = Span(instant(START), instant(END), instant(CANCEL))
ON = InstanceStatus.ACTIVE


@pytest.mark.parametrize(
    ("status", "span", "at", "expected"),
    [
        (InstanceStatus.PENDING_PAYMENT, OPEN, "2026-04-12", Phase.PENDING),
        (InstanceStatus.FAILED, OPEN, "2026-04-12", Phase.FAILED),
        (InstanceStatus.ENDED, OPEN, "2026-04-12", Phase.ENDED),
        (InstanceStatus.SCHEDULED, OPEN, "2026-04-10", Phase.SCHEDULED),
        (InstanceStatus.SCHEDULED, CANCELLING, "2026-04-10", Phase.SCHEDULED),
        (InstanceStatus.SCHEDULED, OPEN, START, Phase.ACTIVE),
        (ON, OPEN, "2026-04-10T23:59:59", Phase.SCHEDULED),
        (ON, OPEN, START, Phase.ACTIVE),
        (ON, OPEN, "2036-01-01", Phase.ACTIVE),
        (ON, CANCELLING, "2026-04-30T23:59:59", Phase.CANCELLING),
        (ON, CANCELLING, CANCEL, Phase.ENDED),
        (ON, BOUNDED, "2026-05-10T23:59:59", Phase.ACTIVE),
        (ON, BOUNDED, END, Phase.ENDED),
        (ON, BOTH, CANCEL, Phase.ENDED),
    ],
)
def test_phase(status: InstanceStatus, span: Span, at: str, expected: Phase) -> None:
    assert phase(status, span, instant(at)) is expected


def test_a_span_stops_at_the_earlier_end() -> None:
    assert OPEN.stops_at is None
    assert BOUNDED.stops_at == instant(END)
    assert BOTH.stops_at == instant(CANCEL)


def test_a_span_is_half_open() -> None:
    assert not BOUNDED.covers(instant("2026-04-10T23:59:59"))
    assert BOUNDED.covers(instant(START))
    assert BOUNDED.covers(instant("2026-05-10T23:59:59"))
    assert not BOUNDED.covers(instant(END))


def test_what_counts_as_held() -> None:
    assert {Phase.SCHEDULED, Phase.ACTIVE, Phase.CANCELLING} == HELD_PHASES
