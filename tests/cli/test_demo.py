"""`flask demo load`: whole, repeatable, and the same people as the sign-in page lists."""

from __future__ import annotations

from portal.cli.demo import CHANNELS, DEMO
from portal.domain.money import Money
from portal.factory import create_app
from portal.models.accounts import AccountRow, PersonRow
from portal.models.base import db
from portal.models.staff import StaffRow
from portal.models.subscriptions import InstanceRow
from portal.models.usage import UsageEventRow
from portal.web.demo import DEMO_MEMBERS
from tests.web.conftest import settings_for

TABLES = (AccountRow, PersonRow, InstanceRow, StaffRow, UsageEventRow)


def test_a_second_load_changes_nothing(world, world_database):
    settings = settings_for(world_database, portal_demo=True)
    app = create_app(settings, world.gateway, lambda: world.wall)
    counts = []
    for _ in range(2):
        done = app.test_cli_runner().invoke(args=["demo", "load"])
        assert done.exit_code == 0, done.output
        counts.append([world.rows(table) for table in TABLES])
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    assert counts[0] == counts[1]
    assert counts[0][:4] == [3, 4, 1, 1]
    taken = [charge.amount for charge in world.gateway.taken]
    assert taken[0] == Money(9900, "usd"), "what is left of the plan counts in an upgrade"
    assert len(taken) == 2


def test_a_later_load_adds_the_days_since_and_counts_none_twice(world, world_database):
    settings = settings_for(world_database, portal_demo=True)
    app = create_app(settings, world.gateway, lambda: world.wall)
    counts = []
    for _ in range(2):
        for words in (["usage", "forget-ids"], ["demo", "load"]):
            done = app.test_cli_runner().invoke(args=words)
            assert done.exit_code == 0, done.output
        counts.append(world.rows(UsageEventRow))
        world.pass_time(days=40)
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    assert counts[1] == counts[0] + len(DEMO) * len(CHANNELS) * 40


def test_without_demo_mode_it_refuses(world, world_database):
    app = create_app(settings_for(world_database), world.gateway, lambda: world.wall)
    done = app.test_cli_runner().invoke(args=["demo", "load"])
    with app.app_context():
        db.engine.dispose()
    assert done.exit_code == 1
    assert "PORTAL_DEMO" in done.output
    assert (world.rows(AccountRow), world.rows(StaffRow)) == (0, 0)


def test_the_sign_in_page_lists_exactly_the_demo_members():
    listed = [member.email for member in DEMO_MEMBERS]
    assert listed == [email for account in DEMO for email, _name, _role in account.members]
