"""The stage of all walks: four places with the same rows in each, and everybody signed in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.domain.access import Actor, Role, StaffRole
from portal.domain.credit_notes import Destination
from portal.domain.keys import Access
from portal.domain.periods import WallNow
from portal.domain.quotes import Request
from portal.domain.sign_in import Origin
from portal.domain.support import SPANS, Consent
from portal.models.accounts import MembershipRow
from portal.models.invoices import InvoiceRow
from portal.queries.persons import find_person, first_membership
from portal.queries.staff import StaffMember
from portal.services import crediting, keys
from portal.services.charging import Settled
from portal.services.crediting import Correction
from portal.services.inviting import invite
from portal.services.proposing import Made, propose
from portal.services.recording import Doer
from portal.services.support import Wanted, start
from portal.services.support_windows import open_window
from portal.services.till import Till
from tests.models.twins import live
from tests.services.entering import FIREFOX, HERE, SAFE
from tests.services.staffing import StaffDoor
from tests.support.database import clone
from tests.support.world import World
from tests.walks.hostile import CANARIES, PLAIN, call_everything_hostile, guarded
from tests.walks.places import settle
from tests.walks.stage import MEMBERS, Stage, app_of, joined

KEYS = {"read key": Access.READ, "write key": Access.WRITE, "sessions key": Access.READ}


@pytest.fixture(scope="package")
def stage(demo_template: str) -> Iterator[Stage]:
    with clone(demo_template) as database:
        world = World(database.app_url)
        live(world)
        owner, outsider = _owner(world), world.account()
        _ask_somebody(world, owner)
        _credit(world, outsider)
        _help(world, owner, outsider)
        given = {**CANARIES, **PLAIN, "database_url": guarded(database.app_url)}
        with app_of(world, database, **given) as app:
            found = Stage(world, app, owner, outsider)
            _let_everybody_in(found)
            found.places = settle(world, database)
            call_everything_hostile(database, world.scope.environment_id)
            with joined(app) as found.connection:
                yield found
        world.engine.dispose()


def _owner(world: World) -> Actor:
    """Of the account in which everything has happened."""
    with world.session() as session:
        person = find_person(session, world.scope, "owner@account1.test")
        assert person is not None
        membership = first_membership(session, world.scope, person)
        assert membership is not None
        return Actor(person.id, membership.account_id, world.scope, Role.OWNER)


def _ask_somebody(world: World, owner: Actor) -> None:
    with world.session() as session:
        invite(session, owner, "invited@new.test", Role.ADMIN, world.wall, SAFE)


def _credit(world: World, actor: Actor) -> None:
    """A credit note of another account; the first is the owner's."""
    bought = world.buy(actor, "sla_support")
    assert isinstance(bought, Settled)
    with world.session() as session:
        number = session.scalar(select(func.max(InvoiceRow.number)))
        till = Till(session, world.gateway, world.scope, world.wall, Doer("staff:test"))
        asked = Correction(number or 0, None, None, Destination.BALANCE, "Not wanted.")
        crediting.correct(till, asked)


def _help(world: World, *actors: Actor) -> None:
    """Support may look at each account, did, and proposes something to it."""
    desk = StaffDoor(world, email="helps@staff.test")
    who = desk.who(desk.set_up())
    assert who is not None
    pack = Request("messages_10k", 1, auto_renew=False)
    with world.session() as session:
        for actor in actors:
            open_window(session, actor, SPANS["day"], world.wall)
            _look(session, who, actor, world.wall)
            made = propose(session, who, actor.account_id, pack, "", world.wall)
            assert isinstance(made, Made)


def _look(session: Session, who: StaffMember, actor: Actor, wall: WallNow) -> None:
    member = session.scalar(select(MembershipRow.id).filter_by(account_id=actor.account_id))
    wanted = Wanted(actor.account_id, member or 0, "A figure is wrong.", "T-1")
    start(session, who, wanted, Consent.OPEN, Origin(HERE, FIREFOX), wall)


def _let_everybody_in(stage: Stage) -> None:
    world = stage.world
    stage.let_in("first owner", "owner@account1.test")
    for name, role in MEMBERS.items():
        mail = f"{name}@walks.test"
        world.member(stage.owner.account_id, mail, role)
        stage.let_in(name, mail)
    stage.let_in("outsider", f"owner@account{world.key_of(stage.outsider)}.test")
    stage.cookies["nobody"] = ""
    for name, staff_role in (("staff", StaffRole.ADMIN), ("support", StaffRole.SUPPORT)):
        door = StaffDoor(world, email=f"{name}@staff.test", role=staff_role)
        stage.cookies[name] = f"__Host-staff={door.set_up()}"
    for name, access in KEYS.items():
        with world.session() as session:
            given, opens = (name, access, world.wall), name == "sessions key"
            made = keys.create(session, world.scope, *given, opens_sessions=opens)
        stage.keys[name] = made.written
    stage.keys["wrong key"] = made.written[:-2] + "xx"
