"""Auto-recharge: when it buys, what, and why not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from portal.domain.access import Role
from portal.domain.errors import Forbidden, NotFound
from portal.domain.money import Money
from portal.domain.taxes import Tax
from portal.models.purchases import PurchaseRow
from portal.models.recharge import RechargeConsentRow
from portal.services import spending
from portal.services.recharge_policies import AmountChanged
from portal.services.till import till_of
from tests.services.paying import Till
from tests.services.recharging import Recharge
from tests.services.using import meter, report, used

ALLOWANCE = 100_000


def left(recharge: Recharge, actor: object) -> int:
    found = meter(recharge.world, actor).left
    assert found is not None
    return int(found)


def test_a1_what_is_proposed_is_a_tenth_and_the_pack_nearest_to_half_and_works(recharge):
    """A1."""
    actor = recharge.world.account()
    proposed = recharge.proposed(actor)
    assert (proposed.threshold, proposed.pack) == (10_000, "messages_50k")
    assert proposed.cap == Money(3 * 2900, "usd")
    recharge.agree(actor, proposed.threshold, proposed.pack, proposed.cap.minor)
    recharge.work()
    recharge.use(actor, 90_001)
    assert left(recharge, actor) == 59_999


@pytest.mark.parametrize(("units", "then"), [(90_000, 10_000), (90_001, 59_999)])
def test_exactly_the_threshold_is_enough_and_one_less_is_not(recharge, units, then):
    """A2."""
    actor = recharge.world.account()
    recharge.agree(actor)
    recharge.work()
    recharge.use(actor, units)
    assert left(recharge, actor) == then


def test_the_smallest_pack_that_clears_the_threshold_where_the_chosen_one_does_not(recharge):
    """A3."""
    actor = recharge.world.account()
    recharge.agree(actor, threshold=60_000)
    recharge.work()
    recharge.use(actor, 95_000)
    assert left(recharge, actor) == 105_000


def test_a_pack_is_a_purchase_like_any_other(recharge):
    actor, world = recharge.world.account(tax=Tax(20, False, "VAT")), recharge.world
    recharge.agree(actor)
    recharge.work()
    recharge.use(actor, 95_000)
    till = Till(world)
    [bought] = [row for row in recharge.decisions(actor) if row.cause == "bought"]
    purchase = till.row(bought.purchase_id)
    assert (purchase.status, purchase.person_id) == ("settled", actor.person_id)
    assert (bought.trigger, int(bought.remaining), bought.amount_minor) == ("draw", 5_000, 3480)
    assert till.holds(actor) == ["messages_50k"]
    assert recharge.months(actor)[True, "Apr"] == (0, 3480)
    assert till.books_agree()


def test_one_pack_and_a_cooldown(recharge):
    """W12: one at once, and the next only when the cooldown is over."""
    actor = recharge.world.account()
    recharge.use(actor, 80_000)
    recharge.agree(actor, threshold=950_000, pack="messages_10k", cooldown=timedelta(days=1))
    recharge.work()
    recharge.work()
    first = recharge.causes(actor)
    assert first.count("bought") == 1
    assert first[-1] == "cooldown_until"
    recharge.world.pass_time(hours=23, minutes=59)
    recharge.work()
    assert recharge.causes(actor) == first
    recharge.world.pass_time(minutes=1)
    recharge.work()
    assert recharge.causes(actor).count("bought") == 2
    assert recharge.mails(actor) == ["recharge_short"] * 2


def test_a_cooldown_goes_on_over_the_end_of_a_month(recharge):
    actor = recharge.world.account(since=datetime(2026, 4, 20, tzinfo=UTC))
    recharge.world.now = datetime(2026, 4, 30, 23, 55, tzinfo=UTC)
    recharge.agree(actor)
    recharge.use(actor, 99_000)
    recharge.use(actor, 45_000)
    assert recharge.causes(actor)[-1] == "cooldown_until"
    recharge.world.now = datetime(2026, 5, 1, 0, 4, tzinfo=UTC)
    recharge.work()
    assert recharge.causes(actor).count("bought") == 1
    recharge.world.now = datetime(2026, 5, 1, 0, 5, tzinfo=UTC)
    recharge.work()
    assert recharge.causes(actor).count("bought") == 2
    assert recharge.months(actor) == {
        (False, "Apr"): (0, 2900), (True, "Apr"): (0, 2900),
        (False, "May"): (0, 2900), (True, "May"): (0, 2900),
    }  # fmt: skip


@pytest.mark.parametrize(("tax", "packs"), [(0, 2), (20, 1)])
def test_a_cap_of_100_with_packs_of_49(recharge, tax, packs):
    """Two of $49; with 20 % added each is $58.80, and the second would pass it."""
    actor = recharge.world.account(tax=Tax(tax, False, "VAT"))
    recharge.agree(actor, pack="messages_100k", cap=10_000, cooldown=timedelta(0))
    recharge.use(actor, 95_000)
    for _ in range(3):
        recharge.use(actor, 99_000)
        recharge.work()
    assert recharge.causes(actor).count("bought") == packs
    assert recharge.causes(actor)[-1] == "cap_reached"
    assert recharge.mails(actor) == ["recharge_limited"]


def test_the_cap_resets_at_midnight_where_the_account_is(recharge):
    zone = "America/New_York"
    actor = recharge.world.account(zone=zone, since=datetime(2026, 4, 20, 4, tzinfo=UTC))
    recharge.world.now = datetime(2026, 4, 29, tzinfo=UTC)
    recharge.agree(actor, cap=2900, cooldown=timedelta(0))
    recharge.use(actor, 99_000)
    recharge.use(actor, 45_000)
    assert recharge.causes(actor)[-1] == "cap_reached"
    recharge.world.now = datetime(2026, 5, 1, 3, 59, 59, tzinfo=UTC)
    recharge.work()
    assert recharge.causes(actor).count("bought") == 1
    recharge.world.now = datetime(2026, 5, 1, 4, tzinfo=UTC)
    recharge.work()
    bought = [row.trigger for row in recharge.decisions(actor) if row.cause == "bought"]
    assert bought == ["save", "cap_reset"]


def test_nothing_is_bought_that_the_window_ends_before(recharge):
    actor = recharge.world.account()
    recharge.agree(actor)
    recharge.use(actor, 85_000)
    recharge.world.now = datetime(2026, 4, 30, 12, tzinfo=UTC)
    recharge.use(actor, 6_000)
    assert recharge.causes(actor)[-1] == "window_ends_before_runout"
    recharge.use(actor, 1_000)
    recharge.world.pass_time(hours=1)
    recharge.work()
    assert recharge.causes(actor)[-1] == "window_ends_before_runout"
    recharge.world.now = datetime(2026, 5, 1, tzinfo=UTC)
    recharge.work()
    assert left(recharge, actor) == ALLOWANCE


def test_what_is_used_up_is_bought_even_where_the_host_stops_there(recharge):
    """Nothing left means no use, and so no pace by which it could run out."""
    actor = recharge.world.account()
    report(recharge.world, actor, used("messages", ALLOWANCE, recharge.world.now))
    recharge.world.pass_time(days=8)
    recharge.agree(actor)
    recharge.work()
    assert recharge.causes(actor) == ["bought"]
    assert left(recharge, actor) == 50_000


def test_a_maximum_that_was_lowered_lets_nothing_late_in(recharge):
    """What was let go and is paid late has to fit what is agreed to by then."""
    actor, world = recharge.world.account(), recharge.world
    recharge.agree(actor, cap=10_000)
    recharge.use(actor, 95_000)
    [bought] = [row for row in recharge.decisions(actor) if row.cause == "bought"]
    for cap, fits in ((5800, True), (5799, False)):
        recharge.agree(actor, cap=cap)
        with world.session() as session:
            purchase = session.get_one(PurchaseRow, (actor.environment_id, bought.purchase_id))
            till = till_of(actor, session, world.gateway, world.wall)
            assert spending.can_reserve(till, purchase) is fits


def test_agreeing_keeps_the_words_and_another_amount_keeps_nothing(recharge):
    actor = recharge.world.account()
    assert isinstance(recharge.agree(actor, amount=2800), AmountChanged)
    assert recharge.world.rows(RechargeConsentRow, person_id=actor.person_id) == 0
    recharge.agree(actor)
    recharge.agree(actor, threshold=5_000)
    with recharge.world.session() as session:
        mine = select(RechargeConsentRow).filter_by(person_id=actor.person_id)
        kept = [(c.threshold, c.amount_minor, c.text) for c in session.scalars(mine)]
    assert kept == [
        (10_000, 4900, "I agree."), (10_000, 2900, "I agree."),
        (5_000, 4900, "I agree."), (5_000, 2900, "I agree."),
    ]  # fmt: skip


def test_who_may_only_look_agrees_to_nothing(recharge):
    actor = recharge.world.account(role=Role.MEMBER)
    with pytest.raises(Forbidden):
        recharge.agree(actor)
    with pytest.raises(NotFound):
        recharge.do("turn_off", recharge.world.account())


def test_nobody_with_a_policy_adds_nothing_to_a_report(recharge):
    actor = recharge.world.account()
    recharge.agree(actor)
    recharge.do("turn_off", actor)
    report(recharge.world, actor, used("messages", 99_000, recharge.world.now))
    assert recharge.policy(actor).look_at is None
    assert recharge.causes(actor) == []
