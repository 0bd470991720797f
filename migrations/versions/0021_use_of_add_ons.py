"""Use of add-ons: what an instance was sold with, and up to when use is set apart.

Revision ID: 0021
Revises: 0020
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0021'
down_revision = '0020'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('instances', sa.Column('usage_price_ids', postgresql.ARRAY(sa.BigInteger()), server_default=sa.text("'{}'::bigint[]"), nullable=False))
    op.add_column('subscriptions', sa.Column('use_apart_until_at', sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """What add-ons charge for use is not billed any more; what waits for its bill is."""
    op.drop_column('subscriptions', 'use_apart_until_at')
    op.drop_column('instances', 'usage_price_ids')
