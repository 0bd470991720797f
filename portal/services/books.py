"""Posting money to the ledger, inside the transaction that moves it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.orm import Session

from portal.domain.ledger import Transfer
from portal.models.ledger import TransferRow


def post(
    session: Session,
    environment_id: int,
    account_id: int,
    transfers: Iterable[Transfer],
    at: datetime,
) -> None:
    """Add the transfers; commit is the caller's. A key that was posted before is refused."""
    session.add_all(
        TransferRow(
            environment_id=environment_id,
            account_id=account_id,
            debit=transfer.debit,
            credit=transfer.credit,
            amount_minor=transfer.amount.minor,
            currency=transfer.amount.currency,
            code=transfer.code,
            key=transfer.key,
            at=at,
        )
        for transfer in transfers
    )
