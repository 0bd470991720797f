"""Support views that a second member of staff approves, and all events of an environment by time.

Revision ID: 0025
Revises: 0024
"""

import sqlalchemy as sa
from alembic import op

revision = '0025'
down_revision = '0024'
branch_labels = None
depends_on = None

APPROVAL_ID = 'fk_support_sessions_environment_id_approval_id'
ONCE = 'uq_support_sessions_environment_id_approval_id'
ALLOWED_ONCE = 'ck_support_sessions_allowed_once'


def _refers(column: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(['environment_id', column], [f'{other}.environment_id', f'{other}.id'], name=op.f(f'fk_support_approvals_environment_id_{column}'))


def upgrade() -> None:
    op.create_table('support_approvals',
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=False),
    sa.Column('staff_id', sa.BigInteger(), nullable=False),
    sa.Column('reason', sa.String(length=500), nullable=False),
    sa.Column('ticket', sa.String(length=100), nullable=False),
    sa.Column('asked_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('answered_by_id', sa.BigInteger(), nullable=True),
    sa.Column('answered_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('is_approved', sa.Boolean(), nullable=True),
    sa.CheckConstraint('num_nulls(answered_by_id, answered_at, is_approved) in (0, 3)', name=op.f('ck_support_approvals_answered_whole')),
    sa.CheckConstraint('answered_by_id <> staff_id', name=op.f('ck_support_approvals_answered_by')),
    sa.CheckConstraint('expires_at > asked_at', name=op.f('ck_support_approvals_expires_at')),
    _refers('account_id', 'accounts'),
    _refers('person_id', 'persons'),
    _refers('staff_id', 'staff'),
    _refers('answered_by_id', 'staff'),
    sa.PrimaryKeyConstraint('environment_id', 'id', name=op.f('pk_support_approvals'))
    )
    op.create_index('ix_support_approvals_staff', 'support_approvals', ['environment_id', 'staff_id', 'account_id'], unique=False)
    op.create_index('ix_support_approvals_waiting', 'support_approvals', ['environment_id', 'expires_at'], unique=False, postgresql_where=sa.text('answered_at is null'))
    op.enable_scope('support_approvals')
    op.add_column('support_sessions', sa.Column('approval_id', sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f(APPROVAL_ID), 'support_sessions', 'support_approvals', ['environment_id', 'approval_id'], ['environment_id', 'id'])
    op.create_unique_constraint(op.f(ONCE), 'support_sessions', ['environment_id', 'approval_id'])
    op.create_check_constraint(op.f(ALLOWED_ONCE), 'support_sessions', 'window_id is null or approval_id is null')
    op.create_index('ix_events_at', 'events', ['environment_id', 'at', 'id'], unique=False)


def downgrade() -> None:
    op.drop_index('ix_events_at', table_name='events')
    op.drop_constraint(op.f(ALLOWED_ONCE), 'support_sessions', type_='check')
    op.drop_constraint(op.f(ONCE), 'support_sessions', type_='unique')
    op.drop_constraint(op.f(APPROVAL_ID), 'support_sessions', type_='foreignkey')
    op.drop_column('support_sessions', 'approval_id')
    op.disable_scope('support_approvals')
    op.drop_table('support_approvals')
