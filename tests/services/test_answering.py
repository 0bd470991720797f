"""Staff answer a declared cancellation: it ends with its period, once, and all are told."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select

from portal.domain.declarations import Answer, CancellationKind
from portal.domain.errors import Conflict, NotFound
from portal.models.events import EventRow
from portal.models.mails import MailRow
from portal.services import instances
from portal.services.answering import CarriedOut, TooEarly
from portal.services.renewing import run_due
from tests.services.declaring import SAID, TOLD, Declarations
from tests.services.leaving import cancel_plan, keep_plan
from tests.support.world import World

MAY_1 = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.fixture
def desk(world: World) -> Declarations:
    return Declarations(world)


@pytest.fixture
def actor(world: World, desk: Declarations):
    """The owner of an account that a declaration was matched to."""
    actor = world.account()
    desk.staff()
    desk.declare()
    desk.match()
    return actor


def details(world: World, name: str) -> list[tuple[str, dict[str, object]]]:
    with world.session() as session:
        found = session.scalars(select(EventRow).where(EventRow.name == name))
        return [(each.actor, each.detail) for each in found]


def test_the_plan_ends_with_its_term_as_if_a_member_had_cancelled(world, desk, actor):
    assert desk.carry_out(actor) == CarriedOut(MAY_1)
    subscription = world.state(actor).subscription
    assert subscription is not None
    assert subscription.cancel_at == MAY_1
    [(doer, detail)] = details(world, "subscription:cancelled")
    assert doer == f"staff:{desk.staff().actor.staff_id}"
    assert (detail["declaration"], detail["staff"]) == (1, "Ann")
    case = desk.case()
    assert (case.answer, case.staff, case.account, case.ends_at) == (
        Answer.CARRIED_OUT, "Ann", "Account1", MAY_1,
    )  # fmt: skip
    assert desk.told()[-1] == ("declaration:answered", actor.account_id, doer)
    assert desk.rows()[0][1].subject == f"subscription:{subscription.id}"
    assert desk.letters("answered") == [("declaration_answered", SAID.email)]
    with world.session() as session:
        mail = session.scalars(select(MailRow).where(MailRow.kind == "plan_cancelled")).one()
        assert mail.recipient == "owner@account1.test"
    world.now = MAY_1
    with world.session() as session:
        run_due(session, world.scope, gateway=world.gateway, wall=world.wall)
    assert world.state(actor).subscription is None


def test_an_add_on_ends_at_its_boundary_and_the_plan_goes_on(world, desk, actor):
    world.buy(actor, "salesforce")
    [held] = world.state(actor).held
    assert desk.carry_out(actor, held.id, said="Thank you.") == CarriedOut(MAY_1)
    [after] = world.state(actor).held
    assert after.span.cancel_at == MAY_1
    subscription = world.state(actor).subscription
    assert subscription is not None
    assert subscription.cancel_at is None
    [(_doer, detail)] = details(world, "instance:cancelled")
    assert detail["declaration"] == 1
    assert desk.case().said == "Thank you."
    assert desk.rows()[0][1].subject == f"instance:{held.id}"


def test_for_cause_too_nothing_ends_at_once(world, desk):
    actor = world.account()
    desk.declare(kind=CancellationKind.FOR_CAUSE, reason="You broke it.")
    assert desk.carry_out(actor) == CarriedOut(MAY_1)
    assert world.state(actor).subscription is not None


@pytest.mark.parametrize(
    ("wanted", "early"),
    [(date(2026, 4, 20), False), (date(2026, 5, 1), False), (date(2026, 5, 2), True)],
)
def test_it_does_not_end_before_the_day_that_was_asked_for(wanted, early, world, desk):
    actor = world.account()
    desk.declare(wanted_on=wanted)
    outcome = desk.carry_out(actor)
    assert outcome == (TooEarly(MAY_1) if early else CarriedOut(MAY_1))
    subscription = world.state(actor).subscription
    assert subscription is not None
    assert (subscription.cancel_at is None) is early
    assert (desk.case().answer is None) is early


def test_what_is_cancelled_already_keeps_its_date_and_is_told_once(world, desk, actor):
    cancel_plan(world, actor)
    assert desk.carry_out(actor) == CarriedOut(MAY_1)
    assert len(details(world, "subscription:cancelled")) == 1
    assert desk.case().answer is Answer.CARRIED_OUT


def test_it_is_answered_once_and_a_member_may_still_keep_the_plan(world, desk, actor):
    desk.carry_out(actor)
    keep_plan(world, actor)
    with pytest.raises(Conflict):
        desk.carry_out(actor)
    with pytest.raises(Conflict):
        desk.put_aside("not_ours")
    subscription = world.state(actor).subscription
    assert subscription is not None
    assert subscription.cancel_at is None


def test_two_of_the_staff_at_once_carry_it_out_once(world, desk, actor):
    def carry(_: int) -> object:
        try:
            return desk.carry_out(actor)
        except Conflict:
            return None

    with ThreadPoolExecutor(3) as pool:
        outcomes = list(pool.map(carry, range(3)))
    assert sum(each is not None for each in outcomes) == 1
    assert len(details(world, "subscription:cancelled")) == 1


def test_an_account_that_fits_in_no_way_is_not_touched(world, desk, actor):
    stranger = world.account()
    with pytest.raises(NotFound):
        desk.carry_out(stranger)
    assert world.state(stranger).subscription.cancel_at is None
    assert desk.case().answer is None


def test_one_that_fits_in_one_way_is_for_the_staff_to_judge(world, desk, actor):
    other = world.account()
    desk.declare(identification="Account2")
    desk.match()
    found = desk.candidates(2)
    fits = [(each.account.name, each.account.by_email, each.account.by_words) for each in found]
    assert fits == [
        ("Account1", True, False), ("Account2", False, True),
    ]  # fmt: skip
    assert desk.case(2).account_id is None
    assert desk.carry_out(other, number=2) == CarriedOut(MAY_1)
    assert desk.told()[-1][1] == other.account_id
    assert world.state(actor).subscription.cancel_at is None


def test_what_does_not_renew_is_no_contract_to_end(world, desk, actor):
    world.buy(actor, "messages_100k")
    world.buy(actor, "salesforce")
    pack = next(i for i in world.state(actor).held if not i.price.is_recurring)
    named = [each.name for each in desk.candidates()[0].contracts]
    assert named == ["Growth", "Salesforce connector"]
    for number in (pack.id, 10**6):
        with pytest.raises(Conflict):
            desk.carry_out(actor, number)
    other = world.account()
    world.buy(other, "salesforce")
    [theirs] = world.state(other).held
    with pytest.raises(Conflict):
        desk.carry_out(actor, theirs.id)
    assert world.state(other).held[0].renews


def test_an_add_on_that_is_being_cancelled_can_be_confirmed(world, desk, actor):
    world.buy(actor, "salesforce")
    [held] = world.state(actor).held
    with world.session() as session:
        instances.cancel(actor, held.id, "", session=session, wall=world.wall)
    assert desk.carry_out(actor, held.id) == CarriedOut(MAY_1)
    assert len(details(world, "instance:cancelled")) == 1


@pytest.mark.parametrize("answer", ["done", "not_ours"])
def test_put_aside_it_ends_nothing_and_says_why(answer, world, desk, actor):
    desk.put_aside(answer)
    assert world.state(actor).subscription.cancel_at is None
    case = desk.case()
    assert (case.answer, case.said, case.ends_at) == (Answer(answer), TOLD, None)
    assert desk.told()[-1][:2] == ("declaration:answered", actor.account_id)
    with world.session() as session:
        mail = session.scalars(select(MailRow).where(MailRow.kind == "declaration_answered")).one()
    assert (mail.recipient, mail.account_id) == (SAID.email, None)
    assert (mail.notice["answer"], mail.notice["said"]) == (answer, TOLD)


def test_of_no_account_only_the_staff_read(world, desk):
    desk.declare(email="nobody@nowhere.test", identification="Nothing")
    desk.match()
    desk.put_aside("not_ours")
    assert [account for _name, account, _doer in desk.told()] == [None, None]


def test_what_is_not_there_is_not_found(desk, actor):
    for act in (lambda: desk.carry_out(actor, number=9), lambda: desk.put_aside("done", 9)):
        with pytest.raises(NotFound):
            act()
