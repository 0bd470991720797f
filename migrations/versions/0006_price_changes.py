"""Price changes: moving holders of an old price to a new one.

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('price_changes',
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('subscription_id', sa.BigInteger(), nullable=False),
    sa.Column('instance_id', sa.BigInteger(), nullable=True),
    sa.Column('old_price_id', sa.BigInteger(), nullable=False),
    sa.Column('new_price_id', sa.BigInteger(), nullable=False),
    sa.Column('announced_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('effective_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('status', sa.String(length=40), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("status in ('scheduled', 'applied', 'withdrawn')", name=op.f('ck_price_changes_status')),
    sa.CheckConstraint('old_price_id <> new_price_id', name=op.f('ck_price_changes_another_price')),
    sa.CheckConstraint('effective_at > announced_at', name=op.f('ck_price_changes_announced_before')),
    sa.ForeignKeyConstraint(['environment_id', 'account_id', 'subscription_id'], ['subscriptions.environment_id', 'subscriptions.account_id', 'subscriptions.id'], name=op.f('fk_price_changes_environment_id_account_id_subscription_id')),
    sa.ForeignKeyConstraint(['environment_id', 'account_id', 'instance_id'], ['instances.environment_id', 'instances.account_id', 'instances.id'], name=op.f('fk_price_changes_environment_id_account_id_instance_id')),
    sa.ForeignKeyConstraint(['environment_id', 'old_price_id'], ['prices.environment_id', 'prices.id'], name=op.f('fk_price_changes_environment_id_old_price_id')),
    sa.ForeignKeyConstraint(['environment_id', 'new_price_id'], ['prices.environment_id', 'prices.id'], name=op.f('fk_price_changes_environment_id_new_price_id')),
    sa.PrimaryKeyConstraint('environment_id', 'id', name=op.f('pk_price_changes'))
    )
    op.create_index('uq_price_changes_scheduled', 'price_changes', ['environment_id', 'subscription_id', 'instance_id', 'effective_at'], unique=True, postgresql_where=sa.text("status = 'scheduled'"), postgresql_nulls_not_distinct=True)
    op.enable_scope('price_changes')


def downgrade() -> None:
    op.disable_scope('price_changes')
    op.drop_table('price_changes')
