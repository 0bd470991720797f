"""Every case others published, recomputed here; what is not ours is skipped and says why.

Expected is what a case gives under the convention we follow, where it carries that, else what its
source printed. SKIPS may only shrink: a skipped case that we can now compute fails here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from tests.unit.published_formulas import FORMULAS
from tests.unit.published_models import MODELS

CASES = Path(__file__).parents[3] / "shared" / "cases" / "cases.json"

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


def published() -> dict[str, dict[str, Any]]:
    if not CASES.exists():
        return {}
    return {case["id"]: case for case in json.loads(CASES.read_text(encoding="utf-8"))}


CASE_BY_ID = published()
absent = pytest.mark.skipif(not CASE_BY_ID, reason="no published cases beside this repository")


def expected(case: dict[str, Any]) -> dict[str, Any]:
    wanted = dict(case.get("under_recommended_convention") or case["expected"])
    wanted.pop("agrees", None)
    if case["convention"].get("zero_quantity") == "first_tier_flat" and "0" in wanted["totals"]:
        # Zero units cost nothing here, whatever flat fee the first tier has (rule 14).
        wanted["totals"] = wanted["totals"] | {"0": "0"}
    return wanted


def recomputed(case: dict[str, Any]) -> dict[str, Any] | None:
    """What the domain makes of the case; None when it has nothing to say."""
    if case["model"] == "formula":
        formula = FORMULAS.get(case["id"])
        return formula() if formula else None
    return MODELS[case["model"]](case["inputs"], case["convention"])


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


def parameters(ids: Iterable[str]) -> list[Any]:
    """One parameter per case, skipped ones marked with their reason."""
    return [
        pytest.param(i, marks=pytest.mark.skip(reason=SKIPS[i])) if i in SKIPS else i for i in ids
    ]


@absent
@pytest.mark.parametrize("case_id", parameters(CASE_BY_ID))
def test_published_case(case_id: str) -> None:
    case = CASE_BY_ID[case_id]
    if not case["verified"]:
        pytest.skip("its source contradicts itself")
    assert agrees(expected(case), found := recomputed(case)), (expected(case), found)


@absent
@pytest.mark.parametrize("case_id", SKIPS)
def test_a_skipped_case_still_disagrees(case_id: str) -> None:
    assert case_id in CASE_BY_ID, "unknown case: take it off the list"
    case = CASE_BY_ID[case_id]
    found = recomputed(case)
    assert found is None or not agrees(expected(case), found), "it passes: take it off the list"


@absent
def test_every_formula_answers_a_published_case() -> None:
    assert set(FORMULAS) <= set(CASE_BY_ID)
