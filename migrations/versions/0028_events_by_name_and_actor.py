"""Events of an environment by name and by who did it, which staff look for.

Revision ID: 0028
Revises: 0027
"""

from alembic import op

revision = '0028'
down_revision = '0027'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index('ix_events_name', 'events', ['environment_id', 'name', 'at'], unique=False)
    op.create_index('ix_events_actor', 'events', ['environment_id', 'actor', 'at'], unique=False, postgresql_ops={'actor': 'text_pattern_ops'})


def downgrade() -> None:
    op.drop_index('ix_events_actor', table_name='events')
    op.drop_index('ix_events_name', table_name='events')
