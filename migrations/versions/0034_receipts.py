"""Receipts: the PDF of what paid an invoice that was issued open.

Revision ID: 0034
Revises: 0033
"""

import sqlalchemy as sa
from alembic import op

revision = '0034'
down_revision = '0033'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('receipt_documents',
    sa.Column('environment_id', sa.BigInteger(), nullable=False),
    sa.Column('invoice_id', sa.BigInteger(), nullable=False),
    sa.Column('content', sa.LargeBinary(), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('length(sha256) = 64', name=op.f('ck_receipt_documents_sha256')),
    sa.ForeignKeyConstraint(['environment_id', 'invoice_id'], ['collections.environment_id', 'collections.invoice_id'], name=op.f('fk_receipt_documents_environment_id_invoice_id')),
    sa.PrimaryKeyConstraint('environment_id', 'invoice_id', name=op.f('pk_receipt_documents'))
    )
    op.execute("REVOKE UPDATE, DELETE ON receipt_documents FROM portal_app, portal_system")
    op.enable_scope('receipt_documents')


def downgrade() -> None:
    """They are printed again from what paid them, to the same bytes."""
    op.disable_scope('receipt_documents')
    op.drop_table('receipt_documents')
