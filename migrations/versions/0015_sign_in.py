"""What guards sign-ins: counted tries, known devices, second factors, links for new passwords.

Revision ID: 0015
Revises: 0014
"""

import sqlalchemy as sa
from alembic import op

revision = '0015'
down_revision = '0014'
branch_labels = None
depends_on = None

TABLES = ('challenges', 'devices', 'recovery_codes', 'reset_links', 'second_factors', 'try_counts')


def upgrade() -> None:
    op.create_table('try_counts',
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('subject', sa.String(length=64), nullable=False),
    sa.Column('tries', sa.Integer(), nullable=False),
    sa.Column('since_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('paused_until', sa.DateTime(timezone=True), nullable=False),
    sa.Column('forget_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('length(subject) = 64', name=op.f('ck_try_counts_subject')),
    sa.CheckConstraint('tries >= 0', name=op.f('ck_try_counts_tries')),
    sa.ForeignKeyConstraint(['environment_id'], ['environments.id'], name=op.f('fk_try_counts_environment_id')),
    sa.PrimaryKeyConstraint('environment_id', 'id', name=op.f('pk_try_counts')),
    sa.UniqueConstraint('environment_id', 'subject', name=op.f('uq_try_counts_environment_id_subject'))
    )
    op.create_index('ix_try_counts_forget', 'try_counts', ['environment_id', 'forget_at'], unique=False)
    op.create_table('devices',
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('last_used_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('length(digest) = 64', name=op.f('ck_devices_digest')),
    sa.ForeignKeyConstraint(['environment_id', 'person_id'], ['persons.environment_id', 'persons.id'], name=op.f('fk_devices_environment_id_person_id')),
    sa.PrimaryKeyConstraint('environment_id', 'id', name=op.f('pk_devices')),
    sa.UniqueConstraint('environment_id', 'person_id', 'digest', name=op.f('uq_devices_environment_id_person_id_digest'))
    )
    op.create_table('recovery_codes',
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint('length(digest) = 64', name=op.f('ck_recovery_codes_digest')),
    sa.ForeignKeyConstraint(['environment_id', 'person_id'], ['persons.environment_id', 'persons.id'], name=op.f('fk_recovery_codes_environment_id_person_id')),
    sa.PrimaryKeyConstraint('environment_id', 'id', name=op.f('pk_recovery_codes')),
    sa.UniqueConstraint('environment_id', 'person_id', 'digest', name=op.f('uq_recovery_codes_environment_id_person_id_digest'))
    )
    op.create_table('reset_links',
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint('expires_at > created_at', name=op.f('ck_reset_links_expires_at')),
    sa.CheckConstraint('length(digest) = 64', name=op.f('ck_reset_links_digest')),
    sa.ForeignKeyConstraint(['environment_id', 'person_id'], ['persons.environment_id', 'persons.id'], name=op.f('fk_reset_links_environment_id_person_id')),
    sa.PrimaryKeyConstraint('environment_id', 'id', name=op.f('pk_reset_links')),
    sa.UniqueConstraint('environment_id', 'digest', name=op.f('uq_reset_links_environment_id_digest'))
    )
    op.create_table('second_factors',
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=False),
    sa.Column('encrypted', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('confirmed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('last_step', sa.BigInteger(), server_default='0', nullable=False),
    sa.ForeignKeyConstraint(['environment_id', 'person_id'], ['persons.environment_id', 'persons.id'], name=op.f('fk_second_factors_environment_id_person_id')),
    sa.PrimaryKeyConstraint('environment_id', 'id', name=op.f('pk_second_factors')),
    sa.UniqueConstraint('environment_id', 'person_id', name=op.f('uq_second_factors_environment_id_person_id'))
    )
    op.create_table('challenges',
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=False),
    sa.Column('membership_id', sa.BigInteger(), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint('expires_at > created_at', name=op.f('ck_challenges_expires_at')),
    sa.CheckConstraint('length(digest) = 64', name=op.f('ck_challenges_digest')),
    sa.ForeignKeyConstraint(['environment_id', 'membership_id'], ['memberships.environment_id', 'memberships.id'], name=op.f('fk_challenges_environment_id_membership_id')),
    sa.ForeignKeyConstraint(['environment_id', 'person_id'], ['persons.environment_id', 'persons.id'], name=op.f('fk_challenges_environment_id_person_id')),
    sa.PrimaryKeyConstraint('environment_id', 'id', name=op.f('pk_challenges')),
    sa.UniqueConstraint('environment_id', 'digest', name=op.f('uq_challenges_environment_id_digest'))
    )
    for table in TABLES:
        op.enable_scope(table)


def downgrade() -> None:
    for table in TABLES:
        op.disable_scope(table)
        op.drop_table(table)
