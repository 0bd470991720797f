"""Alerts: thresholds of quotas that were told, and the mails that each member wants.

Revision ID: 0012
Revises: 0011
"""

import sqlalchemy as sa
from alembic import op

revision = '0012'
down_revision = '0011'
branch_labels = None
depends_on = None


def upgrade() -> None:
    for choice in ('wants_alerts', 'wants_expiries'):
        op.add_column('memberships', sa.Column(choice, sa.Boolean(), server_default=sa.text('true'), nullable=False))
    op.add_column('memberships', sa.Column('digest_since_at', sa.DateTime(timezone=True), nullable=True))
    op.create_table('quota_alerts',
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('feature_id', sa.BigInteger(), nullable=False),
    sa.Column('window_start_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('threshold', sa.Integer(), nullable=False),
    sa.Column('allowance', sa.Numeric(30, 8), nullable=False),
    sa.Column('used', sa.Numeric(30, 8), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('threshold in (75, 90, 100)', name=op.f('ck_quota_alerts_threshold')),
    sa.CheckConstraint('allowance > 0 and used * 100 >= threshold * allowance', name=op.f('ck_quota_alerts_units')),
    sa.ForeignKeyConstraint(['environment_id', 'account_id'], ['accounts.environment_id', 'accounts.id'], name=op.f('fk_quota_alerts_environment_id_account_id')),
    sa.ForeignKeyConstraint(['environment_id', 'feature_id'], ['features.environment_id', 'features.id'], name=op.f('fk_quota_alerts_environment_id_feature_id')),
    sa.PrimaryKeyConstraint('environment_id', 'id', name=op.f('pk_quota_alerts')),
    sa.UniqueConstraint('environment_id', 'account_id', 'feature_id', 'window_start_at', 'threshold', 'allowance', name='uq_quota_alerts_once')
    )
    op.enable_scope('quota_alerts')


def downgrade() -> None:
    op.disable_scope('quota_alerts')
    op.drop_table('quota_alerts')
    for column in ('digest_since_at', 'wants_expiries', 'wants_alerts'):
        op.drop_column('memberships', column)
