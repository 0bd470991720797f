"""ways to pay: Checkout attempts, how long a purchase waits, refunds

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None

LEDGER = "'receivable', 'clearing', 'revenue', 'tax', 'balance', 'carried'"
OPEN = "status in ('started', 'open', 'needs_authentication')"


def upgrade() -> None:
    op.create_index(
        'uq_payment_methods_fingerprint', 'payment_methods',
        ['environment_id', 'account_id', 'fingerprint'], unique=True,
        postgresql_where=sa.text("fingerprint <> '' and detached_at is null"),
    )
    op.add_column('purchases', sa.Column('held_until', sa.DateTime(timezone=True), nullable=True))
    op.execute("update purchases set held_until = created_at + interval '35 minutes'")
    op.alter_column('purchases', 'held_until', nullable=False)
    op.add_column(
        'purchases', sa.Column('failure', sa.String(length=40), server_default='', nullable=False)
    )
    op.execute("update purchases set failure = 'declined' where status = 'failed'")
    op.create_check_constraint(
        op.f('ck_purchases_failure'), 'purchases', "(status = 'failed') = (failure <> '')"
    )
    op.add_column('payment_attempts', sa.Column('payment_method_id', sa.BigInteger()))
    op.add_column(
        'payment_attempts',
        sa.Column('kind', sa.String(length=40), server_default='charge', nullable=False),
    )
    op.add_column('payment_attempts', sa.Column('page_ref', sa.String(length=255)))
    op.add_column('payment_attempts', sa.Column('page_url', sa.Text()))
    op.execute(
        "update payment_attempts a set payment_method_id = m.id from payment_methods m"
        " where m.environment_id = a.environment_id"
        " and m.stripe_payment_method_id = a.params ->> 'card_ref'"
    )
    op.create_foreign_key(
        op.f('fk_payment_attempts_environment_id_payment_method_id'), 'payment_attempts',
        'payment_methods', ['environment_id', 'payment_method_id'], ['environment_id', 'id'],
    )
    op.create_unique_constraint(
        op.f('uq_payment_attempts_environment_id_page_ref'), 'payment_attempts',
        ['environment_id', 'page_ref'],
    )
    op.create_index(
        'ix_payment_attempts_open', 'payment_attempts', ['environment_id', 'created_at'],
        postgresql_where=sa.text(OPEN),
    )
    op.create_check_constraint(
        op.f('ck_payment_attempts_kind'), 'payment_attempts', "kind in ('charge', 'checkout')"
    )
    op.drop_constraint(op.f('ck_payment_attempts_status'), 'payment_attempts', type_='check')
    # A card that needed the customer was left for good, with its purchase.
    op.execute("update payment_attempts set status = 'declined' where status = 'needs_authentication'")
    op.create_check_constraint(
        op.f('ck_payment_attempts_status'), 'payment_attempts',
        "status in ('started', 'open', 'needs_authentication', 'succeeded', 'declined',"
        " 'expired', 'cancelled')",
    )
    op.create_table('refunds',
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('attempt_id', sa.BigInteger(), nullable=False),
    sa.Column('idempotency_key', sa.String(length=255), nullable=False),
    sa.Column('payment_ref', sa.String(length=255), nullable=False),
    sa.Column('amount_minor', sa.BigInteger(), nullable=False),
    sa.Column('currency', sa.String(length=3), nullable=False),
    sa.Column('reason', sa.String(length=40), nullable=False),
    sa.Column('status', sa.String(length=40), nullable=False),
    sa.Column('reference', sa.String(length=255), nullable=True),
    sa.Column('failure', sa.Text(), server_default='', nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint('amount_minor > 0', name=op.f('ck_refunds_amount')),
    sa.CheckConstraint("status in ('requested', 'pending', 'succeeded', 'failed')", name=op.f('ck_refunds_status')),
    sa.ForeignKeyConstraint(['environment_id', 'account_id'], ['accounts.environment_id', 'accounts.id'], name=op.f('fk_refunds_environment_id_account_id')),
    sa.ForeignKeyConstraint(['environment_id', 'attempt_id'], ['payment_attempts.environment_id', 'payment_attempts.id'], name=op.f('fk_refunds_environment_id_attempt_id')),
    sa.PrimaryKeyConstraint('environment_id', 'id', name=op.f('pk_refunds')),
    sa.UniqueConstraint('environment_id', 'attempt_id', name=op.f('uq_refunds_environment_id_attempt_id')),
    sa.UniqueConstraint('environment_id', 'idempotency_key', name=op.f('uq_refunds_environment_id_idempotency_key'))
    )
    op.create_index('ix_refunds_account', 'refunds', ['environment_id', 'account_id', 'created_at'])
    op.create_index(
        'ix_refunds_open', 'refunds', ['environment_id', 'created_at'],
        postgresql_where=sa.text("status in ('requested', 'pending')"),
    )
    op.enable_scope('refunds')
    _known_accounts(f"{LEDGER}, 'owed_back'")


def downgrade() -> None:
    _known_accounts(LEDGER)
    op.disable_scope('refunds')
    op.drop_table('refunds')
    op.execute("delete from payment_attempts where kind = 'checkout'")
    op.drop_constraint(op.f('ck_payment_attempts_status'), 'payment_attempts', type_='check')
    op.execute(
        "update payment_attempts set status = 'declined' where status in ('expired', 'cancelled')"
    )
    op.create_check_constraint(
        op.f('ck_payment_attempts_status'), 'payment_attempts',
        "status in ('started', 'succeeded', 'declined', 'needs_authentication', 'unknown')",
    )
    op.drop_constraint(op.f('ck_payment_attempts_kind'), 'payment_attempts', type_='check')
    op.drop_index('ix_payment_attempts_open', table_name='payment_attempts')
    op.drop_constraint(
        op.f('uq_payment_attempts_environment_id_page_ref'), 'payment_attempts', type_='unique'
    )
    op.drop_constraint(
        op.f('fk_payment_attempts_environment_id_payment_method_id'), 'payment_attempts',
        type_='foreignkey',
    )
    for column in ('page_url', 'page_ref', 'kind', 'payment_method_id'):
        op.drop_column('payment_attempts', column)
    op.drop_constraint(op.f('ck_purchases_failure'), 'purchases', type_='check')
    op.drop_column('purchases', 'failure')
    op.drop_column('purchases', 'held_until')
    op.drop_index('uq_payment_methods_fingerprint', table_name='payment_methods')


def _known_accounts(known: str) -> None:
    op.drop_constraint(op.f('ck_transfers_known_accounts'), 'transfers', type_='check')
    op.create_check_constraint(
        op.f('ck_transfers_known_accounts'), 'transfers',
        f"debit in ({known}) and credit in ({known})",
    )
