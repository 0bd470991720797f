"""Accounts as the host application wants them: made, or brought up to what it says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from portal.domain.access import Role, Scope
from portal.domain.events import EventName
from portal.domain.periods import WallNow
from portal.models.accounts import AccountRow, MembershipRow, PersonRow
from portal.models.subscriptions import SubscriptionRow
from portal.queries.accounts import billing_now
from portal.queries.catalog import current_catalog
from portal.services.accounts import (
    NewAccount,
    NewPerson,
    add_account,
    enrol,
    find_account_id,
    lock_account,
)
from portal.services.beginnings import Beginning, Unfit, begin, begun
from portal.services.recording import Doer, record


@dataclass(frozen=True, slots=True)
class Owner:
    """locale: empty where the host does not say."""

    email: str
    name: str
    locale: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an account is to be. owner, beginning: for one that has none; None leaves it alone."""

    account: NewAccount
    owner: Owner | None
    beginning: Beginning | None


@dataclass(frozen=True, slots=True)
class Put:
    account_id: int
    created: bool


def put(
    session: Session, scope: Scope, wanted: Wanted, doer: str, wall: WallNow
) -> Put | tuple[Unfit, ...]:
    """Make the account, or change what may be changed of it, whole or not at all; commit.

    Repeated, it changes nothing. Every field that does not fit is told. doer: who asks, for the
    events. Two at once for one key take turns.
    """
    made = add_account(session, scope, wanted.account, doer, wall)
    account_id = made or find_account_id(session, scope, wanted.account.key) or 0
    subscription, row = _lock(session, scope, account_id)
    by, changed = Doer(doer, account_id), _bring_up(row, wanted.account)
    found = (*_currency(row, wanted), *_owner(session, scope, row, wanted.owner))
    if wanted.beginning is not None:
        at, catalog = billing_now(row, wall), current_catalog(session, scope)
        plan = (
            begin(session, scope, row, wanted.beginning, catalog, by, at)
            if subscription is None
            else begun(session, scope, subscription, wanted.beginning, catalog)
        )
        found = (*found, *plan)
    if found:
        session.rollback()
        return found
    if "zone" in changed and subscription is not None:
        subscription.next_due_at = min(subscription.next_due_at, billing_now(row, wall))
    if changed:
        told = EventName.ACCOUNT_CHANGED
        record(session, scope, by, told, f"account:{row.id}", wall, changed=changed)
    session.commit()
    return Put(account_id, made is not None)


def _bring_up(row: AccountRow, wanted: NewAccount) -> list[str]:
    """Which columns were changed."""
    new = {
        "name": wanted.name,
        "zone": wanted.zone,
        "tax_rate": wanted.tax.rate,
        "tax_inclusive": wanted.tax.inclusive,
        "tax_label": wanted.tax.label,
        "country": wanted.country,
        "customer_type": wanted.customer_type,
    }
    changed = [name for name, value in new.items() if getattr(row, name) != value]
    for name in changed:
        setattr(row, name, new[name])
    return changed


def _lock(
    session: Session, scope: Scope, account_id: int
) -> tuple[SubscriptionRow | None, AccountRow]:
    """The live subscription's row, then the account's: in the order that purchases take.

    One that began meanwhile is seen too: whoever begins a plan holds the account's row.
    """
    subscription = _live(session, scope, account_id)
    row = lock_account(session, scope, account_id)
    return subscription or _live(session, scope, account_id), row


def _live(session: Session, scope: Scope, account_id: int) -> SubscriptionRow | None:
    return session.scalar(
        select(SubscriptionRow)
        .where(
            SubscriptionRow.environment_id == scope.environment_id,
            SubscriptionRow.account_id == account_id,
            SubscriptionRow.ended_at.is_(None),
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def _currency(row: AccountRow, wanted: Wanted) -> Iterator[Unfit]:
    if row.currency != wanted.account.currency:
        yield Unfit(("currency",), f"cannot be changed: the account has {row.currency}")


def _owner(session: Session, scope: Scope, row: AccountRow, owner: Owner | None) -> Iterator[Unfit]:
    """Enrol the first owner; one who is there already is left as they are."""
    owners = [email.lower() for email in session.scalars(_owners(row))]
    if owner is None:
        if not owners:
            yield Unfit(("owner",), "is needed: the account has no owner")
    elif not owners:
        new = NewPerson(owner.email, owner.name, locale=owner.locale)
        enrol(session, scope, row.id, new, Role.OWNER)
    elif owner.email.lower() not in owners:
        yield Unfit(("owner", "email"), "cannot be changed here: the account has another owner")


def _owners(row: AccountRow) -> Select[str]:
    return (
        select(PersonRow.email)
        .join(MembershipRow, MembershipRow.person_id == PersonRow.id)
        .where(
            PersonRow.environment_id == row.environment_id,
            MembershipRow.environment_id == row.environment_id,
            MembershipRow.account_id == row.id,
            MembershipRow.role == Role.OWNER,
        )
    )
