"""auto-recharge: policies, consents, decisions; what a month may cost and has cost

Revision ID: 0013
Revises: 0012
"""

import sqlalchemy as sa
from alembic import op

revision = '0013'
down_revision = '0012'
branch_labels = None
depends_on = None

TABLES = ('recharge_policies', 'recharge_consents', 'recharge_decisions', 'spend_months', 'spend_ceilings')


def upgrade() -> None:
    _policies()
    _of_purchases()
    _consents()
    _decisions()
    _spending()
    op.execute(
        "REVOKE UPDATE, DELETE ON recharge_consents, recharge_decisions"
        " FROM portal_app, portal_system"
    )
    for table in TABLES:
        op.enable_scope(table)


def _policies() -> None:
    op.create_table('recharge_policies',
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('feature_id', sa.BigInteger(), nullable=False),
    sa.Column('add_on_id', sa.BigInteger(), nullable=False),
    sa.Column('status', sa.String(length=40), nullable=False),
    sa.Column('pause_cause', sa.String(length=40), server_default='', nullable=False),
    sa.Column('threshold', sa.BigInteger(), nullable=False),
    sa.Column('cap_minor', sa.BigInteger(), nullable=False),
    sa.Column('currency', sa.String(length=3), nullable=False),
    sa.Column('cooldown_s', sa.Integer(), nullable=False),
    sa.Column('rounds', sa.Integer(), server_default='0', nullable=False),
    sa.Column('tried_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('look_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('look_for', sa.String(length=40), server_default='', nullable=False),
    sa.Column('refused_card_id', sa.BigInteger(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("status in ('on', 'paused', 'off')", name=op.f('ck_recharge_policies_status')),
    sa.CheckConstraint("(status = 'paused') = (pause_cause <> '')", name=op.f('ck_recharge_policies_pause_cause')),
    sa.CheckConstraint('threshold > 0 and cap_minor > 0 and cooldown_s >= 0', name=op.f('ck_recharge_policies_figures')),
    sa.CheckConstraint("(look_at is null) = (look_for = '')", name=op.f('ck_recharge_policies_look_for')),
    sa.ForeignKeyConstraint(['environment_id', 'account_id'], ['accounts.environment_id', 'accounts.id'], name=op.f('fk_recharge_policies_environment_id_account_id')),
    sa.ForeignKeyConstraint(['environment_id', 'feature_id'], ['features.environment_id', 'features.id'], name=op.f('fk_recharge_policies_environment_id_feature_id')),
    sa.ForeignKeyConstraint(['environment_id', 'add_on_id'], ['add_ons.environment_id', 'add_ons.id'], name=op.f('fk_recharge_policies_environment_id_add_on_id')),
    sa.ForeignKeyConstraint(['environment_id', 'refused_card_id'], ['payment_methods.environment_id', 'payment_methods.id'], name=op.f('fk_recharge_policies_environment_id_refused_card_id')),
    sa.PrimaryKeyConstraint('environment_id', 'id', name=op.f('pk_recharge_policies')),
    sa.UniqueConstraint('environment_id', 'account_id', 'feature_id', name=op.f('uq_recharge_policies_environment_id_account_id_feature_id'))
    )
    op.create_index('ix_recharge_policies_due', 'recharge_policies', ['environment_id', 'look_at'], postgresql_where=sa.text("status = 'on' and look_at is not null"))


def _of_purchases() -> None:
    op.add_column('purchases', sa.Column('policy_id', sa.BigInteger(), nullable=True))
    op.add_column('purchases', sa.Column('spend_minor', sa.BigInteger(), server_default='0', nullable=False))
    op.add_column('purchases', sa.Column('spend_month', sa.Date(), nullable=True))
    op.create_check_constraint(op.f('ck_purchases_spend'), 'purchases', 'spend_minor >= 0')
    op.create_foreign_key(
        op.f('fk_purchases_environment_id_policy_id'), 'purchases', 'recharge_policies',
        ['environment_id', 'policy_id'], ['environment_id', 'id'],
    )
    op.create_index('uq_purchases_in_flight', 'purchases', ['environment_id', 'policy_id'], unique=True, postgresql_where=sa.text("status = 'reserved' and policy_id is not null"))


def _consents() -> None:
    op.create_table('recharge_consents',
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('policy_id', sa.BigInteger(), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=False),
    sa.Column('text_version', sa.String(length=20), nullable=False),
    sa.Column('locale', sa.String(length=20), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('add_on_id', sa.BigInteger(), nullable=False),
    sa.Column('threshold', sa.BigInteger(), nullable=False),
    sa.Column('amount_minor', sa.BigInteger(), nullable=False),
    sa.Column('cap_minor', sa.BigInteger(), nullable=False),
    sa.Column('currency', sa.String(length=3), nullable=False),
    sa.Column('cooldown_s', sa.Integer(), nullable=False),
    sa.Column('consented_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['environment_id', 'person_id'], ['persons.environment_id', 'persons.id'], name=op.f('fk_recharge_consents_environment_id_person_id')),
    sa.ForeignKeyConstraint(['environment_id', 'policy_id'], ['recharge_policies.environment_id', 'recharge_policies.id'], name=op.f('fk_recharge_consents_environment_id_policy_id')),
    sa.PrimaryKeyConstraint('environment_id', 'id', name=op.f('pk_recharge_consents'))
    )
    op.create_index('ix_recharge_consents_policy', 'recharge_consents', ['environment_id', 'policy_id'])


def _decisions() -> None:
    op.create_table('recharge_decisions',
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('policy_id', sa.BigInteger(), nullable=False),
    sa.Column('cause', sa.String(length=40), nullable=False),
    sa.Column('trigger', sa.String(length=40), nullable=False),
    sa.Column('remaining', sa.Numeric(30, 8), nullable=True),
    sa.Column('threshold', sa.BigInteger(), nullable=False),
    sa.Column('add_on_id', sa.BigInteger(), nullable=True),
    sa.Column('amount_minor', sa.BigInteger(), nullable=True),
    sa.Column('currency', sa.String(length=3), nullable=False),
    sa.Column('clears', sa.Boolean(), nullable=False),
    sa.Column('reason', sa.String(length=40), nullable=False),
    sa.Column('until_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('purchase_id', sa.BigInteger(), nullable=True),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("cause <> 'bought' or purchase_id is not null", name=op.f('ck_recharge_decisions_bought')),
    sa.ForeignKeyConstraint(['environment_id', 'account_id'], ['accounts.environment_id', 'accounts.id'], name=op.f('fk_recharge_decisions_environment_id_account_id')),
    sa.ForeignKeyConstraint(['environment_id', 'add_on_id'], ['add_ons.environment_id', 'add_ons.id'], name=op.f('fk_recharge_decisions_environment_id_add_on_id')),
    sa.ForeignKeyConstraint(['environment_id', 'policy_id'], ['recharge_policies.environment_id', 'recharge_policies.id'], name=op.f('fk_recharge_decisions_environment_id_policy_id')),
    sa.ForeignKeyConstraint(['environment_id', 'purchase_id'], ['purchases.environment_id', 'purchases.id'], name=op.f('fk_recharge_decisions_environment_id_purchase_id')),
    sa.PrimaryKeyConstraint('environment_id', 'id', name=op.f('pk_recharge_decisions')),
    sa.UniqueConstraint('environment_id', 'purchase_id', 'cause', name=op.f('uq_recharge_decisions_environment_id_purchase_id_cause'))
    )
    op.create_index('ix_recharge_decisions_account', 'recharge_decisions', ['environment_id', 'account_id', 'id'])
    op.create_index('ix_recharge_decisions_policy', 'recharge_decisions', ['environment_id', 'policy_id', 'id'])


def _spending() -> None:
    op.create_table('spend_months',
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('policy_id', sa.BigInteger(), nullable=False),
    sa.Column('month', sa.Date(), nullable=False),
    sa.Column('currency', sa.String(length=3), nullable=False),
    sa.Column('reserved_minor', sa.BigInteger(), nullable=False),
    sa.Column('spent_minor', sa.BigInteger(), nullable=False),
    sa.CheckConstraint('reserved_minor >= 0 and spent_minor >= 0', name=op.f('ck_spend_months_sums')),
    sa.CheckConstraint('extract(day from month) = 1', name=op.f('ck_spend_months_month')),
    sa.ForeignKeyConstraint(['environment_id', 'account_id'], ['accounts.environment_id', 'accounts.id'], name=op.f('fk_spend_months_environment_id_account_id')),
    sa.PrimaryKeyConstraint('environment_id', 'account_id', 'policy_id', 'month', name=op.f('pk_spend_months'))
    )
    op.create_table('spend_ceilings',
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('mode', sa.String(length=40), nullable=False),
    sa.Column('amount_minor', sa.BigInteger(), nullable=False),
    sa.Column('currency', sa.String(length=3), nullable=False),
    sa.Column('set_by', sa.BigInteger(), nullable=False),
    sa.Column('set_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("mode in ('off', 'warn', 'stop')", name=op.f('ck_spend_ceilings_mode')),
    sa.CheckConstraint('amount_minor >= 0', name=op.f('ck_spend_ceilings_amount')),
    sa.ForeignKeyConstraint(['environment_id', 'account_id'], ['accounts.environment_id', 'accounts.id'], name=op.f('fk_spend_ceilings_environment_id_account_id')),
    sa.ForeignKeyConstraint(['environment_id', 'set_by'], ['persons.environment_id', 'persons.id'], name=op.f('fk_spend_ceilings_environment_id_set_by')),
    sa.PrimaryKeyConstraint('environment_id', 'account_id', name=op.f('pk_spend_ceilings'))
    )


def downgrade() -> None:
    """What was bought stays bought; that it was bought by itself is forgotten."""
    for table in TABLES:
        op.disable_scope(table)
    for table in ('spend_ceilings', 'spend_months', 'recharge_decisions', 'recharge_consents'):
        op.drop_table(table)
    op.drop_index('uq_purchases_in_flight', table_name='purchases')
    op.drop_constraint(op.f('fk_purchases_environment_id_policy_id'), 'purchases', type_='foreignkey')
    op.drop_constraint(op.f('ck_purchases_spend'), 'purchases', type_='check')
    for column in ('spend_month', 'spend_minor', 'policy_id'):
        op.drop_column('purchases', column)
    op.drop_table('recharge_policies')
