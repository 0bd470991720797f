"""Use beyond the allowance on its way to an invoice: billed, set apart at its price, or waived."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.arrears import Arrear, Excess
from portal.domain.periods import WallNow
from portal.models.accounts import AccountRow
from portal.models.invoices import InvoiceRow
from portal.models.subscriptions import SubscriptionRow
from portal.models.usage import ArrearRow, CounterRow
from portal.queries.accounts import account_state
from portal.queries.billing import billing_state
from portal.queries.by_the_clock import use_turns
from portal.services.till import Till


def hold_use(session: Session, row: SubscriptionRow) -> None:
    """Let no report be counted until this transaction ends: what is read now is what is billed.

    The subscription's row is locked already, the account's lots are not written yet.
    """
    mine = (AccountRow.environment_id == row.environment_id, AccountRow.id == row.account_id)
    session.execute(select(AccountRow.id).where(*mine).with_for_update(key_share=True))


def bill_use(
    till: Till, row: SubscriptionRow, invoice: InvoiceRow, arrears: Iterable[Arrear]
) -> None:
    """Note that these are on the invoice; commit is the caller's, who holds use."""
    for arrear in arrears:
        for part in arrear.parts:
            if part.id is None:
                _settle(till.session, row, part, arrear, invoice.issued_at, invoice.id)
            else:
                waits = (ArrearRow.environment_id == row.environment_id, ArrearRow.id == part.id)
                billed = update(ArrearRow).where(*waits).values(invoice_id=invoice.id)
                till.session.execute(billed)


def set_apart(
    session: Session, scope: Scope, row: SubscriptionRow, at: datetime, wall: WallNow
) -> None:
    """Fix what was used beyond the allowance, before another price holds from `at` on: with a
    change of plan, the end of a trial, the start or the end of an add-on.

    It is billed when it would have been, at the price that holds until then; where there is none
    it never is. Commit is the caller's, who has the subscription's lock.
    """
    hold_use(session, row)
    state = account_state(session, scope, row.account_id, wall, over=True)
    priced = {part: each for each in billing_state(state).arrears for part in each.parts}
    for excess in state.beyond:
        if excess.id is None and excess.window_start_at < at:
            _settle(session, row, excess, priced.get(excess), at)
    row.use_apart_until_at = max(row.use_apart_until_at or at, at)
    session.flush()


def waive_use(
    session: Session, scope: Scope, row: SubscriptionRow, at: datetime, wall: WallNow
) -> None:
    """Let nobody ever be billed for what was used beyond the allowance and is not billed yet, when
    a consumer withdraws from the plan; commit is the caller's, who holds use. Source: ADR 0029.
    """
    for excess in account_state(session, scope, row.account_id, wall, over=True).beyond:
        if excess.id is None:
            _settle(session, row, excess, None, at)


def turn_use(session: Session, scope: Scope, account_id: int, wall: WallNow) -> None:
    """Set apart what was used before an add-on began or ended to charge for it; commit.

    Where no worker has come by yet, the first report afterwards does it: late is as on time.
    """
    row = session.scalar(
        select(SubscriptionRow)
        .where(
            SubscriptionRow.environment_id == scope.environment_id,
            SubscriptionRow.account_id == account_id,
            SubscriptionRow.ended_at.is_(None),
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    state = account_state(session, scope, account_id, wall)
    if row is not None and use_turns(state):
        set_apart(session, scope, row, state.now, wall)
    session.commit()


def _settle(
    session: Session,
    row: SubscriptionRow,
    excess: Excess,
    arrear: Arrear | None,
    at: datetime,
    invoice_id: int | None = None,
) -> None:
    """arrear: what it is a part of; None where nothing is charged for it."""
    session.add(
        ArrearRow(
            environment_id=row.environment_id,
            account_id=row.account_id,
            subscription_id=row.id,
            feature_id=excess.feature.id,
            window_start_at=excess.window_start_at,
            units=excess.units,
            price_id=arrear.price.id if arrear else None,
            due_at=arrear.due_at if arrear else at,
            invoice_id=invoice_id,
            settled_at=at,
        )
    )
    key = (row.environment_id, row.account_id, excess.feature.id, excess.window_start_at)
    session.get_one(CounterRow, key).settled += excess.units
