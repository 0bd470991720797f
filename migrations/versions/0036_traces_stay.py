"""What support leaves behind is not deleted, and changes only where it goes on or ends.

Revision ID: 0036
Revises: 0035
"""

from alembic import op

revision = '0036'
down_revision = '0035'
branch_labels = None
depends_on = None

ROLES = 'portal_app, portal_system'
GOES_ON = {
    'support_sessions': 'last_seen_at, ended_at, end_cause',
    'support_approvals': 'answered_by_id, answered_at, is_approved, expires_at',
    'support_windows': 'opened_by_id, opened_at, ends_at, closed_at',
}


def upgrade() -> None:
    for table, columns in GOES_ON.items():
        op.execute(f'REVOKE UPDATE, DELETE ON {table} FROM {ROLES}')
        op.execute(f'GRANT UPDATE ({columns}) ON {table} TO {ROLES}')


def downgrade() -> None:
    for table, columns in GOES_ON.items():
        op.execute(f'REVOKE UPDATE ({columns}) ON {table} FROM {ROLES}')
        op.execute(f'GRANT UPDATE, DELETE ON {table} TO {ROLES}')
