"""Applying a catalog: what is written, what stays, what is refused, and all of it or nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal

import psycopg
import pytest

from portal.domain.catalog import Catalog, Status
from portal.domain.errors import Conflict
from portal.services.accounts import ensure_environment
from portal.services.catalog.applying import Applied, Proposal
from portal.services.catalog.changes import compare
from tests.services.catalog.bad_files import SOUND
from tests.services.catalog.edits import DEARER, WITHOUT_PACK, edited, without
from tests.services.catalog.shop import OPENING, Shop, sound
from tests.support.database import Database


def told(proposal: Proposal) -> list[str]:
    return [f"{step.change.mark} {step.change.subject}" for step in proposal.steps]


def test_an_empty_environment_gets_what_the_file_says(shop: Shop) -> None:
    outcome = shop.apply(SOUND)

    assert isinstance(outcome, Applied)
    assert compare(shop.catalog(), sound(SOUND)) == ()
    assert shop.row_counts() == [4, 1, 2, 3, 4, 1, 1]


def test_a_second_apply_finds_nothing_to_do(shop: Shop) -> None:
    shop.apply(SOUND)
    before = shop.catalog(), shop.row_counts()

    assert shop.apply(SOUND) == Applied(Proposal(()))
    assert (shop.catalog(), shop.row_counts()) == before


def test_the_order_of_entries_means_nothing(shop: Shop) -> None:
    shop.apply(SOUND)
    pack, rest = SOUND.splitlines()[14:22], SOUND.splitlines()[22:]
    swapped = "\n".join([*SOUND.splitlines()[:14], *rest, *pack])

    assert shop.apply(swapped) == Applied(Proposal(()))


def test_applying_is_recorded(shop: Shop) -> None:
    shop.apply(SOUND)
    shop.apply(edited(("name: Growth", "name: Grow")))

    first, second = shop.events()
    assert (second.name, second.actor, second.account_id) == ("catalog:applied", "test", None)
    assert second.detail == {"changes": ["~ plan growth"], "accounts": 0}
    assert second.at == OPENING + timedelta(hours=2)
    assert "+ price growth_usd of plan growth" in first.detail["changes"]


def test_a_changed_price_ends_the_row_that_was_sold_and_starts_another(
    open_for_business: Shop,
) -> None:
    shop = open_for_business
    (sold,) = shop.price_rows("sso_usd")

    outcome = shop.apply(DEARER)

    old, new = shop.price_rows("sso_usd")
    assert isinstance(outcome, Applied)
    assert (old.id, old.amount, old.ended_at) == (sold.id, Decimal(20), shop.at)
    assert (new.amount, new.started_at, new.ended_at) == (Decimal(25), shop.at, None)
    assert shop.price(sold.id).amount == 20
    assert [price.id for price in shop.add_on("sso").prices] == [new.id]
    assert outcome.proposal.accounts == ("Northwind",)


def test_nobody_bought_the_changed_price_and_still_no_row_changes(shop: Shop) -> None:
    shop.apply(SOUND)
    shop.apply(DEARER)

    assert [row.amount for row in shop.price_rows("sso_usd")] == [Decimal(20), Decimal(25)]


def test_a_clock_that_went_back_ends_a_price_when_it_started(shop: Shop) -> None:
    shop.apply(SOUND)
    shop.at -= timedelta(days=1)
    shop.apply(DEARER)

    old, _ = shop.price_rows("sso_usd")
    assert old.ended_at == old.started_at


def test_a_sold_price_that_leaves_the_file_ends_and_is_kept(open_for_business: Shop) -> None:
    shop = open_for_business
    other = '{lookup_key: sso_eur, amount: "18", currency: eur'
    shop.apply(edited(('{lookup_key: sso_usd, amount: "20.00", currency: usd', other)))

    (old,) = shop.price_rows("sso_usd")
    assert old.ended_at == shop.at
    assert [price.lookup_key for price in shop.add_on("sso").prices] == ["sso_eur"]


def test_an_unsold_price_may_move_to_another_add_on(shop: Shop) -> None:
    shop.apply(SOUND)
    outcome = shop.apply(
        edited(("pack_usd", "other"), ("sso_usd", "pack_usd"), ("other", "sso_usd"))
    )

    assert isinstance(outcome, Applied)
    assert [price.lookup_key for price in shop.add_on("pack").prices] == ["sso_usd"]


def test_entries_are_changed_in_place(open_for_business: Shop) -> None:
    shop = open_for_business
    before = shop.catalog()
    outcome = shop.apply(
        edited(
            ("usage_limit: 100000, usage_reset", "usage_limit: null, usage_reset"),
            ('credits: "100"', 'credits: "150.5"'),
            ("name: Members", "name: Seats"),
            ("name: 100,000 message", "name: Big message"),
        )
    )
    after = shop.catalog()

    assert isinstance(outcome, Applied)
    assert told(outcome.proposal) == [
        "~ feature members",
        "~ entitlement messages of plan growth",
        "~ add-on pack",
        "~ credit grant 'Welcome' of add-on sso",
    ]
    assert after.plans[0].entitlements[0].usage_limit is None
    assert after.plans[0].entitlements[0].id == before.plans[0].entitlements[0].id
    sso = next(add_on for add_on in after.add_ons if add_on.lookup_key == "sso")
    assert sso.credit_grants[0].credits == Decimal("150.5")


def test_a_change_names_the_accounts_it_touches(open_for_business: Shop) -> None:
    shop = open_for_business
    shop.subscribe("Alpen", "growth")
    shop.sell("Alpen", "pack", until=OPENING)  # over: no longer a holder
    proposal = shop.propose(
        edited(
            ("name: Growth", "name: Grow"),
            ("name: Messages", "name: Mail"),
            ("benefit: Sign in", "benefit: Log in"),
            ("benefit: More", "benefit: Many"),
            ('"99.00"', '"89.00"'),
            ("      - {feature: sso}\n", "      - {feature: sso, is_enabled: false}\n"),
        )
    )

    assert {step.change.subject: step.accounts for step in proposal.steps} == {
        "feature messages": ("Alpen", "Northwind"),
        "plan growth": ("Alpen", "Northwind"),
        "price growth_usd of plan growth": ("Alpen", "Northwind"),
        "add-on pack": (),
        "add-on sso": ("Northwind",),
        "entitlement sso of add-on sso": ("Northwind",),
    }


def test_proposing_writes_nothing(shop: Shop) -> None:
    shop.apply(SOUND)
    before = shop.export()
    proposal = shop.propose(DEARER)

    assert told(proposal) == ["~ price sso_usd of add-on sso"]
    assert shop.export() == before


def test_what_was_never_sold_may_be_removed_with_its_ended_prices(shop: Shop) -> None:
    shop.apply(SOUND)
    shop.apply(edited(('"49.00"', '"59.00"')))
    outcome = shop.apply(WITHOUT_PACK)

    assert isinstance(outcome, Applied)
    assert told(outcome.proposal) == ["- add-on pack"]
    assert shop.price_rows("pack_usd") == []
    assert [add_on.lookup_key for add_on in shop.catalog().add_ons] == ["sso"]


def test_an_unused_feature_may_be_removed_and_another_take_its_key(shop: Shop) -> None:
    shop.apply(SOUND)
    shop.apply(without(3, 3))
    assert [f.lookup_key for f in shop.catalog().features] == ["messages", "sso", "response"]

    flag = edited(("name: Members, type: metered, use: held", "name: Members, type: boolean"))
    assert isinstance(shop.apply(SOUND), Applied)
    assert isinstance(shop.apply(flag), Applied)


def test_archived_is_how_something_sold_leaves(open_for_business: Shop) -> None:
    outcome = open_for_business.apply(
        edited(("type: onetime", "type: onetime\n    status: archived"))
    )

    assert isinstance(outcome, Applied)
    assert open_for_business.add_on("sso").status is Status.ARCHIVED


def test_a_failure_at_the_last_row_leaves_nothing_behind(shop: Shop, database: Database) -> None:
    with psycopg.connect(database.owner_url.replace("+psycopg", "")) as owner:
        owner.execute("ALTER TABLE credit_grants ADD CHECK (credits < 100)")

    with pytest.raises(Conflict):
        shop.apply(SOUND)
    assert shop.row_counts() == [0] * 7


def test_two_at_once_apply_once(shop: Shop) -> None:
    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(shop.apply, [SOUND] * 4))

    assert sorted(bool(outcome.proposal.steps) for outcome in outcomes) == [False] * 3 + [True]
    assert shop.row_counts() == [4, 1, 2, 3, 4, 1, 1]


def test_another_environment_has_a_catalog_of_its_own(shop: Shop) -> None:
    shop.apply(SOUND)
    with shop.session() as session:
        scope = ensure_environment(session, "acme", "Acme", "staging")
    other = Shop(shop.engine, scope)

    assert other.catalog() == Catalog()
    other.apply(DEARER)
    assert shop.add_on("sso").prices[0].amount == 20
    assert other.add_on("sso").prices[0].amount == 25
