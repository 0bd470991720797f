"""Making tenants, environments, accounts, members, cards and subscriptions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from portal.domain.access import Role, Scope
from portal.domain.catalog import Plan, Price
from portal.domain.errors import NotFound
from portal.domain.events import EventName
from portal.domain.instances import SubscriptionStatus
from portal.domain.money import currency
from portal.domain.payments import PaymentGateway
from portal.domain.periods import WallNow
from portal.domain.taxes import NO_TAX, Tax
from portal.models.accounts import AccountRow, MembershipRow, PaymentMethodRow, PersonRow
from portal.models.subscriptions import SubscriptionRow
from portal.models.tenants import EnvironmentRow, TenantRow
from portal.queries.members import find_scope
from portal.services.recording import Doer, record


@dataclass(frozen=True, slots=True)
class NewAccount:
    key: str
    name: str
    currency: str
    zone: str = "UTC"
    tax: Tax = NO_TAX


def ensure_environment(
    session: Session, tenant_key: str, tenant_name: str, environment: str
) -> Scope:
    """The scope of `environment`, made with its tenant where missing; commit."""
    session.execute(
        insert(TenantRow).values(key=tenant_key, name=tenant_name).on_conflict_do_nothing()
    )
    tenant_id = session.scalars(select(TenantRow.id).where(TenantRow.key == tenant_key)).one()
    session.execute(
        insert(EnvironmentRow)
        .values(tenant_id=tenant_id, name=environment)
        .on_conflict_do_nothing()
    )
    session.commit()
    scope = find_scope(session, tenant_key, environment)
    if scope is None:
        raise NotFound("environment")
    return scope


def find_account_id(session: Session, scope: Scope, key: str) -> int | None:
    """The id behind the host's own key."""
    return session.scalar(
        select(AccountRow.id).where(
            AccountRow.environment_id == scope.environment_id, AccountRow.key == key
        )
    )


def create_account(session: Session, scope: Scope, new: NewAccount, wall: WallNow) -> int:
    """Store the account; commit. Raises ValueError for an unknown currency or time zone."""
    code, zone = currency(new.currency).code, ZoneInfo(new.zone).key
    row = AccountRow(
        environment_id=scope.environment_id,
        key=new.key,
        name=new.name,
        currency=code,
        zone=zone,
        tax_rate=new.tax.rate,
        tax_inclusive=new.tax.inclusive,
        tax_label=new.tax.label,
    )
    session.add(row)
    session.flush()
    doer = Doer("cli", row.id)
    record(session, scope, doer, EventName.ACCOUNT_CREATED, f"account:{row.id}", wall)
    session.commit()
    return row.id


def ensure_customer(
    session: Session, scope: Scope, account_id: int, email: str, gateway: PaymentGateway
) -> None:
    """Make the account's customer at the processor where it has none; commit."""
    row = session.get_one(AccountRow, (scope.environment_id, account_id))
    if row.stripe_customer_id is None:
        row.stripe_customer_id = gateway.create_customer(
            key=f"account-{scope.environment_id}-{account_id}-customer",
            name=row.name,
            email=email,
            labels={"environment_id": str(scope.environment_id), "account_id": str(account_id)},
        )
    session.commit()


def add_member(
    session: Session,
    scope: Scope,
    account_id: int,
    email: str,
    name: str,
    role: Role,
    password_hash: str,
) -> None:
    """Give a person, made where unknown, a role in the account; commit."""
    person = session.scalar(
        select(PersonRow).where(
            PersonRow.environment_id == scope.environment_id,
            func.lower(PersonRow.email) == email.lower(),
        )
    )
    if person is None:
        person = PersonRow(
            environment_id=scope.environment_id,
            email=email,
            name=name,
            password_hash=password_hash,
        )
        session.add(person)
        session.flush()
    session.add(
        MembershipRow(
            environment_id=scope.environment_id,
            account_id=account_id,
            person_id=person.id,
            role=role,
        )
    )
    session.commit()


def save_card(
    session: Session, scope: Scope, account_id: int, token: str, gateway: PaymentGateway
) -> None:
    """Attach a tokenised card at the processor and make it the account's default; commit."""
    account = session.get_one(AccountRow, (scope.environment_id, account_id))
    if account.stripe_customer_id is None:
        raise NotFound("customer at the processor")
    key = f"account-{scope.environment_id}-{account_id}-card-{token}"
    card = gateway.save_card(account.stripe_customer_id, token, key)
    session.add(
        PaymentMethodRow(
            environment_id=scope.environment_id,
            account_id=account_id,
            stripe_payment_method_id=card.reference,
            brand=card.brand,
            last4=card.last4,
            exp_month=card.exp_month,
            exp_year=card.exp_year,
            fingerprint=card.fingerprint,
            is_default=True,
        )
    )
    session.commit()


def subscribe(
    session: Session, scope: Scope, account_id: int, plan: Plan, price: Price, since: datetime
) -> None:
    """Put the account on a plan from `since`, which anchors its billing and its quotas; commit."""
    session.add(
        SubscriptionRow(
            environment_id=scope.environment_id,
            account_id=account_id,
            plan_id=plan.id,
            price_id=price.id,
            status=SubscriptionStatus.ACTIVE,
            billing_anchor_at=since,
            quota_anchor_at=since,
            started_at=since,
        )
    )
    session.commit()
