"""credit notes: their lines, numbers and documents; refunds of a part

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None

OPEN = "status in ('open', 'paid')"
TABLES = (
    'credit_note_counters', 'credit_notes', 'credit_note_lines', 'credit_note_documents',
)


def upgrade() -> None:
    op.create_table('credit_note_counters',
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('last_number', sa.BigInteger(), nullable=False),
    sa.CheckConstraint('last_number >= 0', name=op.f('ck_credit_note_counters_last_number')),
    sa.ForeignKeyConstraint(['environment_id'], ['environments.id'], name=op.f('fk_credit_note_counters_environment_id')),
    sa.PrimaryKeyConstraint('environment_id', name=op.f('pk_credit_note_counters'))
    )
    op.create_table('credit_notes',
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('invoice_id', sa.BigInteger(), nullable=False),
    sa.Column('number', sa.BigInteger(), nullable=False),
    sa.Column('key', sa.String(length=255), nullable=False),
    sa.Column('cause', sa.String(length=40), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('currency', sa.String(length=3), nullable=False),
    sa.Column('total_minor', sa.BigInteger(), nullable=False),
    sa.Column('tax_minor', sa.BigInteger(), nullable=False),
    sa.Column('off_invoice_minor', sa.BigInteger(), nullable=False),
    sa.Column('card_minor', sa.BigInteger(), nullable=False),
    sa.Column('balance_minor', sa.BigInteger(), nullable=False),
    sa.Column('carried_out_minor', sa.BigInteger(), nullable=False),
    sa.Column('card_brand', sa.String(length=40), nullable=False),
    sa.Column('card_last4', sa.String(length=40), nullable=False),
    sa.Column('issued_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("cause in ('corrected', 'ended', 'at_processor', 'withdrawn', 'not_begun')", name=op.f('ck_credit_notes_cause')),
    sa.CheckConstraint('off_invoice_minor + card_minor + balance_minor = total_minor', name=op.f('ck_credit_notes_whole')),
    sa.CheckConstraint('off_invoice_minor >= 0 and card_minor >= 0 and balance_minor >= 0 and carried_out_minor >= 0', name=op.f('ck_credit_notes_parts')),
    sa.CheckConstraint('total_minor > 0 and tax_minor between 0 and total_minor', name=op.f('ck_credit_notes_amounts')),
    sa.ForeignKeyConstraint(['environment_id', 'account_id'], ['accounts.environment_id', 'accounts.id'], name=op.f('fk_credit_notes_environment_id_account_id')),
    sa.ForeignKeyConstraint(['environment_id', 'invoice_id'], ['invoices.environment_id', 'invoices.id'], name=op.f('fk_credit_notes_environment_id_invoice_id')),
    sa.PrimaryKeyConstraint('environment_id', 'id', name=op.f('pk_credit_notes')),
    sa.UniqueConstraint('environment_id', 'key', name=op.f('uq_credit_notes_environment_id_key')),
    sa.UniqueConstraint('environment_id', 'number', name=op.f('uq_credit_notes_environment_id_number'))
    )
    op.create_index('ix_credit_notes_account', 'credit_notes', ['environment_id', 'account_id', 'issued_at'])
    op.create_index('ix_credit_notes_invoice', 'credit_notes', ['environment_id', 'invoice_id'])
    op.create_table('credit_note_lines',
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('credit_note_id', sa.BigInteger(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(length=40), nullable=False),
    sa.Column('name', sa.String(length=255), nullable=False),
    sa.Column('quantity', sa.Integer(), nullable=False),
    sa.Column('amount_minor', sa.BigInteger(), nullable=False),
    sa.Column('included', sa.Boolean(), nullable=False),
    sa.Column('period_start_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('period_end_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('working', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('working_text', sa.Text(), nullable=False),
    sa.Column('instance_id', sa.BigInteger(), nullable=True),
    sa.Column('credited_line_id', sa.BigInteger(), nullable=True),
    sa.CheckConstraint("kind in ('credit', 'tax') and amount_minor <= 0", name=op.f('ck_credit_note_lines_kind')),
    sa.CheckConstraint('credited_line_id is not null', name=op.f('ck_credit_note_lines_credits_a_line')),
    sa.ForeignKeyConstraint(['environment_id', 'credit_note_id'], ['credit_notes.environment_id', 'credit_notes.id'], name=op.f('fk_credit_note_lines_environment_id_credit_note_id')),
    sa.ForeignKeyConstraint(['environment_id', 'credited_line_id'], ['invoice_lines.environment_id', 'invoice_lines.id'], name=op.f('fk_credit_note_lines_environment_id_credited_line_id')),
    sa.PrimaryKeyConstraint('environment_id', 'id', name=op.f('pk_credit_note_lines')),
    sa.UniqueConstraint('environment_id', 'credit_note_id', 'position', name=op.f('uq_credit_note_lines_environment_id_credit_note_id_position'))
    )
    op.create_index('ix_credit_note_lines_credited', 'credit_note_lines', ['environment_id', 'credited_line_id'])
    op.create_table('credit_note_documents',
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('credit_note_id', sa.BigInteger(), nullable=False),
    sa.Column('content', sa.LargeBinary(), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('length(sha256) = 64', name=op.f('ck_credit_note_documents_sha256')),
    sa.ForeignKeyConstraint(['environment_id', 'credit_note_id'], ['credit_notes.environment_id', 'credit_notes.id'], name=op.f('fk_credit_note_documents_environment_id_credit_note_id')),
    sa.PrimaryKeyConstraint('environment_id', 'credit_note_id', name=op.f('pk_credit_note_documents'))
    )
    op.execute(
        "REVOKE UPDATE, DELETE ON credit_notes, credit_note_lines, credit_note_documents"
        " FROM portal_app, portal_system"
    )
    for table in TABLES:
        op.enable_scope(table)
    _refunds_of_parts()
    op.add_column(
        'collections', sa.Column('credited_minor', sa.BigInteger(), server_default='0', nullable=False)
    )
    op.create_check_constraint(op.f('ck_collections_credited'), 'collections', 'credited_minor >= 0')
    op.drop_constraint(op.f('ck_collections_status'), 'collections', type_='check')
    op.create_check_constraint(
        op.f('ck_collections_status'), 'collections', "status in ('open', 'paid', 'credited')"
    )


def _refunds_of_parts() -> None:
    op.add_column('refunds', sa.Column('credit_note_id', sa.BigInteger(), nullable=True))
    op.create_foreign_key(
        op.f('fk_refunds_environment_id_credit_note_id'), 'refunds', 'credit_notes',
        ['environment_id', 'credit_note_id'], ['environment_id', 'id'],
    )
    op.drop_constraint(op.f('uq_refunds_environment_id_attempt_id'), 'refunds', type_='unique')
    for column in ('credit_note_id', 'reference'):
        name = op.f(f'uq_refunds_environment_id_{column}')
        op.create_unique_constraint(name, 'refunds', ['environment_id', column])
    op.create_index('ix_refunds_attempt', 'refunds', ['environment_id', 'attempt_id'])


def downgrade() -> None:
    op.drop_constraint(op.f('ck_collections_status'), 'collections', type_='check')
    op.execute("update collections set status = 'paid', paid_at = now() where status = 'credited'")
    op.create_check_constraint(op.f('ck_collections_status'), 'collections', OPEN)
    op.drop_constraint(op.f('ck_collections_credited'), 'collections', type_='check')
    op.drop_column('collections', 'credited_minor')
    op.drop_index('ix_refunds_attempt', table_name='refunds')
    for column in ('reference', 'credit_note_id'):
        op.drop_constraint(op.f(f'uq_refunds_environment_id_{column}'), 'refunds', type_='unique')
    op.execute("delete from refunds where reason in ('credited', 'at_processor')")
    op.create_unique_constraint(
        op.f('uq_refunds_environment_id_attempt_id'), 'refunds', ['environment_id', 'attempt_id']
    )
    op.drop_constraint(
        op.f('fk_refunds_environment_id_credit_note_id'), 'refunds', type_='foreignkey'
    )
    op.drop_column('refunds', 'credit_note_id')
    for table in reversed(TABLES):
        op.disable_scope(table)
        op.drop_table(table)
