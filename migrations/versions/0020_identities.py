"""Who somebody is at an identity provider, and trips of browsers to one.

Revision ID: 0020
Revises: 0019
"""

import sqlalchemy as sa
from alembic import op

revision = '0020'
down_revision = '0019'
branch_labels = None
depends_on = None

TABLES = ('identities', 'staff_identities', 'provider_trips')


def _linked(name: str, whose: str, table: str) -> None:
    """Identities of members, or of staff."""
    op.create_table(name,
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column(whose, sa.BigInteger(), nullable=False),
    sa.Column('issuer', sa.String(length=255), nullable=False),
    sa.Column('subject', sa.String(length=255), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['environment_id', whose], [f'{table}.environment_id', f'{table}.id'], name=op.f(f'fk_{name}_environment_id_{whose}')),
    sa.PrimaryKeyConstraint('environment_id', 'id', name=op.f(f'pk_{name}')),
    sa.UniqueConstraint('environment_id', 'issuer', 'subject', name=op.f(f'uq_{name}_environment_id_issuer_subject')),
    sa.UniqueConstraint('environment_id', whose, 'issuer', name=op.f(f'uq_{name}_environment_id_{whose}_issuer'))
    )


def upgrade() -> None:
    _linked('identities', 'person_id', 'persons')
    _linked('staff_identities', 'staff_id', 'staff')
    op.create_table('provider_trips',
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('errand', sa.String(length=40), nullable=False),
    sa.Column('person_id', sa.BigInteger(), nullable=True),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("errand in ('member', 'link', 'staff')", name=op.f('ck_provider_trips_errand')),
    sa.CheckConstraint("(errand = 'link') = (person_id is not null)", name=op.f('ck_provider_trips_person')),
    sa.CheckConstraint('length(digest) = 64', name=op.f('ck_provider_trips_digest')),
    sa.CheckConstraint('expires_at > created_at', name=op.f('ck_provider_trips_expires_at')),
    sa.ForeignKeyConstraint(['environment_id'], ['environments.id'], name=op.f('fk_provider_trips_environment_id')),
    sa.ForeignKeyConstraint(['environment_id', 'person_id'], ['persons.environment_id', 'persons.id'], name=op.f('fk_provider_trips_environment_id_person_id')),
    sa.PrimaryKeyConstraint('environment_id', 'id', name=op.f('pk_provider_trips')),
    sa.UniqueConstraint('environment_id', 'digest', name=op.f('uq_provider_trips_environment_id_digest'))
    )
    for table in TABLES:
        op.enable_scope(table)


def downgrade() -> None:
    for table in TABLES:
        op.disable_scope(table)
        op.drop_table(table)
