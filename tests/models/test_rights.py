"""What the portal's roles may do to a table at all, as PostgreSQL's catalog has it."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from portal.queries.members import find_scope
from portal.services.accounts import ensure_environment
from tests.models.test_row_security import refusal, scoped
from tests.models.twins import Twins

ROLES = ("portal_app", "portal_system")
MAY_CHANGE = {
    "tenants": set(),
    "environments": {"catalog_version"},
    "support_sessions": {"last_seen_at", "ended_at", "end_cause"},
    "support_approvals": {"answered_by_id", "answered_at", "is_approved", "expires_at"},
    "support_windows": {"opened_by_id", "opened_at", "ends_at", "closed_at"},
}
"""What is never deleted, and the columns of it that may be updated."""
MADE_BY_THE_OWNER = ("tenants", "environments")
UPDATABLE = text(
    "select a.attname from pg_attribute a where a.attrelid = cast(:table as regclass)"
    " and a.attnum > 0 and not a.attisdropped"
    " and has_column_privilege(:role, a.attrelid, a.attnum, 'UPDATE')"
)


def may(session: Session, role: str, table: str, right: str) -> bool:
    asked = text("select has_table_privilege(:role, :table, :right)")
    return bool(session.scalar(asked, {"role": role, "table": table, "right": right}))


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("table", MAY_CHANGE)
def test_only_what_has_to_change_can_be_and_nothing_be_deleted(twins, role, table):
    with scoped(twins, twins.mine) as session:
        named = {"role": role, "table": table}
        assert set(session.scalars(UPDATABLE, named)) == MAY_CHANGE[table]
        assert may(session, role, table, "SELECT")
        for right in ("DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"):
            assert not may(session, role, table, right), right
        assert may(session, role, table, "INSERT") is (table not in MADE_BY_THE_OWNER)
        session.execute(text(f"set local role {role}"))
        assert refusal(session, f"delete from {table}") == f"permission denied for table {table}"


def listed(session: Session, column: str, table: str) -> list[object]:
    return list(session.scalars(text(f"select {column} from {table} order by 1")))


def test_a_scope_sees_its_own_environment_and_tenant(twins: Twins):
    with scoped(twins, None) as session:
        assert listed(session, "id", "environments") == []
        assert listed(session, "id", "tenants") == []
    for here in (twins.mine, twins.theirs):
        with scoped(twins, here) as session:
            assert listed(session, "id", "environments") == [here]
            assert listed(session, "key", "tenants") == ["default"]
    with scoped(twins, twins.mine) as session:
        session.execute(text("set local role portal_system"))
        assert len(listed(session, "id", "environments")) == 3
        assert listed(session, "key", "tenants") == ["default", "rival"]


def test_no_scope_makes_another_read_its_catalog_anew(twins: Twins):
    grown = text("update environments set catalog_version = catalog_version + 1 returning id")
    with scoped(twins, twins.mine) as session:
        assert list(session.scalars(grown)) == [twins.mine]
    with scoped(twins, None) as session:
        assert list(session.scalars(grown)) == []


def test_an_environment_is_found_by_its_whole_name_and_made_once(twins: Twins):
    with scoped(twins, None) as session:
        here = find_scope(session, "default", "development")
        assert here is not None
        assert here.environment_id == twins.mine
        for tenant, name in (("default", "production"), ("nobody", "development"), ("%", "%")):
            assert find_scope(session, tenant, name) is None
        assert ensure_environment(session, "default", "Another name", "development") == here
    with scoped(twins, twins.mine) as session:
        assert listed(session, "name", "tenants") == ["Acme"]


def test_nobody_but_the_app_calls_what_reads_as_the_owner(twins: Twins):
    """Each function that runs as its owner: who may call it, and where it looks for tables."""
    asked = text(
        "select proname, proconfig, array(select grantee::regrole::text"
        " from aclexplode(proacl) where grantee <> proowner) from pg_proc where prosecdef"
        " and pronamespace = 'public'::regnamespace order by 1"
    )
    with twins.owner.connect() as connection:
        found = [tuple(row) for row in connection.execute(asked)]
    places = ["search_path=public, pg_temp"]
    assert found == [
        ("find_environment", places, ["portal_app"]),
        ("make_environment", places, ["portal_app"]),
    ]
