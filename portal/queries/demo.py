"""The demo's people, and what of a demo account is there already."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from portal.domain.access import Actor, Role, Scope
from portal.domain.catalog import FeatureUse
from portal.domain.errors import NotFound
from portal.models.accounts import MembershipRow, PaymentMethodRow, PersonRow
from portal.models.catalog import FeatureRow
from portal.models.subscriptions import InstanceRow, SubscriptionRow
from portal.models.usage import UsageDayRow

DEMO_PASSWORD = "portal-demo"  # noqa: S105  (public on purpose: it opens demo data only)
DEMO_STAFF = "support@portal.test"


@dataclass(frozen=True, slots=True)
class Loaded:
    """used_until: the last day on which something was consumed."""

    emails: frozenset[str]
    has_card: bool
    has_subscription: bool
    has_instances: bool
    used_until: date | None


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
    feature = (FeatureRow.environment_id == UsageDayRow.environment_id) & (
        FeatureRow.id == UsageDayRow.feature_id
    )
    used_until = (
        select(func.max(UsageDayRow.day))
        .join(FeatureRow, feature)
        .where(
            UsageDayRow.environment_id == scope.environment_id,
            UsageDayRow.account_id == account_id,
            FeatureRow.use == FeatureUse.CONSUMED,
        )
    )
    return Loaded(
        emails=frozenset(emails),
        has_card=_has(session, PaymentMethodRow, scope, account_id),
        has_subscription=_has(session, SubscriptionRow, scope, account_id),
        has_instances=_has(session, InstanceRow, scope, account_id),
        used_until=session.scalar(used_until),
    )


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
