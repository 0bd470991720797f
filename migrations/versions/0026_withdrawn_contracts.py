"""Credit notes may follow from a contract that a consumer withdrew from.

Revision ID: 0026
Revises: 0025
"""

from alembic import op

revision = '0026'
down_revision = '0025'
branch_labels = None
depends_on = None

CAUSES = "cause in ('corrected', 'ended', 'at_processor', 'withdrawn', 'not_begun'{more})"


def upgrade() -> None:
    _allow(CAUSES.format(more=", 'contract_withdrawn'"))


def downgrade() -> None:
    """What consumers withdrew from was ended before its time."""
    op.execute("update credit_notes set cause = 'ended' where cause = 'contract_withdrawn'")
    _allow(CAUSES.format(more=''))


def _allow(causes: str) -> None:
    op.drop_constraint('ck_credit_notes_cause', 'credit_notes')
    op.create_check_constraint(op.f('ck_credit_notes_cause'), 'credit_notes', causes)
