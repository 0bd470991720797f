"""What support proposed to an account, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.catalog import AddOn
from portal.domain.periods import WallNow
from portal.domain.proposals import ProposalState
from portal.domain.quotes import Request
from portal.models.proposals import ProposalRow
from portal.models.purchases import PurchaseRow
from portal.models.staff import StaffRow
from portal.queries.accounts import AccountState

MOST = 20
_BOUGHT = and_(
    PurchaseRow.environment_id == ProposalRow.environment_id,
    PurchaseRow.id == ProposalRow.purchase_id,
)
_BY = and_(
    StaffRow.environment_id == ProposalRow.environment_id, StaffRow.id == ProposalRow.staff_id
)


@dataclass(frozen=True, slots=True)
class Proposal:
    """by: the name of who made it."""

    id: int
    add_on: AddOn
    quantity: int
    auto_renew: bool
    note: str
    by: str
    made_at: datetime
    expires_at: datetime
    state: ProposalState

    @property
    def request(self) -> Request:
        """What the confirm page is filled in with."""
        return Request(self.add_on.lookup_key, self.quantity, self.auto_renew, proposal_id=self.id)


def proposals_of(
    session: Session, scope: Scope, state: AccountState, wall: WallNow
) -> tuple[Proposal, ...]:
    """The latest ones, newest first."""
    known = {add_on.id: add_on for add_on in state.catalog.add_ons}
    rows = session.execute(
        select(ProposalRow, StaffRow.name, PurchaseRow.status)
        .join(StaffRow, _BY)
        .outerjoin(PurchaseRow, _BOUGHT)
        .where(
            ProposalRow.environment_id == scope.environment_id,
            ProposalRow.account_id == state.account.id,
        )
        .order_by(ProposalRow.id.desc())
        .limit(MOST)
        .execution_options(populate_existing=True)
    )
    return tuple(
        Proposal(
            row.id, known[row.add_on_id], row.quantity, row.auto_renew, row.note, name,
            row.made_at, row.expires_at, _state(row, paid, wall),
        )
        for row, name, paid in rows
        if row.add_on_id in known
    )  # fmt: skip


def open_proposals(
    session: Session, scope: Scope, state: AccountState, wall: WallNow
) -> tuple[Proposal, ...]:
    """Those that wait for an answer, newest first."""
    found = proposals_of(session, scope, state, wall)
    return tuple(each for each in found if each.state is ProposalState.OPEN)


def _state(row: ProposalRow, paid: str | None, wall: WallNow) -> ProposalState:
    """paid: the status of the purchase that a member made of it."""
    if paid == "settled":
        return ProposalState.BOUGHT
    if paid == "reserved":
        return ProposalState.PAYING
    if row.withdrawn_at is not None:
        return ProposalState.WITHDRAWN
    if row.declined_at is not None:
        return ProposalState.DECLINED
    return ProposalState.OPEN if wall < row.expires_at else ProposalState.EXPIRED
