"""Changes that would break what customers hold are refused, whatever else the file says."""

from __future__ import annotations

import pytest

from portal.services.catalog.applying import Applied, Refused
from tests.services.catalog.bad_files import SOUND
from tests.services.catalog.edits import WITHOUT_PACK, edited, without
from tests.services.catalog.shop import OPENING, Shop


def messages(outcome: Applied | Refused) -> list[str]:
    assert isinstance(outcome, Refused), outcome
    return [refusal.message for refusal in outcome.proposal.refusals]


DRAFT = "    status: draft\n"
REFUSED = {
    "a sold add-on removed": (
        without(23, 33),
        "add-on sso was sold, so it cannot be removed: set status: archived instead",
    ),
    "a sold plan removed": (
        without(7, 13)
        .replace("plans:", "plans: []", 1)
        .replace("    allowed_plans: [growth]\n", ""),
        "plan growth was sold, so it cannot be removed: set status: archived instead",
    ),
    "a sold add-on a draft again": (
        edited(("    type: onetime\n", "    type: onetime\n" + DRAFT)),
        "add-on sso was sold, so it cannot be a draft again: set status: archived instead",
    ),
    "the type of a sold add-on": (
        edited(("type: onetime", "type: multiple_instance")),
        "add-on sso was sold as onetime, so its type stays: add another add-on instead",
    ),
    "a feature in use removed": (
        edited(
            ("  - {lookup_key: response, name: Response time, type: static}\n", ""),
            ("      - {feature: response, static_value: Within a day}\n", ""),
        ),
        "feature response is in use, so it cannot be removed",
    ),
    "the use of a feature in use": (
        edited(
            ("use: consumed", "use: held"),
            (", usage_reset_period: MONTHLY", ""),
            (SOUND[SOUND.index("    credit_grants:") :], ""),
        ),
        "feature messages is in use, so its type and use stay: add another feature instead",
    ),
    "a sold price moved": (
        edited(("sso_usd", "new"), ("pack_usd", "sso_usd")),
        "price sso_usd was sold on add-on sso: give the price of add-on pack another lookup_key",
    ),
}


@pytest.mark.parametrize(("text", "message"), REFUSED.values(), ids=REFUSED)
def test_what_would_break_a_sale_is_refused_as_a_whole(
    open_for_business: Shop, text: str, message: str
) -> None:
    shop = open_for_business
    before = shop.export(), shop.row_counts()
    outcome = shop.apply(text.replace("benefit: More messages", "benefit: Other words"))

    assert messages(outcome) == [message]
    assert (shop.export(), shop.row_counts()) == before


def test_a_sale_that_ended_counts_as_a_sale(shop: Shop) -> None:
    shop.apply(SOUND)
    shop.subscribe("Northwind", "growth")
    shop.sell("Northwind", "pack", until=OPENING)

    assert len(messages(shop.apply(WITHOUT_PACK))) == 1
