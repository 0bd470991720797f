"""Making tenants, environments, accounts, members, cards and subscriptions."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from portal.domain.access import Role, Scope
from portal.domain.catalog import Plan, Price, usage_prices_for
from portal.domain.errors import Conflict, NotFound
from portal.domain.events import EventName
from portal.domain.instances import SubscriptionStatus
from portal.domain.legal import CustomerType
from portal.domain.money import currency
from portal.domain.payments import PaymentGateway
from portal.domain.periods import WallNow
from portal.domain.taxes import NO_TAX, Tax
from portal.domain.trials import trial_end
from portal.models.accounts import AccountRow, MembershipRow, PersonRow
from portal.models.events import EventRow
from portal.models.subscriptions import SubscriptionRow
from portal.queries.members import find_scope
from portal.services.cards import keep, prefer
from portal.services.recording import Doer, record
from portal.services.till import Till

_MAKE_ENVIRONMENT = text("select make_environment(:tenant, :name, :environment)")


@dataclass(frozen=True, slots=True)
class NewAccount:
    """country: two letters; empty where nobody has said."""

    key: str
    name: str
    currency: str
    zone: str = "UTC"
    tax: Tax = NO_TAX
    country: str = ""
    customer_type: CustomerType = CustomerType.BUSINESS


def ensure_environment(
    session: Session, tenant_key: str, tenant_name: str, environment: str
) -> Scope:
    """The scope of `environment`, made with its tenant where missing; commit."""
    named = {"tenant": tenant_key, "name": tenant_name, "environment": environment}
    session.execute(_MAKE_ENVIRONMENT, named)
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
    account_id = add_account(session, scope, new, "cli", wall)
    if account_id is None:
        raise Conflict(f"account {new.key}")
    session.commit()
    return account_id


def add_account(
    session: Session, scope: Scope, new: NewAccount, doer: str, wall: WallNow
) -> int | None:
    """The new account's id; None where its key is there, also of one just made beside this.

    Commit is the caller's. Raises ValueError as `create_account`.
    """
    row = insert(AccountRow).values(
        environment_id=scope.environment_id,
        key=new.key,
        name=new.name,
        currency=currency(new.currency).code,
        zone=ZoneInfo(new.zone).key,
        tax_rate=new.tax.rate,
        tax_inclusive=new.tax.inclusive,
        tax_label=new.tax.label,
        country=new.country,
        customer_type=new.customer_type,
    )
    made = session.scalar(row.on_conflict_do_nothing().returning(AccountRow.id))
    if made is not None:
        told = EventName.ACCOUNT_CREATED
        record(session, scope, Doer(doer, made), told, f"account:{made}", wall)
    return made


def ensure_customer(
    session: Session, scope: Scope, account_id: int, email: str, gateway: PaymentGateway
) -> str:
    """The account's customer at the processor, made where it has none; commit.

    Nothing is locked while the processor is asked: two at once ask under one key, or, with other
    words of themselves, end with the customer that was stored first.
    """
    row = session.get_one(AccountRow, (scope.environment_id, account_id), populate_existing=True)
    found, name, deleted = row.stripe_customer_id, row.name, _deleted_customers(session, row)
    session.commit()
    if found is not None:
        return found
    words = hashlib.sha256(f"{name}\n{email}".encode()).hexdigest()[:16]
    made = gateway.create_customer(
        key=f"account-{scope.environment_id}-{account_id}-customer-{deleted}-{words}",
        name=name,
        email=email,
        labels={"environment_id": str(scope.environment_id), "account_id": str(account_id)},
    )
    row = lock_account(session, scope, account_id)
    kept = row.stripe_customer_id = row.stripe_customer_id or made
    session.commit()
    return kept


def lock_account(session: Session, scope: Scope, account_id: int) -> AccountRow:
    """The account under its row lock, as it stands then; what refers to it may still be added."""
    return session.get_one(
        AccountRow,
        (scope.environment_id, account_id),
        with_for_update={"key_share": True},
        populate_existing=True,
    )


def _deleted_customers(session: Session, row: AccountRow) -> int:
    """How many of its customers were deleted at the processor: each needs a key of its own."""
    deleted = select(func.count()).where(
        EventRow.environment_id == row.environment_id,
        EventRow.account_id == row.id,
        EventRow.name == EventName.CUSTOMER_DELETED,
    )
    return session.scalars(deleted).one()


def add_member(
    session: Session,
    scope: Scope,
    account_id: int,
    email: str,
    name: str,
    role: Role,
    password_hash: str | None,
) -> None:
    """Give a person, made where unknown, a role in the account; commit."""
    enrol(session, scope, account_id, NewPerson(email, name, password_hash), role)
    session.commit()


@dataclass(frozen=True, slots=True)
class NewPerson:
    """Who is to be a member. locale: empty where they have chosen no language."""

    email: str
    name: str
    password_hash: str | None = None
    locale: str = ""


def enrol(session: Session, scope: Scope, account_id: int, who: NewPerson, role: Role) -> int:
    """The same without the commit, also for a member, who gets this role; the membership's id."""
    row = insert(MembershipRow).values(
        environment_id=scope.environment_id,
        account_id=account_id,
        person_id=_person_id(session, scope, who),
        role=role,
    )
    given = row.on_conflict_do_update(
        index_elements=["environment_id", "account_id", "person_id"], set_={"role": role}
    )
    return session.scalars(given.returning(MembershipRow.id)).one()


def _person_id(session: Session, scope: Scope, who: NewPerson) -> int:
    """The person with this address, who keeps what is theirs; made where unknown."""
    new = insert(PersonRow).values(
        environment_id=scope.environment_id,
        email=who.email,
        name=who.name,
        password_hash=who.password_hash,
        locale=who.locale,
    )
    session.execute(new.on_conflict_do_nothing())
    same = func.lower(PersonRow.email) == who.email.lower()
    found = select(PersonRow.id).where(PersonRow.environment_id == scope.environment_id, same)
    return session.scalars(found).one()


def save_card(
    session: Session,
    scope: Scope,
    account_id: int,
    token: str,
    gateway: PaymentGateway,
    wall: WallNow,
) -> None:
    """Attach a tokenised card at the processor and make it the account's default; commit."""
    account = session.get_one(AccountRow, (scope.environment_id, account_id))
    if account.stripe_customer_id is None:
        raise NotFound("customer at the processor")
    key = f"account-{scope.environment_id}-{account_id}-card-{token}"
    saved = gateway.save_card(account.stripe_customer_id, token, key)
    till = Till(session, gateway, scope, wall, Doer("cli", account_id))
    prefer(till, keep(till, account_id, saved))
    session.commit()


def subscribe(
    session: Session,
    scope: Scope,
    account_id: int,
    plan: Plan,
    price: Price,
    since: datetime,
    billed_until: datetime | None = None,
) -> None:
    """`begin_plan`, and commit."""
    begin_plan(session, scope, account_id, plan, price, since, billed_until)
    session.commit()


def begin_plan(
    session: Session,
    scope: Scope,
    account_id: int,
    plan: Plan,
    price: Price,
    since: datetime,
    billed_until: datetime | None = None,
) -> SubscriptionRow:
    """`on_plan`, added and flushed; commit is the caller's."""
    account = session.get_one(AccountRow, (scope.environment_id, account_id))
    row = on_plan(account, plan, price, since, billed_until)
    session.add(row)
    session.flush()
    return row


def on_plan(
    account: AccountRow, plan: Plan, price: Price, since: datetime, billed_until: datetime | None
) -> SubscriptionRow:
    """The account on a plan from `since`, which anchors its billing and its quotas.

    billed_until: the end of what was billed already; None when nothing was, so that the first
    period is due at once. A price with a trial is due, and anchored, when that ends.
    """
    trial_ends = trial_end(price, since, account.zone) if billed_until is None else None
    due_at = billed_until or trial_ends or since
    return SubscriptionRow(
        environment_id=account.environment_id,
        account_id=account.id,
        plan_id=plan.id,
        price_id=price.id,
        status=SubscriptionStatus.TRIALING if trial_ends else SubscriptionStatus.ACTIVE,
        billing_anchor_at=trial_ends or since,
        quota_anchor_at=since,
        billed_until_at=due_at,
        next_due_at=due_at,
        usage_price_ids=[each.id for each in usage_prices_for(plan, price)],
        use_billed_until_at=since,
        started_at=since,
        plan_paid_from_at=trial_ends or since,
    )
