"""activity: from where and for whom events were done; the chains that seal them

Revision ID: 0016
Revises: 0015
"""

import hashlib
import json
from datetime import UTC

import sqlalchemy as sa
from alembic import op

revision = '0016'
down_revision = '0015'
branch_labels = None
depends_on = None

COLUMNS = 'environment_id, id, account_id, person_id, actor, name, subject, detail, at'


def upgrade() -> None:
    op.add_column('events', sa.Column('behalf_of_id', sa.BigInteger(), nullable=True))
    op.add_column('events', sa.Column('address', sa.String(length=45), server_default='', nullable=False))
    op.create_foreign_key(
        op.f('fk_events_environment_id_behalf_of_id'), 'events', 'persons',
        ['environment_id', 'behalf_of_id'], ['environment_id', 'id'],
    )
    op.create_table('event_seals',
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('account_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('position', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('event_id', sa.BigInteger(), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.CheckConstraint('position > 0', name=op.f('ck_event_seals_position')),
    sa.ForeignKeyConstraint(['environment_id', 'event_id'], ['events.environment_id', 'events.id'], name=op.f('fk_event_seals_environment_id_event_id')),
    sa.ForeignKeyConstraint(['environment_id'], ['environments.id'], name=op.f('fk_event_seals_environment_id')),
    sa.PrimaryKeyConstraint('environment_id', 'account_id', 'position', name=op.f('pk_event_seals')),
    sa.UniqueConstraint('environment_id', 'event_id', name=op.f('uq_event_seals_environment_id_event_id'))
    )
    op.create_table('event_chains',
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('account_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('length', sa.BigInteger(), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.CheckConstraint('length >= 0', name=op.f('ck_event_chains_length')),
    sa.ForeignKeyConstraint(['environment_id'], ['environments.id'], name=op.f('fk_event_chains_environment_id')),
    sa.PrimaryKeyConstraint('environment_id', 'account_id', name=op.f('pk_event_chains'))
    )
    _seal_what_is_there()
    op.execute("REVOKE UPDATE, DELETE ON event_seals FROM portal_app, portal_system")
    for table in ('event_seals', 'event_chains'):
        op.enable_scope(table)


def _seal_what_is_there() -> None:
    """Form 1 of the seal, as ADR 0024 has it; this migration keeps it whatever the code becomes."""
    connection, links, heads = op.get_bind(), [], {}
    asked = f'select {COLUMNS} from events order by environment_id, id'
    for row in connection.execute(sa.text(asked)).mappings():
        chain = (row['environment_id'], row['account_id'] or 0)
        length, digest = heads.get(chain, (0, '0' * 64))
        said = {name: value for name, value in row.items() if value not in (None, '', {})}
        said['at'] = row['at'].astimezone(UTC).isoformat(timespec='microseconds')
        form = json.dumps(said, sort_keys=True, separators=(',', ':'))
        digest = hashlib.sha256(f'{digest}\n{length + 1}\n{form}'.encode()).hexdigest()
        heads[chain] = (length + 1, digest)
        links.append((*chain, length + 1, row['id'], digest))
    seals = sa.table('event_seals', *map(sa.column, ('environment_id', 'account_id', 'position', 'event_id', 'digest')))
    chains = sa.table('event_chains', *map(sa.column, ('environment_id', 'account_id', 'length', 'digest')))
    for table, rows in ((seals, links), (chains, [(*chain, *head) for chain, head in heads.items()])):
        if rows:
            connection.execute(table.insert(), [dict(zip(table.c.keys(), row)) for row in rows])


def downgrade() -> None:
    """Events stay; what sealed them, from where and for whom they were done is forgotten."""
    for table in ('event_chains', 'event_seals'):
        op.disable_scope(table)
        op.drop_table(table)
    op.drop_constraint(op.f('fk_events_environment_id_behalf_of_id'), 'events', type_='foreignkey')
    for column in ('address', 'behalf_of_id'):
        op.drop_column('events', column)
