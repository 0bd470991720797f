"""Prices for use change: a price change may be of what use of one feature costs.

Revision ID: 0027
Revises: 0026
"""

import sqlalchemy as sa
from alembic import op

revision = '0027'
down_revision = '0026'
branch_labels = None
depends_on = None

OF_ONE_BOUNDARY = {'unique': True, 'postgresql_where': sa.text("status = 'scheduled'"), 'postgresql_nulls_not_distinct': True}


def upgrade() -> None:
    op.add_column('price_changes', sa.Column('feature_id', sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f('fk_price_changes_environment_id_feature_id'), 'price_changes', 'features', ['environment_id', 'feature_id'], ['environment_id', 'id'])
    op.drop_index('uq_price_changes_scheduled', table_name='price_changes')
    op.create_index('uq_price_changes_scheduled', 'price_changes', ['environment_id', 'subscription_id', 'instance_id', 'feature_id', 'effective_at'], **OF_ONE_BOUNDARY)


def downgrade() -> None:
    """What is announced for use is forgotten: its holders keep the price that they have."""
    op.execute('delete from price_changes where feature_id is not null')
    op.drop_index('uq_price_changes_scheduled', table_name='price_changes')
    op.create_index('uq_price_changes_scheduled', 'price_changes', ['environment_id', 'subscription_id', 'instance_id', 'effective_at'], **OF_ONE_BOUNDARY)
    op.drop_constraint(op.f('fk_price_changes_environment_id_feature_id'), 'price_changes', type_='foreignkey')
    op.drop_column('price_changes', 'feature_id')
