"""Where the host is told of events, and the messages on their way there."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('webhook_endpoints',
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('url', sa.Text(), nullable=False),
    sa.Column('types', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('generation', sa.Integer(), nullable=False),
    sa.Column('overlap_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('paused_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('removed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('generation >= 1', name=op.f('ck_webhook_endpoints_generation')),
    sa.ForeignKeyConstraint(['environment_id'], ['environments.id'], name=op.f('fk_webhook_endpoints_environment_id')),
    sa.PrimaryKeyConstraint('environment_id', 'id', name=op.f('pk_webhook_endpoints'))
    )
    op.create_table('webhook_messages',
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('endpoint_id', sa.BigInteger(), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('message_key', sa.String(length=40), nullable=False),
    sa.Column('type', sa.String(length=255), nullable=False),
    sa.Column('subject', sa.String(length=255), nullable=False),
    sa.Column('detail', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('status', sa.String(length=40), nullable=False),
    sa.Column('tries', sa.Integer(), nullable=False),
    sa.Column('next_try_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('tried_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('delivered_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('answer_status', sa.Integer(), nullable=True),
    sa.Column('answer', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("(status = 'delivered') = (delivered_at is not null)", name=op.f('ck_webhook_messages_delivered_at')),
    sa.CheckConstraint("status in ('queued', 'delivered', 'failed')", name=op.f('ck_webhook_messages_status')),
    sa.CheckConstraint('tries >= 0', name=op.f('ck_webhook_messages_tries')),
    sa.ForeignKeyConstraint(['environment_id', 'account_id'], ['accounts.environment_id', 'accounts.id'], name=op.f('fk_webhook_messages_environment_id_account_id')),
    sa.ForeignKeyConstraint(['environment_id', 'endpoint_id'], ['webhook_endpoints.environment_id', 'webhook_endpoints.id'], name=op.f('fk_webhook_messages_environment_id_endpoint_id')),
    sa.PrimaryKeyConstraint('environment_id', 'id', name=op.f('pk_webhook_messages')),
    sa.UniqueConstraint('environment_id', 'endpoint_id', 'message_key', name=op.f('uq_webhook_messages_environment_id_endpoint_id_message_key'))
    )
    op.create_index('ix_webhook_messages_queued', 'webhook_messages', ['environment_id', 'next_try_at'], unique=False, postgresql_where=sa.text("status = 'queued'"))
    for table in ('webhook_endpoints', 'webhook_messages'):
        op.enable_scope(table)


def downgrade() -> None:
    for table in ('webhook_messages', 'webhook_endpoints'):
        op.disable_scope(table)
        op.drop_table(table)
