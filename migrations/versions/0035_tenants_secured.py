"""Row security on tenants and environments: a scope sees its own pair, and finds it by a function.

Revision ID: 0035
Revises: 0034
"""

from alembic import op

revision = '0035'
down_revision = '0034'
branch_labels = None
depends_on = None

ROLES = 'portal_app, portal_system'
FUNCTIONS = ('find_environment(text, text)', 'make_environment(text, text, text)')


def upgrade() -> None:
    for table in ('environments', 'tenants'):
        op.enable_scope(table)
        op.execute(f'REVOKE INSERT, UPDATE, DELETE ON {table} FROM {ROLES}')
    op.execute(f'GRANT UPDATE (catalog_version) ON environments TO {ROLES}')
    op.execute(
        'CREATE FUNCTION find_environment(tenant_key text, environment text)'
        ' RETURNS TABLE (tenant_id bigint, environment_id bigint)'
        ' LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp'
        ' AS $$ SELECT t.id, e.id FROM tenants t JOIN environments e ON e.tenant_id = t.id'
        ' WHERE t.key = $1 AND e.name = $2 $$'
    )
    op.execute(
        'CREATE FUNCTION make_environment(tenant_key text, tenant_name text, environment text)'
        ' RETURNS void'
        ' LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp'
        ' AS $$ INSERT INTO tenants (key, name) VALUES ($1, $2) ON CONFLICT DO NOTHING;'
        ' INSERT INTO environments (tenant_id, name) SELECT id, $3 FROM tenants WHERE key = $1'
        ' ON CONFLICT DO NOTHING $$'
    )
    for function in FUNCTIONS:
        op.execute(f'REVOKE ALL ON FUNCTION {function} FROM PUBLIC')
        op.execute(f'GRANT EXECUTE ON FUNCTION {function} TO portal_app')


def downgrade() -> None:
    for function in FUNCTIONS:
        op.execute(f'DROP FUNCTION {function}')
    op.execute(f'REVOKE UPDATE (catalog_version) ON environments FROM {ROLES}')
    for table in ('tenants', 'environments'):
        op.execute(f'GRANT INSERT, UPDATE, DELETE ON {table} TO {ROLES}')
        op.disable_scope(table)
