"""Migrations: down and up again, no drift from the models, and only for the owner."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import create_engine, text
from sqlalchemy.exc import ProgrammingError

from portal.domain.keys import LEVELS
from portal.local.roles import connect, make_database, prepare, prepare_given, with_database
from portal.models.events import EventRow
from portal.models.keys import ApiKeyRow
from portal.models.staff import StaffRow
from portal.models.usage import LotRow
from portal.services import keys, staff
from portal.services.auditing import heads, verify
from tests.services.entering import HERE, SAFE, Door
from tests.services.using import meter
from tests.services.welcoming import welcome
from tests.support.database import ROOT, Database, drop, server, this_run
from tests.support.working import said

CONTENTS = text(
    "select table_name || '.' || column_name || ' ' || data_type from information_schema.columns"
    " where table_schema = 'public' union all"
    " select conname || ' ' || pg_get_constraintdef(oid) from pg_constraint"
    " where connamespace = 'public'::regnamespace union all"
    " select indexdef from pg_indexes where schemaname = 'public' union all"
    " select tablename || ' ' || policyname || ' ' || roles::text || qual from pg_policies"
    " union all select table_name || ' ' || grantee || ' ' || privilege_type"
    " from information_schema.role_table_grants where grantee like 'portal_%'"
    " union all select table_name || '.' || column_name || ' ' || grantee || ' ' || privilege_type"
    " from information_schema.role_column_grants where grantee like 'portal_%'"
    " union all select oid::regprocedure || ' ' || coalesce(proacl::text, '') from pg_proc"
    " where pronamespace = 'public'::regnamespace order by 1"
)


@pytest.fixture
def empty() -> Iterator[Database]:
    """A database with the roles and no table."""
    here = server()
    name = f"test_{this_run().key}_empty"
    with connect(here.admin_url) as admin:
        make_database(admin, name, owner=None)
    if here.trusted:
        prepare(here.admin_url, name)
    else:
        prepare_given(with_database(here.admin_url, name))
    yield here.database(name)
    drop(here.admin_url, name)


@pytest.fixture
def alembic(monkeypatch: pytest.MonkeyPatch) -> Config:
    """As `flask db` sets it up; DATABASE_OWNER_URL is each test's own."""
    monkeypatch.delenv("DATABASE_OWNER_URL", raising=False)
    config = Config(ROOT / "migrations" / "alembic.ini")
    config.set_main_option("script_location", str(ROOT / "migrations"))
    return config


def contents(database: Database) -> list[str]:
    """Every column, constraint, index, policy, grant and function, in words."""
    engine = create_engine(database.owner_url)
    with engine.connect() as connection:
        found = list(connection.scalars(CONTENTS))
    engine.dispose()
    return [each for each in found if each and "alembic_version" not in each]


def test_down_to_nothing_and_up_again_is_the_same_database(empty, alembic, monkeypatch):
    monkeypatch.setenv("DATABASE_OWNER_URL", empty.owner_url)
    command.upgrade(alembic, "head")
    first = contents(empty)
    command.downgrade(alembic, "base")
    assert contents(empty) == []
    command.upgrade(alembic, "head")
    assert contents(empty) == first
    assert len(first) > 300
    command.check(alembic)


def test_events_that_were_there_before_are_sealed(world, world_database, alembic, monkeypatch):
    world.buy(world.account(), "salesforce")
    monkeypatch.setenv("DATABASE_OWNER_URL", world_database.owner_url)
    sealed = ScriptDirectory.from_config(alembic).get_revision("0015")
    command.downgrade(alembic, str(sealed.down_revision))
    command.upgrade(alembic, "head")
    with world.session() as session:
        assert verify(session, world.scope, {}) == []
        heads_now = heads(session, world.scope)
    assert len(heads_now) == 2
    assert sum(head.length for head in heads_now.values()) == world.rows(EventRow) > 5


def test_credits_that_came_once_before_do_not_come_again(
    world, world_database, alembic, monkeypatch
):
    welcome(world, {"growth": 50})
    actor = world.account(plan="growth", price="growth_monthly_usd")
    meter(world, actor)
    monkeypatch.setenv("DATABASE_OWNER_URL", world_database.owner_url)
    command.downgrade(alembic, "0018")
    command.upgrade(alembic, "head")
    meter(world, actor)
    assert world.rows(LotRow, granted=50) == 1


def test_nobody_loses_what_they_had_before_there_were_roles_and_rights_of_keys(
    world, world_database, alembic, monkeypatch
):
    with world.session() as session:
        staff.add(session, world.scope, "ann@staff.test", "Ann", world.wall, SAFE)
        for access in LEVELS:
            keys.create(session, world.scope, access, access, world.wall)
    assert world.rows(StaffRow, role="support") == 1
    assert world.rows(ApiKeyRow, opens_sessions=False) == 2
    monkeypatch.setenv("DATABASE_OWNER_URL", world_database.owner_url)
    command.downgrade(alembic, "0028")
    command.upgrade(alembic, "head")
    assert world.rows(StaffRow, role="admin") == 1
    assert world.rows(ApiKeyRow, access="write", opens_sessions=True) == 1
    assert world.rows(ApiKeyRow, access="read", opens_sessions=False) == 1


def test_who_forgot_a_password_is_in_no_job_any_more_and_gets_the_link(
    world, world_database, alembic, monkeypatch
):
    door = Door(world)
    monkeypatch.setenv("DATABASE_OWNER_URL", world_database.owner_url)
    command.downgrade(alembic, "0037")
    here = {"environment_id": world.scope.environment_id}
    typed = {"email": door.email, "at": world.now.isoformat(), "address": HERE, "user_agent": "F"}
    job = text(
        "insert into procrastinate_jobs (queue_name, task_name, status, args)"
        " select 'here', 'mail_reset_link', status::procrastinate_job_status, cast(:args as jsonb)"
        " from unnest(array['todo', 'failed']) status"
    )
    world.change(job.bindparams(args=json.dumps(here | typed)))
    command.upgrade(alembic, "head")
    assert said(world, "mail_reset_link") == [here] * 2
    door.mail_links()
    assert len(door.mails("password_forgotten")) == 1


DRIFTS = {
    "a policy is gone": "drop policy scope_v1 on lots",
    "row security is off": "alter table lots disable row level security",
    "a foreign policy": "create policy open_door on lots using (true)",
    "a column is gone": "alter table accounts drop column tax_label",
    "a column too many": "alter table accounts add column mood text",
    "a unique key is gone": "alter table quotes drop constraint uq_quotes_environment_id_nonce",
    "a table too many": "create table stray (id int)",
    "security on a table of no environment": "create policy p on alembic_version using (true)",
}


@pytest.mark.parametrize("drift", DRIFTS.values(), ids=DRIFTS)
def test_a_database_that_differs_from_the_models_is_found(database, alembic, monkeypatch, drift):
    monkeypatch.setenv("DATABASE_OWNER_URL", database.owner_url)
    with connect(database.owner_url) as owner:
        owner.execute(drift)
    with pytest.raises(CommandError, match="New upgrade operations detected"):
        command.check(alembic)


def test_without_the_owners_url_nothing_runs_and_it_says_which(alembic):
    with pytest.raises(SystemExit, match="DATABASE_OWNER_URL"):
        command.upgrade(alembic, "head")


def test_the_portals_own_role_can_neither_migrate_nor_undo(empty, database, alembic, monkeypatch):
    monkeypatch.setenv("DATABASE_OWNER_URL", empty.app_url)
    with pytest.raises(ProgrammingError, match="permission denied"):
        command.upgrade(alembic, "head")
    before = contents(database)
    monkeypatch.setenv("DATABASE_OWNER_URL", database.app_url)
    with pytest.raises(ProgrammingError, match=r"must be owner|permission denied"):
        command.downgrade(alembic, "base")
    assert contents(database) == before
