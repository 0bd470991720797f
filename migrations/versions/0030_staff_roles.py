"""Staff have roles: who was there before is an administrator, who comes is support.

Revision ID: 0030
Revises: 0029
"""

import sqlalchemy as sa
from alembic import op

revision = '0030'
down_revision = '0029'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('staff', sa.Column('role', sa.String(length=40), server_default='admin', nullable=False))
    op.alter_column('staff', 'role', server_default='support')
    op.create_check_constraint(op.f('ck_staff_role'), 'staff', "role in ('support', 'admin')")


def downgrade() -> None:
    op.drop_constraint(op.f('ck_staff_role'), 'staff', type_='check')
    op.drop_column('staff', 'role')
