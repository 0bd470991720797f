"""where an account lives and whether it is a consumer; what members agreed to

Revision ID: 0023
Revises: 0022
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0023'
down_revision = '0022'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('accounts', sa.Column('country', sa.String(length=2), server_default='', nullable=False))
    op.add_column('accounts', sa.Column('customer_type', sa.String(length=40), server_default='business', nullable=False))
    op.create_check_constraint(op.f('ck_accounts_country'), 'accounts', "country ~ '^([A-Z]{2})?$'")
    op.create_check_constraint(op.f('ck_accounts_customer_type'), 'accounts', "customer_type in ('business', 'consumer')")
    op.create_table('consents',
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=False),
    sa.Column('subject', sa.String(length=40), nullable=False),
    sa.Column('profile', sa.String(length=40), nullable=False),
    sa.Column('text_version', sa.String(length=20), nullable=False),
    sa.Column('locale', sa.String(length=20), nullable=False),
    sa.Column('button', sa.Text(), nullable=False),
    sa.Column('button_locale', sa.String(length=20), nullable=False),
    sa.Column('statements', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('request', sa.Text(), nullable=False),
    sa.Column('address', sa.String(length=45), nullable=False),
    sa.Column('agreed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.CheckConstraint('length(digest) = 64', name=op.f('ck_consents_digest')),
    sa.CheckConstraint("button <> ''", name=op.f('ck_consents_button')),
    sa.ForeignKeyConstraint(['environment_id', 'account_id'], ['accounts.environment_id', 'accounts.id'], name=op.f('fk_consents_environment_id_account_id')),
    sa.ForeignKeyConstraint(['environment_id', 'person_id'], ['persons.environment_id', 'persons.id'], name=op.f('fk_consents_environment_id_person_id')),
    sa.PrimaryKeyConstraint('environment_id', 'id', name=op.f('pk_consents'))
    )
    op.create_index('ix_consents_subject', 'consents', ['environment_id', 'account_id', 'subject'])
    op.execute("REVOKE UPDATE, DELETE ON consents FROM portal_app, portal_system")
    op.enable_scope('consents')


def downgrade() -> None:
    """What was agreed to is forgotten; what was bought stays bought."""
    op.disable_scope('consents')
    op.drop_table('consents')
    op.drop_constraint(op.f('ck_accounts_customer_type'), 'accounts', type_='check')
    op.drop_constraint(op.f('ck_accounts_country'), 'accounts', type_='check')
    op.drop_column('accounts', 'customer_type')
    op.drop_column('accounts', 'country')
