"""What keeps environments apart in the database, whatever the portal's own queries forget."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection, ForeignKeyConstraint, Table, func, insert, select, text
from sqlalchemy.exc import DatabaseError, IntegrityError, ProgrammingError
from sqlalchemy.orm import Session

from migrations.scope import APP_POLICY, SYSTEM_POLICY
from portal.models.accounts import AccountRow, MembershipRow, PersonRow
from portal.models.base import Base
from portal.models.session import open_session, set_scope
from tests.models.twins import Twins, scoped_tables

TABLES = scoped_tables()
NAMES = [table.name for table in TABLES]
THE_SCOPE_ITSELF = {"tenants", "environments"}
_ENGINE = "the job engine's functions read and write it for the workers of all environments; "
WITHOUT_SECURITY = {
    "alembic_version": "which migration has run",
    "procrastinate_jobs": f"{_ENGINE}a task's name with an environment's id, or with a time;"
    " of a forgotten password what was typed, until the job has run",
    "procrastinate_periodic_defers": f"{_ENGINE}when a task was last made",
    "procrastinate_events": f"{_ENGINE}when a job began and ended",
    "procrastinate_workers": f"{_ENGINE}when a worker was last heard of",
}
"""Every other table, and whatever else can be selected from, is under row security. That a job has
nothing of anybody in it: tests/jobs."""
APPEND_ONLY = (
    "transfers",
    "events",
    "event_seals",
    "draws",
    "usage_events",
    "arrears",
    "quotes",
    "quote_lines",
    "invoices",
    "invoice_lines",
    "invoice_documents",
    "receipt_documents",
    "credit_notes",
    "credit_note_lines",
    "credit_note_documents",
    "billed_elsewhere",
    "consents",
    "declarations",
    "recharge_consents",
    "recharge_decisions",
)
TRACES = ("support_sessions", "support_approvals", "support_windows")
"""Columns that go on or end are all that changes in them: test_rights.py."""


@contextmanager
def scoped(twins: Twins, environment_id: int | None) -> Iterator[Session]:
    """A session of the portal's own kind; whatever it did is rolled back."""
    with open_session(twins.app, environment_id) as session:
        yield session
        session.rollback()


def seen(session: Session, table: Table | str) -> int:
    name = table if isinstance(table, str) else table.name
    return session.scalar(text(f'select count(*) from "{name}"')) or 0


def refusal(session: Session | Connection, statement: str, **values: object) -> str:
    """Why PostgreSQL refuses `statement`; empty when it does not. Undone either way."""
    point = session.begin_nested()
    try:
        session.execute(text(statement), values)
    except DatabaseError as error:
        return str(error.orig).splitlines()[0]
    finally:
        point.rollback()
    return ""


def columns_of(table: Table) -> str:
    return ", ".join(f'"{c.name}"' for c in table.columns if c.name != "environment_id")


def test_whatever_can_be_selected_from_has_both_policies_but_for_a_reason(twins):
    """Views too: one would read as its owner, who sees all."""
    flagged = {t.name for t in Base.metadata.tables.values() if t.info.get("scoped")}
    assert flagged == {*NAMES, *THE_SCOPE_ITSELF}
    found = text(
        "select c.relname, c.relrowsecurity, array_agg(p.polname::text order by p.polname),"
        " array_agg(p.polroles::regrole[]::text order by p.polname)"
        " from pg_class c left join pg_policy p on p.polrelid = c.oid"
        " where c.relkind in ('r', 'p', 'v', 'm', 'f')"
        " and c.relnamespace::regnamespace::text not in ('pg_catalog', 'information_schema')"
        " group by c.oid, c.relname, c.relrowsecurity"
    )
    with twins.owner.connect() as connection:
        secured = {name: rest for name, *rest in connection.execute(found)}
    right = [True, [APP_POLICY, SYSTEM_POLICY], ["{portal_app}", "{portal_system}"]]
    assert {name: rest for name, rest in secured.items() if name not in WITHOUT_SECURITY} == (
        dict.fromkeys(flagged, right)
    ), "a table belongs to an environment (Scoped, SCOPED)"
    assert WITHOUT_SECURITY.keys() < secured.keys()


def test_the_twins_have_a_row_in_every_table(twins):
    """Else the tests below would pass on empty tables. A new table: seed it in twins.py."""
    with twins.owner.connect() as connection:
        for name in NAMES:
            query = text(f'select environment_id, count(*) from "{name}" group by 1 order by 1')
            environments, counts = zip(*connection.execute(query), strict=True)
            assert environments == (twins.mine, twins.theirs), name
            assert counts[0] == counts[1], name


def test_the_app_is_nobody_special(twins):
    """A superuser, a table's owner or a BYPASSRLS role would see everything."""
    with twins.app.connect() as connection:
        asked = "select rolname, rolsuper, rolbypassrls, rolcreaterole, rolinherit from pg_roles"
        role = connection.execute(text(f"{asked} where rolname = current_user")).one()
        owned = connection.execute(
            text("select count(*) from pg_tables where tableowner = current_user")
        )
        assert tuple(role) == ("portal_app", False, False, False, False)
        assert owned.scalar() == 0
        for statement in (
            "create table mine ()",
            "truncate events",
            "drop policy scope_v1 on lots",
        ):
            assert refusal(connection, statement), statement


def test_without_a_scope_every_table_is_empty(twins):
    with scoped(twins, None) as session:
        assert {name: seen(session, name) for name in NAMES} == dict.fromkeys(NAMES, 0)
    with twins.app.connect() as bare:
        assert bare.scalar(text("select count(*) from accounts")) == 0


@pytest.mark.parametrize("table", TABLES, ids=NAMES)
def test_a_scope_sees_its_own_rows_and_no_others(twins, table):
    mapped = next(m.class_ for m in Base.registry.mappers if m.local_table is table)
    with twins.owner.connect() as connection:
        whole = select(func.count()).select_from(table).where(table.c.environment_id == twins.mine)
        mine = connection.scalar(whole)
    with scoped(twins, twins.mine) as session:
        assert seen(session, table) == mine
        assert set(session.scalars(select(table.c.environment_id))) == {twins.mine}
        assert {row.environment_id for row in session.scalars(select(mapped))} == {twins.mine}
        theirs = f'select count(*) from "{table.name}" where environment_id = :theirs'
        assert session.scalar(text(theirs), {"theirs": twins.theirs}) == 0


@pytest.mark.parametrize("table", TABLES, ids=NAMES)
def test_a_row_of_another_scope_can_be_neither_written_nor_reached(twins, table):
    columns = columns_of(table)
    smuggle = (
        f'insert into "{table.name}" (environment_id, {columns})'
        f' select :theirs, {columns} from "{table.name}" limit 1'
    )
    with scoped(twins, twins.mine) as session:
        assert "row-level security policy" in refusal(session, smuggle, theirs=twins.theirs)
        if table.name in (*APPEND_ONLY, *TRACES):
            return
        move = f'update "{table.name}" set environment_id = :theirs'
        assert "row-level security policy" in refusal(session, move, theirs=twins.theirs)
        reach = f'delete from "{table.name}" where environment_id = :theirs returning 1'
        assert session.execute(text(reach), {"theirs": twins.theirs}).all() == []


@pytest.mark.parametrize("name", APPEND_ONLY)
@pytest.mark.parametrize("role", ["portal_app", "portal_system"])
def test_what_is_append_only_can_be_neither_changed_nor_deleted(twins, name, role):
    with scoped(twins, twins.mine) as session:
        session.execute(text(f"set local role {role}"))
        denied = f"permission denied for table {name}"
        assert refusal(session, f'update "{name}" set environment_id = environment_id') == denied
        assert refusal(session, f'delete from "{name}"') == denied


def test_the_system_role_sees_all_environments_until_its_transaction_ends(twins):
    with scoped(twins, twins.mine) as session:
        mine = seen(session, "accounts")
        session.execute(text("set local role portal_system"))
        assert {name: seen(session, name) > 0 for name in NAMES} == dict.fromkeys(NAMES, True)
        assert seen(session, "accounts") == 2 * mine
        session.commit()
        assert seen(session, "accounts") == mine


def environments(session: Session) -> set[int]:
    return set(session.scalars(select(AccountRow.environment_id)))


def test_a_scope_outlives_commits_rollbacks_and_savepoints(twins):
    with scoped(twins, twins.mine) as session:
        assert environments(session) == {twins.mine}
        session.commit()
        assert environments(session) == {twins.mine}
        with session.begin_nested():
            assert environments(session) == {twins.mine}
        with session.begin_nested() as point:
            point.rollback()
        assert environments(session) == {twins.mine}
        with pytest.raises(ProgrammingError):
            session.execute(text("select nothing"))
        session.rollback()
        assert environments(session) == {twins.mine}


def test_a_scope_can_be_set_within_a_transaction_and_stays_set(twins):
    with scoped(twins, None) as session:
        assert environments(session) == set()
        set_scope(session, twins.mine)
        assert environments(session) == {twins.mine}
        set_scope(session, twins.theirs)
        assert environments(session) == {twins.theirs}
        session.commit()
        assert environments(session) == {twins.theirs}
        set_scope(session, None)
        assert environments(session) == set()


def test_a_connection_goes_back_to_the_pool_without_its_scope(twins):
    with scoped(twins, twins.mine) as session:
        assert environments(session) == {twins.mine}
        session.commit()
    with twins.app.connect() as reused:
        assert reused.scalar(text("select current_setting('app.scope', true)")) in (None, "")


def test_8_threads_on_2_connections_never_see_each_others_scope(twins):
    def look(number: int) -> set[int]:
        wanted = (twins.mine, twins.theirs, None)[number % 3]
        found = set()
        for step in range(12):
            with open_session(twins.app, wanted) as session:
                found |= {e == wanted for e in environments(session)} or {wanted is None}
                if step % 4 == 1:
                    with pytest.raises(ProgrammingError):
                        session.execute(text("select nothing"))
                elif step % 4 == 2:
                    session.commit()
        return found

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(look, range(24))) == [{True}] * 24


def test_every_reference_between_scoped_tables_carries_the_scope():
    for table in TABLES:
        for key in table.constraints:
            if isinstance(key, ForeignKeyConstraint) and key.referred_table in TABLES:
                pairs = {(e.parent.name, e.column.name) for e in key.elements}
                assert ("environment_id", "environment_id") in pairs, f"{table.name}: {key.name}"


def test_a_reference_cannot_reach_into_another_scope(twins):
    """The parent is there, but in the other environment."""
    with twins.owner.connect() as connection:
        person = insert(PersonRow).values(
            environment_id=twins.theirs, email="only@theirs.test", name="Only theirs"
        )
        theirs = connection.scalars(person.returning(PersonRow.id)).one()
        account = select(AccountRow.id).where(AccountRow.environment_id == twins.mine).limit(1)
        ours = connection.scalars(account).one()
        for environment_id, fits in ((twins.theirs, True), (twins.mine, False)):
            row = insert(MembershipRow).values(
                environment_id=environment_id, account_id=ours, person_id=theirs, role="owner"
            )
            point = connection.begin_nested()
            if fits:
                connection.execute(row)
            else:
                with pytest.raises(IntegrityError, match="fk_memberships_environment_id_person_id"):
                    connection.execute(row)
            point.rollback()
