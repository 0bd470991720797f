"""Support proposes an add-on; members decline it, or buy it as they buy anything."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from portal.domain.access import Actor, Permission
from portal.domain.eligibility import Refusal
from portal.domain.errors import Conflict, NotFound
from portal.domain.events import EventName
from portal.domain.periods import WallNow
from portal.domain.proposals import LIFE, Proposed
from portal.domain.quotes import Request
from portal.models.accounts import AccountRow
from portal.models.proposals import ProposalRow
from portal.models.purchases import PurchaseRow
from portal.queries.accounts import AccountState, account_state
from portal.queries.addons import Card, card_for_host
from portal.queries.proposals import open_proposals
from portal.queries.staff import StaffMember
from portal.services.mailing import post
from portal.services.recording import record
from portal.services.staff import staff_doer_about
from portal.services.till import Till, doer_of


@dataclass(frozen=True, slots=True)
class Made:
    proposal_id: int


@dataclass(frozen=True, slots=True)
class NotProposed:
    """The account cannot buy that now. most: how many it could. is_open: it is proposed already."""

    refusal: Refusal | None = None
    most: int | None = None
    is_open: bool = False


def propose(
    session: Session, by: StaffMember, account_id: int, wanted: Request, note: str, wall: WallNow
) -> Made | NotProposed:
    """Let the account's members buy this, or decline it, and tell them by mail; commit.

    Raises NotFound for no such account or add-on.
    """
    scope = by.actor.scope
    key = (scope.environment_id, account_id)
    if session.get(AccountRow, key, with_for_update={"key_share": True}) is None:
        raise NotFound(f"account {account_id}")
    state = account_state(session, scope, account_id, wall)
    card = card_for_host(state, wanted.add_on)
    if card is None:
        raise NotFound("add-on")
    if refused := _refused(session, by, state, card, wanted, wall):
        session.rollback()
        return refused
    row = _add(session, by, account_id, card, wanted, note, wall)
    doer, told = staff_doer_about(by.actor, account_id), EventName.PROPOSAL_MADE
    about = {"quantity": row.quantity, "by": by.name}
    record(session, scope, doer, told, f"proposal:{row.id}", state.now, **about)
    post(session, scope, account_id, _notice(row, card, by.name))
    session.commit()
    return Made(row.id)


def withdraw(
    session: Session, by: StaffMember, account_id: int, proposal_id: int, wall: WallNow
) -> None:
    """Take it back, whoever of the staff made it; commit.

    Raises NotFound, also for another account's, and Conflict once it has an end.
    """
    scope = by.actor.scope
    row = _locked(session, scope.environment_id, account_id, proposal_id)
    row.withdrawn_at = wall
    state = account_state(session, scope, account_id, wall)
    doer, told = staff_doer_about(by.actor, account_id), EventName.PROPOSAL_WITHDRAWN
    record(session, scope, doer, told, f"proposal:{row.id}", state.now, by=by.name)
    session.commit()


def decline(session: Session, actor: Actor, proposal_id: int, wall: WallNow) -> None:
    """A member says no; commit. Raises Forbidden, NotFound, and Conflict once it has an end."""
    actor.require(Permission.BILLING_UPDATE)
    row = _locked(session, actor.environment_id, actor.account_id, proposal_id)
    row.declined_at, row.declined_by = wall, actor.person_id
    state = account_state(session, actor.scope, actor.account_id, wall)
    told, doer = EventName.PROPOSAL_DECLINED, doer_of(actor)
    record(session, actor.scope, doer, told, f"proposal:{row.id}", state.now)
    session.commit()


def take_up(till: Till, actor: Actor, wanted: Request, purchase: PurchaseRow) -> None:
    """Remember what a purchase was made of; one that stands no more leaves the purchase as it is.

    Commit is the caller's, who has just reserved the purchase.
    """
    if wanted.proposal_id is None:
        return
    row = till.session.get(
        ProposalRow,
        (till.environment_id, wanted.proposal_id),
        with_for_update=True,
        populate_existing=True,
    )
    mine = row is not None and row.account_id == actor.account_id
    if row is not None and mine and row.withdrawn_at is None and row.declined_at is None:
        row.purchase_id = purchase.id


def _add(
    session: Session,
    by: StaffMember,
    account_id: int,
    card: Card,
    wanted: Request,
    note: str,
    wall: WallNow,
) -> ProposalRow:
    row = ProposalRow(
        environment_id=by.actor.scope.environment_id,
        account_id=account_id,
        staff_id=by.actor.staff_id,
        add_on_id=card.add_on.id,
        quantity=wanted.quantity,
        auto_renew=wanted.auto_renew,
        note=note,
        made_at=wall,
        expires_at=wall + LIFE,
    )
    session.add(row)
    session.flush()
    return row


def _refused(
    session: Session,
    by: StaffMember,
    state: AccountState,
    card: Card,
    wanted: Request,
    wall: WallNow,
) -> NotProposed | None:
    if card.refusal is not None:
        return NotProposed(card.refusal)
    if card.most is not None and wanted.quantity > card.most:
        return NotProposed(most=card.most)
    standing = open_proposals(session, by.actor.scope, state, wall)
    if any(each.add_on.id == card.add_on.id for each in standing):
        return NotProposed(is_open=True)
    return None


def _notice(row: ProposalRow, card: Card, by: str) -> Proposed:
    return Proposed(
        proposal_id=row.id,
        by=by,
        add_on=card.add_on.name,
        lookup_key=card.add_on.lookup_key,
        quantity=row.quantity,
        auto_renew=row.auto_renew,
        note=row.note,
        expires_at=row.expires_at,
    )


def _locked(
    session: Session, environment_id: int, account_id: int, proposal_id: int
) -> ProposalRow:
    """One of the account's that still stands. Raises NotFound, Conflict."""
    key = (environment_id, proposal_id)
    row = session.get(ProposalRow, key, with_for_update=True, populate_existing=True)
    if row is None or row.account_id != account_id:
        raise NotFound(f"proposal {proposal_id}")
    if row.withdrawn_at is not None or row.declined_at is not None:
        raise Conflict("this proposal has been answered")
    if row.purchase_id is not None:
        purchase = session.get_one(PurchaseRow, (row.environment_id, row.purchase_id))
        if purchase.status != "failed":
            raise Conflict("somebody is buying it, or has bought it")
    return row
