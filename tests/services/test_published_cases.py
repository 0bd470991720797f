"""Cases that others published, lived through: accounts, sales, renewals and use, as stored.

Each runs through the services on a database. tests/unit has all of them as arithmetic.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from portal.gateways.fake_payments import FakePayments
from tests.services import published_lines as lines
from tests.services import published_periods as periods
from tests.services import published_sales as sales
from tests.services import published_use as use
from tests.services.paying import Till
from tests.services.published_accounts import end_all
from tests.support.published import CASES, Fields, agrees, expected
from tests.support.world import APRIL_11, World

TOPICS = """month_end_anchor leap_year timezone timezone_dst interval_switch trial
    proration_upgrade proration_first_period quantity_change addon_purchase addon_alignment
    wallet_burn wallet_order wallet_rollover"""
LIVES: dict[Callable[[World, Fields], Fields], str] = {
    lines.bought: """fp-li-02 fp-li-03 fp-li-04 fp-li-09 kb-gen-04 kb-dbp-07 kb-int-01 rec-14
        rec-04 rec-05 lago-tm-01 lago-fee-01 lago-fee-02 lago-fee-04""",
    lines.changed: """au-21 bm-01 cb-01 fp-calc-01 in-01 kb-sub-04 lago-mu-02 lago-up-03 nd-01
        po-01 sr-01 st-01 po-05 kb-gen-05 po-07 po-09""",
    lines.raised: "po-19 po-21 fp-calc-03 rec-09",
    lines.kept: "om-ff-01 om-ff-02 lago-doc-02",
    lines.ended: "lago-tpa-tokyo lago-tpa-utc",
    periods.sequence: "st-03 gh-05 lago-bb-01 lago-bb-03 kb-tz-03 kb-tz-05 gh-06",
    periods.present: "au-01 au-02 au-03 au-04 au-07 au-10 au-14",
    periods.aligned: "kb-align-01",
    periods.next_date: "kb-bid-02",
    periods.cycles: "kb-cyc-02 kb-cyc-03 kb-cyc-07 kb-cyc-10b kb-cyc-12",
    sales.several: "seed-02",
    sales.once: "seed-05",
    sales.more_from_the_next_bill: "kb-qty-01",
    sales.fewer_from_the_next_bill: "lago-fc-01",
    sales.part_and_whole: "zr-02",
    use.burned: """fp-w-01 fp-w-02 lago-w-02 lago-w-04 lago-w-05 lago-w-06 lago-w-07 lago-w-08
        sg-01 st-08""",
    use.overdrawn: "au-18",
    use.voided: "om-w-05",
    use.in_turn: "po-33",
    use.local_dates: "kb-tz-01",
    use.days_between: "fp-dst-berlin fp-dst-paris fp-dst-sydney fp-dst-tokyo",
}
NOT_OURS = {
    "an annual plan becomes a monthly one at the end of its year": "kb-sub-02 po-10",
    "a yearly plan begins its year with the change": "lago-up-01",
    "a change of interval charges a whole new period": "gp-01",
    "fewer units wait for the next bill, and nothing is given back": "cb-04 po-20 po-22",
    "more units are charged for the rest of the period only": "lago-fc-04",
    "rounds a fraction of the period first": "mx-01",
    "nobody is billed before the anchor": "au-11 au-13",
    "an add-on is billed with the plan, whenever it came": "kb-align-02",
    "its stub is counted from a clamped date; ours from the anchor": "kb-cyc-10",
    "28 February even in leap years": "zu-01",
    "another denominator than the period itself": "ac-01",
    "no coupons and discounts": "fp-w-03",
    "excess is not absorbed by later lots": "om-w-06 om-w-09",
    "no cap on what rolls over": "om-w-08",
}
"""Why cases of these topics are not lived through. This list may only shrink."""
LIFE_OF = {case: life for life, ids in LIVES.items() for case in ids.split()}
ONE_LINE = {"fp-calc-03", "rec-09"}
"""Credited and charged where they come from; here the difference is one line, of the same sum."""


@pytest.fixture(scope="module")
def lived_in(shop: World) -> Iterator[World]:
    """One database for all cases, whose books agree in the end."""
    yield shop
    assert Till(shop).books_agree()


@pytest.fixture
def world(lived_in: World) -> Iterator[World]:
    lived_in.now, lived_in.gateway = APRIL_11, FakePayments()
    yield lived_in
    end_all(lived_in)


@pytest.mark.parametrize("case_id", LIFE_OF)
def test_published_case(case_id: str, world: World) -> None:
    case = CASES[case_id]
    wanted, found = expected(case), LIFE_OF[case_id](world, case)
    if case_id in ONE_LINE:
        del wanted["lines"]
    assert agrees(wanted, found), (wanted, found)


def test_every_case_of_the_topics_is_lived_through_or_is_not_ours() -> None:
    topics = TOPICS.split()
    listed = Counter(" ".join((*LIVES.values(), *NOT_OURS.values())).split())
    assert listed == Counter(i for i, case in CASES.items() if case["topic"] in topics)
