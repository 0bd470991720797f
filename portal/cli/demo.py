"""`flask demo load`: the demo catalog, three accounts with three months of usage, and staff."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import click
from flask.cli import with_appcontext
from sqlalchemy.orm import Session

from portal.cli.opening import gateway, now, opened, safe, settings_of_app
from portal.domain.access import Role, Scope
from portal.domain.capacity import MONTH
from portal.domain.catalog import Catalog
from portal.domain.periods import Anchor, BillingNow, WallNow
from portal.domain.quotes import Request
from portal.domain.taxes import Tax
from portal.domain.usage import Usage
from portal.queries.accounts import account_state
from portal.queries.catalog import load_catalog
from portal.queries.demo import DEMO_PASSWORD, DEMO_STAFF, Loaded, owner_of, what_is_loaded
from portal.services import accounts, demo_staff, purchases, renewing, usage
from portal.services.accepting import Acceptance
from portal.services.accounts import NewAccount
from portal.services.catalog.applying import apply_catalog
from portal.services.catalog.checking import CatalogFile, read_catalog
from portal.services.passwords import hash_password
from portal.services.ways import Paying

CATALOG = Path(__file__).parents[2] / "catalog.yaml"
WEEK = (100, 108, 96, 112, 91, 40, 33)
"""Percent of a usual day's messages, Monday to Sunday."""
CHANNELS = {"Website": 58, "E-mail": 27, "WhatsApp": 15}
"""Percent of a day's messages."""
GROWTH = ((60, 75), (45, 80), (20, 90), (8, 95))
"""How many days ago a level was at what percent of the present one."""


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """members: e-mail, name and role. daily: messages of a usual day. levels: of held features.

    months, day: how long ago and on which day of the month the plan began. billed_here: the
    present period of the plan was paid in this portal, so that an upgrade counts what is unused.
    """

    new: NewAccount
    members: tuple[tuple[str, str, Role], ...]
    plan: str
    price: str
    months: int
    day: int
    daily: int
    levels: dict[str, int]
    card: str | None = None
    bought: tuple[str, ...] = ()
    billed_here: bool = False


DEMO = (
    DemoAccount(
        NewAccount("northwind", "Northwind Traders", "usd"),
        (
            ("owner@northwind.test", "Nora Lindqvist", Role.OWNER),
            ("member@northwind.test", "Milo Grant", Role.MEMBER),
        ),
        plan="growth",
        price="growth_monthly_usd",
        months=3,
        day=1,
        daily=3400,
        levels={"members": 12, "storage": 7, "knowledge_storage": 4},
        card="pm_card_visa",
        bought=("members_5",),
        billed_here=True,
    ),
    DemoAccount(
        NewAccount(
            "sakura",
            "Sakura Travel",
            "jpy",
            "Asia/Tokyo",
            Tax(Decimal(10), True, "Consumption tax"),
        ),
        (("owner@sakura.test", "Haruka Sato", Role.OWNER),),
        plan="starter",
        price="starter_monthly_jpy",
        months=3,
        day=15,
        daily=290,
        levels={"members": 2, "storage": 1, "knowledge_storage": 1},
    ),
    DemoAccount(
        NewAccount(
            "alpen", "Alpen Werkzeug", "eur", "Europe/Berlin", Tax(Decimal(19), False, "VAT")
        ),
        (("owner@alpen.test", "Lena Huber", Role.OWNER),),
        plan="business",
        price="business_annual_eur",
        months=5,
        day=31,
        daily=11500,
        levels={"members": 21, "storage": 64, "knowledge_storage": 17},
        card="pm_card_chargeCustomerFail",
    ),
)


@click.group("demo", help="Demo data.")
def group() -> None:
    pass


@group.command("load")
@with_appcontext
def load() -> None:
    """Load what is missing of the demo; a second run changes nothing."""
    if not settings_of_app().portal_demo:
        raise click.ClickException("PORTAL_DEMO is not set: demo data stays out.")
    with opened() as (session, scope):
        _apply_catalog(session, scope)
        catalog = load_catalog(session, scope)
        password_hash = hash_password(DEMO_PASSWORD)
        for demo in DEMO:
            _load_account(session, scope, demo, catalog, password_hash)
            click.echo(f"{demo.new.name}: ready")
        demo_staff.ensure(session, scope, password_hash, now(), safe())
        click.echo(f"{DEMO_STAFF}: ready")


def _apply_catalog(session: Session, scope: Scope) -> None:
    """The demo catalog, for an environment that has none: one's own is left alone."""
    if load_catalog(session, scope).plans:
        return
    found = read_catalog(CATALOG.read_bytes())
    if not isinstance(found, CatalogFile):
        raise click.ClickException("catalog.yaml is bad: see `flask catalog lint catalog.yaml`.")
    apply_catalog(session, scope, found.catalog, actor="demo", now=now())


def _load_account(
    session: Session, scope: Scope, demo: DemoAccount, catalog: Catalog, password_hash: str
) -> None:
    wall = now()
    account_id = accounts.find_account_id(session, scope, demo.new.key)
    if account_id is None:
        account_id = accounts.create_account(session, scope, demo.new, wall)
    accounts.ensure_customer(session, scope, account_id, demo.members[0][0], gateway())
    there = what_is_loaded(session, scope, account_id)
    for email, name, role in demo.members:
        if email not in there.emails:
            accounts.add_member(session, scope, account_id, email, name, role, password_hash)
    if demo.card and not there.has_card:
        accounts.save_card(session, scope, account_id, demo.card, gateway(), wall)
    if not there.has_subscription:
        plan = next(p for p in catalog.plans if p.lookup_key == demo.plan)
        price = next(p for p in plan.prices if p.lookup_key == demo.price)
        since = _since(demo, wall)
        period = _anchor(demo, wall).period_at(wall, price.interval or MONTH)
        billed = period.start if demo.billed_here else period.end
        accounts.subscribe(session, scope, account_id, plan, price, since, billed)
        renewing.run_due(session, scope, gateway=gateway(), wall=wall)
    _use(session, scope, account_id, demo, wall, there)
    if not there.has_instances:
        _buy(session, scope, account_id, demo, wall)


def _since(demo: DemoAccount, wall: WallNow) -> datetime:
    """Midnight of the plan's first day, in the account's zone; day 31 means the month's last."""
    zone = ZoneInfo(demo.new.zone)
    today = wall.astimezone(zone)
    years, month0 = divmod(today.year * 12 + today.month - 1 - demo.months, 12)
    day = min(demo.day, monthrange(years, month0 + 1)[1])
    return datetime(years, month0 + 1, day, tzinfo=zone).astimezone(UTC)


def _anchor(demo: DemoAccount, wall: WallNow) -> Anchor:
    return Anchor(_since(demo, wall), demo.new.zone)


def _use(
    session: Session, scope: Scope, account_id: int, demo: DemoAccount, wall: WallNow, there: Loaded
) -> None:
    """Messages of every whole day since the plan began that has none yet, and the levels.

    Each load adds the days since the one before.
    """
    day, zone = _since(demo, wall), ZoneInfo(demo.new.zone)
    reported = []
    while day + timedelta(days=1) <= wall:
        noon = day + timedelta(hours=12)
        if there.used_until is None or there.used_until < noon.astimezone(zone).date():
            reported += _messages(demo, noon)
        day += timedelta(days=1)
    if there.used_until is None:
        reported += _levels(demo, wall)
    usage.count(session, scope, account_id, reported, wall)


def _messages(demo: DemoAccount, noon: datetime) -> list[Usage]:
    """One day's, by channel."""
    units = demo.daily * WEEK[noon.weekday()] // 100
    return [
        Usage(
            f"demo-messages-{noon:%Y-%m-%d}-{channel}", "messages",
            Decimal(units * percent // 100), noon, {"channel": channel},
        )
        for channel, percent in CHANNELS.items()
    ]  # fmt: skip


def _levels(demo: DemoAccount, wall: WallNow) -> list[Usage]:
    """How the held features grew to what they are."""
    return [
        Usage(
            f"demo-{feature}-{ago}", feature, Decimal(max(level * percent // 100, 1)),
            wall - timedelta(days=ago),
        )
        for feature, level in demo.levels.items()
        for ago, percent in (*GROWTH, (0, 100))
    ]  # fmt: skip


def _buy(session: Session, scope: Scope, account_id: int, demo: DemoAccount, wall: WallNow) -> None:
    """What the account already holds, bought the way a customer does."""
    owner = owner_of(session, scope, account_id)
    paying = Paying("default", lambda _id: settings_of_app().public_url)
    for lookup_key in demo.bought:
        state = account_state(session, scope, account_id, wall)
        quote = purchases.offer(state, Request(lookup_key, 1, True))
        accepted = Acceptance(
            request=quote.request,
            at=BillingNow(quote.at),
            digest=quote.digest,
            nonce=f"demo-{account_id}-{lookup_key}",
            issued_at=wall,
            shown_due=quote.due,
        )
        purchases.confirm(owner, accepted, paying, session=session, gateway=gateway(), wall=wall)
