"""A card keeps that it must not be charged again: its bank's word holds for every invoice.

Revision ID: 0039
Revises: 0038
"""

import sqlalchemy as sa
from alembic import op

revision = '0039'
down_revision = '0038'
branch_labels = None
depends_on = None

REFUSED = """
UPDATE payment_methods AS card SET refused_at = attempt.at
FROM (
    SELECT environment_id, payment_method_id, max(finished_at) AS at FROM payment_attempts
    WHERE status = 'declined' AND (
        advice_code = 'do_not_try_again'
        OR decline_code IN ('lost_card', 'stolen_card', 'pickup_card', 'fraudulent')
    )
    GROUP BY environment_id, payment_method_id
) AS attempt
WHERE attempt.environment_id = card.environment_id AND attempt.payment_method_id = card.id
"""


def upgrade() -> None:
    op.add_column(
        'payment_methods', sa.Column('refused_at', sa.DateTime(timezone=True), nullable=True)
    )
    op.execute(REFUSED)


def downgrade() -> None:
    op.drop_column('payment_methods', 'refused_at')
