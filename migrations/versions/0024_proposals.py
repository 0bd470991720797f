"""What support proposes to an account.

Revision ID: 0024
Revises: 0023
"""

import sqlalchemy as sa
from alembic import op

revision = '0024'
down_revision = '0023'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('proposals',
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('staff_id', sa.BigInteger(), nullable=False),
    sa.Column('add_on_id', sa.BigInteger(), nullable=False),
    sa.Column('quantity', sa.Integer(), nullable=False),
    sa.Column('auto_renew', sa.Boolean(), nullable=False),
    sa.Column('note', sa.String(500), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('withdrawn_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('declined_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('declined_by', sa.BigInteger(), nullable=True),
    sa.Column('purchase_id', sa.BigInteger(), nullable=True),
    sa.CheckConstraint('quantity >= 1', name=op.f('ck_proposals_quantity')),
    sa.CheckConstraint('expires_at > made_at', name=op.f('ck_proposals_expires_at')),
    sa.CheckConstraint('(declined_at is null) = (declined_by is null)', name=op.f('ck_proposals_declined_by')),
    sa.CheckConstraint('withdrawn_at is null or declined_at is null', name=op.f('ck_proposals_one_end')),
    sa.ForeignKeyConstraint(['environment_id', 'account_id'], ['accounts.environment_id', 'accounts.id'], name=op.f('fk_proposals_environment_id_account_id')),
    sa.ForeignKeyConstraint(['environment_id', 'staff_id'], ['staff.environment_id', 'staff.id'], name=op.f('fk_proposals_environment_id_staff_id')),
    sa.ForeignKeyConstraint(['environment_id', 'add_on_id'], ['add_ons.environment_id', 'add_ons.id'], name=op.f('fk_proposals_environment_id_add_on_id')),
    sa.ForeignKeyConstraint(['environment_id', 'declined_by'], ['persons.environment_id', 'persons.id'], name=op.f('fk_proposals_environment_id_declined_by')),
    sa.ForeignKeyConstraint(['environment_id', 'purchase_id'], ['purchases.environment_id', 'purchases.id'], name=op.f('fk_proposals_environment_id_purchase_id')),
    sa.PrimaryKeyConstraint('environment_id', 'id', name=op.f('pk_proposals'))
    )
    op.create_index('ix_proposals_account', 'proposals', ['environment_id', 'account_id'])
    op.enable_scope('proposals')


def downgrade() -> None:
    op.disable_scope('proposals')
    op.drop_table('proposals')
