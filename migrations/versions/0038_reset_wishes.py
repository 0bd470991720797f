"""Who forgot a password, as they typed it, is kept under row security and not in a job.

Revision ID: 0038
Revises: 0037
"""

import sqlalchemy as sa
from alembic import op

revision = '0038'
down_revision = '0037'
branch_labels = None
depends_on = None

WAITING = """
INSERT INTO reset_wishes (environment_id, email, address, user_agent, asked_at)
SELECT (args->>'environment_id')::bigint, args->>'email', args->>'address', args->>'user_agent',
    (args->>'at')::timestamptz
FROM procrastinate_jobs
WHERE task_name = 'mail_reset_link' AND status IN ('todo', 'doing') AND args ? 'email'
ORDER BY id
"""
BARE = """
UPDATE procrastinate_jobs SET args = jsonb_build_object('environment_id', args->'environment_id')
WHERE task_name = 'mail_reset_link' AND args ? 'email'
"""


def upgrade() -> None:
    op.create_table('reset_wishes',
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('email', sa.String(length=320), nullable=False),
    sa.Column('address', sa.String(length=45), nullable=False),
    sa.Column('user_agent', sa.String(length=255), nullable=False),
    sa.Column('asked_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['environment_id'], ['environments.id'], name=op.f('fk_reset_wishes_environment_id')),
    sa.PrimaryKeyConstraint('environment_id', 'id', name=op.f('pk_reset_wishes'))
    )
    op.enable_scope('reset_wishes')
    op.execute(WAITING)
    op.execute(BARE)


def downgrade() -> None:
    """Links that are waited for come to nothing."""
    op.disable_scope('reset_wishes')
    op.drop_table('reset_wishes')
