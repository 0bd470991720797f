"""Cancellations that are declared without signing in, and what becomes of them.

Revision ID: 0029
Revises: 0028
"""

import sqlalchemy as sa
from alembic import op

revision = '0029'
down_revision = '0028'
branch_labels = None
depends_on = None


def _refers(column: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(['environment_id', column], [f'{other}.environment_id', f'{other}.id'], name=op.f(f'fk_declaration_cases_environment_id_{column}'))


def upgrade() -> None:
    op.create_table('declarations',
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('kind', sa.String(length=40), nullable=False),
    sa.Column('reason', sa.String(length=1000), nullable=False),
    sa.Column('name', sa.String(length=255), nullable=False),
    sa.Column('identification', sa.String(length=255), nullable=False),
    sa.Column('contract', sa.String(length=255), nullable=False),
    sa.Column('wanted_on', sa.Date(), nullable=True),
    sa.Column('email', sa.String(length=320), nullable=False),
    sa.Column('text_version', sa.String(length=20), nullable=False),
    sa.Column('locale', sa.String(length=20), nullable=False),
    sa.Column('button', sa.Text(), nullable=False),
    sa.Column('button_locale', sa.String(length=20), nullable=False),
    sa.Column('address', sa.String(length=45), nullable=False),
    sa.Column('received_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('receipt_digest', sa.String(length=64), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.CheckConstraint("kind in ('ordinary', 'for_cause')", name=op.f('ck_declarations_kind')),
    sa.CheckConstraint("kind = 'ordinary' or reason <> ''", name=op.f('ck_declarations_reason')),
    sa.CheckConstraint('length(receipt_digest) = 64', name=op.f('ck_declarations_receipt_digest')),
    sa.CheckConstraint('length(digest) = 64', name=op.f('ck_declarations_digest')),
    sa.ForeignKeyConstraint(['environment_id'], ['environments.id'], name=op.f('fk_declarations_environment_id')),
    sa.PrimaryKeyConstraint('environment_id', 'id', name=op.f('pk_declarations')),
    sa.UniqueConstraint('environment_id', 'receipt_digest', name=op.f('uq_declarations_environment_id_receipt_digest'))
    )
    op.create_table('declaration_cases',
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('declaration_id', sa.BigInteger(), nullable=False),
    sa.Column('matched_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('account_id', sa.BigInteger(), nullable=True),
    sa.Column('answer', sa.String(length=40), nullable=True),
    sa.Column('said', sa.String(length=500), server_default='', nullable=False),
    sa.Column('staff_id', sa.BigInteger(), nullable=True),
    sa.Column('answered_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('subject', sa.String(length=40), nullable=True),
    sa.Column('ended_account_id', sa.BigInteger(), nullable=True),
    sa.Column('ends_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint('account_id is null or matched_at is not null', name=op.f('ck_declaration_cases_matched')),
    sa.CheckConstraint("answer in ('carried_out', 'done', 'not_ours')", name=op.f('ck_declaration_cases_answer')),
    sa.CheckConstraint('num_nulls(answer, staff_id, answered_at) in (0, 3)', name=op.f('ck_declaration_cases_whole')),
    sa.CheckConstraint('num_nulls(subject, ended_account_id, ends_at) in (0, 3)', name=op.f('ck_declaration_cases_ended')),
    sa.CheckConstraint("coalesce(answer = 'carried_out', false) = (subject is not null)", name=op.f('ck_declaration_cases_carried_out')),
    sa.CheckConstraint("coalesce(answer, 'carried_out') = 'carried_out' or said <> ''", name=op.f('ck_declaration_cases_said')),
    _refers('declaration_id', 'declarations'),
    _refers('account_id', 'accounts'),
    _refers('staff_id', 'staff'),
    _refers('ended_account_id', 'accounts'),
    sa.PrimaryKeyConstraint('environment_id', 'id', name=op.f('pk_declaration_cases')),
    sa.UniqueConstraint('environment_id', 'declaration_id', name=op.f('uq_declaration_cases_environment_id_declaration_id'))
    )
    op.create_index('ix_declaration_cases_unmatched', 'declaration_cases', ['environment_id', 'id'], unique=False, postgresql_where=sa.text('matched_at is null'))
    op.create_index('ix_declaration_cases_open', 'declaration_cases', ['environment_id', 'id'], unique=False, postgresql_where=sa.text('answered_at is null'))
    op.execute('REVOKE UPDATE, DELETE ON declarations FROM portal_app, portal_system')
    op.enable_scope('declarations')
    op.enable_scope('declaration_cases')


def downgrade() -> None:
    """What was declared is forgotten; what was ended for it stays so."""
    for table in ('declaration_cases', 'declarations'):
        op.disable_scope(table)
        op.drop_table(table)
