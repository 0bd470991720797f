"""P25: a change of plan at the same interval leaves add-ons alone. Others: tests of plans."""

from __future__ import annotations

from portal.services.charging import Settled
from tests.unit.samples import recurring


def test_p25_a_change_of_plan_has_no_lines_for_add_ons(stall):
    keys = [stall.sell(recurring(amount)) for amount in ("5", "10")]
    stall.at("2026-04-01")
    actor = stall.account()
    for key in keys:
        stall.buy(actor, key)
    stall.at("2026-04-16")
    assert isinstance(stall.office.change(actor, "business"), Settled)
    assert stall.bill(actor) == [("credit", -4950), ("charge", 14950)]
    stall.renew("2026-05-01")
    assert stall.bill(actor) == [("charge", 29900), ("charge", 500), ("charge", 1000)]
    assert stall.books_agree
