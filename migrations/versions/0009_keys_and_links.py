"""API keys of the host application, and the sign-in links it asks for."""

import sqlalchemy as sa
from alembic import op

revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('api_keys',
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('name', sa.String(length=255), nullable=False),
    sa.Column('prefix', sa.String(length=40), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('access', sa.String(length=40), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('last_used_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("access in ('read', 'write')", name=op.f('ck_api_keys_access')),
    sa.CheckConstraint('length(digest) = 64', name=op.f('ck_api_keys_digest')),
    sa.ForeignKeyConstraint(['environment_id'], ['environments.id'], name=op.f('fk_api_keys_environment_id')),
    sa.PrimaryKeyConstraint('environment_id', 'id', name=op.f('pk_api_keys')),
    sa.UniqueConstraint('environment_id', 'prefix', name=op.f('uq_api_keys_environment_id_prefix'))
    )
    op.create_table('sign_in_links',
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('membership_id', sa.BigInteger(), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('target', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint('expires_at > created_at', name=op.f('ck_sign_in_links_expires_at')),
    sa.CheckConstraint('length(digest) = 64', name=op.f('ck_sign_in_links_digest')),
    sa.ForeignKeyConstraint(['environment_id', 'membership_id'], ['memberships.environment_id', 'memberships.id'], name=op.f('fk_sign_in_links_environment_id_membership_id')),
    sa.PrimaryKeyConstraint('environment_id', 'id', name=op.f('pk_sign_in_links')),
    sa.UniqueConstraint('environment_id', 'digest', name=op.f('uq_sign_in_links_environment_id_digest'))
    )
    for table in ('api_keys', 'sign_in_links'):
        op.enable_scope(table)


def downgrade() -> None:
    for table in ('sign_in_links', 'api_keys'):
        op.disable_scope(table)
        op.drop_table(table)
