"""The test clock of one account: everything due on the way happens, in order, to nobody else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from portal.domain.errors import Conflict, NotFound
from portal.models.accounts import AccountRow, MembershipRow
from portal.models.events import EventRow
from portal.models.mails import MailRow
from portal.services import card_entry, clock
from portal.services.recording import Doer
from portal.services.till import Till as Desk
from portal.services.till import till_of
from tests.services.leaving import on_trial
from tests.services.recharging import Recharge
from tests.services.time_passing import collections, renewals, run_at, subscription
from tests.support.world import APRIL_11


def advance(world, account_id: int, to: datetime, **more) -> list[tuple[datetime, int]]:
    """Each halt, and the steps taken there."""
    halts: list[tuple[datetime, int]] = []
    move(world, account_id, to, tell=lambda at, steps: halts.append((at, steps)), **more)
    return halts


def move(world, account_id: int, to: datetime, **more) -> int | None:
    with world.session() as session:
        desk = Desk(session, world.gateway, world.scope, world.wall, Doer("test", account_id))
        return clock.advance(desk, account_id, to, **more)


def may(day: int, month: int = 5) -> datetime:
    return datetime(2026, month, day, tzinfo=UTC)


def test_three_months_pass_with_every_bill_on_its_day(world, till):
    actor, other = world.account(), world.account()
    world.buy(actor, "salesforce")
    world.buy(actor, "messages_100k")
    taken = len(till.taken())
    halts = advance(world, actor.account_id, may(15, 7))
    assert halts == [(may(1), 1), (may(1, 6), 1), (may(1, 7), 1), (may(15, 7), 0)]
    assert [i.due_at for i in renewals(world, actor)] == [may(1), may(1, 6), may(1, 7)]
    assert till.taken()[taken:] == [14900] * 3
    assert till.holds(actor) == ["salesforce"], "the pack has expired, the connector renewed"
    assert world.state(actor).now == may(15, 7)
    assert (world.state(other).now, renewals(world, other)) == (APRIL_11, [])
    assert till.books_agree()


def test_a_decline_its_retries_and_the_suspension_come_at_their_times(world):
    actor = world.account(card="pm_card_chargeCustomerFail")
    halts = advance(world, actor.account_id, may(30))
    assert [at for at, steps in halts if steps] == [may(1), may(2), may(5), may(8), may(22)]
    assert subscription(world, actor).status == "suspended"
    assert collections(world, actor)[0].retries == 3


def test_the_same_rows_as_when_real_time_passes(world):
    moved, waited = world.account(), world.account()
    for actor in (moved, waited):
        world.buy(actor, "zendesk")
    advance(world, moved.account_id, may(2, 8))
    run_at(world, may(2, 8))
    told = [
        [(i.due_at, i.issued_at, i.total_minor) for i in renewals(world, actor)]
        for actor in (moved, waited)
    ]
    assert told[0] == told[1]


@pytest.mark.parametrize(
    "to", [APRIL_11, APRIL_11 - timedelta(days=1), APRIL_11 + timedelta(days=1099)]
)
def test_it_moves_forward_and_not_too_far(world, to):
    actor = world.account()
    with pytest.raises(Conflict):
        advance(world, actor.account_id, to)
    with world.session() as session:
        row = session.get_one(AccountRow, (world.scope.environment_id, actor.account_id))
        assert row.test_clock_at is None


def test_nobody_has_no_clock(world):
    with pytest.raises(NotFound):
        advance(world, 999_999, may(1))


def test_an_account_without_a_plan_only_changes_its_date(world):
    actor = world.account()
    with world.session() as session:
        session.get_one(
            type(subscription(world, actor)),
            (world.scope.environment_id, subscription(world, actor).id),
        ).ended_at = world.now
        session.commit()
    assert advance(world, actor.account_id, may(9)) == [(may(9), 0)]


def mails(world, actor) -> list[str]:
    mine = select(MailRow.kind).filter_by(account_id=actor.account_id).order_by(MailRow.id)
    with world.session() as session:
        return list(session.scalars(mine))


def test_a_trial_says_that_it_ends_before_it_does(world):
    actor = on_trial(world, world.now)
    advance(world, actor.account_id, may(2))
    told = [kind for kind in mails(world, actor) if kind in ("trial_ending", "renewed")]
    assert told == ["trial_ending", "renewed"]


def test_each_monday_has_its_digest(world):
    actor = world.account()
    wants = update(MembershipRow).where(MembershipRow.account_id == actor.account_id)
    world.change(wants.values(digest_since_at=world.now))
    advance(world, actor.account_id, may(5))
    assert mails(world, actor).count("usage_digest") == 4, "13, 20 and 27 April, and 4 May"


def test_auto_recharge_that_waits_for_the_next_month_is_decided_on_in_it(world, till):
    actor, recharge = world.account(), Recharge(world)
    recharge.agree(actor, cap=2900, cooldown=timedelta(0))
    recharge.use(actor, 95_000)
    recharge.use(actor, 90_000)
    assert recharge.causes(actor)[-1] == "cap_reached"
    advance(world, actor.account_id, may(2))
    assert recharge.causes(actor)[-1] == "above_threshold"


def test_it_rests_where_it_is_enough_and_goes_on_from_there(world):
    rested, moved = world.account(), world.account()
    for actor in (rested, moved):
        world.buy(actor, "salesforce")
    advance(world, moved.account_id, may(15))
    halts = []
    while world.state(rested).now < may(15):
        halts += advance(world, rested.account_id, may(15), enough=lambda: True)
        assert len(halts) <= 1 or world.state(rested).now == may(15)
    assert halts == [(may(1), 1), (may(15), 0)]
    told = [[(i.due_at, i.total_minor) for i in renewals(world, a)] for a in (rested, moved)]
    assert told[0] == told[1]
    moves = [
        world.rows(EventRow, name="clock:advanced", account_id=a.account_id)
        for a in (rested, moved)
    ]
    assert moves == [34, 1], "a day, or up to a bill, at a time"


def test_one_at_a_time_moves_it_and_another_moves_nothing(world):
    actor, other = world.account(), world.account()
    answers = []

    def meanwhile() -> bool:
        answers.append(move(world, actor.account_id, may(1, 9)))
        return False

    halts = advance(world, actor.account_id, may(15), enough=meanwhile)
    assert set(answers) == {None}
    assert halts == [(may(1), 1), (may(15), 0)]
    assert (world.state(actor).now, len(renewals(world, actor))) == (may(15), 1)
    elsewhere = advance(
        world, actor.account_id, may(20), enough=lambda: move(world, other.account_id, may(1)) == 1
    )
    assert (elsewhere, world.state(other).now) == ([], may(1)), "another account's own"
    assert move(world, actor.account_id, may(1, 6)) == 1, "and it can be moved again"


def test_whoever_else_sets_it_ahead_it_never_goes_back(world):
    actor = world.account()
    ahead = update(AccountRow).where(AccountRow.id == actor.account_id)

    def meanwhile() -> bool:
        world.change(ahead.values(test_clock_at=may(1, 9)))
        return False

    with pytest.raises(Conflict):
        advance(world, actor.account_id, may(15), enough=meanwhile)
    assert world.state(actor).now == may(1, 9)


def test_who_moves_it_did_only_that_and_renewal_the_rest(world):
    actor = world.account()
    with world.session() as session:
        desk = till_of(actor, session, world.gateway, world.wall)
        clock.advance(desk, actor.account_id, may(2))
        told = select(EventRow.name, EventRow.actor).filter_by(account_id=actor.account_id)
        did = dict(session.execute(told).all())
    assert did["subscription:renewed"] == did["invoice:paid"] == "renewal"
    assert did["clock:advanced"] == f"person:{actor.person_id}"


def test_the_page_for_a_card_is_opened_at_the_accounts_own_time(world):
    actor = world.account()
    advance(world, actor.account_id, may(2))
    with world.session() as session:
        card_entry.begin_entry(
            actor, "http://portal.test/back", "http://portal.test",
            session=session, gateway=world.gateway, wall=world.wall,
        )  # fmt: skip
        opened = select(EventRow.at).filter_by(name="card_entry:opened")
        assert session.scalars(opened).all() == [may(2)]
