"""Every case others published, recomputed here; what is not ours is skipped and says why.

SKIPS may only shrink: a skipped case that we can now compute fails here.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.published import CASES, Fields, agrees, expected
from tests.unit.published_formulas import FORMULAS
from tests.unit.published_models import MODELS

BESIDE = Path(__file__).parents[3] / "shared" / "cases" / "cases.json"
CARRIED = ("id", "topic", "model", "inputs", "expected", "source_url")
FOLLOWED = ("package_rounding", "zero_quantity")
"""What a convention says that its case cannot be computed without."""

_REASONS: dict[str, str] = {
    "lines are rounded to the step the provider can charge, ten fils": "rec-07",
    "shows two halves rounded apart; ours is the complement, so nothing is made (I1)": "rec-03",
    "its stub is counted from a clamped date; ours from the anchor (kb-cyc-10b)": "kb-cyc-10",
    "28 February even in leap years": "zu-01",
    "no free units in packages": "lago-ch-05",
    "no minimum or maximum spend": "om-rt-04 om-rt-07 om-rt-11 om-rt-12 fp-br-05",
    "no coupons and discounts": "lago-cn-01 lago-cn-02 lg-01 po-32 fp-w-03",
    "another denominator than the period itself": "gp-01 ac-01 kb-du-15 rc-01 zr-03 kb-du-16",
    "rounds a unit price, a day rate or a fraction first": "ml-01 zu-02 mx-01",
    "more units are charged for the rest of the period only": "lago-fc-04",
    "no credit turned into days": "sa-01",
    "excess is not absorbed by later lots": "om-w-06 om-w-07 om-w-09",
    "no cap on what rolls over": "om-w-08",
    "no top-up of an arbitrary amount": "lago-wc-01 lago-wc-03",
}
SKIPS = {case: reason for reason, ids in _REASONS.items() for case in ids.split()}


def recomputed(case: Fields) -> Fields | None:
    """What the domain makes of the case; None when it has nothing to say."""
    if case["model"] == "formula":
        formula = FORMULAS.get(case["id"])
        return formula() if formula else None
    return MODELS[case["model"]](case["inputs"], case.get("convention", {}))


@pytest.mark.parametrize(
    "case_id",
    [pytest.param(i, marks=pytest.mark.skip(SKIPS[i])) if i in SKIPS else i for i in CASES],
)
def test_published_case(case_id: str) -> None:
    wanted, found = expected(CASES[case_id]), recomputed(CASES[case_id])
    assert agrees(wanted, found), (wanted, found)


@pytest.mark.parametrize("case_id", SKIPS)
def test_a_skipped_case_still_disagrees(case_id: str) -> None:
    assert case_id in CASES, "unknown case: take it off the list"
    found = recomputed(CASES[case_id])
    assert found is None or not agrees(expected(CASES[case_id]), found), "take it off the list"


def test_every_formula_answers_a_published_case() -> None:
    assert set(FORMULAS) <= set(CASES)


def test_the_figures_are_those_of_the_cases_beside_the_project() -> None:
    if not BESIDE.exists():
        pytest.skip("no published cases beside the project: ours are used as they are")
    beside = json.loads(BESIDE.read_text(encoding="utf-8"))
    assert [_carried(case) for case in beside] == list(CASES.values())


def _carried(case: Fields) -> Fields:
    """What we keep of a case: figures, and no sentence of its source's."""
    kept = {name: case[name] for name in CARRIED}
    if followed := {n: case["convention"][n] for n in FOLLOWED if n in case["convention"]}:
        kept["convention"] = followed
    ours = dict(case.get("under_recommended_convention", {}))
    ours.pop("agrees", None)
    if ours and ours != case["expected"]:
        kept["under_recommended_convention"] = ours
    return kept
