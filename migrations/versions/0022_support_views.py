"""Support views: the sessions of staff at customers' pages, and the windows that allow them.

Revision ID: 0022
Revises: 0021
"""

import sqlalchemy as sa
from alembic import op

revision = '0022'
down_revision = '0021'
branch_labels = None
depends_on = None


def _refers(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(['environment_id', column], [f'{other}.environment_id', f'{other}.id'], name=op.f(f'fk_{table}_environment_id_{column}'))


def upgrade() -> None:
    op.create_table('support_windows',
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('staff_id', sa.BigInteger(), nullable=True),
    sa.Column('reason', sa.String(length=500), server_default='', nullable=False),
    sa.Column('ticket', sa.String(length=100), server_default='', nullable=False),
    sa.Column('asked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('opened_by_id', sa.BigInteger(), nullable=True),
    sa.Column('opened_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('ends_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint('num_nulls(opened_at, opened_by_id, ends_at) in (0, 3)', name=op.f('ck_support_windows_opened_whole')),
    sa.CheckConstraint('num_nulls(staff_id, asked_at) in (0, 2)', name=op.f('ck_support_windows_asked_whole')),
    sa.CheckConstraint('ends_at > opened_at', name=op.f('ck_support_windows_ends_at')),
    sa.CheckConstraint('asked_at is not null or opened_at is not null', name=op.f('ck_support_windows_asked_or_opened')),
    _refers('support_windows', 'account_id', 'accounts'),
    _refers('support_windows', 'staff_id', 'staff'),
    _refers('support_windows', 'opened_by_id', 'persons'),
    sa.PrimaryKeyConstraint('environment_id', 'id', name=op.f('pk_support_windows'))
    )
    op.create_index('ix_support_windows_account', 'support_windows', ['environment_id', 'account_id'], unique=False)
    op.create_table('support_sessions',
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('staff_id', sa.BigInteger(), nullable=False),
    sa.Column('staff_session_id', sa.BigInteger(), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=False),
    sa.Column('window_id', sa.BigInteger(), nullable=True),
    sa.Column('reason', sa.String(length=500), nullable=False),
    sa.Column('ticket', sa.String(length=100), nullable=False),
    sa.Column('sid_digest', sa.String(length=64), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('last_seen_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('end_cause', sa.String(length=40), nullable=True),
    sa.Column('address', sa.String(length=45), nullable=False),
    sa.Column('user_agent', sa.String(length=255), nullable=False),
    sa.CheckConstraint('length(sid_digest) = 64', name=op.f('ck_support_sessions_sid_digest')),
    sa.CheckConstraint('expires_at > started_at', name=op.f('ck_support_sessions_expires_at')),
    sa.CheckConstraint('num_nulls(ended_at, end_cause) in (0, 2)', name=op.f('ck_support_sessions_ended_whole')),
    _refers('support_sessions', 'staff_id', 'staff'),
    _refers('support_sessions', 'staff_session_id', 'staff_sessions'),
    _refers('support_sessions', 'account_id', 'accounts'),
    _refers('support_sessions', 'person_id', 'persons'),
    _refers('support_sessions', 'window_id', 'support_windows'),
    sa.PrimaryKeyConstraint('environment_id', 'id', name=op.f('pk_support_sessions')),
    sa.UniqueConstraint('environment_id', 'sid_digest', name=op.f('uq_support_sessions_environment_id_sid_digest'))
    )
    op.create_index('ix_support_sessions_account', 'support_sessions', ['environment_id', 'account_id'], unique=False)
    op.create_index('ix_support_sessions_staff', 'support_sessions', ['environment_id', 'staff_id'], unique=False)
    for table in ('support_windows', 'support_sessions'):
        op.enable_scope(table)


def downgrade() -> None:
    for table in ('support_sessions', 'support_windows'):
        op.disable_scope(table)
        op.drop_table(table)
