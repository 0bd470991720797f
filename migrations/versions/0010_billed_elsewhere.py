"""A period that was paid for outside the portal, so that a change of plan can credit it."""

import sqlalchemy as sa
from alembic import op

revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('billed_elsewhere',
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('subscription_id', sa.BigInteger(), nullable=False),
    sa.Column('name', sa.String(length=255), nullable=False),
    sa.Column('amount_minor', sa.BigInteger(), nullable=False),
    sa.Column('tax_rate', sa.Numeric(precision=7, scale=4), nullable=False),
    sa.Column('tax_inclusive', sa.Boolean(), nullable=False),
    sa.Column('tax_label', sa.String(length=40), nullable=False),
    sa.Column('period_start_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('period_end_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('amount_minor >= 0', name=op.f('ck_billed_elsewhere_amount')),
    sa.CheckConstraint('period_end_at > period_start_at', name=op.f('ck_billed_elsewhere_period')),
    sa.ForeignKeyConstraint(['environment_id', 'account_id'], ['accounts.environment_id', 'accounts.id'], name=op.f('fk_billed_elsewhere_environment_id_account_id')),
    sa.ForeignKeyConstraint(['environment_id', 'subscription_id'], ['subscriptions.environment_id', 'subscriptions.id'], name=op.f('fk_billed_elsewhere_environment_id_subscription_id')),
    sa.PrimaryKeyConstraint('environment_id', 'id', name=op.f('pk_billed_elsewhere')),
    sa.UniqueConstraint('environment_id', 'subscription_id', name=op.f('uq_billed_elsewhere_environment_id_subscription_id'))
    )
    op.enable_scope('billed_elsewhere')
    op.execute("REVOKE UPDATE, DELETE ON billed_elsewhere FROM portal_app, portal_system")
    op.execute("GRANT USAGE ON SEQUENCE invoice_lines_id_seq TO portal_app, portal_system")


def downgrade() -> None:
    op.execute("REVOKE USAGE ON SEQUENCE invoice_lines_id_seq FROM portal_app, portal_system")
    op.disable_scope('billed_elsewhere')
    op.drop_table('billed_elsewhere')
