"""Laws of capacity: I19-I21 of billing-conventions.md §4."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from portal.domain.catalog import Entitlement
from portal.domain.entitlements import Source, SourceKind, resolve
from portal.domain.grants import Drawing, Lot, available, burn_rank, draw
from tests.unit.samples import STORAGE
from tests.unit.strategies import NOON, lot_books, uses


def after(lots: list[Lot], drawing: Drawing) -> list[Lot]:
    """The lots as a ledger would hold them once `drawing` is posted."""
    taken = {one.lot_id: one.units for one in drawing.draws}
    assert len(taken) == len(drawing.draws), "one entry per lot touched"
    return [replace(lot, remaining=lot.remaining - taken.get(lot.id, Decimal(0))) for lot in lots]


@given(lot_books(), uses)
def test_i19_nothing_is_lost_or_made(lots: list[Lot], units: Decimal) -> None:
    drawing = draw(lots, units, NOON)
    left = after(lots, drawing)
    consumed = sum((one.units for one in drawing.draws), Decimal(0))
    expired = sum((lot.remaining for lot in left if not lot.is_open(NOON)), Decimal(0))
    granted = sum((lot.granted for lot in lots), Decimal(0))
    assert granted == available(left, NOON) + consumed + expired
    assert consumed + drawing.excess == units
    assert all(lot.remaining >= 0 for lot in left)
    assert all(one.units > 0 for one in drawing.draws)


@given(lot_books(), uses)
def test_i19_excess_only_when_every_open_lot_is_empty(lots: list[Lot], units: Decimal) -> None:
    drawing = draw(lots, units, NOON)
    assert drawing.excess == max(units - available(lots, NOON), Decimal(0))


@given(lot_books(), uses, st.randoms(use_true_random=False))
def test_i19_the_order_of_insertion_does_not_matter(
    lots: list[Lot], units: Decimal, shuffler: Random
) -> None:
    shuffled = lots[:]
    shuffler.shuffle(shuffled)
    assert draw(shuffled, units, NOON) == draw(lots, units, NOON)


@given(lot_books(), st.lists(uses, max_size=5))
def test_i19_one_draw_equals_any_partition_of_it(lots: list[Lot], shares: list[Decimal]) -> None:
    at_once = draw(lots, sum(shares, Decimal(0)), NOON)
    left, excess = lots, Decimal(0)
    for share in shares:
        one = draw(left, share, NOON)
        left, excess = after(left, one), excess + one.excess
    assert left == after(lots, at_once)
    assert excess == at_once.excess


@given(lot_books(), uses)
def test_i20_no_unit_came_from_a_lot_while_a_better_one_had_some(
    lots: list[Lot], units: Decimal
) -> None:
    drawing = draw(lots, units, NOON)
    left = {lot.id: lot for lot in after(lots, drawing)}
    for one in drawing.draws:
        touched = left[one.lot_id]
        assert touched.is_open(NOON)
        better = [lot for lot in left.values() if burn_rank(lot) < burn_rank(touched)]
        assert all(not lot.remaining for lot in better if lot.is_open(NOON))


limits = st.one_of(st.sampled_from([0, 1]), st.integers(0, 1_000))


@st.composite
def holdings(draw_: st.DrawFn) -> list[Source]:
    around = st.integers(-2, 2).map(lambda hours: NOON + timedelta(hours=hours))
    source = st.builds(
        Source,
        st.just(SourceKind.ADD_ON),
        st.just("Extra storage"),
        limits.map(lambda units: Entitlement(STORAGE, units)),
        st.integers(0, 3),
        around,
        st.none() | around,
    )
    return draw_(st.lists(source, max_size=5))


def base(units: int) -> Source:
    plan = Entitlement(STORAGE, units)
    return Source(SourceKind.PLAN, "Growth", plan, 1, NOON - timedelta(days=30))


@given(limits, holdings())
def test_i21_a_limit_is_the_base_plus_every_add_on_in_force(
    units: int, extras: list[Source]
) -> None:
    in_force = [
        s for s in extras if s.starts_at <= NOON and (s.ends_at is None or s.ends_at > NOON)
    ]
    brought = sum((s.entitlement.usage_limit or 0) * s.quantity for s in in_force)
    assert resolve(STORAGE, [base(units), *extras], NOON).limit == units + brought


@given(limits, holdings(), limits)
def test_i21_applying_and_removing_restores_what_was(
    units: int, extras: list[Source], more: int
) -> None:
    before = resolve(STORAGE, [base(units), *extras], NOON)
    one = Source(SourceKind.ADD_ON, "More", Entitlement(STORAGE, more), 2, NOON - timedelta(days=1))
    removed = replace(one, ends_at=NOON)
    assert (
        resolve(STORAGE, [base(units), *extras, one], NOON).limit == (before.limit or 0) + 2 * more
    )
    assert resolve(STORAGE, [base(units), *extras, removed], NOON) == before


@given(limits)
def test_i21_two_equal_add_ons_bring_twice_the_grant(units: int) -> None:
    one = Source(SourceKind.ADD_ON, "Pack", Entitlement(STORAGE, units), 1, NOON)
    assert resolve(STORAGE, [one, one], NOON).limit == 2 * units
    assert resolve(STORAGE, [replace(one, quantity=2)], NOON).limit == 2 * units
