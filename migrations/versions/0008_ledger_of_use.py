"""ledger of use: ids apart from events, where an event was counted, corrections, days

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None

LEVELS = '1970-01-01 00:00:00+00'
# Every event so far moved the counter of the window it happened in. What no lot covered is shared
# out in the order of the events, so that it adds up to the counter's excess.
PLACED = f"""
    with drawn as (
        select e.environment_id, e.id, e.units - coalesce((
            select sum(d.units) from draws d where d.environment_id = e.environment_id
            and d.account_id = e.account_id and d.event_id = e.event_id), 0) as uncovered,
            coalesce((select max(c.window_start_at) from counters c
            where c.environment_id = e.environment_id and c.account_id = e.account_id
            and c.feature_id = e.feature_id and c.window_start_at <= e.occurred_at),
            e.occurred_at) as window_start_at
        from usage_events e),
    summed as (
        select e.environment_id, e.id, d.window_start_at, d.uncovered,
            coalesce(c.excess, 0) - coalesce(sum(d.uncovered) filter (where e.units < 0)
            over same, 0) as excess,
            coalesce(sum(d.uncovered) filter (where e.units >= 0) over (same order by e.occurred_at,
            e.id), 0) - d.uncovered as before
        from usage_events e join drawn d on d.environment_id = e.environment_id and d.id = e.id
        left join counters c on c.environment_id = e.environment_id
        and c.account_id = e.account_id and c.feature_id = e.feature_id
        and c.window_start_at = d.window_start_at
        window same as (partition by e.environment_id, e.account_id, e.feature_id,
        d.window_start_at))
    update usage_events e set window_start_at = s.window_start_at,
        day = (e.occurred_at at time zone a.zone)::date,
        excess = case when s.window_start_at = '{LEVELS}' then 0 when e.units < 0 then s.uncovered
            else greatest(least(s.uncovered, s.excess - s.before), 0) end,
        reason = case when e.units < 0 then 'unknown' else '' end
    from summed s, accounts a where s.environment_id = e.environment_id and s.id = e.id
    and a.environment_id = e.environment_id and a.id = e.account_id
"""
LAST_LEVELS = f"""
    update counters c set level_at = e.occurred_at, used = e.units from (
        select distinct on (environment_id, account_id, feature_id) environment_id, account_id,
        feature_id, occurred_at, units from usage_events where window_start_at = '{LEVELS}'
        order by environment_id, account_id, feature_id, occurred_at desc, received_at desc, id desc
    ) e where e.environment_id = c.environment_id and e.account_id = c.account_id
    and e.feature_id = c.feature_id and c.window_start_at = '{LEVELS}'
"""
DAYS = f"""
    insert into usage_days (environment_id, account_id, feature_id, day, dimension, value, units)
    select e.environment_id, e.account_id, e.feature_id, e.day, part.key, part.value,
    case when bool_and(e.window_start_at = '{LEVELS}') then max(e.units) else sum(e.units) end
    from usage_events e cross join lateral (
        select '' as key, '' as value union all select * from jsonb_each_text(e.dimensions)) part
    group by 1, 2, 3, 4, 5, 6
"""
RENAMED = """
    update usage_events e set event_id = left(e.event_id, 230) || '~' || e.id
    where exists (select 1 from usage_events o where o.environment_id = e.environment_id
    and o.account_id = e.account_id and o.event_id = e.event_id and o.id > e.id)
"""


def upgrade() -> None:
    _ids()
    _events()
    _draws()
    op.alter_column('counters', 'used', type_=sa.Numeric(30, 8))
    op.alter_column('counters', 'excess', type_=sa.Numeric(30, 8))
    op.add_column('counters', sa.Column('level_at', sa.DateTime(timezone=True), nullable=True))
    op.execute(LAST_LEVELS)
    _days()
    for table in ('counters', 'lots', 'usage_days'):
        op.execute(f"ALTER TABLE {table} SET (fillfactor = 50)")


def _ids() -> None:
    op.create_table('usage_ids',
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('event_id', sa.String(length=255), nullable=False),
    sa.Column('received_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['environment_id', 'account_id'], ['accounts.environment_id', 'accounts.id'], name=op.f('fk_usage_ids_environment_id_account_id')),
    sa.PrimaryKeyConstraint('environment_id', 'account_id', 'event_id', name=op.f('pk_usage_ids'))
    )
    op.create_index('ix_usage_ids_received', 'usage_ids', ['environment_id', 'received_at'])
    op.execute(
        "insert into usage_ids (environment_id, account_id, event_id, received_at)"
        " select environment_id, account_id, event_id, received_at from usage_events"
    )
    op.enable_scope('usage_ids')


def _events() -> None:
    op.add_column('usage_events', sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False))
    op.drop_constraint(op.f('pk_usage_events'), 'usage_events', type_='primary')
    op.create_primary_key(op.f('pk_usage_events'), 'usage_events', ['environment_id', 'id'])
    op.add_column('usage_events', sa.Column('excess', sa.Numeric(20, 8), nullable=True))
    op.add_column('usage_events', sa.Column('window_start_at', sa.DateTime(timezone=True), nullable=True))
    op.add_column('usage_events', sa.Column('day', sa.Date(), nullable=True))
    op.add_column('usage_events', sa.Column('late', sa.Boolean(), server_default='false', nullable=False))
    op.add_column('usage_events', sa.Column('reason', sa.String(length=200), server_default='', nullable=False))
    op.execute(PLACED)
    for column in ('excess', 'window_start_at', 'day'):
        op.alter_column('usage_events', column, nullable=False)
    for column in ('late', 'reason'):
        op.alter_column('usage_events', column, server_default=None)
    op.create_check_constraint(op.f('ck_usage_events_reason'), 'usage_events', "units >= 0 or reason <> ''")
    op.create_check_constraint(op.f('ck_usage_events_excess'), 'usage_events', "excess between least(units, 0) and greatest(units, 0)")


def _draws() -> None:
    op.drop_constraint(op.f('ck_draws_units'), 'draws', type_='check')
    op.add_column('draws', sa.Column('usage_event_id', sa.BigInteger(), nullable=True))
    op.execute(
        "update draws d set usage_event_id = e.id from usage_events e"
        " where e.environment_id = d.environment_id and e.account_id = d.account_id"
        " and e.event_id = d.event_id"
    )
    op.alter_column('draws', 'usage_event_id', nullable=False)
    op.drop_constraint(op.f('uq_draws_environment_id_account_id_event_id_lot_id'), 'draws', type_='unique')
    op.create_unique_constraint(op.f('uq_draws_environment_id_usage_event_id_lot_id'), 'draws', ['environment_id', 'usage_event_id', 'lot_id'])
    op.drop_column('draws', 'event_id')
    op.create_check_constraint(op.f('ck_draws_units'), 'draws', 'units <> 0')


def _days() -> None:
    op.create_table('usage_days',
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('feature_id', sa.BigInteger(), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('dimension', sa.String(length=40), nullable=False),
    sa.Column('value', sa.String(length=100), nullable=False),
    sa.Column('units', sa.Numeric(30, 8), nullable=False),
    sa.CheckConstraint('units >= 0', name=op.f('ck_usage_days_units')),
    sa.ForeignKeyConstraint(['environment_id', 'account_id'], ['accounts.environment_id', 'accounts.id'], name=op.f('fk_usage_days_environment_id_account_id')),
    sa.ForeignKeyConstraint(['environment_id', 'feature_id'], ['features.environment_id', 'features.id'], name=op.f('fk_usage_days_environment_id_feature_id')),
    sa.PrimaryKeyConstraint('environment_id', 'account_id', 'feature_id', 'day', 'dimension', 'value', name=op.f('pk_usage_days'))
    )
    op.execute(DAYS)
    op.enable_scope('usage_days')


def downgrade() -> None:
    """What was given back stays in `draws`, below zero; new rows may not be."""
    for table in ('counters', 'lots'):
        op.execute(f"ALTER TABLE {table} RESET (fillfactor)")
    op.disable_scope('usage_days')
    op.drop_table('usage_days')
    op.drop_column('counters', 'level_at')
    for column in ('excess', 'used'):
        op.alter_column('counters', column, type_=sa.Numeric(20, 8))
    op.execute(RENAMED)
    op.add_column('draws', sa.Column('event_id', sa.String(length=255), nullable=True))
    op.execute(
        "update draws d set event_id = e.event_id from usage_events e"
        " where e.environment_id = d.environment_id and e.id = d.usage_event_id"
    )
    op.alter_column('draws', 'event_id', nullable=False)
    op.drop_constraint(op.f('uq_draws_environment_id_usage_event_id_lot_id'), 'draws', type_='unique')
    op.create_unique_constraint(op.f('uq_draws_environment_id_account_id_event_id_lot_id'), 'draws', ['environment_id', 'account_id', 'event_id', 'lot_id'])
    op.drop_column('draws', 'usage_event_id')
    op.drop_constraint(op.f('ck_draws_units'), 'draws', type_='check')
    op.create_check_constraint(op.f('ck_draws_units'), 'draws', 'units > 0', postgresql_not_valid=True)
    for name in ('excess', 'reason'):
        op.drop_constraint(op.f(f'ck_usage_events_{name}'), 'usage_events', type_='check')
    op.drop_constraint(op.f('pk_usage_events'), 'usage_events', type_='primary')
    op.create_primary_key(op.f('pk_usage_events'), 'usage_events', ['environment_id', 'account_id', 'event_id'])
    for column in ('reason', 'late', 'day', 'window_start_at', 'excess', 'id'):
        op.drop_column('usage_events', column)
    op.disable_scope('usage_ids')
    op.drop_table('usage_ids')
