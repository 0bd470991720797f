"""Credits that come once with a plan come when the plan does, and once for each subscription.

They were named by the billing anchor, which a change of interval moves: what such a change gave
once more stays, under its old name.

Revision ID: 0019
Revises: 0018
"""

import sqlalchemy as sa
from alembic import op

revision = '0019'
down_revision = '0018'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('subscriptions', sa.Column('plan_paid_from_at', sa.DateTime(timezone=True), nullable=True))
    op.execute("update subscriptions set plan_paid_from_at = greatest(started_at, billing_anchor_at)")
    op.alter_column('subscriptions', 'plan_paid_from_at', nullable=False)
    op.execute(
        "update lots set source_key = lots.source_key || ':' || first.subscription_id from ("
        " select distinct on (s.environment_id, s.id, l.source_key) s.environment_id, l.id,"
        " s.id as subscription_id from subscriptions s"
        " join credit_grants g on g.environment_id = s.environment_id and g.cadence = 'ONETIME'"
        " join lots l on l.environment_id = s.environment_id and l.account_id = s.account_id"
        " and l.source_key = 'plan-grant:' || g.id and l.effective_at >= s.started_at"
        " and (s.ended_at is null or l.effective_at < s.ended_at)"
        " order by s.environment_id, s.id, l.source_key, l.effective_at) first"
        " where lots.environment_id = first.environment_id and lots.id = first.id"
    )
    op.create_index('uq_lots_once', 'lots', ['environment_id', 'account_id', 'source_key'], unique=True,
        postgresql_where=sa.text("source_key like 'plan-grant:%:%'"))


def downgrade() -> None:
    op.drop_index('uq_lots_once', 'lots')
    op.execute("update lots set source_key = 'plan-grant:' || split_part(source_key, ':', 2) where source_key like 'plan-grant:%:%'")
    op.drop_column('subscriptions', 'plan_paid_from_at')
