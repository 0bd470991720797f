"""Which number somebody means, and whether a contract ends before the day that was asked for."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.declarations import LARGEST_NUMBER, ends_too_early, invoice_number

BERLIN = "Europe/Berlin"
days = st.dates(date(2020, 1, 1), date(2040, 1, 1))
prefixes = st.sampled_from(["", "#", "Invoice ", "Rechnung Nr. ", "no. ", "INVOICE #", "  "])


@given(prefixes, st.integers(1, LARGEST_NUMBER), st.integers(0, 19))
def test_a_number_is_read_with_the_words_and_zeros_before_it(prefix, number, width):
    assert invoice_number(f"{prefix}{number:0{width}d} ") == number


@pytest.mark.parametrize(
    "words", ["", "0", "000", "Account1", "12a", "1 2", "-1", "١٢", "9" * 19, "9" * 40, "Invoice"]
)
def test_anything_else_is_no_number(words):
    assert invoice_number(words) is None


@given(st.text())
def test_whatever_is_typed_is_a_number_of_a_row_or_none(words):
    assert (invoice_number(words) or 1) in range(1, LARGEST_NUMBER + 1)


@given(days, st.times(), st.sampled_from(["UTC", BERLIN, "America/New_York"]))
def test_a_contract_ends_too_early_only_before_the_day_of_its_zone(day, at, zone):
    ends_at = datetime.combine(day, at, ZoneInfo(zone)).astimezone(UTC)
    local = ends_at.astimezone(ZoneInfo(zone)).date()
    assert not ends_too_early(None, ends_at, zone)
    assert not ends_too_early(local, ends_at, zone)
    assert not ends_too_early(local - timedelta(days=1), ends_at, zone)
    assert ends_too_early(local + timedelta(days=1), ends_at, zone)


def test_midnight_in_berlin_is_the_day_that_begins_there():
    ends_at = datetime.combine(date(2026, 7, 1), time(), ZoneInfo(BERLIN)).astimezone(UTC)
    assert not ends_too_early(date(2026, 7, 1), ends_at, BERLIN)
    assert ends_too_early(date(2026, 7, 1), ends_at, "UTC")
