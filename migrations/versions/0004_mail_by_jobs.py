"""Jobs in the database, and what a mail needs to be sent by one.

Revision ID: 0004
Revises: 0003
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None

JOBS = Path(__file__).with_suffix('.sql')
NO_JOBS = """
do $$
declare thing text;
begin
  for thing in select oid::regprocedure::text from pg_proc
    where pronamespace = 'public'::regnamespace and starts_with(proname, 'procrastinate_')
  loop
    execute 'drop function ' || thing || ' cascade';
  end loop;
end;
$$
"""


def upgrade() -> None:
    op.execute(JOBS.read_text())
    op.add_column('mails', sa.Column('notice', postgresql.JSONB(astext_type=sa.Text()), nullable=False))
    op.add_column('mails', sa.Column('unanswered', sa.Integer(), server_default='0', nullable=False))
    op.add_column('mails', sa.Column('tried_at', sa.DateTime(timezone=True), nullable=True))
    for column in ('subject', 'text', 'html'):
        op.alter_column('mails', column, server_default='')
    op.create_check_constraint(op.f('ck_mails_tries'), 'mails', "unanswered >= 0 and tries >= unanswered")


def downgrade() -> None:
    op.drop_constraint(op.f('ck_mails_tries'), 'mails', type_='check')
    for column in ('subject', 'text', 'html'):
        op.alter_column('mails', column, server_default=None)
    for column in ('tried_at', 'unanswered', 'notice'):
        op.drop_column('mails', column)
    op.execute(NO_JOBS)
    for table in ('events', 'periodic_defers', 'jobs', 'workers'):
        op.execute(f'drop table procrastinate_{table}')
    for kind in ('job_to_defer_v1', 'job_event_type', 'job_status'):
        op.execute(f'drop type procrastinate_{kind}')
