"""How the sources of a feature combine (product.md §3, entitlement)."""

from __future__ import annotations

from datetime import timedelta

from portal.domain.catalog import Entitlement
from portal.domain.entitlements import Source, SourceKind, resolve
from tests.unit.samples import MEMBERS, REGIONS, SALESFORCE, instant

NOW = instant("2026-04-15")


def held(entitlement: Entitlement, quantity: int = 1) -> Source:
    return Source(SourceKind.ADD_ON, "Add-on", entitlement, quantity, NOW - timedelta(days=1))


def test_a_boolean_is_on_when_any_source_has_it() -> None:
    off, on = (held(Entitlement(SALESFORCE, is_enabled=given)) for given in (False, True))
    assert resolve(SALESFORCE, [off, on], NOW).is_enabled
    assert not resolve(SALESFORCE, [off], NOW).is_enabled
    assert not resolve(SALESFORCE, [], NOW).is_enabled


def test_static_values_are_a_set_in_source_order() -> None:
    sources = [held(Entitlement(REGIONS, static_value=value)) for value in ("eu", "us", "eu", "")]
    assert resolve(REGIONS, sources, NOW).values == ("eu", "us")


def test_null_is_unlimited_and_zero_is_none() -> None:
    none, ten, unlimited = (held(Entitlement(MEMBERS, units)) for units in (0, 10, None))
    assert resolve(MEMBERS, [none], NOW).limit == 0
    assert resolve(MEMBERS, [], NOW).limit == 0
    assert resolve(MEMBERS, [none, ten], NOW).limit == 10
    assert resolve(MEMBERS, [ten, unlimited, none], NOW).limit is None


def test_no_instance_brings_nothing_not_even_unlimited() -> None:
    gone = held(Entitlement(MEMBERS, None), quantity=0)
    assert resolve(MEMBERS, [gone], NOW).limit == 0


def test_soft_if_any_source_is_soft() -> None:
    hard, soft = (held(Entitlement(MEMBERS, 5, is_soft_limit=given)) for given in (False, True))
    assert resolve(MEMBERS, [hard, soft], NOW).is_soft_limit
    assert not resolve(MEMBERS, [hard], NOW).is_soft_limit


def test_another_features_sources_do_not_count() -> None:
    found = resolve(MEMBERS, [held(Entitlement(SALESFORCE)), held(Entitlement(MEMBERS, 3))], NOW)
    assert (found.limit, len(found.sources)) == (3, 1)
