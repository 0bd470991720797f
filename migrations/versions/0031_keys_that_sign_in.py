"""Signing members in is a right of its own: keys that write have it, new ones are given it or not.

Revision ID: 0031
Revises: 0030
"""

import sqlalchemy as sa
from alembic import op

revision = '0031'
down_revision = '0030'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('api_keys', sa.Column('opens_sessions', sa.Boolean(), server_default=sa.false(), nullable=False))
    op.execute("update api_keys set opens_sessions = true where access = 'write'")


def downgrade() -> None:
    op.drop_column('api_keys', 'opens_sessions')
