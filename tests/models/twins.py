"""Two environments, the second a copy of the first row for row, and a tenant with an empty one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal

from sqlalchemy import Connection, Engine, MetaData, Table, create_engine, insert, select, text

from portal.domain.access import Actor, Role
from portal.domain.credit_notes import Destination
from portal.domain.identities import Errand, Identity
from portal.domain.legal import LegalProfile, Words
from portal.domain.quotes import Request
from portal.domain.sign_in import Origin
from portal.domain.spending import Mode
from portal.domain.support import SPANS, Consent
from portal.domain.usage import Usage
from portal.gateways.fake_payments import Fault
from portal.models.accounts import MembershipRow
from portal.models.base import Base
from portal.models.subscriptions import SubscriptionRow
from portal.models.tenants import EnvironmentRow
from portal.queries.staff import StaffMember
from portal.services import (
    crediting,
    identities,
    staff_identities,
    support_approvals,
    trips,
    webhooks,
)
from portal.services.accounts import NewAccount, ensure_environment
from portal.services.arrears import set_apart
from portal.services.beginnings import Beginning, Elsewhere
from portal.services.charging import NeedsCheckout
from portal.services.consents import keep_consent
from portal.services.crediting import Correction
from portal.services.documents import Issued, print_missing
from portal.services.host_accounts import Owner, Put, Wanted, put
from portal.services.inbox import receive
from portal.services.inviting import invite
from portal.services.links import make
from portal.services.plans import Agreed
from portal.services.proposing import Made, propose
from portal.services.recording import Doer
from portal.services.renewing import run_due
from portal.services.support import Wanted as WantedView
from portal.services.support import start
from portal.services.support_windows import open_window
from portal.services.till import Till as Counter
from portal.services.usage import count, ingest
from tests.services.changing import Office
from tests.services.declaring import Declarations
from tests.services.entering import FIREFOX, HERE, SAFE, Door, host_key
from tests.services.paying import Till
from tests.services.recharging import Recharge
from tests.services.repricing import Operator
from tests.services.staffing import StaffDoor
from tests.services.welcoming import welcome
from tests.support.database import Database
from tests.support.world import World

COPIED_AS = {("instances", "status"): "'ended'"}
"""Ids of subscriptions are unique across environments, and the exclusion constraint knows that."""


@dataclass(frozen=True, slots=True)
class Twins:
    """`mine` and `theirs`: ids of the two environments. `app` connects as the portal does."""

    mine: int
    theirs: int
    app: Engine
    owner: Engine

    def dispose(self) -> None:
        self.app.dispose()
        self.owner.dispose()


class _News:
    """An event without a payment, so that the inbox has a row."""

    id = "evt_1"
    type = "customer.deleted"
    ignored = False
    payload = {"data": {"object": {"object": "customer", "id": "cus_1"}}}


class _Printer:
    """Short papers: what is in them is nothing to these tests."""

    def printed(self, paper: Issued) -> bytes:
        return paper.number.encode()


def scoped_tables() -> list[Table]:
    """Every table that belongs to an environment, parents first."""
    metadata: MetaData = Base.metadata
    return [t for t in metadata.sorted_tables if "environment_id" in t.columns]


def seed(database: Database) -> Twins:
    world = World(database.app_url)
    mine = world.scope.environment_id
    live(world)
    with world.session() as session:
        ensure_environment(session, "rival", "Rival", "development")
    world.engine.dispose()
    owner = create_engine(database.owner_url)
    with owner.begin() as connection:
        theirs = _other_environment(connection, world.scope.tenant_id)
        for table in scoped_tables():
            _copy(connection, table, mine, theirs)
    return Twins(mine, theirs, create_engine(database.app_url, pool_size=2), owner)


def live(world: World) -> None:
    """Leave a row in every table, by doing what customers do."""
    actor = world.account()
    world.account()
    world.buy(actor, "sla_support")
    world.buy(actor, "sms_10k")
    _pay_too_late(world)
    _decline_a_renewal(world)
    _agree_on_another_plan(world, actor)
    _announce_a_price(world)
    _credit(world)
    _let_the_host_in(world)
    _sign_in(world)
    _recharge(world, actor)
    _use_beyond(world)
    _press(world, actor)
    Declarations(world).declare_and_match()
    with world.session() as session:
        print_missing(session, world.scope, printer=_Printer(), wall=world.wall)
        used = Usage("used-1", "messages", Decimal(120), world.now)
        count(session, world.scope, actor.account_id, [used], world.wall)
        full = Usage("used-2", "messages", Decimal(99_000), world.now)
        ingest(session, world.scope, actor.account_id, [full], wall=world.wall)
        receive(session, world.scope, _News(), gateway=world.gateway, wall=world.wall)


def _sign_in(world: World) -> None:
    """A member with an authenticator, half-way in once more, who forgot; staff, half-way in too."""
    door = Door(world)
    began = world.now
    vouched = Identity("https://id.test", "sub-1", "", "", has_stepped=False, proved_at=None)
    with door.visit(door.enter().sid) as visit:
        linked = identities.link(visit, vouched, "Acme")
    assert isinstance(linked, identities.Switched)
    door.turn_on(linked.sid)
    door.challenge()
    door.try_in("wrong")
    door.forget()
    door.wish()
    with world.session() as session:
        invite(session, door.actor, "asked@new.test", Role.ADMIN, world.wall, SAFE)
    desk = StaffDoor(world)
    who = desk.who(desk.set_up())
    desk.challenge()
    vouched = replace(vouched, email=desk.email, has_stepped=True)
    origin = Origin(HERE, FIREFOX)
    with world.session() as session:
        staff_identities.enter(session, world.scope, vouched, origin, world.wall)
        trips.begin(session, world.scope, Errand.STAFF, origin, world.wall)
    if who is not None:
        _look(world, who, door.actor)
    world.now = began


def _look(world: World, who: StaffMember, actor: Actor) -> None:
    """Staff whom an owner let look, and whom a second of them did; and what they propose."""
    with world.session() as session:
        open_window(session, actor, SPANS["day"], world.wall)
        mine = select(MembershipRow.id).filter_by(person_id=actor.person_id)
        id_ = session.scalars(mine).one()
        wanted = WantedView(actor.account_id, id_, "A figure is wrong", "T-1")
        start(session, who, wanted, Consent.CONSENT, Origin(HERE, FIREFOX), world.wall)
        pack = Request("messages_100k", 2, auto_renew=False)
        made = propose(session, who, actor.account_id, pack, "As you asked.", world.wall)
    assert isinstance(made, Made)
    door, here = StaffDoor(world, email="second@staff.test"), Origin(HERE, FIREFOX)
    second = door.who(door.set_up())
    assert second is not None
    with world.session() as session:
        asked = support_approvals.ask(session, who, wanted, world.wall)
        support_approvals.answer(session, second, asked, world.wall, approved=True)
        support_approvals.begin(session, who, wanted.account_id, asked, here, world.wall)
        support_approvals.ask(session, who, wanted, world.wall)


def _recharge(world: World, actor: Actor) -> None:
    """A pack whose payment has no answer yet, and a ceiling."""
    recharge = Recharge(world)
    recharge.agree(actor)
    world.gateway.fail_next("charge", Fault.OUTAGE)
    recharge.use(actor, 95_000)
    recharge.limit(actor, Mode.WARN, 50_000)


def _press(world: World, actor: Actor) -> None:
    """A paying button, and its words."""
    profile = LegalProfile.CONSUMER_DE
    words = Words(profile, "de-2026-11", "en", "Zahlungspflichtig bestellen", "de", ("It renews.",))
    with world.session() as session:
        keep_consent(session, actor, "instance:1", words, world.wall)
        session.commit()


def _use_beyond(world: World) -> None:
    """More than a soft limit allows, set apart for its bill; its plan gives credits once."""
    welcome(world, {"business": 5})
    actor = world.account(plan="business", price="business_monthly_usd")
    more = Usage("used-3", "messages", Decimal(500_001), world.now)
    with world.session() as session:
        ingest(session, world.scope, actor.account_id, [more], wall=world.wall)
        row = session.scalars(select(SubscriptionRow).filter_by(account_id=actor.account_id)).one()
        counter = Counter(session, world.gateway, world.scope, world.wall, Doer("renewal"))
        set_apart(counter.session, counter.scope, row, world.now, counter.wall)
        session.commit()


def _pay_too_late(world: World) -> None:
    """A Checkout that is paid when its purchase can no longer be given, and so refunded."""
    buyer, began = world.account(card=None), world.now
    opened = world.buy(buyer, "messages_10k")
    assert isinstance(opened, NeedsCheckout)
    till = Till(world)
    till.gateway.pay_page(till.page(opened.purchase_id))
    world.pass_time(days=60)
    till.finish(buyer, opened.purchase_id)
    world.now = began


def _decline_a_renewal(world: World) -> None:
    """An invoice that stays open; everybody else's is paid."""
    world.account(card="pm_card_chargeCustomerFail")
    began, world.now = world.now, datetime(2026, 5, 1, tzinfo=UTC)
    with world.session() as session:
        run_due(session, world.scope, gateway=world.gateway, wall=world.wall)
    world.now = began


def _let_the_host_in(world: World) -> None:
    """A key, an account that was billed elsewhere before, and a link for its owner."""
    owner, before = Owner("host@mover.test", "Mo"), Elsewhere(world.now, Decimal(99))
    beginning = Beginning("growth", "growth_monthly_usd", before)
    wanted = Wanted(NewAccount("mover", "Mover", "usd"), owner, beginning)
    with world.session() as session:
        webhooks.add(session, world.scope, "https://host.test/hook", [], world.wall)
        key = host_key(session, world.scope, world.wall)
        moved = put(session, world.scope, wanted, "key:1", world.wall)
        assert isinstance(moved, Put)
        make(session, world.scope, moved.account_id, owner.email, "/", key, world.wall)


def _agree_on_another_plan(world: World, actor: Actor) -> None:
    """A lower plan, from the end of the term on."""
    office = Office(world, Till(world))
    began, world.now = world.now, datetime(2026, 5, 2, tzinfo=UTC)
    assert isinstance(office.change(actor, "starter"), Agreed)
    world.now = began


def _announce_a_price(world: World) -> None:
    """A dearer add-on and a dearer plan, from a boundary on."""
    operator = Operator(world, {})
    operator.sell(sla_support_monthly_usd="249.00", growth_monthly_usd="119.00")
    for key in ("sla_support_monthly_usd", "growth_monthly_usd"):
        assert operator.announce(key).moved


def _credit(world: World) -> None:
    """A credit note, so that there is one and a refund of it."""
    asked = Correction(1, None, None, Destination.CARD, "It did not work.")
    with world.session() as session:
        crediting.correct(
            Counter(session, world.gateway, world.scope, world.wall, Doer("staff:test")), asked
        )


def _other_environment(connection: Connection, tenant_id: int) -> int:
    other = insert(EnvironmentRow).values(tenant_id=tenant_id, name="staging")
    return connection.scalars(other.returning(EnvironmentRow.id)).one()


def _copy(connection: Connection, table: Table, mine: int, theirs: int) -> None:
    names = [c.name for c in table.columns if c.name != "environment_id"]
    listed = ", ".join(f'"{name}"' for name in names)
    copied = ", ".join(COPIED_AS.get((table.name, name), f'"{name}"') for name in names)
    connection.execute(
        text(
            f'insert into "{table.name}" (environment_id, {listed})'
            f' select :theirs, {copied} from "{table.name}" where environment_id = :mine'
        ),
        {"mine": mine, "theirs": theirs},
    )
