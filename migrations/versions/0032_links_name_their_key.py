"""A sign-in link names the API key that asked for it.

Revision ID: 0032
Revises: 0031
"""

import sqlalchemy as sa
from alembic import op

revision = '0032'
down_revision = '0031'
branch_labels = None
depends_on = None

KEY_ID = 'fk_sign_in_links_environment_id_key_id'


def upgrade() -> None:
    op.add_column('sign_in_links', sa.Column('key_id', sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f(KEY_ID), 'sign_in_links', 'api_keys', ['environment_id', 'key_id'], ['environment_id', 'id'])


def downgrade() -> None:
    op.drop_constraint(op.f(KEY_ID), 'sign_in_links', type_='foreignkey')
    op.drop_column('sign_in_links', 'key_id')
