"""Whose law a page speaks to, and what it then has to show."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from portal.domain.capacity import MONTH
from portal.domain.legal import (
    TERMS,
    Box,
    CustomerType,
    Duty,
    LegalProfile,
    Statement,
    Wording,
    box_for,
    profile_of,
    statements_for,
)
from portal.domain.money import Money

AT = datetime(2026, 4, 11, tzinfo=UTC)
NOTHING = Money.zero("usd")
RECURRING = Duty(Money(3333, "usd"), NOTHING, Money(5000, "usd"), AT + timedelta(20), MONTH, AT)
WAITS = replace(RECURRING, now=NOTHING, starts_at=AT + timedelta(20))
ONCE = Duty(Money(4900, "usd"), NOTHING, starts_at=AT)
OWED = Duty(Money(4900, "usd"), NOTHING)
FREE = Duty(NOTHING, NOTHING, starts_at=AT)
CONSUMERS = [profile for profile in LegalProfile if profile is not LegalProfile.STANDARD]

countries = st.one_of(st.just(""), st.from_regex("[A-Z]{2}", fullmatch=True))


@given(countries)
def test_a_business_is_shown_the_same_everywhere(country):
    assert profile_of(country, CustomerType.BUSINESS) is LegalProfile.STANDARD


@given(countries)
def test_a_consumer_of_wherever_is_never_shown_less_than_a_law_asks_for(country):
    profile = profile_of(country, CustomerType.CONSUMER)
    own = {"US": "consumer_us", "GB": "consumer_uk", "DE": "consumer_de"}
    assert profile == own.get(country, "consumer_eu")


def test_between_businesses_nothing_is_added():
    terms = TERMS[LegalProfile.STANDARD]
    for duty in (RECURRING, ONCE, OWED, FREE):
        assert statements_for(terms, duty) == ()
        assert box_for(terms, duty, AT) is None
    assert terms.wording is Wording.PLAIN


@pytest.mark.parametrize("profile", CONSUMERS)
def test_what_renews_says_so_and_how_to_stop_and_what_does_not_is_silent(profile):
    for duty in (RECURRING, WAITS):
        said = statements_for(TERMS[profile], duty)
        assert {Statement.TOTAL, Statement.RENEWAL, Statement.STOPPING} <= set(said)
    once = statements_for(TERMS[profile], ONCE)
    assert Statement.TOTAL in once
    assert not {Statement.RENEWAL, Statement.STOPPING} & set(once)


@pytest.mark.parametrize("profile", CONSUMERS)
def test_the_right_to_withdraw_is_named_where_there_is_one_and_only_of_a_new_contract(profile):
    terms = TERMS[profile]
    for duty in (RECURRING, ONCE):
        named = Statement.WITHDRAWAL in statements_for(terms, duty)
        assert named is bool(terms.withdrawal_days)
    assert Statement.WITHDRAWAL not in statements_for(terms, OWED)


@pytest.mark.parametrize("profile", CONSUMERS[1:])
@given(hours=st.integers(0, 24 * 60))
@example(hours=24 * 14)
def test_a_start_within_the_time_to_withdraw_is_asked_for_and_no_later_one(profile, hours):
    terms, starts_at = TERMS[profile], AT + timedelta(hours=hours)
    asked = box_for(terms, replace(RECURRING, starts_at=starts_at), AT)
    assert (asked is Box.START) is (hours < 24 * terms.withdrawal_days)
    assert box_for(terms, OWED, AT) is None


def test_in_the_united_states_the_box_is_about_the_renewal():
    terms = TERMS[LegalProfile.CONSUMER_US]
    assert box_for(terms, RECURRING, AT) is Box.RENEWAL
    assert box_for(terms, ONCE, AT) is None


def test_every_profile_has_a_version_of_its_own_that_fits_its_column():
    versions = {terms.text_version for terms in TERMS.values()}
    assert set(TERMS) == set(LegalProfile)
    assert len(versions) == len(TERMS)
    assert all(0 < len(version) <= 20 for version in versions)
