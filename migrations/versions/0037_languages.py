"""Persons may have chosen no language: their browser's then. There was only English to choose.

Revision ID: 0037
Revises: 0036
"""

from alembic import op

revision = '0037'
down_revision = '0036'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column('persons', 'locale', server_default='')
    op.execute("UPDATE persons SET locale = '' WHERE locale = 'en'")


def downgrade() -> None:
    op.execute("UPDATE persons SET locale = 'en' WHERE locale = ''")
    op.alter_column('persons', 'locale', server_default='en')
