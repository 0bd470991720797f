"""Every published figure that binds us, and the test that shows it through the services."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

HERE, SERVICES = Path(__file__).parent, Path(__file__).parents[1]


def numbered(letter: str, *ranges: tuple[int, int]) -> set[str]:
    return {f"{letter}{n}" for first, last in ranges for n in range(first, last + 1)}


BINDING = (
    numbered("P", (1, 11), (13, 30))
    | numbered("C", (1, 7))
    | numbered("E", (1, 4), (6, 7), (9, 9))
    | numbered("A", (1, 3))
    | numbered("W", (1, 3), (8, 12))
    | numbered("T", (1, 12))
)
"""Source: product.md §11, those that are adapted included."""

SHOWN = {
    "test_purchases.py::test_the_same_acceptance_twice_buys_once": "P4",
    "test_purchases.py::"
    "test_a_connector_with_20_of_30_days_left_costs_33_33_now_and_50_later": "P26",
    "test_plans.py::test_unused_old_against_remaining_new_in_one_charge": "P16 P21 P23 P24",
    "test_plans.py::test_a_net_credit_charges_nothing_and_pays_the_next_bill": "P17 P22",
    "test_plans.py::test_p20_what_was_credited_once_is_not_credited_again": "P20",
    "test_plans.py::test_p27_month_to_year_restarts_the_bills_and_leaves_the_quota_alone": "P27",
    "figures/test_charges.py::test_what_is_left_of_the_period_is_paid": "P1 P14 P15",
    "figures/test_charges.py::test_p2_in_the_last_second_nothing_is_due": "P2",
    "figures/test_charges.py::test_p3_two_add_ons_are_two_invoices": "P3",
    "figures/test_charges.py::"
    "test_p11_a_one_time_add_on_cannot_be_removed_and_gives_nothing_back": "P11",
    "figures/test_use.py::test_p13_an_add_on_for_use_is_attached_at_once_for_nothing": "P13",
    "figures/test_use.py::test_e6_500_events_100_of_them_covered_cost_8": "E6",
    "figures/test_use.py::test_e7_each_day_beyond_its_limit_counts_for_itself": "E7",
    "test_recharging.py::"
    "test_a1_what_is_proposed_is_a_tenth_and_the_pack_nearest_to_half_and_works": "A1",
    "figures/test_charges.py::test_p28_a_pack_ends_with_the_window": "P28",
    "figures/test_charges.py::test_p29_yen_have_no_parts": "P29",
    "figures/test_charges.py::"
    "test_p30_a_monthly_add_on_on_an_annual_plan_pays_for_its_months": "P30",
    "test_quantities.py::test_p18_five_to_ten_of_ten_dollars_on_15_march": "P18",
    "test_removing.py::test_p5_the_unused_part_of_what_was_billed": "P5",
    "test_removing.py::test_p6_never_todays_price": "P6",
    "test_removing.py::test_p7_less_what_was_credited_before": "P7",
    "test_removing.py::test_p8_no_stored_line_no_credit": "P8",
    "test_removing.py::test_p9_another_periods_line_is_nothing": "P9",
    "test_removing.py::test_p10_the_share_of_the_lines_own_period": "P10",
    "test_removing.py::test_p19_40_of_which_17_of_31_days_are_left": "P19",
    "test_drawing.py::test_w1_w3_lots_burn_by_their_end_and_never_below_nothing": "W3",
    "test_recharging.py::test_exactly_the_threshold_is_enough_and_one_less_is_not": "A2",
    "test_recharging.py::"
    "test_the_smallest_pack_that_clears_the_threshold_where_the_chosen_one_does_not": "A3",
    "test_recharging.py::test_one_pack_and_a_cooldown": "W12",
    "figures/test_changes.py::test_p25_a_change_of_plan_has_no_lines_for_add_ons": "P25",
    "figures/test_lots.py::test_recurring_credits_for_what_is_left_and_then_whole": "C1 C3",
    "figures/test_lots.py::"
    "test_c2_at_the_end_and_after_it_nothing_is_of_the_period_that_is_over": "C2",
    "figures/test_lots.py::test_c4_a_one_time_grant_is_whole_in_mid_period": "C4",
    "figures/test_lots.py::"
    "test_c5_a_monthly_grant_on_an_annual_price_counts_from_the_purchase": "C5",
    "figures/test_lots.py::"
    "test_c6_an_annual_grant_ends_its_first_period_with_the_subscription": "C6",
    "figures/test_lots.py::test_c7_a_billing_cycle_grant_ends_with_the_cycle": "C7",
    "figures/test_limits.py::test_limits_add_up": "E1 E2 E3 E4",
    "figures/test_lots.py::test_e9_two_packs_on_top_of_the_plan": "E9",
    "figures/test_lots.py::test_lots_burn_by_priority_and_then_by_their_end": "W1 W2",
    "figures/test_lots.py::test_credits_bought_one_by_one_at_a_rate": "W8 W9",
    "figures/test_lots.py::test_w10_an_sms_pack_is_10_000_credits_that_never_expire": "W10",
    "figures/test_lots.py::"
    "test_w11_a_bonus_is_a_lot_of_its_own_once_the_purchase_is_complete": "W11",
    "figures/test_price_models.py::test_the_invoice_says_what_the_quantity_costs": (
        "T1 T2 T3 T4 T5 T6 T7 T8 T9 T10 T11"
    ),
    "figures/test_price_models.py::test_t12_three_packs_of_storage_are_300_gb": "T12",
}


def figures(table: dict[str, str]) -> list[str]:
    return [figure for listed in table.values() for figure in listed.split()]


def test_each_binding_figure_is_shown_once():
    assert sorted(figures(SHOWN)) == sorted(BINDING)


@pytest.mark.parametrize("test", SHOWN)
def test_the_test_is_there(test):
    module, name = test.split("::")
    tree = ast.parse((SERVICES / module).read_text(encoding="utf-8"))
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
