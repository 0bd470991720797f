"""Use in arrear: prices for use name their feature, and what is used beyond the allowance is billed.

A USAGE price without a feature could not be bought and charged nobody: such rows go.

Revision ID: 0014
Revises: 0013
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0014'
down_revision = '0013'
branch_labels = None
depends_on = None


def upgrade() -> None:
    _prices()
    _subscriptions()
    op.add_column('counters', sa.Column('settled', sa.Numeric(30, 8), server_default='0', nullable=False))
    op.create_check_constraint(op.f('ck_counters_settled'), 'counters', 'settled >= 0 and settled <= greatest(excess, 0)')
    _arrears()


def _prices() -> None:
    op.execute("delete from prices where type = 'USAGE'")
    op.add_column('prices', sa.Column('feature_id', sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f('fk_prices_environment_id_feature_id'), 'prices', 'features', ['environment_id', 'feature_id'], ['environment_id', 'id'])
    op.create_check_constraint(op.f('ck_prices_feature_of_usage'), 'prices', "(type = 'USAGE') = (feature_id is not null)")


def _subscriptions() -> None:
    for table in ('subscriptions', 'plan_changes'):
        op.add_column(table, sa.Column('usage_price_ids', postgresql.ARRAY(sa.BigInteger()), server_default=sa.text("'{}'::bigint[]"), nullable=False))
    op.add_column('subscriptions', sa.Column('use_billed_until_at', sa.DateTime(timezone=True), nullable=True))
    op.execute('update subscriptions set use_billed_until_at = greatest(started_at, least(billed_until_at, now()))')
    op.alter_column('subscriptions', 'use_billed_until_at', nullable=False)


def _arrears() -> None:
    op.create_table('arrears',
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('subscription_id', sa.BigInteger(), nullable=False),
    sa.Column('feature_id', sa.BigInteger(), nullable=False),
    sa.Column('window_start_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('units', sa.Numeric(30, 8), nullable=False),
    sa.Column('price_id', sa.BigInteger(), nullable=True),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('invoice_id', sa.BigInteger(), nullable=True),
    sa.Column('settled_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('invoice_id is null or price_id is not null', name=op.f('ck_arrears_billed_at_a_price')),
    sa.CheckConstraint('units > 0', name=op.f('ck_arrears_units')),
    sa.ForeignKeyConstraint(['environment_id', 'account_id'], ['accounts.environment_id', 'accounts.id'], name=op.f('fk_arrears_environment_id_account_id')),
    sa.ForeignKeyConstraint(['environment_id', 'feature_id'], ['features.environment_id', 'features.id'], name=op.f('fk_arrears_environment_id_feature_id')),
    sa.ForeignKeyConstraint(['environment_id', 'invoice_id'], ['invoices.environment_id', 'invoices.id'], name=op.f('fk_arrears_environment_id_invoice_id')),
    sa.ForeignKeyConstraint(['environment_id', 'price_id'], ['prices.environment_id', 'prices.id'], name=op.f('fk_arrears_environment_id_price_id')),
    sa.ForeignKeyConstraint(['environment_id', 'subscription_id'], ['subscriptions.environment_id', 'subscriptions.id'], name=op.f('fk_arrears_environment_id_subscription_id')),
    sa.PrimaryKeyConstraint('environment_id', 'id', name=op.f('pk_arrears'))
    )
    op.create_index('ix_arrears_account', 'arrears', ['environment_id', 'account_id', 'feature_id'])
    op.execute('REVOKE UPDATE, DELETE ON arrears FROM portal_app, portal_system')
    op.execute('GRANT UPDATE (invoice_id) ON arrears TO portal_app, portal_system')
    op.enable_scope('arrears')


def downgrade() -> None:
    """What was billed stays billed; what waits is not billed any more, and USAGE prices go."""
    op.disable_scope('arrears')
    op.drop_table('arrears')
    op.drop_constraint(op.f('ck_counters_settled'), 'counters', type_='check')
    op.drop_column('counters', 'settled')
    op.drop_column('subscriptions', 'use_billed_until_at')
    for table in ('plan_changes', 'subscriptions'):
        op.drop_column(table, 'usage_price_ids')
    op.execute("delete from prices where type = 'USAGE'")
    op.drop_constraint(op.f('ck_prices_feature_of_usage'), 'prices', type_='check')
    op.drop_constraint(op.f('fk_prices_environment_id_feature_id'), 'prices', type_='foreignkey')
    op.drop_column('prices', 'feature_id')
