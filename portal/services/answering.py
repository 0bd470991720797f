"""Staff answer a declared cancellation: they carry it out, or say why they do not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.declaration_notices import DeclarationAnswered
from portal.domain.declarations import Answer, Declared, ends_too_early
from portal.domain.errors import Conflict, NotFound
from portal.domain.events import EventName
from portal.domain.instances import Phase
from portal.domain.payments import PaymentGateway
from portal.domain.periods import WallNow
from portal.models.declarations import DeclarationCaseRow, DeclarationRow
from portal.queries.accounts import AccountState, account_state
from portal.queries.cancelling import get_ending
from portal.queries.declarations import Fitting, declared_of, fitting_accounts
from portal.queries.staff import StaffMember
from portal.queries.subscriptions import Instance
from portal.services import cancelling, instances
from portal.services.accepting import lock_live
from portal.services.mailing import post_to_address
from portal.services.recording import record
from portal.services.staff import staff_doer, staff_doer_about
from portal.services.till import Till


@dataclass(frozen=True, slots=True)
class Contract:
    """What a declaration may end. instance_id: None for the plan. ends_at: if it is carried out
    now. zone: of the account."""

    account_id: int
    instance_id: int | None
    name: str
    quantity: int
    ends_at: datetime
    zone: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """An account that may be meant, and what of it renews or is being cancelled already."""

    account: Fitting
    contracts: tuple[Contract, ...]


@dataclass(frozen=True, slots=True)
class CarriedOut:
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class TooEarly:
    """Nothing was done: it would end before the day that was asked for."""

    ends_at: datetime


@dataclass(frozen=True, slots=True)
class _Outcome:
    """subject, ended_account_id, ends_at: of what was carried out."""

    answer: Answer
    said: str
    contract: str = ""
    subject: str | None = None
    ended_account_id: int | None = None
    ends_at: datetime | None = None


def candidates(
    session: Session, scope: Scope, declared: Declared, wall: WallNow
) -> tuple[Candidate, ...]:
    """Those that fit both ways first."""
    fitting = fitting_accounts(session, scope, declared.said)
    states = ((each, account_state(session, scope, each.id, wall)) for each in fitting)
    return tuple(Candidate(each, _contracts(state)) for each, state in states)


def carry_out(
    by: StaffMember,
    declaration_id: int,
    account_id: int,
    instance_id: int | None,
    said: str,
    *,
    session: Session,
    gateway: PaymentGateway,
    wall: WallNow,
) -> CarriedOut | TooEarly:
    """Let the plan end with its term, or an add-on with its period, as a member would; commit.

    instance_id: None for the plan. Raises NotFound, also for an account that does not fit, and
    Conflict for what is answered already, or does not renew. Source: ADR 0032.
    """
    scope = by.actor.scope
    case, declared = _locked(session, scope, declaration_id)
    if account_id not in [each.id for each in fitting_accounts(session, scope, declared.said)]:
        raise NotFound(f"account {account_id} for declaration {declaration_id}")
    till = Till(session, gateway, scope, wall, staff_doer_about(by.actor, account_id))
    contract = _contract(till, account_id, instance_id)
    if ends_too_early(declared.said.wanted_on, contract.ends_at, contract.zone):
        session.rollback()
        return TooEarly(contract.ends_at)
    subject, ends_at = _end(till, contract, by, declaration_id)
    outcome = _Outcome(Answer.CARRIED_OUT, said, contract.name, subject, account_id, ends_at)
    _answer(session, by, case, declared, outcome, wall)
    return CarriedOut(ends_at)


def put_aside(
    session: Session, by: StaffMember, declaration_id: int, answer: Answer, said: str, wall: WallNow
) -> None:
    """Say that it is done by other means, or that it is not ours, and why; commit.

    Raises NotFound, and Conflict for what is answered already.
    """
    case, declared = _locked(session, by.actor.scope, declaration_id)
    _answer(session, by, case, declared, _Outcome(answer, said), wall)


def _end(
    till: Till, contract: Contract, by: StaffMember, declaration_id: int
) -> tuple[str, datetime]:
    """What ended, as events name it, and when it does; commit is the caller's."""
    session, scope, account_id = till.session, till.scope, contract.account_id
    reason = f"declaration:{declaration_id}"
    told = {"declaration": declaration_id, "staff": by.name}
    if contract.instance_id is not None:
        held = instances.lock_held(session, scope, account_id, contract.instance_id, till.wall)
        subject, row = f"instance:{contract.instance_id}", held[0]
        if row.cancel_at is not None:
            return subject, row.cancel_at
        return subject, instances.agree_to_end(session, scope, till.doer, held, reason, **told)
    live = lock_live(session, scope, account_id)
    if live is None:
        raise NotFound("subscription")
    state = account_state(session, scope, account_id, till.wall)
    ends_at = cancelling.agree_to_end(till, live, state, reason, **told)
    return f"subscription:{live.id}", ends_at


def _contract(till: Till, account_id: int, instance_id: int | None) -> Contract:
    """As it is once its subscription is locked. Raises Conflict."""
    lock_live(till.session, till.scope, account_id)
    state = account_state(till.session, till.scope, account_id, till.wall)
    for each in _contracts(state):
        if each.instance_id == instance_id:
            return each
    raise Conflict("there is no such contract that renews")


def _contracts(state: AccountState) -> tuple[Contract, ...]:
    found = []
    account, zone = state.account.id, state.account.zone
    if state.subscription is not None:
        ending = get_ending(state)
        found.append(Contract(account, None, ending.plan, 1, ending.ends_at, zone))
    for each in state.instances:
        if (ends_at := _end_of(state, each)) is not None:
            found.append(Contract(account, each.id, each.add_on.name, each.quantity, ends_at, zone))
    return tuple(found)


def _end_of(state: AccountState, instance: Instance) -> datetime | None:
    """None for what is charged once, is over, or was never paid for."""
    if instance.renews:
        return instances.next_boundary(state, instance)
    return instance.span.cancel_at if instance.phase is Phase.CANCELLING else None


def _locked(
    session: Session, scope: Scope, declaration_id: int
) -> tuple[DeclarationCaseRow, Declared]:
    """Raises NotFound, and Conflict for what is answered already."""
    row = DeclarationCaseRow
    case = session.scalar(
        select(row)
        .where(row.environment_id == scope.environment_id, row.declaration_id == declaration_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if case is None:
        raise NotFound(f"declaration {declaration_id}")
    if case.answered_at is not None:
        session.rollback()
        raise Conflict("this declaration is answered")
    key = (scope.environment_id, declaration_id)
    return case, declared_of(session.get_one(DeclarationRow, key))


def _answer(
    session: Session,
    by: StaffMember,
    case: DeclarationCaseRow,
    declared: Declared,
    outcome: _Outcome,
    wall: WallNow,
) -> None:
    """Keep the answer, record it where the account's members see it, and mail it; commit."""
    scope, about = by.actor.scope, outcome.ended_account_id or case.account_id
    case.answer, case.said, case.answered_at = outcome.answer, outcome.said, wall
    case.staff_id, case.subject = by.actor.staff_id, outcome.subject
    case.ended_account_id, case.ends_at = outcome.ended_account_id, outcome.ends_at
    doer = replace(staff_doer(by.actor), account_id=about)
    at = wall if about is None else account_state(session, scope, about, wall).now
    detail = {"staff": by.name, "answer": outcome.answer.value, "contract": declared.said.contract}
    told, subject = EventName.DECLARATION_ANSWERED, f"declaration:{declared.id}"
    record(session, scope, doer, told, subject, at, **detail)
    notice = DeclarationAnswered(
        declared, outcome.answer, outcome.said, outcome.contract, outcome.ends_at
    )
    post_to_address(session, scope, None, declared.said.email, declared.shown.locale, notice)
    session.commit()
