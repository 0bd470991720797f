"""Invitations to become a member, which wait for an answer.

Revision ID: 0017
Revises: 0016
"""

import sqlalchemy as sa
from alembic import op

revision = '0017'
down_revision = '0016'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('invitations',
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=False),
    sa.Column('email', sa.String(length=320), nullable=False),
    sa.Column('role', sa.String(length=40), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('sent_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('expires_at > sent_at', name=op.f('ck_invitations_expires_at')),
    sa.CheckConstraint('length(digest) = 64', name=op.f('ck_invitations_digest')),
    sa.CheckConstraint("role in ('owner', 'admin', 'billing', 'member')", name=op.f('ck_invitations_role')),
    sa.ForeignKeyConstraint(['environment_id', 'account_id'], ['accounts.environment_id', 'accounts.id'], name=op.f('fk_invitations_environment_id_account_id')),
    sa.ForeignKeyConstraint(['environment_id', 'person_id'], ['persons.environment_id', 'persons.id'], name=op.f('fk_invitations_environment_id_person_id')),
    sa.PrimaryKeyConstraint('environment_id', 'id', name=op.f('pk_invitations')),
    sa.UniqueConstraint('environment_id', 'digest', name=op.f('uq_invitations_environment_id_digest'))
    )
    op.create_index('uq_invitations_email', 'invitations', ['environment_id', 'account_id', sa.text('lower(email)')], unique=True)
    op.enable_scope('invitations')


def downgrade() -> None:
    op.disable_scope('invitations')
    op.drop_table('invitations')
