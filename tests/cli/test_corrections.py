"""`flask billing credit` and `flask billing end`: what they show, do, and refuse."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import partial

import pytest
from click.testing import Result

from portal.domain.taxes import Tax
from portal.models.credit_notes import CreditNoteRow
from tests.services.crediting import Desk
from tests.services.paying import Till

Billing = Callable[..., Result]
WHY = ("--reason", "It did not work.", "--by", "ann")


@pytest.fixture
def billing(commands) -> Billing:
    return partial(commands, "billing")


@pytest.fixture
def actor(world):
    actor = world.account(tax=Tax(Decimal(20), False, "VAT"))
    world.buy(actor, "salesforce")
    return actor


def test_without_yes_it_only_shows_line_by_line(billing, world, actor):
    shown = billing("credit", "1", *WHY)
    assert (shown.exit_code, shown.output.splitlines()) == (0, [
        "Invoice 000001:",
        "  Salesforce connector  $33.33   $33.33 of $33.33",
        "  VAT  $6.67   20 % tax on $33.33 less that on $0.00 kept = $6.67",
        "  Credited  $40.00",
        "    $40.00 to the account balance",
        "Nothing was done. Add --yes to do it.",
    ])  # fmt: skip
    assert world.rows(CreditNoteRow) == 0


def test_with_yes_it_credits_once(billing, world, actor):
    words = ("credit", "1", "--line", "1", "--amount", "10", "--to", "card", *WHY, "--yes")
    first, second = billing(*words), billing(*words)
    assert first.output.splitlines()[-3:] == [
        "  Credited  $12.00",
        "    $12.00 to visa ending 4242",
        "Credit note CN000001 was issued.",
    ]
    assert (first.exit_code, second.exit_code) == (0, 1)
    assert "credit note CN000001 says exactly that already" in second.output
    assert [refund.amount.minor for refund in world.gateway.refunds] == [1200]


BAD = {
    "unknown invoice": (("credit", "7", *WHY), "there is no invoice 000007."),
    "no number": (("credit", "CN1", *WHY), "'CN1' is not a valid integer"),
    "nothing": (("credit", "0", *WHY), "0 is not in the range"),
    "unknown line": (("credit", "1", "--line", "3", *WHY), "there is no line 3"),
    "too much": (("credit", "1", "--amount", "33.34", *WHY), "only 33.33 USD is left"),
    "decimals": (("credit", "1", "--amount", "1.001", *WHY), "more decimals than USD"),
    "no amount": (("credit", "1", "--amount", "ten", *WHY), "an amount like 12.34"),
    "no number at all": (("credit", "1", "--amount", "NaN", *WHY), "an amount like 12.34"),
    "below nothing": (("credit", "1", "--amount", "-5", *WHY), "more than nothing"),
    "no reason": (("credit", "1"), "Missing option '--reason'"),
    "empty reason": (("credit", "1", "--reason", " "), "a sentence of 1 to 500"),
    "long reason": (("credit", "1", "--reason", "x" * 501), "a sentence of 1 to 500"),
    "nowhere": (("credit", "1", "--to", "cash", *WHY), "'cash' is not one of"),
    "unknown instance": (("end", "99", *WHY), "there is no instance 99."),
}


@pytest.mark.parametrize(("words", "said"), BAD.values(), ids=BAD)
def test_bad_input_says_what_is_wrong_and_does_nothing(billing, world, actor, words, said):
    done = billing(*words, "--yes")
    assert done.exit_code in (1, 2)
    assert said in done.output
    assert world.rows(CreditNoteRow) == 0


def test_an_add_on_ends_with_its_unused_part_on_the_balance(billing, world, actor):
    desk = Desk(world, Till(world))
    instance = str(desk.instance(actor).id)
    shown, done = billing("end", instance, *WHY), billing("end", instance, *WHY, "--yes")
    assert shown.output.splitlines()[0] == "1 × Salesforce connector ends now."
    assert "Nothing was done" in shown.output
    assert done.output.splitlines()[-1] == "It has ended. Credit note CN000001 was issued."
    assert desk.balance(actor) == (4000, 0)
    again = billing("end", instance, *WHY, "--yes")
    assert (again.exit_code, "it has ended already." in again.output) == (1, True)


def test_what_is_charged_once_is_not_ended(billing, world, actor):
    world.buy(actor, "messages_10k")
    instance = str(Desk(world, Till(world)).instance(actor, 1).id)
    done = billing("end", instance, *WHY, "--yes")
    assert (done.exit_code, "what is charged once is not taken away" in done.output) == (1, True)
