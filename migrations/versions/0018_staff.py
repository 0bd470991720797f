"""The business's own people, who sign in apart from members.

Revision ID: 0018
Revises: 0017
"""

import sqlalchemy as sa
from alembic import op

revision = '0018'
down_revision = '0017'
branch_labels = None
depends_on = None

TABLES = ('staff_links', 'staff_challenges', 'staff_sessions', 'staff')


def _opening(name: str, *columns: sa.Column) -> None:
    """A table of what opens something for staff, once or for a while."""
    op.create_table(name,
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('staff_id', sa.BigInteger(), nullable=False),
    *columns,
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('expires_at > created_at', name=op.f(f'ck_{name}_expires_at')),
    sa.CheckConstraint(f'length({columns[0].name}) = 64', name=op.f(f'ck_{name}_{columns[0].name}')),
    sa.ForeignKeyConstraint(['environment_id', 'staff_id'], ['staff.environment_id', 'staff.id'], name=op.f(f'fk_{name}_environment_id_staff_id')),
    sa.PrimaryKeyConstraint('environment_id', 'id', name=op.f(f'pk_{name}')),
    sa.UniqueConstraint('environment_id', columns[0].name, name=op.f(f'uq_{name}_environment_id_{columns[0].name}'))
    )


def upgrade() -> None:
    op.create_table('staff',
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('email', sa.String(length=320), nullable=False),
    sa.Column('name', sa.String(length=255), nullable=False),
    sa.Column('password_hash', sa.String(length=255), nullable=True),
    sa.Column('encrypted', sa.Text(), nullable=True),
    sa.Column('last_step', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint('(password_hash is null) = (encrypted is null)', name=op.f('ck_staff_both_steps')),
    sa.ForeignKeyConstraint(['environment_id'], ['environments.id'], name=op.f('fk_staff_environment_id')),
    sa.PrimaryKeyConstraint('environment_id', 'id', name=op.f('pk_staff'))
    )
    op.create_index('uq_staff_email', 'staff', ['environment_id', sa.literal_column('lower(email)')], unique=True, postgresql_where=sa.text('ended_at is null'))
    _opening('staff_sessions',
    sa.Column('sid_digest', sa.String(length=64), nullable=False),
    sa.Column('last_seen_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('address', sa.String(length=45), nullable=False),
    sa.Column('user_agent', sa.String(length=255), nullable=False),
    )
    op.create_index('ix_staff_sessions_staff', 'staff_sessions', ['environment_id', 'staff_id'], unique=False)
    _opening('staff_challenges',
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=True),
    )
    _opening('staff_links',
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('encrypted', sa.Text(), nullable=False),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=True),
    )
    for table in TABLES:
        op.enable_scope(table)


def downgrade() -> None:
    for table in TABLES:
        op.disable_scope(table)
        op.drop_table(table)
