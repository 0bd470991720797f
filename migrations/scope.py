"""Row security as Alembic operations, so that autogenerate and `flask db check` know it.

A table flagged `scoped` in its model shows portal_app only the rows of the environment that the
transaction named in app.scope, that environment itself and its tenant; portal_system, entered by
SET LOCAL ROLE, sees all of them.
The policy's name carries its version: a change of its text needs a new name.
"""

from __future__ import annotations

from typing import Any

from alembic.autogenerate import comparators, renderers
from alembic.autogenerate.api import AutogenContext
from alembic.operations import MigrateOperation, Operations
from alembic.operations.ops import UpgradeOps
from alembic.util import DispatchPriority
from sqlalchemy import text

APP_POLICY = "scope_v1"
SYSTEM_POLICY = "system_v1"
_SCOPE = "(SELECT nullif(current_setting('app.scope', true), '')::bigint)"
_IN_SCOPE = f"environment_id = {_SCOPE}"
_OF_THE_SCOPE_ITSELF = {
    "environments": f"id = {_SCOPE}",
    "tenants": "id IN (SELECT tenant_id FROM environments)",
}


@Operations.register_operation("enable_scope")
class EnableScope(MigrateOperation):
    def __init__(self, table: str) -> None:
        self.table = table

    @classmethod
    def enable_scope(cls, operations: Operations, table: str) -> None:
        operations.invoke(cls(table))

    def reverse(self) -> DisableScope:
        return DisableScope(self.table)

    def to_diff_tuple(self) -> tuple[str, str]:
        return ("enable_scope", self.table)


@Operations.register_operation("disable_scope")
class DisableScope(MigrateOperation):
    def __init__(self, table: str) -> None:
        self.table = table

    @classmethod
    def disable_scope(cls, operations: Operations, table: str) -> None:
        operations.invoke(cls(table))

    def reverse(self) -> EnableScope:
        return EnableScope(self.table)

    def to_diff_tuple(self) -> tuple[str, str]:
        return ("disable_scope", self.table)


@Operations.implementation_for(EnableScope)
def _enable(operations: Operations, op: EnableScope) -> None:
    table, seen = f'"{op.table}"', _OF_THE_SCOPE_ITSELF.get(op.table, _IN_SCOPE)
    operations.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    operations.execute(
        f"CREATE POLICY {APP_POLICY} ON {table} TO portal_app USING ({seen}) WITH CHECK ({seen})"
    )
    operations.execute(
        f"CREATE POLICY {SYSTEM_POLICY} ON {table} TO portal_system USING (true) WITH CHECK (true)"
    )


@Operations.implementation_for(DisableScope)
def _disable(operations: Operations, op: DisableScope) -> None:
    for policy in (APP_POLICY, SYSTEM_POLICY):
        operations.execute(f'DROP POLICY IF EXISTS {policy} ON "{op.table}"')
    operations.execute(f'ALTER TABLE "{op.table}" DISABLE ROW LEVEL SECURITY')


@renderers.dispatch_for(EnableScope)
def _render_enable(context: AutogenContext, op: EnableScope) -> str:
    return f"op.enable_scope({op.table!r})"


@renderers.dispatch_for(DisableScope)
def _render_disable(context: AutogenContext, op: DisableScope) -> str:
    return f"op.disable_scope({op.table!r})"


_SECURED = text(
    "select c.relname, c.relrowsecurity and array_agg(p.polname::text order by p.polname) = :want"
    " from pg_class c join pg_namespace n on n.oid = c.relnamespace"
    " left join pg_policy p on p.polrelid = c.oid"
    " where n.nspname = 'public' and c.relkind in ('r', 'p')"
    " group by c.oid, c.relname, c.relrowsecurity"
    " having c.relrowsecurity or count(p.oid) > 0"
)


@comparators.dispatch_for("schema", priority=DispatchPriority.LAST)
def _compare(context: AutogenContext, upgrade_ops: UpgradeOps, schemas: Any) -> None:
    connection, metadata = context.connection, context.metadata
    if connection is None or metadata is None:
        return
    wanted = {t.name for t in metadata.tables.values() if t.info.get("scoped")}  # type: ignore[union-attr]
    rows = connection.execute(_SECURED, {"want": sorted([APP_POLICY, SYSTEM_POLICY])})
    found: dict[str, bool] = {name: bool(right) for name, right in rows}
    for table in sorted(found.keys() - wanted):
        upgrade_ops.ops.append(DisableScope(table))
    for table in sorted(wanted - {name for name, right in found.items() if right}):
        if table in found:
            upgrade_ops.ops.append(DisableScope(table))
        upgrade_ops.ops.append(EnableScope(table))
