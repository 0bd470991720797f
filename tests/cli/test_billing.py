"""`flask billing verify`: the months of ceiling and auto-recharge are what was bought in them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from click.testing import Result

from portal.domain.declines import DeclineReason
from portal.domain.payments import Declined
from portal.local.roles import connect
from tests.services.changing import Office
from tests.services.crediting import CARD, Desk
from tests.services.leaving import carry
from tests.services.paying import Till
from tests.services.recharging import Recharge

Run = Callable[..., Result]


@pytest.fixture
def flask(commands) -> Run:
    return partial(commands, "billing")


@pytest.fixture
def till(world) -> Till:
    return Till(world)


@pytest.fixture
def spent(world, till) -> None:
    """Two accounts: one bought, got some back, and waits for a payment; one recharges by itself."""
    member = world.account()
    world.buy(member, "messages_50k")
    Desk(world, till).credit(1, "7.00", to=CARD)
    for _ in range(2):
        till.gateway.answers.append(Declined(DeclineReason.REFUSED, may_retry=False))
        refused = world.buy(member, "messages_10k")
    till.stop(member, refused.purchase_id)
    till.gateway.answers.append(Declined(DeclineReason.REFUSED, may_retry=False))
    world.buy(member, "zendesk")
    recharging, other = Recharge(world), world.account()
    carry(world, other, 30)
    recharging.agree(other)
    recharging.use(other, 95_000)


def test_what_agrees(spent, flask, world_database):
    with connect(world_database.owner_url) as owner:
        months = owner.execute(
            "select account_id, policy_id, spent_minor, reserved_minor from spend_months"
            " order by 1, 2"
        ).fetchall()
    assert months == [(1, 0, 2200, 2333), (2, 0, 2900, 0), (2, 1, 2930, 0)]
    done = flask("verify")
    assert (done.exit_code, done.output) == (
        0, "Balances, use and months agree with their ledgers.\n",
    )  # fmt: skip


FAULTS = {
    "spent": (
        "update spend_months set spent_minor = spent_minor - 700 where account_id = 1",
        "account 1, 2026-04: the month says 1500 minor units spent and 2333 reserved,"
        " its purchases 2200 and 2333",
    ),
    "reserved": (
        "update spend_months set reserved_minor = 0 where account_id = 1",
        "account 1, 2026-04: the month says 2200 minor units spent and 0 reserved,"
        " its purchases 2200 and 2333",
    ),
    "of a policy": (
        "update spend_months set spent_minor = 2900 where policy_id > 0",
        "account 2, auto-recharge 1, 2026-04: the month says 2900 minor units spent and"
        " 0 reserved, its purchases 2930 and 0",
    ),
    "no month": (
        "delete from spend_months where account_id = 2 and policy_id = 0",
        "account 2, 2026-04: the month says nothing, its purchases 2900 and 0",
    ),
    "another month": (
        "insert into spend_months select environment_id, account_id, 0, '2026-05-01', currency,"
        " 0, 1 from spend_months limit 1",
        "account 1, 2026-05: the month says 1 minor units spent and 0 reserved,"
        " its purchases nothing",
    ),
    "a purchase": (
        "update purchases set spend_minor = spend_minor + 1 where status = 'settled' and id = 1",
        "its purchases 2201 and 2333",
    ),
}


@pytest.mark.parametrize(("fault", "said"), FAULTS.values(), ids=FAULTS)
def test_a_month_that_differs_is_one_sentence_and_the_status_is_1(
    spent, flask, world_database, fault, said
):
    with connect(world_database.owner_url) as owner:
        owner.execute(fault)
    done = flask("verify")
    assert done.exit_code == 1
    [sentence] = done.output.splitlines()
    assert sentence.endswith(said)


def test_what_was_bought_before_months_were_counted_is_in_none(spent, flask, world_database):
    with connect(world_database.owner_url) as owner:
        owner.execute("update purchases set spend_month = null where status = 'settled'")
        owner.execute("update spend_months set spent_minor = 0")
    assert flask("verify").exit_code == 0


def test_a_refund_makes_no_more_room_than_the_purchase_took(world, till, flask):
    """The card paid 0.60 of before as well, and gets all of its charge back, in two parts."""
    desk, office = Desk(world, till), Office(world, till)
    actor = office.account()
    world.buy(actor, "messages_50k")
    carry(world, actor, 60)
    office.change(actor, "business")
    took, charged = Recharge(world).months(actor)[False, "Apr"][1] - 2900, till.taken()[-1]
    assert charged == took + 60
    desk.credit(3, "50.00", to=CARD)
    assert Recharge(world).months(actor) == {(False, "Apr"): (0, 2900 + took - 5000)}
    desk.credit(3, to=CARD, reason="The rest.")
    assert sum(minor for minor, *_ in till.refunds()) == charged
    assert Recharge(world).months(actor) == {(False, "Apr"): (0, 2900)}
    assert flask("verify").exit_code == 0
