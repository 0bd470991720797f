"""When staff last showed both steps is kept apart from when their session began.

Revision ID: 0033
Revises: 0032
"""

import sqlalchemy as sa
from alembic import op

revision = '0033'
down_revision = '0032'
branch_labels = None
depends_on = None

ERRAND = 'ck_provider_trips_errand'


def upgrade() -> None:
    op.add_column('staff_sessions', sa.Column('proved_at', sa.DateTime(timezone=True), nullable=True))
    op.drop_constraint(op.f(ERRAND), 'provider_trips', type_='check')
    op.create_check_constraint(op.f(ERRAND), 'provider_trips', "errand in ('member', 'link', 'staff', 'proof')")


def downgrade() -> None:
    """Trips that are under way to prove something come to nothing."""
    op.execute("delete from provider_trips where errand = 'proof'")
    op.drop_constraint(op.f(ERRAND), 'provider_trips', type_='check')
    op.create_check_constraint(op.f(ERRAND), 'provider_trips', "errand in ('member', 'link', 'staff')")
    op.drop_column('staff_sessions', 'proved_at')
