"""Gap-free numbers, a series for each kind of paper and each environment."""

from __future__ import annotations

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.models.credit_notes import CreditNoteCounterRow
from portal.models.invoices import InvoiceCounterRow


def next_number(
    session: Session, scope: Scope, row: type[InvoiceCounterRow | CreditNoteCounterRow]
) -> int:
    """The environment's next number; its row stays locked until commit, so no gaps."""
    counter = insert(row).values(environment_id=scope.environment_id, last_number=1)
    return session.scalars(
        counter.on_conflict_do_update(
            index_elements=["environment_id"], set_={"last_number": row.last_number + 1}
        ).returning(row.last_number)
    ).one()
