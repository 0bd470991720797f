"""cancelling plans: the end of the term that a subscription is not renewed after, and why

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('subscriptions', sa.Column('cancel_at', sa.DateTime(timezone=True), nullable=True))
    op.add_column('subscriptions', sa.Column('cancel_reason', sa.Text(), server_default='', nullable=False))


def downgrade() -> None:
    op.drop_column('subscriptions', 'cancel_reason')
    op.drop_column('subscriptions', 'cancel_at')
