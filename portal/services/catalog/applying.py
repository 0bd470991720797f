"""Making the tables say what a catalog file says: all of it in one transaction, or nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.catalog import Catalog
from portal.domain.errors import Conflict
from portal.domain.events import EventName
from portal.models.tenants import EnvironmentRow
from portal.queries.catalog import load_catalog
from portal.services.catalog.changes import Change, compare
from portal.services.catalog.holders import find_holders, find_sold
from portal.services.catalog.refusals import Refusal, find_refusals
from portal.services.catalog.writing import Writer
from portal.services.recording import Doer, record


@dataclass(frozen=True, slots=True)
class Step:
    """One change and the names of the accounts it touches."""

    change: Change
    accounts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Proposal:
    """What applying would do. refusals: why it may not be done; empty when it may."""

    steps: tuple[Step, ...]
    refusals: tuple[Refusal, ...] = ()

    @property
    def accounts(self) -> tuple[str, ...]:
        """Names of all accounts touched, sorted."""
        return tuple(sorted({name for step in self.steps for name in step.accounts}))


@dataclass(frozen=True, slots=True)
class Applied:
    """proposal: what was done; without steps nothing was, not even an event."""

    proposal: Proposal


@dataclass(frozen=True, slots=True)
class Refused:
    proposal: Proposal


def propose(session: Session, scope: Scope, wanted: Catalog, now: datetime) -> Proposal:
    """What applying `wanted` at `now` would change, and for whom; writes nothing."""
    stored = load_catalog(session, scope)
    changes = compare(stored, wanted)
    if not changes:
        return Proposal(())
    holders = find_holders(session, scope, now)
    steps = tuple(Step(change, holders.touched(change, stored)) for change in changes)
    return Proposal(steps, find_refusals(changes, find_sold(session, scope, stored)))


def apply_catalog(
    session: Session, scope: Scope, wanted: Catalog, *, actor: str, now: datetime
) -> Applied | Refused:
    """Turn the stored catalog into `wanted`; a second call finds nothing to do.

    Price rows never change: a price that differs is ended and started anew, and whoever bought
    the old row keeps it. Raises Conflict when something removed was sold meanwhile.
    Source: product.md §3.
    """
    wait_for_others(session, scope)
    proposal = propose(session, scope, wanted, now)
    if proposal.refusals or not proposal.steps:
        session.rollback()
        return Refused(proposal) if proposal.refusals else Applied(proposal)
    try:
        Writer(session, scope, now).write([step.change for step in proposal.steps])
        _record(session, scope, proposal, actor, now)
        _tell_readers(session, scope)
        session.commit()
    except IntegrityError as error:
        session.rollback()
        raise Conflict("the catalog was used while it changed: nothing written") from error
    session.expire_all()
    return Applied(proposal)


def wait_for_others(session: Session, scope: Scope) -> None:
    """Let one change of what is sold, or at what price, run at a time in an environment."""
    key = func.hashtextextended(f"catalog {scope.environment_id}", 0)
    session.execute(select(func.pg_advisory_xact_lock(key)))


def _tell_readers(session: Session, scope: Scope) -> None:
    """Make every copy of the catalog that somebody keeps an old one."""
    session.execute(
        update(EnvironmentRow)
        .where(EnvironmentRow.id == scope.environment_id)
        .values(catalog_version=EnvironmentRow.catalog_version + 1)
    )


def _record(session: Session, scope: Scope, proposal: Proposal, actor: str, now: datetime) -> None:
    changes = [f"{step.change.mark} {step.change.subject}" for step in proposal.steps]
    record(
        session,
        scope,
        Doer(actor),
        EventName.CATALOG_APPLIED,
        f"catalog:{scope.environment_id}",
        now,
        changes=changes,
        accounts=len(proposal.accounts),
    )
