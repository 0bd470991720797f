"""What of a demo account is there already."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from portal.domain.access import Actor, Role, Scope
from portal.domain.errors import NotFound
from portal.models.accounts import MembershipRow, PaymentMethodRow, PersonRow
from portal.models.subscriptions import InstanceRow, SubscriptionRow

DEMO_PASSWORD = "portal-demo"  # noqa: S105  (public on purpose: it opens demo data only)


@dataclass(frozen=True, slots=True)
class Loaded:
    emails: frozenset[str]
    has_card: bool
    has_subscription: bool
    has_instances: bool


def what_is_loaded(session: Session, scope: Scope, account_id: int) -> Loaded:
    """Members, card, subscription and purchases of one account."""
    emails = session.scalars(
        select(PersonRow.email)
        .join(MembershipRow, MembershipRow.person_id == PersonRow.id)
        .where(
            MembershipRow.environment_id == scope.environment_id,
            MembershipRow.account_id == account_id,
        )
    )
    return Loaded(frozenset(emails), *(
        _has(session, table, scope, account_id)
        for table in (PaymentMethodRow, SubscriptionRow, InstanceRow)
    ))  # fmt: skip


def owner_of(session: Session, scope: Scope, account_id: int) -> Actor:
    """The account's first owner, who acts for it in the demo. Raises NotFound."""
    person_id = session.scalar(
        select(MembershipRow.person_id)
        .where(
            MembershipRow.environment_id == scope.environment_id,
            MembershipRow.account_id == account_id,
            MembershipRow.role == Role.OWNER,
        )
        .order_by(MembershipRow.id)
    )
    if person_id is None:
        raise NotFound("owner")
    return Actor(person_id, account_id, scope, Role.OWNER)


def _has(
    session: Session,
    table: type[PaymentMethodRow | SubscriptionRow | InstanceRow],
    scope: Scope,
    account_id: int,
) -> bool:
    found = exists().where(
        table.environment_id == scope.environment_id, table.account_id == account_id
    )
    return bool(session.scalar(select(found)))
