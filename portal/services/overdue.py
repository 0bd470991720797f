"""A card that has become the default is charged what is overdue, at once."""

from __future__ import annotations

from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.payments import PaymentGateway
from portal.domain.periods import WallNow
from portal.models.invoices import InvoiceRow
from portal.models.purchases import PaymentAttemptRow
from portal.queries.overdue import untried
from portal.services import charging
from portal.services.alone import alone
from portal.services.attempts import debt_of
from portal.services.demanding import demand_of_new_card
from portal.services.recording import Doer
from portal.services.renewing import DOER
from portal.services.till import Till


def charge_new_cards(
    session: Session, scope: Scope, *, gateway: PaymentGateway, wall: WallNow
) -> int:
    """Charge each overdue invoice that a default card was not tried for, once; how many there were.

    The oldest first, and any number of workers. Paid, what was stopped goes on at once; declined,
    it is a try like any other. Source: product.md §6 (renewal), ADR 0013.
    """
    till = Till(session, gateway, scope, wall, Doer(DOER))
    found = untried(session, scope)
    for invoice_id in found:
        with alone(session, "overdue_not_charged", invoice_id=invoice_id):
            _charge(till, invoice_id)
    return len(found)


def _charge(till: Till, invoice_id: int) -> None:
    """Whatever else may pay it is called off first."""
    invoice = till.session.get_one(InvoiceRow, (till.environment_id, invoice_id))
    till = till.about(invoice.account_id)
    if not charging.close(till, debt_of(invoice)):
        return
    started = demand_of_new_card(till, invoice_id)
    till.session.commit()
    if started is not None:
        key = (till.environment_id, started.attempt_id)
        attempt = till.session.get_one(PaymentAttemptRow, key, populate_existing=True)
        charging.ask(till, attempt)
