"""first tables

Revision ID: 0001
Revises: 
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


APPEND_ONLY = (
    "transfers, events, draws, usage_events, quotes, quote_lines, invoices, invoice_lines"
)


def upgrade() -> None:
    op.execute(
        "ALTER DEFAULT PRIVILEGES IN SCHEMA public"
        " GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO portal_app, portal_system"
    )
    op.create_table('tenants',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('key', sa.String(length=255), nullable=False),
    sa.Column('name', sa.String(length=255), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_tenants')),
    sa.UniqueConstraint('key', name=op.f('uq_tenants_key'))
    )
    op.create_table('environments',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('tenant_id', sa.BigInteger(), nullable=False),
    sa.Column('name', sa.String(length=40), nullable=False),
    sa.Column('catalog_version', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("name in ('production', 'staging', 'development')", name=op.f('ck_environments_known')),
    sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id'], name=op.f('fk_environments_tenant_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_environments')),
    sa.UniqueConstraint('tenant_id', 'name', name=op.f('uq_environments_tenant_id_name'))
    )
    op.create_table('accounts',
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('key', sa.String(length=255), nullable=False),
    sa.Column('name', sa.String(length=255), nullable=False),
    sa.Column('currency', sa.String(length=3), nullable=False),
    sa.Column('zone', sa.String(length=40), server_default='UTC', nullable=False),
    sa.Column('stripe_customer_id', sa.String(length=255), nullable=True),
    sa.Column('tax_rate', sa.Numeric(precision=7, scale=4), server_default='0', nullable=False),
    sa.Column('tax_inclusive', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('tax_label', sa.String(length=40), server_default='', nullable=False),
    sa.Column('test_clock_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint('tax_rate >= 0 and tax_rate < 100', name=op.f('ck_accounts_tax_rate')),
    sa.ForeignKeyConstraint(['environment_id'], ['environments.id'], name=op.f('fk_accounts_environment_id')),
    sa.PrimaryKeyConstraint('environment_id', 'id', name=op.f('pk_accounts')),
    sa.UniqueConstraint('environment_id', 'key', name=op.f('uq_accounts_environment_id_key')),
    info={'scoped': True}
    )
    op.create_index('uq_accounts_stripe_customer', 'accounts', ['environment_id', 'stripe_customer_id'], unique=True, postgresql_where=sa.text('stripe_customer_id is not null'))
    op.create_table('add_ons',
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('lookup_key', sa.String(length=255), nullable=False),
    sa.Column('name', sa.String(length=255), nullable=False),
    sa.Column('description', sa.Text(), server_default='', nullable=False),
    sa.Column('type', sa.String(length=40), nullable=False),
    sa.Column('status', sa.String(length=40), nullable=False),
    sa.Column('benefit', sa.Text(), server_default='', nullable=False),
    sa.Column('category', sa.String(length=255), server_default='', nullable=False),
    sa.Column('icon', sa.String(length=40), server_default='package', nullable=False),
    sa.Column('sort', sa.Integer(), server_default='0', nullable=False),
    sa.Column('max_instances', sa.Integer(), nullable=True),
    sa.Column('allowed_plans', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False),
    sa.Column('metadata', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("status in ('draft', 'published', 'archived')", name=op.f('ck_add_ons_status')),
    sa.CheckConstraint("type in ('onetime', 'multiple_instance')", name=op.f('ck_add_ons_type')),
    sa.CheckConstraint('max_instances >= 1', name=op.f('ck_add_ons_max_instances')),
    sa.ForeignKeyConstraint(['environment_id'], ['environments.id'], name=op.f('fk_add_ons_environment_id')),
    sa.PrimaryKeyConstraint('environment_id', 'id', name=op.f('pk_add_ons')),
    sa.UniqueConstraint('environment_id', 'id', 'type', name=op.f('uq_add_ons_environment_id_id_type')),
    sa.UniqueConstraint('environment_id', 'lookup_key', name=op.f('uq_add_ons_environment_id_lookup_key')),
    info={'scoped': True}
    )
    op.create_table('features',
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('lookup_key', sa.String(length=255), nullable=False),
    sa.Column('name', sa.String(length=255), nullable=False),
    sa.Column('type', sa.String(length=40), nullable=False),
    sa.Column('use', sa.String(length=40), nullable=True),
    sa.Column('unit_singular', sa.String(length=40), server_default='', nullable=False),
    sa.Column('unit_plural', sa.String(length=40), server_default='', nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("(type = 'metered') = (use is not null)", name=op.f('ck_features_use_of_metered')),
    sa.CheckConstraint("type in ('metered', 'boolean', 'static')", name=op.f('ck_features_type')),
    sa.CheckConstraint("use in ('consumed', 'held')", name=op.f('ck_features_use')),
    sa.ForeignKeyConstraint(['environment_id'], ['environments.id'], name=op.f('fk_features_environment_id')),
    sa.PrimaryKeyConstraint('environment_id', 'id', name=op.f('pk_features')),
    sa.UniqueConstraint('environment_id', 'lookup_key', name=op.f('uq_features_environment_id_lookup_key')),
    info={'scoped': True}
    )
    op.create_table('invoice_counters',
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('last_number', sa.BigInteger(), nullable=False),
    sa.CheckConstraint('last_number >= 0', name=op.f('ck_invoice_counters_last_number')),
    sa.ForeignKeyConstraint(['environment_id'], ['environments.id'], name=op.f('fk_invoice_counters_environment_id')),
    sa.PrimaryKeyConstraint('environment_id', name=op.f('pk_invoice_counters')),
    info={'scoped': True}
    )
    op.create_table('persons',
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('email', sa.String(length=320), nullable=False),
    sa.Column('name', sa.String(length=255), nullable=False),
    sa.Column('password_hash', sa.String(length=255), nullable=True),
    sa.Column('locale', sa.String(length=20), server_default='en', nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['environment_id'], ['environments.id'], name=op.f('fk_persons_environment_id')),
    sa.PrimaryKeyConstraint('environment_id', 'id', name=op.f('pk_persons')),
    info={'scoped': True}
    )
    op.create_index('uq_persons_email', 'persons', ['environment_id', sa.literal_column('lower(email)')], unique=True)
    op.create_table('plans',
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('lookup_key', sa.String(length=255), nullable=False),
    sa.Column('name', sa.String(length=255), nullable=False),
    sa.Column('description', sa.Text(), server_default='', nullable=False),
    sa.Column('status', sa.String(length=40), nullable=False),
    sa.Column('sort', sa.Integer(), server_default='0', nullable=False),
    sa.Column('metadata', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("status in ('draft', 'published', 'archived')", name=op.f('ck_plans_status')),
    sa.ForeignKeyConstraint(['environment_id'], ['environments.id'], name=op.f('fk_plans_environment_id')),
    sa.PrimaryKeyConstraint('environment_id', 'id', name=op.f('pk_plans')),
    sa.UniqueConstraint('environment_id', 'lookup_key', name=op.f('uq_plans_environment_id_lookup_key')),
    info={'scoped': True}
    )
    op.create_table('stripe_events',
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('id', sa.String(length=255), nullable=False),
    sa.Column('type', sa.String(length=255), nullable=False),
    sa.Column('payload', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('received_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('processed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('failure', sa.Text(), server_default='', nullable=False),
    sa.ForeignKeyConstraint(['environment_id'], ['environments.id'], name=op.f('fk_stripe_events_environment_id')),
    sa.PrimaryKeyConstraint('environment_id', 'id', name=op.f('pk_stripe_events')),
    info={'scoped': True}
    )
    op.create_index('ix_stripe_events_waiting', 'stripe_events', ['environment_id', 'received_at'], unique=False, postgresql_where=sa.text('processed_at is null'))
    op.create_table('account_balances',
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('currency', sa.String(length=3), nullable=False),
    sa.Column('balance_minor', sa.BigInteger(), nullable=False),
    sa.Column('carried_minor', sa.BigInteger(), nullable=False),
    sa.Column('balance_reserved_minor', sa.BigInteger(), nullable=False),
    sa.Column('carried_reserved_minor', sa.BigInteger(), nullable=False),
    sa.CheckConstraint('balance_minor >= 0 and carried_minor >= 0', name=op.f('ck_account_balances_available')),
    sa.CheckConstraint('balance_reserved_minor >= 0 and carried_reserved_minor >= 0', name=op.f('ck_account_balances_reserved')),
    sa.ForeignKeyConstraint(['environment_id', 'account_id'], ['accounts.environment_id', 'accounts.id'], name=op.f('fk_account_balances_environment_id_account_id')),
    sa.PrimaryKeyConstraint('environment_id', 'account_id', name=op.f('pk_account_balances')),
    info={'scoped': True}
    )
    op.create_table('counters',
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('feature_id', sa.BigInteger(), nullable=False),
    sa.Column('window_start_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('used', sa.Numeric(precision=20, scale=8), nullable=False),
    sa.Column('excess', sa.Numeric(precision=20, scale=8), nullable=False),
    sa.CheckConstraint('used >= 0 and excess >= 0 and excess <= used', name=op.f('ck_counters_units')),
    sa.ForeignKeyConstraint(['environment_id', 'account_id'], ['accounts.environment_id', 'accounts.id'], name=op.f('fk_counters_environment_id_account_id')),
    sa.ForeignKeyConstraint(['environment_id', 'feature_id'], ['features.environment_id', 'features.id'], name=op.f('fk_counters_environment_id_feature_id')),
    sa.PrimaryKeyConstraint('environment_id', 'account_id', 'feature_id', 'window_start_at', name=op.f('pk_counters')),
    info={'scoped': True}
    )
    op.create_table('credit_grants',
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('name', sa.String(length=255), nullable=False),
    sa.Column('feature_id', sa.BigInteger(), nullable=False),
    sa.Column('credits', sa.Numeric(precision=20, scale=8), nullable=False),
    sa.Column('cadence', sa.String(length=40), nullable=False),
    sa.Column('expiration_type', sa.String(length=40), nullable=False),
    sa.Column('duration', sa.Interval(), nullable=True),
    sa.Column('period', sa.String(length=40), nullable=True),
    sa.Column('priority', sa.Integer(), server_default='50', nullable=False),
    sa.Column('entity_type', sa.String(length=40), nullable=False),
    sa.Column('plan_id', sa.BigInteger(), nullable=True),
    sa.Column('add_on_id', sa.BigInteger(), nullable=True),
    sa.CheckConstraint("(entity_type = 'PLAN') = (plan_id is not null) and (entity_type = 'ADDON') = (add_on_id is not null)", name=op.f('ck_credit_grants_one_entity')),
    sa.CheckConstraint("cadence in ('RECURRING', 'ONETIME')", name=op.f('ck_credit_grants_cadence')),
    sa.CheckConstraint("period in ('DAILY', 'WEEKLY', 'MONTHLY', 'QUARTERLY', 'HALF_YEARLY', 'ANNUAL') and (period is null or cadence = 'RECURRING')", name=op.f('ck_credit_grants_period')),
    sa.CheckConstraint("entity_type in ('PLAN', 'ADDON')", name=op.f('ck_credit_grants_entity_type')),
    sa.CheckConstraint("expiration_type in ('NEVER', 'BILLING_CYCLE', 'DURATION') and (expiration_type = 'DURATION') = (duration is not null)", name=op.f('ck_credit_grants_expiration_type')),
    sa.CheckConstraint('credits > 0', name=op.f('ck_credit_grants_credits')),
    sa.ForeignKeyConstraint(['environment_id', 'add_on_id'], ['add_ons.environment_id', 'add_ons.id'], name=op.f('fk_credit_grants_environment_id_add_on_id')),
    sa.ForeignKeyConstraint(['environment_id', 'feature_id'], ['features.environment_id', 'features.id'], name=op.f('fk_credit_grants_environment_id_feature_id')),
    sa.ForeignKeyConstraint(['environment_id', 'plan_id'], ['plans.environment_id', 'plans.id'], name=op.f('fk_credit_grants_environment_id_plan_id')),
    sa.PrimaryKeyConstraint('environment_id', 'id', name=op.f('pk_credit_grants')),
    info={'scoped': True}
    )
    op.create_table('entitlements',
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('feature_id', sa.BigInteger(), nullable=False),
    sa.Column('usage_limit', sa.BigInteger(), nullable=True),
    sa.Column('is_enabled', sa.Boolean(), server_default=sa.text('true'), nullable=False),
    sa.Column('static_value', sa.String(length=255), server_default='', nullable=False),
    sa.Column('usage_reset_period', sa.String(length=40), nullable=True),
    sa.Column('is_soft_limit', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('entity_type', sa.String(length=40), nullable=False),
    sa.Column('plan_id', sa.BigInteger(), nullable=True),
    sa.Column('add_on_id', sa.BigInteger(), nullable=True),
    sa.CheckConstraint("(entity_type = 'PLAN') = (plan_id is not null) and (entity_type = 'ADDON') = (add_on_id is not null)", name=op.f('ck_entitlements_one_entity')),
    sa.CheckConstraint("entity_type in ('PLAN', 'ADDON')", name=op.f('ck_entitlements_entity_type')),
    sa.CheckConstraint("usage_reset_period in ('DAILY', 'WEEKLY', 'MONTHLY', 'QUARTERLY', 'HALF_YEARLY', 'ANNUAL')", name=op.f('ck_entitlements_usage_reset_period')),
    sa.CheckConstraint('usage_limit >= 0', name=op.f('ck_entitlements_usage_limit')),
    sa.ForeignKeyConstraint(['environment_id', 'add_on_id'], ['add_ons.environment_id', 'add_ons.id'], name=op.f('fk_entitlements_environment_id_add_on_id')),
    sa.ForeignKeyConstraint(['environment_id', 'feature_id'], ['features.environment_id', 'features.id'], name=op.f('fk_entitlements_environment_id_feature_id')),
    sa.ForeignKeyConstraint(['environment_id', 'plan_id'], ['plans.environment_id', 'plans.id'], name=op.f('fk_entitlements_environment_id_plan_id')),
    sa.PrimaryKeyConstraint('environment_id', 'id', name=op.f('pk_entitlements')),
    sa.UniqueConstraint('environment_id', 'entity_type', 'plan_id', 'add_on_id', 'feature_id', name=op.f('uq_entitlements_environment_id_entity_type_plan_id_add_on_id_feature_id'), postgresql_nulls_not_distinct=True),
    info={'scoped': True}
    )
    op.create_table('events',
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=True),
    sa.Column('person_id', sa.BigInteger(), nullable=True),
    sa.Column('actor', sa.String(length=255), nullable=False),
    sa.Column('name', sa.String(length=255), nullable=False),
    sa.Column('subject', sa.String(length=255), nullable=False),
    sa.Column('detail', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['environment_id', 'account_id'], ['accounts.environment_id', 'accounts.id'], name=op.f('fk_events_environment_id_account_id')),
    sa.ForeignKeyConstraint(['environment_id', 'person_id'], ['persons.environment_id', 'persons.id'], name=op.f('fk_events_environment_id_person_id')),
    sa.ForeignKeyConstraint(['environment_id'], ['environments.id'], name=op.f('fk_events_environment_id')),
    sa.PrimaryKeyConstraint('environment_id', 'id', name=op.f('pk_events')),
    info={'scoped': True}
    )
    op.create_index('ix_events_account', 'events', ['environment_id', 'account_id', 'at'], unique=False)
    op.create_table('memberships',
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=False),
    sa.Column('role', sa.String(length=40), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("role in ('owner', 'admin', 'billing', 'member')", name=op.f('ck_memberships_role')),
    sa.ForeignKeyConstraint(['environment_id', 'account_id'], ['accounts.environment_id', 'accounts.id'], name=op.f('fk_memberships_environment_id_account_id')),
    sa.ForeignKeyConstraint(['environment_id', 'person_id'], ['persons.environment_id', 'persons.id'], name=op.f('fk_memberships_environment_id_person_id')),
    sa.PrimaryKeyConstraint('environment_id', 'id', name=op.f('pk_memberships')),
    sa.UniqueConstraint('environment_id', 'account_id', 'person_id', name=op.f('uq_memberships_environment_id_account_id_person_id')),
    info={'scoped': True}
    )
    op.create_index('ix_memberships_person', 'memberships', ['environment_id', 'person_id'], unique=False)
    op.create_table('payment_methods',
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('stripe_payment_method_id', sa.String(length=255), nullable=False),
    sa.Column('brand', sa.String(length=40), nullable=False),
    sa.Column('last4', sa.String(length=4), nullable=False),
    sa.Column('exp_month', sa.Integer(), nullable=False),
    sa.Column('exp_year', sa.Integer(), nullable=False),
    sa.Column('fingerprint', sa.String(length=40), nullable=False),
    sa.Column('is_default', sa.Boolean(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('detached_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint('exp_month between 1 and 12', name=op.f('ck_payment_methods_exp_month')),
    sa.ForeignKeyConstraint(['environment_id', 'account_id'], ['accounts.environment_id', 'accounts.id'], name=op.f('fk_payment_methods_environment_id_account_id')),
    sa.PrimaryKeyConstraint('environment_id', 'id', name=op.f('pk_payment_methods')),
    sa.UniqueConstraint('environment_id', 'stripe_payment_method_id', name=op.f('uq_payment_methods_environment_id_stripe_payment_method_id')),
    info={'scoped': True}
    )
    op.create_index('uq_payment_methods_default', 'payment_methods', ['environment_id', 'account_id'], unique=True, postgresql_where=sa.text('is_default and detached_at is null'))
    op.create_table('prices',
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('lookup_key', sa.String(length=255), nullable=False),
    sa.Column('amount', sa.Numeric(precision=25, scale=15), nullable=False),
    sa.Column('currency', sa.String(length=3), nullable=False),
    sa.Column('type', sa.String(length=40), nullable=False),
    sa.Column('billing_model', sa.String(length=40), nullable=False),
    sa.Column('tier_mode', sa.String(length=40), nullable=True),
    sa.Column('tiers', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False),
    sa.Column('transform_quantity', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
    sa.Column('billing_cadence', sa.String(length=40), nullable=False),
    sa.Column('billing_period', sa.String(length=40), nullable=True),
    sa.Column('billing_period_count', sa.Integer(), server_default='1', nullable=False),
    sa.Column('invoice_cadence', sa.String(length=40), nullable=False),
    sa.Column('capacity_ends', sa.String(length=40), nullable=True),
    sa.Column('capacity_duration', sa.Interval(), nullable=True),
    sa.Column('trial_period_days', sa.Integer(), server_default='0', nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('entity_type', sa.String(length=40), nullable=False),
    sa.Column('plan_id', sa.BigInteger(), nullable=True),
    sa.Column('add_on_id', sa.BigInteger(), nullable=True),
    sa.CheckConstraint("(billing_model = 'PACKAGE') = (transform_quantity is not null)", name=op.f('ck_prices_package')),
    sa.CheckConstraint("(billing_model = 'TIERED') = (tier_mode is not null) and (billing_model = 'TIERED') = (tiers <> '[]'::jsonb) and tier_mode in ('VOLUME', 'SLAB')", name=op.f('ck_prices_tiers')),
    sa.CheckConstraint("(entity_type = 'PLAN') = (plan_id is not null) and (entity_type = 'ADDON') = (add_on_id is not null)", name=op.f('ck_prices_one_entity')),
    sa.CheckConstraint("billing_cadence in ('RECURRING', 'ONETIME') and (billing_cadence = 'RECURRING') = (billing_period is not null)", name=op.f('ck_prices_billing_cadence')),
    sa.CheckConstraint("billing_model in ('FLAT_FEE', 'PACKAGE', 'TIERED')", name=op.f('ck_prices_billing_model')),
    sa.CheckConstraint("billing_period in ('DAILY', 'WEEKLY', 'MONTHLY', 'QUARTERLY', 'HALF_YEARLY', 'ANNUAL')", name=op.f('ck_prices_billing_period')),
    sa.CheckConstraint("capacity_ends in ('window', 'cycle', 'never', 'duration') and (capacity_ends = 'duration') = (capacity_duration is not null)", name=op.f('ck_prices_capacity_ends')),
    sa.CheckConstraint("entity_type in ('PLAN', 'ADDON')", name=op.f('ck_prices_entity_type')),
    sa.CheckConstraint("invoice_cadence in ('ADVANCE', 'ARREAR') and (type <> 'USAGE' or invoice_cadence = 'ARREAR') and (billing_cadence <> 'ONETIME' or invoice_cadence = 'ADVANCE')", name=op.f('ck_prices_invoice_cadence')),
    sa.CheckConstraint("type in ('FIXED', 'USAGE')", name=op.f('ck_prices_type')),
    sa.CheckConstraint('amount >= 0', name=op.f('ck_prices_amount')),
    sa.CheckConstraint('billing_period_count >= 1', name=op.f('ck_prices_billing_period_count')),
    sa.CheckConstraint('ended_at >= started_at', name=op.f('ck_prices_ended_after_start')),
    sa.CheckConstraint('trial_period_days >= 0', name=op.f('ck_prices_trial_period_days')),
    sa.ForeignKeyConstraint(['environment_id', 'add_on_id'], ['add_ons.environment_id', 'add_ons.id'], name=op.f('fk_prices_environment_id_add_on_id')),
    sa.ForeignKeyConstraint(['environment_id', 'plan_id'], ['plans.environment_id', 'plans.id'], name=op.f('fk_prices_environment_id_plan_id')),
    sa.PrimaryKeyConstraint('environment_id', 'id', name=op.f('pk_prices')),
    info={'scoped': True}
    )
    op.create_index('ix_prices_add_on', 'prices', ['environment_id', 'add_on_id'], unique=False)
    op.create_index('ix_prices_plan', 'prices', ['environment_id', 'plan_id'], unique=False)
    op.create_index('uq_prices_current_lookup_key', 'prices', ['environment_id', 'lookup_key'], unique=True, postgresql_where=sa.text('ended_at is null'))
    op.create_table('transfers',
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('debit', sa.String(length=40), nullable=False),
    sa.Column('credit', sa.String(length=40), nullable=False),
    sa.Column('amount_minor', sa.BigInteger(), nullable=False),
    sa.Column('currency', sa.String(length=3), nullable=False),
    sa.Column('code', sa.String(length=40), nullable=False),
    sa.Column('key', sa.String(length=255), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("debit in ('receivable', 'clearing', 'revenue', 'tax', 'balance', 'carried') and credit in ('receivable', 'clearing', 'revenue', 'tax', 'balance', 'carried')", name=op.f('ck_transfers_known_accounts')),
    sa.CheckConstraint('amount_minor > 0', name=op.f('ck_transfers_amount')),
    sa.CheckConstraint('debit <> credit', name=op.f('ck_transfers_two_accounts')),
    sa.ForeignKeyConstraint(['environment_id', 'account_id'], ['accounts.environment_id', 'accounts.id'], name=op.f('fk_transfers_environment_id_account_id')),
    sa.PrimaryKeyConstraint('environment_id', 'id', name=op.f('pk_transfers')),
    sa.UniqueConstraint('environment_id', 'key', name=op.f('uq_transfers_environment_id_key')),
    info={'scoped': True}
    )
    op.create_index('ix_transfers_account', 'transfers', ['environment_id', 'account_id', 'at'], unique=False)
    op.create_table('usage_events',
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('event_id', sa.String(length=255), nullable=False),
    sa.Column('feature_id', sa.BigInteger(), nullable=False),
    sa.Column('units', sa.Numeric(precision=20, scale=8), nullable=False),
    sa.Column('occurred_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('dimensions', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
    sa.Column('received_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['environment_id', 'account_id'], ['accounts.environment_id', 'accounts.id'], name=op.f('fk_usage_events_environment_id_account_id')),
    sa.ForeignKeyConstraint(['environment_id', 'feature_id'], ['features.environment_id', 'features.id'], name=op.f('fk_usage_events_environment_id_feature_id')),
    sa.PrimaryKeyConstraint('environment_id', 'account_id', 'event_id', name=op.f('pk_usage_events')),
    info={'scoped': True}
    )
    op.create_table('sessions',
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('sid_digest', sa.String(length=64), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=False),
    sa.Column('membership_id', sa.BigInteger(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('last_seen_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('address', sa.String(length=45), server_default='', nullable=False),
    sa.Column('user_agent', sa.String(length=255), server_default='', nullable=False),
    sa.ForeignKeyConstraint(['environment_id', 'membership_id'], ['memberships.environment_id', 'memberships.id'], name=op.f('fk_sessions_environment_id_membership_id')),
    sa.ForeignKeyConstraint(['environment_id', 'person_id'], ['persons.environment_id', 'persons.id'], name=op.f('fk_sessions_environment_id_person_id')),
    sa.PrimaryKeyConstraint('environment_id', 'id', name=op.f('pk_sessions')),
    sa.UniqueConstraint('environment_id', 'sid_digest', name=op.f('uq_sessions_environment_id_sid_digest')),
    info={'scoped': True}
    )
    op.create_index('ix_sessions_person', 'sessions', ['environment_id', 'person_id'], unique=False)
    op.create_table('subscriptions',
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('plan_id', sa.BigInteger(), nullable=False),
    sa.Column('price_id', sa.BigInteger(), nullable=False),
    sa.Column('status', sa.String(length=40), nullable=False),
    sa.Column('billing_anchor_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('quota_anchor_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("status in ('trialing', 'active', 'past_due', 'suspended', 'cancelled')", name=op.f('ck_subscriptions_status')),
    sa.ForeignKeyConstraint(['environment_id', 'account_id'], ['accounts.environment_id', 'accounts.id'], name=op.f('fk_subscriptions_environment_id_account_id')),
    sa.ForeignKeyConstraint(['environment_id', 'plan_id'], ['plans.environment_id', 'plans.id'], name=op.f('fk_subscriptions_environment_id_plan_id')),
    sa.ForeignKeyConstraint(['environment_id', 'price_id'], ['prices.environment_id', 'prices.id'], name=op.f('fk_subscriptions_environment_id_price_id')),
    sa.PrimaryKeyConstraint('environment_id', 'id', name=op.f('pk_subscriptions')),
    sa.UniqueConstraint('environment_id', 'account_id', 'id', name=op.f('uq_subscriptions_environment_id_account_id_id')),
    info={'scoped': True}
    )
    op.create_index('uq_subscriptions_live', 'subscriptions', ['environment_id', 'account_id'], unique=True, postgresql_where=sa.text('ended_at is null'))
    op.create_table('instances',
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('subscription_id', sa.BigInteger(), nullable=False),
    sa.Column('add_on_id', sa.BigInteger(), nullable=False),
    sa.Column('add_on_type', sa.String(length=40), nullable=False),
    sa.Column('price_id', sa.BigInteger(), nullable=False),
    sa.Column('quantity', sa.Integer(), nullable=False),
    sa.Column('status', sa.String(length=40), nullable=False),
    sa.Column('starts_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ends_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('cancel_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('cancel_reason', sa.Text(), server_default='', nullable=False),
    sa.Column('purchased_by', sa.BigInteger(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    postgresql.ExcludeConstraint((sa.text("int8range(subscription_id, subscription_id, '[]')"), '&&'), (sa.text("int8range(add_on_id, add_on_id, '[]')"), '&&'), (sa.text('tstzrange(starts_at, least(ends_at, cancel_at))'), '&&'), where=sa.text("add_on_type = 'onetime' and status in ('pending_payment', 'scheduled', 'active')"), using='gist', name='ex_instances_onetime_held_once'),
    sa.CheckConstraint("status in ('pending_payment', 'scheduled', 'active', 'ended', 'failed')", name=op.f('ck_instances_status')),
    sa.CheckConstraint('ends_at >= starts_at and cancel_at >= starts_at', name=op.f('ck_instances_ends_after_start')),
    sa.CheckConstraint('quantity >= 1', name=op.f('ck_instances_quantity')),
    sa.ForeignKeyConstraint(['environment_id', 'account_id', 'subscription_id'], ['subscriptions.environment_id', 'subscriptions.account_id', 'subscriptions.id'], name=op.f('fk_instances_environment_id_account_id_subscription_id')),
    sa.ForeignKeyConstraint(['environment_id', 'add_on_id', 'add_on_type'], ['add_ons.environment_id', 'add_ons.id', 'add_ons.type'], name=op.f('fk_instances_environment_id_add_on_id_add_on_type')),
    sa.ForeignKeyConstraint(['environment_id', 'price_id'], ['prices.environment_id', 'prices.id'], name=op.f('fk_instances_environment_id_price_id')),
    sa.PrimaryKeyConstraint('environment_id', 'id', name=op.f('pk_instances')),
    sa.UniqueConstraint('environment_id', 'account_id', 'id', name=op.f('uq_instances_environment_id_account_id_id')),
    info={'scoped': True}
    )
    op.create_index('ix_instances_account', 'instances', ['environment_id', 'account_id', 'subscription_id'], unique=False)
    op.create_table('quotes',
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('subscription_id', sa.BigInteger(), nullable=False),
    sa.Column('price_id', sa.BigInteger(), nullable=False),
    sa.Column('nonce', sa.String(length=64), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('quoted_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('currency', sa.String(length=3), nullable=False),
    sa.Column('charged_minor', sa.BigInteger(), nullable=False),
    sa.Column('carried_out_minor', sa.BigInteger(), nullable=False),
    sa.Column('promise', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint('charged_minor = 0 or carried_out_minor = 0', name=op.f('ck_quotes_charged_or_carried')),
    sa.CheckConstraint('charged_minor >= 0 and carried_out_minor >= 0', name=op.f('ck_quotes_due')),
    sa.ForeignKeyConstraint(['environment_id', 'account_id', 'subscription_id'], ['subscriptions.environment_id', 'subscriptions.account_id', 'subscriptions.id'], name=op.f('fk_quotes_environment_id_account_id_subscription_id')),
    sa.ForeignKeyConstraint(['environment_id', 'price_id'], ['prices.environment_id', 'prices.id'], name=op.f('fk_quotes_environment_id_price_id')),
    sa.PrimaryKeyConstraint('environment_id', 'id', name=op.f('pk_quotes')),
    sa.UniqueConstraint('environment_id', 'nonce', name=op.f('uq_quotes_environment_id_nonce')),
    info={'scoped': True}
    )
    op.create_table('lots',
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('feature_id', sa.BigInteger(), nullable=False),
    sa.Column('instance_id', sa.BigInteger(), nullable=True),
    sa.Column('source', sa.String(length=40), nullable=False),
    sa.Column('source_key', sa.String(length=80), nullable=False),
    sa.Column('granted', sa.Numeric(precision=20, scale=8), nullable=False),
    sa.Column('remaining', sa.Numeric(precision=20, scale=8), nullable=False),
    sa.Column('priority', sa.Integer(), nullable=False),
    sa.Column('promotional', sa.Boolean(), nullable=False),
    sa.Column('effective_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("source in ('plan', 'instance', 'pack', 'credit_grant')", name=op.f('ck_lots_source')),
    sa.CheckConstraint('expires_at > effective_at', name=op.f('ck_lots_expires_after_start')),
    sa.CheckConstraint('granted >= 0 and remaining >= 0 and remaining <= granted', name=op.f('ck_lots_units')),
    sa.ForeignKeyConstraint(['environment_id', 'account_id'], ['accounts.environment_id', 'accounts.id'], name=op.f('fk_lots_environment_id_account_id')),
    sa.ForeignKeyConstraint(['environment_id', 'feature_id'], ['features.environment_id', 'features.id'], name=op.f('fk_lots_environment_id_feature_id')),
    sa.ForeignKeyConstraint(['environment_id', 'instance_id'], ['instances.environment_id', 'instances.id'], name=op.f('fk_lots_environment_id_instance_id')),
    sa.PrimaryKeyConstraint('environment_id', 'id', name=op.f('pk_lots')),
    sa.UniqueConstraint('environment_id', 'account_id', 'source_key', 'effective_at', name=op.f('uq_lots_environment_id_account_id_source_key_effective_at')),
    info={'scoped': True}
    )
    op.create_index('ix_lots_open', 'lots', ['environment_id', 'account_id', 'feature_id', 'expires_at'], unique=False)
    op.create_table('purchases',
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('quote_id', sa.BigInteger(), nullable=False),
    sa.Column('instance_id', sa.BigInteger(), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=False),
    sa.Column('status', sa.String(length=40), nullable=False),
    sa.Column('balance_reserved_minor', sa.BigInteger(), nullable=False),
    sa.Column('carried_reserved_minor', sa.BigInteger(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('settled_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("(status = 'settled') = (settled_at is not null)", name=op.f('ck_purchases_settled_at')),
    sa.CheckConstraint("status in ('reserved', 'settled', 'failed')", name=op.f('ck_purchases_status')),
    sa.CheckConstraint('balance_reserved_minor >= 0 and carried_reserved_minor >= 0', name=op.f('ck_purchases_reserved')),
    sa.ForeignKeyConstraint(['environment_id', 'account_id', 'instance_id'], ['instances.environment_id', 'instances.account_id', 'instances.id'], name=op.f('fk_purchases_environment_id_account_id_instance_id')),
    sa.ForeignKeyConstraint(['environment_id', 'person_id'], ['persons.environment_id', 'persons.id'], name=op.f('fk_purchases_environment_id_person_id')),
    sa.ForeignKeyConstraint(['environment_id', 'quote_id'], ['quotes.environment_id', 'quotes.id'], name=op.f('fk_purchases_environment_id_quote_id')),
    sa.PrimaryKeyConstraint('environment_id', 'id', name=op.f('pk_purchases')),
    sa.UniqueConstraint('environment_id', 'account_id', 'id', name=op.f('uq_purchases_environment_id_account_id_id')),
    sa.UniqueConstraint('environment_id', 'quote_id', name=op.f('uq_purchases_environment_id_quote_id')),
    info={'scoped': True}
    )
    op.create_index('ix_purchases_account', 'purchases', ['environment_id', 'account_id', 'created_at'], unique=False)
    op.create_index('ix_purchases_open', 'purchases', ['environment_id', 'created_at'], unique=False, postgresql_where=sa.text("status = 'reserved'"))
    op.create_table('quote_lines',
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('quote_id', sa.BigInteger(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(length=40), nullable=False),
    sa.Column('name', sa.String(length=255), nullable=False),
    sa.Column('quantity', sa.Integer(), nullable=False),
    sa.Column('amount_minor', sa.BigInteger(), nullable=False),
    sa.Column('included', sa.Boolean(), nullable=False),
    sa.Column('period_start_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('period_end_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('working', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('working_text', sa.Text(), nullable=False),
    sa.CheckConstraint("(kind = 'balance') = (amount_minor < 0)", name=op.f('ck_quote_lines_sign')),
    sa.CheckConstraint("kind in ('charge', 'tax', 'carried', 'balance')", name=op.f('ck_quote_lines_kind')),
    sa.ForeignKeyConstraint(['environment_id', 'quote_id'], ['quotes.environment_id', 'quotes.id'], name=op.f('fk_quote_lines_environment_id_quote_id')),
    sa.PrimaryKeyConstraint('environment_id', 'id', name=op.f('pk_quote_lines')),
    sa.UniqueConstraint('environment_id', 'quote_id', 'position', name=op.f('uq_quote_lines_environment_id_quote_id_position')),
    info={'scoped': True}
    )
    op.create_table('draws',
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('lot_id', sa.BigInteger(), nullable=False),
    sa.Column('event_id', sa.String(length=255), nullable=False),
    sa.Column('units', sa.Numeric(precision=20, scale=8), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('units > 0', name=op.f('ck_draws_units')),
    sa.ForeignKeyConstraint(['environment_id', 'lot_id'], ['lots.environment_id', 'lots.id'], name=op.f('fk_draws_environment_id_lot_id')),
    sa.PrimaryKeyConstraint('environment_id', 'id', name=op.f('pk_draws')),
    sa.UniqueConstraint('environment_id', 'account_id', 'event_id', 'lot_id', name=op.f('uq_draws_environment_id_account_id_event_id_lot_id')),
    info={'scoped': True}
    )
    op.create_index('ix_draws_lot', 'draws', ['environment_id', 'lot_id'], unique=False)
    op.create_table('invoices',
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('purchase_id', sa.BigInteger(), nullable=False),
    sa.Column('number', sa.BigInteger(), nullable=False),
    sa.Column('status', sa.String(length=40), nullable=False),
    sa.Column('currency', sa.String(length=3), nullable=False),
    sa.Column('total_minor', sa.BigInteger(), nullable=False),
    sa.Column('tax_minor', sa.BigInteger(), nullable=False),
    sa.Column('balance_applied_minor', sa.BigInteger(), nullable=False),
    sa.Column('charged_minor', sa.BigInteger(), nullable=False),
    sa.Column('carried_out_minor', sa.BigInteger(), nullable=False),
    sa.Column('card_brand', sa.String(length=40), nullable=False),
    sa.Column('card_last4', sa.String(length=40), nullable=False),
    sa.Column('issued_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("status in ('paid', 'carried')", name=op.f('ck_invoices_status')),
    sa.CheckConstraint('charged_minor >= 0 and carried_out_minor >= 0', name=op.f('ck_invoices_amounts')),
    sa.ForeignKeyConstraint(['environment_id', 'account_id', 'purchase_id'], ['purchases.environment_id', 'purchases.account_id', 'purchases.id'], name=op.f('fk_invoices_environment_id_account_id_purchase_id')),
    sa.ForeignKeyConstraint(['environment_id', 'account_id'], ['accounts.environment_id', 'accounts.id'], name=op.f('fk_invoices_environment_id_account_id')),
    sa.PrimaryKeyConstraint('environment_id', 'id', name=op.f('pk_invoices')),
    sa.UniqueConstraint('environment_id', 'number', name=op.f('uq_invoices_environment_id_number')),
    sa.UniqueConstraint('environment_id', 'purchase_id', name=op.f('uq_invoices_environment_id_purchase_id')),
    info={'scoped': True}
    )
    op.create_index('ix_invoices_account', 'invoices', ['environment_id', 'account_id', 'issued_at'], unique=False)
    op.create_table('payment_attempts',
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('purchase_id', sa.BigInteger(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('idempotency_key', sa.String(length=255), nullable=False),
    sa.Column('amount_minor', sa.BigInteger(), nullable=False),
    sa.Column('currency', sa.String(length=3), nullable=False),
    sa.Column('params', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('status', sa.String(length=40), nullable=False),
    sa.Column('reference', sa.String(length=255), nullable=True),
    sa.Column('reason', sa.String(length=40), nullable=True),
    sa.Column('error_code', sa.String(length=100), nullable=True),
    sa.Column('decline_code', sa.String(length=100), nullable=True),
    sa.Column('advice_code', sa.String(length=100), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("status in ('started', 'succeeded', 'declined', 'needs_authentication', 'unknown')", name=op.f('ck_payment_attempts_status')),
    sa.CheckConstraint('amount_minor > 0', name=op.f('ck_payment_attempts_amount')),
    sa.ForeignKeyConstraint(['environment_id', 'account_id', 'purchase_id'], ['purchases.environment_id', 'purchases.account_id', 'purchases.id'], name=op.f('fk_payment_attempts_environment_id_account_id_purchase_id')),
    sa.PrimaryKeyConstraint('environment_id', 'id', name=op.f('pk_payment_attempts')),
    sa.UniqueConstraint('environment_id', 'idempotency_key', name=op.f('uq_payment_attempts_environment_id_idempotency_key')),
    sa.UniqueConstraint('environment_id', 'purchase_id', 'number', name=op.f('uq_payment_attempts_environment_id_purchase_id_number')),
    info={'scoped': True}
    )
    op.create_index('ix_payment_attempts_reference', 'payment_attempts', ['environment_id', 'reference'], unique=False)
    op.create_table('invoice_lines',
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('invoice_id', sa.BigInteger(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(length=40), nullable=False),
    sa.Column('name', sa.String(length=255), nullable=False),
    sa.Column('quantity', sa.Integer(), nullable=False),
    sa.Column('amount_minor', sa.BigInteger(), nullable=False),
    sa.Column('included', sa.Boolean(), nullable=False),
    sa.Column('period_start_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('period_end_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('working', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('working_text', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['environment_id', 'invoice_id'], ['invoices.environment_id', 'invoices.id'], name=op.f('fk_invoice_lines_environment_id_invoice_id')),
    sa.PrimaryKeyConstraint('environment_id', 'id', name=op.f('pk_invoice_lines')),
    sa.UniqueConstraint('environment_id', 'invoice_id', 'position', name=op.f('uq_invoice_lines_environment_id_invoice_id_position')),
    info={'scoped': True}
    )
    op.enable_scope('account_balances')
    op.enable_scope('accounts')
    op.enable_scope('add_ons')
    op.enable_scope('counters')
    op.enable_scope('credit_grants')
    op.enable_scope('draws')
    op.enable_scope('entitlements')
    op.enable_scope('events')
    op.enable_scope('features')
    op.enable_scope('instances')
    op.enable_scope('invoice_counters')
    op.enable_scope('invoice_lines')
    op.enable_scope('invoices')
    op.enable_scope('lots')
    op.enable_scope('memberships')
    op.enable_scope('payment_attempts')
    op.enable_scope('payment_methods')
    op.enable_scope('persons')
    op.enable_scope('plans')
    op.enable_scope('prices')
    op.enable_scope('purchases')
    op.enable_scope('quote_lines')
    op.enable_scope('quotes')
    op.enable_scope('sessions')
    op.enable_scope('stripe_events')
    op.enable_scope('subscriptions')
    op.enable_scope('transfers')
    op.enable_scope('usage_events')
    op.execute(f"REVOKE UPDATE, DELETE ON {APPEND_ONLY} FROM portal_app, portal_system")


def downgrade() -> None:
    op.disable_scope('usage_events')
    op.disable_scope('transfers')
    op.disable_scope('subscriptions')
    op.disable_scope('stripe_events')
    op.disable_scope('sessions')
    op.disable_scope('quotes')
    op.disable_scope('quote_lines')
    op.disable_scope('purchases')
    op.disable_scope('prices')
    op.disable_scope('plans')
    op.disable_scope('persons')
    op.disable_scope('payment_methods')
    op.disable_scope('payment_attempts')
    op.disable_scope('memberships')
    op.disable_scope('lots')
    op.disable_scope('invoices')
    op.disable_scope('invoice_lines')
    op.disable_scope('invoice_counters')
    op.disable_scope('instances')
    op.disable_scope('features')
    op.disable_scope('events')
    op.disable_scope('entitlements')
    op.disable_scope('draws')
    op.disable_scope('credit_grants')
    op.disable_scope('counters')
    op.disable_scope('add_ons')
    op.disable_scope('accounts')
    op.disable_scope('account_balances')
    op.drop_table('invoice_lines')
    op.drop_index('ix_payment_attempts_reference', table_name='payment_attempts')
    op.drop_table('payment_attempts')
    op.drop_index('ix_invoices_account', table_name='invoices')
    op.drop_table('invoices')
    op.drop_index('ix_draws_lot', table_name='draws')
    op.drop_table('draws')
    op.drop_table('quote_lines')
    op.drop_index('ix_purchases_open', table_name='purchases', postgresql_where=sa.text("status = 'reserved'"))
    op.drop_index('ix_purchases_account', table_name='purchases')
    op.drop_table('purchases')
    op.drop_index('ix_lots_open', table_name='lots')
    op.drop_table('lots')
    op.drop_table('quotes')
    op.drop_index('ix_instances_account', table_name='instances')
    op.drop_table('instances')
    op.drop_index('uq_subscriptions_live', table_name='subscriptions', postgresql_where=sa.text('ended_at is null'))
    op.drop_table('subscriptions')
    op.drop_index('ix_sessions_person', table_name='sessions')
    op.drop_table('sessions')
    op.drop_table('usage_events')
    op.drop_index('ix_transfers_account', table_name='transfers')
    op.drop_table('transfers')
    op.drop_index('uq_prices_current_lookup_key', table_name='prices', postgresql_where=sa.text('ended_at is null'))
    op.drop_index('ix_prices_plan', table_name='prices')
    op.drop_index('ix_prices_add_on', table_name='prices')
    op.drop_table('prices')
    op.drop_index('uq_payment_methods_default', table_name='payment_methods', postgresql_where=sa.text('is_default and detached_at is null'))
    op.drop_table('payment_methods')
    op.drop_index('ix_memberships_person', table_name='memberships')
    op.drop_table('memberships')
    op.drop_index('ix_events_account', table_name='events')
    op.drop_table('events')
    op.drop_table('entitlements')
    op.drop_table('credit_grants')
    op.drop_table('counters')
    op.drop_table('account_balances')
    op.drop_index('ix_stripe_events_waiting', table_name='stripe_events', postgresql_where=sa.text('processed_at is null'))
    op.drop_table('stripe_events')
    op.drop_table('plans')
    op.drop_index('uq_persons_email', table_name='persons')
    op.drop_table('persons')
    op.drop_table('invoice_counters')
    op.drop_table('features')
    op.drop_table('add_ons')
    op.drop_index('uq_accounts_stripe_customer', table_name='accounts', postgresql_where=sa.text('stripe_customer_id is not null'))
    op.drop_table('accounts')
    op.drop_table('environments')
    op.drop_table('tenants')
