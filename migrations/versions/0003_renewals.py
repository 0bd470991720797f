"""renewals: what was billed until when, open invoices, documents, plan changes, mail

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None

# The boundary after now of a series that begins at an anchor, by the wall clock of a zone.
BOUNDARY = (
    "(select min(b) from (select (({anchor} at time zone a.zone) + k * p.billing_period_count *"
    " case p.billing_period when 'DAILY' then interval '1 day' when 'WEEKLY' then interval '7 days'"
    " when 'MONTHLY' then interval '1 month' when 'QUARTERLY' then interval '3 months'"
    " when 'HALF_YEARLY' then interval '6 months' else interval '1 year' end)"
    " at time zone a.zone as b from generate_series(0, 4000) k) series"
    " where b > coalesce(a.test_clock_at, now()))"
)
CHECKS = (  # table, name, before, after
    ('invoices', 'status', "status in ('paid', 'carried')", "status in ('paid', 'carried', 'open')"),
    ('invoices', 'amounts', "charged_minor >= 0 and carried_out_minor >= 0",
     "charged_minor >= 0 and carried_out_minor >= 0 and credited_minor >= 0"),
    ('invoices', 'one_origin', None, "num_nonnulls(purchase_id, subscription_id) = 1"),
    ('invoices', 'due_at', None, "(subscription_id is null) = (due_at is null)"),
    ('quotes', 'due', "charged_minor >= 0 and carried_out_minor >= 0",
     "charged_minor >= 0 and carried_out_minor >= 0 and credited_minor >= 0"),
    ('quotes', 'charged_or_carried', "charged_minor = 0 or carried_out_minor = 0",
     "(charged_minor > 0)::int + (carried_out_minor > 0)::int + (credited_minor > 0)::int <= 1"),
    ('quote_lines', 'kind', "kind in ('charge', 'tax', 'carried', 'balance')",
     "kind in ('charge', 'credit', 'tax', 'carried', 'balance')"),
    ('quote_lines', 'sign', "(kind = 'balance') = (amount_minor < 0)",
     "kind = 'tax' or (kind in ('balance', 'credit')) = (amount_minor < 0)"),
    ('purchases', 'kind', None, "kind in ('add_on', 'quantity', 'plan')"),
    ('purchases', 'instance', None, "(kind = 'plan') = (instance_id is null)"),
    ('payment_attempts', 'one_debt', None, "num_nonnulls(purchase_id, invoice_id) = 1"),
    ('instances', 'quantity', "quantity >= 1", "quantity >= 1 and next_quantity >= 1"),
    ('instances', 'next_quantity', None, "(next_quantity is null) = (next_quantity_at is null)"),
)


def upgrade() -> None:
    op.create_table('plan_changes',
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('subscription_id', sa.BigInteger(), nullable=False),
    sa.Column('plan_id', sa.BigInteger(), nullable=False),
    sa.Column('price_id', sa.BigInteger(), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=False),
    sa.Column('effective_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('moves', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('status', sa.String(length=40), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("status in ('scheduled', 'applied', 'withdrawn')", name=op.f('ck_plan_changes_status')),
    sa.ForeignKeyConstraint(['environment_id', 'account_id'], ['accounts.environment_id', 'accounts.id'], name=op.f('fk_plan_changes_environment_id_account_id')),
    sa.ForeignKeyConstraint(['environment_id', 'person_id'], ['persons.environment_id', 'persons.id'], name=op.f('fk_plan_changes_environment_id_person_id')),
    sa.ForeignKeyConstraint(['environment_id', 'plan_id'], ['plans.environment_id', 'plans.id'], name=op.f('fk_plan_changes_environment_id_plan_id')),
    sa.ForeignKeyConstraint(['environment_id', 'price_id'], ['prices.environment_id', 'prices.id'], name=op.f('fk_plan_changes_environment_id_price_id')),
    sa.ForeignKeyConstraint(['environment_id', 'subscription_id'], ['subscriptions.environment_id', 'subscriptions.id'], name=op.f('fk_plan_changes_environment_id_subscription_id')),
    sa.PrimaryKeyConstraint('environment_id', 'id', name=op.f('pk_plan_changes'))
    )
    op.create_index('uq_plan_changes_scheduled', 'plan_changes', ['environment_id', 'subscription_id'], unique=True, postgresql_where=sa.text("status = 'scheduled'"))
    op.create_table('collections',
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('invoice_id', sa.BigInteger(), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('subscription_id', sa.BigInteger(), nullable=False),
    sa.Column('status', sa.String(length=40), nullable=False),
    sa.Column('failed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('retries', sa.Integer(), server_default='0', nullable=False),
    sa.Column('refused_cards', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False),
    sa.Column('paid_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("(status = 'paid') = (paid_at is not null)", name=op.f('ck_collections_paid_at')),
    sa.CheckConstraint("status in ('open', 'paid')", name=op.f('ck_collections_status')),
    sa.CheckConstraint('retries >= 0', name=op.f('ck_collections_retries')),
    sa.ForeignKeyConstraint(['environment_id', 'account_id'], ['accounts.environment_id', 'accounts.id'], name=op.f('fk_collections_environment_id_account_id')),
    sa.ForeignKeyConstraint(['environment_id', 'invoice_id'], ['invoices.environment_id', 'invoices.id'], name=op.f('fk_collections_environment_id_invoice_id')),
    sa.ForeignKeyConstraint(['environment_id', 'subscription_id'], ['subscriptions.environment_id', 'subscriptions.id'], name=op.f('fk_collections_environment_id_subscription_id')),
    sa.PrimaryKeyConstraint('environment_id', 'invoice_id', name=op.f('pk_collections'))
    )
    op.create_index('ix_collections_open', 'collections', ['environment_id', 'subscription_id'], unique=False, postgresql_where=sa.text("status = 'open'"))
    op.create_table('invoice_documents',
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('invoice_id', sa.BigInteger(), nullable=False),
    sa.Column('content', sa.LargeBinary(), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('length(sha256) = 64', name=op.f('ck_invoice_documents_sha256')),
    sa.ForeignKeyConstraint(['environment_id', 'invoice_id'], ['invoices.environment_id', 'invoices.id'], name=op.f('fk_invoice_documents_environment_id_invoice_id')),
    sa.PrimaryKeyConstraint('environment_id', 'invoice_id', name=op.f('pk_invoice_documents'))
    )
    op.create_table('mails',
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=True),
    sa.Column('invoice_id', sa.BigInteger(), nullable=True),
    sa.Column('kind', sa.String(length=40), nullable=False),
    sa.Column('key', sa.String(length=255), nullable=False),
    sa.Column('recipient', sa.String(length=320), nullable=False),
    sa.Column('locale', sa.String(length=20), nullable=False),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('html', sa.Text(), nullable=False),
    sa.Column('status', sa.String(length=40), nullable=False),
    sa.Column('tries', sa.Integer(), server_default='0', nullable=False),
    sa.Column('failure', sa.Text(), server_default='', nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('sent_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("(status = 'sent') = (sent_at is not null)", name=op.f('ck_mails_sent_at')),
    sa.CheckConstraint("status in ('queued', 'sent', 'failed')", name=op.f('ck_mails_status')),
    sa.ForeignKeyConstraint(['environment_id', 'account_id'], ['accounts.environment_id', 'accounts.id'], name=op.f('fk_mails_environment_id_account_id')),
    sa.ForeignKeyConstraint(['environment_id', 'invoice_id'], ['invoices.environment_id', 'invoices.id'], name=op.f('fk_mails_environment_id_invoice_id')),
    sa.ForeignKeyConstraint(['environment_id'], ['environments.id'], name=op.f('fk_mails_environment_id')),
    sa.PrimaryKeyConstraint('environment_id', 'id', name=op.f('pk_mails')),
    sa.UniqueConstraint('environment_id', 'key', name=op.f('uq_mails_environment_id_key'))
    )
    op.create_index('ix_mails_queued', 'mails', ['environment_id', 'created_at'], unique=False, postgresql_where=sa.text("status = 'queued'"))
    op.add_column('instances', sa.Column('billing_anchor_at', sa.DateTime(timezone=True), nullable=True))
    op.add_column('instances', sa.Column('billed_until_at', sa.DateTime(timezone=True), nullable=True))
    op.add_column('instances', sa.Column('next_quantity', sa.Integer(), nullable=True))
    op.add_column('instances', sa.Column('next_quantity_at', sa.DateTime(timezone=True), nullable=True))
    op.add_column('invoice_lines', sa.Column('instance_id', sa.BigInteger(), nullable=True))
    op.add_column('invoice_lines', sa.Column('credited_line_id', sa.BigInteger(), nullable=True))
    op.add_column('invoices', sa.Column('subscription_id', sa.BigInteger(), nullable=True))
    op.add_column('invoices', sa.Column('due_at', sa.DateTime(timezone=True), nullable=True))
    op.add_column('invoices', sa.Column('credited_minor', sa.BigInteger(), server_default='0', nullable=False))
    op.alter_column('invoices', 'purchase_id',
               existing_type=sa.BIGINT(),
               nullable=True)
    op.create_unique_constraint(op.f('uq_invoices_environment_id_subscription_id_due_at'), 'invoices', ['environment_id', 'subscription_id', 'due_at'])
    op.create_foreign_key(op.f('fk_invoices_environment_id_subscription_id'), 'invoices', 'subscriptions', ['environment_id', 'subscription_id'], ['environment_id', 'id'])
    op.add_column('payment_attempts', sa.Column('invoice_id', sa.BigInteger(), nullable=True))
    op.alter_column('payment_attempts', 'purchase_id',
               existing_type=sa.BIGINT(),
               nullable=True)
    op.create_unique_constraint(op.f('uq_payment_attempts_environment_id_invoice_id_number'), 'payment_attempts', ['environment_id', 'invoice_id', 'number'])
    op.create_foreign_key(op.f('fk_payment_attempts_environment_id_invoice_id'), 'payment_attempts', 'invoices', ['environment_id', 'invoice_id'], ['environment_id', 'id'])
    op.add_column('purchases', sa.Column('kind', sa.String(length=40), server_default='add_on', nullable=False))
    op.alter_column('purchases', 'instance_id',
               existing_type=sa.BIGINT(),
               nullable=True)
    op.add_column('quote_lines', sa.Column('instance_id', sa.BigInteger(), nullable=True))
    op.add_column('quote_lines', sa.Column('credited_line_id', sa.BigInteger(), nullable=True))
    op.add_column('quotes', sa.Column('credited_minor', sa.BigInteger(), server_default='0', nullable=False))
    op.add_column('subscriptions', sa.Column('billed_until_at', sa.DateTime(timezone=True)))
    op.add_column('subscriptions', sa.Column('next_due_at', sa.DateTime(timezone=True)))
    op.add_column('subscriptions', sa.Column('resumed_at', sa.DateTime(timezone=True)))
    op.create_index('ix_subscriptions_due', 'subscriptions', ['environment_id', 'next_due_at'], unique=False, postgresql_where=sa.text('ended_at is null'))
    op.execute(
        f"update subscriptions s set billed_until_at = {BOUNDARY.format(anchor='s.billing_anchor_at')}"
        " from accounts a, prices p where a.environment_id = s.environment_id and a.id = s.account_id"
        " and p.environment_id = s.environment_id and p.id = s.price_id"
    )
    op.execute(
        f"update instances i set billed_until_at = {BOUNDARY.format(anchor='s.billing_anchor_at')}"
        " from subscriptions s, accounts a, prices p where s.environment_id = i.environment_id"
        " and s.id = i.subscription_id and a.environment_id = s.environment_id"
        " and a.id = s.account_id and p.environment_id = i.environment_id and p.id = i.price_id"
        " and p.billing_period is not null"
    )
    op.execute(
        "update subscriptions s set next_due_at = least(s.billed_until_at, (select"
        " min(i.billed_until_at) from instances i where i.environment_id = s.environment_id"
        " and i.subscription_id = s.id))"
    )
    op.alter_column('subscriptions', 'billed_until_at', nullable=False)
    op.alter_column('subscriptions', 'next_due_at', nullable=False)
    for table, name, before, after in CHECKS:
        if before is not None:
            op.drop_constraint(op.f(f'ck_{table}_{name}'), table, type_='check')
        op.create_check_constraint(op.f(f'ck_{table}_{name}'), table, after)
    op.execute("REVOKE UPDATE, DELETE ON invoice_documents FROM portal_app, portal_system")
    op.enable_scope('collections')
    op.enable_scope('invoice_documents')
    op.enable_scope('mails')
    op.enable_scope('plan_changes')


def downgrade() -> None:
    for table, name, before, _ in CHECKS:
        op.drop_constraint(op.f(f'ck_{table}_{name}'), table, type_='check')
        if before is not None:
            op.create_check_constraint(op.f(f'ck_{table}_{name}'), table, before)
    for table in ('mails', 'invoice_documents', 'collections', 'plan_changes'):
        op.disable_scope(table)
        op.drop_table(table)
    op.drop_constraint(
        op.f('uq_payment_attempts_environment_id_invoice_id_number'), 'payment_attempts',
        type_='unique',
    )
    op.drop_constraint(
        op.f('fk_payment_attempts_environment_id_invoice_id'), 'payment_attempts',
        type_='foreignkey',
    )
    op.drop_constraint(
        op.f('uq_invoices_environment_id_subscription_id_due_at'), 'invoices', type_='unique'
    )
    op.drop_constraint(
        op.f('fk_invoices_environment_id_subscription_id'), 'invoices', type_='foreignkey'
    )
    op.drop_index('ix_subscriptions_due', table_name='subscriptions')
    for table, column in (('payment_attempts', 'purchase_id'), ('purchases', 'instance_id'),
                          ('invoices', 'purchase_id')):
        op.alter_column(table, column, nullable=False)
    for table, columns in (
        ('subscriptions', ('resumed_at', 'next_due_at', 'billed_until_at')),
        ('quotes', ('credited_minor',)),
        ('quote_lines', ('credited_line_id', 'instance_id')),
        ('purchases', ('kind',)),
        ('payment_attempts', ('invoice_id',)),
        ('invoices', ('credited_minor', 'due_at', 'subscription_id')),
        ('invoice_lines', ('credited_line_id', 'instance_id')),
        ('instances', ('next_quantity_at', 'next_quantity', 'billed_until_at', 'billing_anchor_at')),
    ):
        for column in columns:
            op.drop_column(table, column)
