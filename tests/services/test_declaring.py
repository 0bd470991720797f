"""A cancellation without sign-in is kept and confirmed, and tells nobody of any account."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest
from sqlalchemy import create_engine, event, select, text

from portal.domain.access import Role
from portal.domain.declarations import CancellationKind
from portal.domain.throttle import HOUR, QUARTER
from portal.models.declarations import DeclarationRow
from portal.models.mails import MailRow
from portal.models.purchases import PurchaseRow
from portal.queries.declarations import find_receipt
from portal.services.declaring import Receipt
from portal.services.throttling import Paused
from portal.services.verifying import verify
from tests.services.declaring import SAID, SHOWN, Declarations
from tests.services.entering import HERE, THERE
from tests.support.world import World

HOSTILE = "=<script>alert(1)</script>\"'%s {{ 7*7 }} \u202e ; drop table declarations --"


@pytest.fixture
def desk(world: World) -> Declarations:
    return Declarations(world)


def matched(desk: Declarations, **said: object) -> int | None:
    """The account that a new declaration is matched to."""
    assert isinstance(desk.declare(**said), Receipt)
    desk.match()
    return desk.rows()[-1][1].account_id


def test_it_is_kept_word_for_word_and_confirmed_at_once(world, desk):
    receipt = desk.declare(reason="No use.", wanted_on=date(2026, 6, 30))
    [(row, case)] = desk.rows()
    assert (row.kind, row.reason, row.name, row.identification) == (
        "ordinary", "No use.", "Ada", "Account1",
    )  # fmt: skip
    assert (row.contract, row.wanted_on, row.email) == (
        "Growth", date(2026, 6, 30), SAID.email,
    )  # fmt: skip
    assert (row.text_version, row.locale, row.button, row.button_locale) == (
        SHOWN.text_version, "en", "jetzt kündigen", "de",
    )  # fmt: skip
    assert (row.received_at, row.address) == (world.now, HERE)
    assert (case.matched_at, case.account_id, case.answer) == (None, None, None)
    assert desk.letters() == [("declaration_received", SAID.email)]
    with world.session() as session:
        [mail] = session.scalars(select(MailRow))
        assert mail.notice["declared"]["said"]["wanted_on"] == "2026-06-30"
        shown = find_receipt(session, world.scope, receipt.written, world.wall)
        assert find_receipt(session, world.scope, receipt.written[:-1], world.wall) is None
    assert shown == desk.case().declared
    assert desk.told() == [("declaration:received", None, "anonymous")]


def test_its_page_is_there_for_a_day(world, desk):
    written = desk.declare().written
    world.now += timedelta(days=1) - timedelta(seconds=1)
    with world.session() as session:
        assert find_receipt(session, world.scope, written, world.wall) is not None
        world.now += timedelta(seconds=1)
        assert find_receipt(session, world.scope, written, world.wall) is None


@pytest.mark.parametrize("words", ["Account1", " ACCOUNT1 ", "account1", "Invoice 000001", "#1"])
def test_an_owners_address_and_what_identifies_the_account_match_it(words, world, desk):
    actor = world.account()
    world.buy(actor, "sla_support")
    assert matched(desk, identification=words, email="Owner@Account1.test") == actor.account_id
    assert desk.letters("matched") == [("declaration_matched", "owner@account1.test")]
    name, account_id, doer = desk.told()[-1]
    assert (name, account_id, doer) == ("declaration:matched", actor.account_id, "declarations")


@pytest.mark.parametrize(
    "said",
    [
        {"identification": "Account2"},
        {"identification": "Account"},
        {"identification": "2"},
        {"identification": "%"},
        {"email": "owner@account2.test"},
        {"email": "clerk@account1.test"},
        {"email": "nobody@nowhere.test"},
        {"email": "owner@account1.tes"},
    ],
)
def test_either_alone_matches_nothing_and_tells_no_owner(said, world, desk):
    actor = world.account()
    world.member(actor.account_id, "clerk@account1.test", Role.ADMIN)
    world.buy(world.account(), "sla_support")
    assert matched(desk, **said) is None
    assert desk.rows()[0][1].matched_at == world.now
    assert desk.letters("matched") == []
    assert len(desk.told()) == 1


def test_two_accounts_that_fit_are_none(world, desk):
    first = world.account()
    second = world.account()
    world.change(text("update accounts set name = 'Account1'"))
    assert matched(desk) == first.account_id
    world.change(text(f"update memberships set person_id = {first.person_id} where account_id ="
                      f" {second.account_id}"))  # fmt: skip
    assert matched(desk) is None


def test_every_owner_is_told_and_no_other_member(world, desk):
    actor = world.account()
    world.member(actor.account_id, "bo@account1.test", Role.OWNER)
    world.member(actor.account_id, "clerk@account1.test", Role.BILLING)
    matched(desk)
    assert [to for _kind, to in desk.letters("matched")] == [SAID.email, "bo@account1.test"]


def test_staff_are_told_of_each_once_whether_an_account_fits_or_not(world, desk):
    world.account()
    door = desk.staff()
    matched(desk)
    matched(desk, identification="Account9")
    assert desk.match() == 0
    with world.session() as session:
        mails = session.scalars(select(MailRow).where(MailRow.kind == "declaration_waits"))
        told = [(mail.recipient, mail.account_id, mail.notice["account"]) for mail in mails]
    assert told == [(door.email, None, "Account1"), (door.email, None, "")]


def test_nothing_ends_by_itself(world, desk):
    actor = world.account()
    world.buy(actor, "salesforce")
    matched(desk, kind=CancellationKind.FOR_CAUSE, reason="You broke it.")
    subscription = world.state(actor).subscription
    assert subscription is not None
    assert subscription.cancel_at is None
    assert [each.renews for each in world.state(actor).held] == [True]
    assert world.rows(PurchaseRow) == 1


def test_known_and_unknown_take_the_same_statements(world, desk):
    world.account()
    desk.declare(email="warm@up.test")
    known = statements(world, lambda: desk.declare())
    unknown = statements(world, lambda: desk.declare(email="x@y.test", identification="Z"))
    assert known == unknown
    assert len(known) > 5
    asked = [each.lower() for each in known]
    assert not [each for each in asked if "from persons" in each or "from accounts" in each]


def statements(world: World, act) -> list[str]:
    seen: list[str] = []
    event.listen(world.engine, "before_cursor_execute", lambda *given: seen.append(given[2]))
    act()
    return seen[:]


def test_an_address_and_a_network_are_paused_and_time_forgives(world, desk):
    assert all(isinstance(desk.declare(at=f"192.0.2.{n}"), Receipt) for n in range(5))
    assert desk.declare(at=THERE, email=SAID.email.upper()) == Paused(QUARTER)
    assert isinstance(desk.declare(at=THERE, email="other@account1.test"), Receipt)
    world.now += 5 * HOUR
    assert isinstance(desk.declare(), Receipt)
    outcomes = [desk.declare(at=THERE, email=f"n{n}@x.test") for n in range(25)]
    assert sum(isinstance(each, Receipt) for each in outcomes) == 20
    assert len(desk.letters("received")) == world.rows(DeclarationRow) == 27


def test_hostile_words_are_only_words(world, desk):
    world.account()
    assert matched(desk, identification=HOSTILE, name=HOSTILE, contract=HOSTILE) is None
    assert desk.case().declared.said.identification == HOSTILE


def test_a_changed_word_is_found(world, desk, world_database):
    desk.declare()
    with world.session() as session:
        assert verify(session, world.scope) == []
    owner = create_engine(world_database.owner_url)
    with owner.begin() as connection:
        connection.execute(text("update declarations set contract = 'Starter'"))
    owner.dispose()
    with world.session() as session:
        said = "declaration 1: its words are not those that were declared"
        assert verify(session, world.scope) == [said]


def test_workers_side_by_side_match_each_once(world, desk):
    world.account()
    for n in range(4):
        desk.declare(at=f"192.0.2.{n}")
    with ThreadPoolExecutor(4) as pool:
        counts = list(pool.map(lambda _: desk.match(), range(4)))
    assert sum(counts) == 4
    assert len(desk.letters("matched")) == 4
    assert desk.match() == 0
