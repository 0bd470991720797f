"""Cancellations that were declared without signing in, as they are shown again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select
from sqlalchemy.orm import Session

from portal.domain.access import Role, Scope
from portal.domain.declarations import (
    SHOWN_FOR,
    Answer,
    CancellationKind,
    Declaration,
    Declared,
    Shown,
    invoice_number,
)
from portal.domain.errors import NotFound
from portal.domain.periods import WallNow
from portal.domain.sign_in import digest_of, plain_email
from portal.models.accounts import AccountRow, MembershipRow, PersonRow
from portal.models.declarations import DeclarationCaseRow, DeclarationRow
from portal.models.invoices import InvoiceRow
from portal.models.staff import StaffRow

MOST_OPEN, MOST_ANSWERED, MOST_FITTING = 50, 25, 10


@dataclass(frozen=True, slots=True)
class Fitting:
    """An account that a declaration may be about. by_email: an owner has the address; by_words:
    its name, its id at the host or one of its invoices is what was typed."""

    id: int
    key: str
    name: str
    by_email: bool
    by_words: bool


@dataclass(frozen=True, slots=True)
class Case:
    """matched: the account that fits both ways; None where none does, or is_matched not yet.

    answer: None while it waits. staff: name of who gave it. ends_at: of what was carried out.
    """

    declared: Declared
    is_matched: bool
    account_id: int | None
    account: str
    answer: Answer | None
    said: str
    staff: str
    answered_at: datetime | None
    ends_at: datetime | None


def find_receipt(session: Session, scope: Scope, written: str, wall: WallNow) -> Declared | None:
    """What a link shows again, for a day."""
    row = session.scalar(
        select(DeclarationRow).where(
            DeclarationRow.environment_id == scope.environment_id,
            DeclarationRow.receipt_digest == digest_of(written),
            DeclarationRow.received_at > wall - SHOWN_FOR,
        )
    )
    return declared_of(row) if row is not None else None


def open_cases(session: Session, scope: Scope) -> tuple[Case, ...]:
    """Those that wait for the staff, oldest first, 50 at most."""
    waiting = _cases(scope, DeclarationCaseRow.answered_at.is_(None))
    return _read(session, waiting.order_by(DeclarationCaseRow.id).limit(MOST_OPEN))


def answered_cases(session: Session, scope: Scope) -> tuple[Case, ...]:
    """The 25 that were answered last."""
    row = DeclarationCaseRow
    answered = _cases(scope, row.answered_at.is_not(None))
    return _read(session, answered.order_by(row.answered_at.desc(), row.id).limit(MOST_ANSWERED))


def count_open(session: Session, scope: Scope) -> int:
    row = DeclarationCaseRow
    mine = row.environment_id == scope.environment_id, row.answered_at.is_(None)
    return session.scalar(select(func.count()).select_from(row).where(*mine)) or 0


def get_case(session: Session, scope: Scope, declaration_id: int) -> Case:
    """Raises NotFound."""
    found = _read(session, _cases(scope, DeclarationRow.id == declaration_id))
    if not found:
        raise NotFound("declaration")
    return found[0]


def fitting_accounts(session: Session, scope: Scope, said: Declaration) -> tuple[Fitting, ...]:
    """Those that fit, 10 at most, in one statement: those that fit both ways first."""
    row, by_email, by_words = AccountRow, _owned(scope, said.email), _named(scope, said)
    both = case((and_(by_email, by_words), 0), else_=1)
    rows = session.execute(
        select(row.id, row.key, row.name, by_email, by_words)
        .where(row.environment_id == scope.environment_id, or_(by_email, by_words))
        .order_by(both, row.id)
        .limit(MOST_FITTING)
    )
    return tuple(Fitting(*each) for each in rows)


def matching_account(session: Session, scope: Scope, said: Declaration) -> Fitting | None:
    """The one account that fits both ways; None for none, and for more than one."""
    fitting = fitting_accounts(session, scope, said)
    both = [each for each in fitting if each.by_email and each.by_words]
    return both[0] if len(both) == 1 else None


def declared_of(row: DeclarationRow) -> Declared:
    said = Declaration(
        CancellationKind(row.kind), row.reason, row.name, row.identification, row.contract,
        row.wanted_on, row.email,
    )  # fmt: skip
    shown = Shown(row.text_version, row.locale, row.button, row.button_locale)
    return Declared(row.id, said, shown, row.received_at.astimezone(UTC))


def _owned(scope: Scope, email: str) -> ColumnElement[bool]:
    owners = (
        select(MembershipRow.account_id)
        .join(PersonRow, PersonRow.id == MembershipRow.person_id)
        .where(
            MembershipRow.environment_id == scope.environment_id,
            MembershipRow.role == Role.OWNER,
            PersonRow.environment_id == scope.environment_id,
            func.lower(PersonRow.email) == plain_email(email),
        )
    )
    return AccountRow.id.in_(owners)


def _named(scope: Scope, said: Declaration) -> ColumnElement[bool]:
    words = said.identification.strip()
    numbered = select(InvoiceRow.account_id).where(
        InvoiceRow.environment_id == scope.environment_id,
        InvoiceRow.number == (invoice_number(words) or 0),
    )
    return or_(
        func.lower(AccountRow.name) == func.lower(words),
        AccountRow.key == words,
        AccountRow.id.in_(numbered),
    )


def _cases(
    scope: Scope, which: ColumnElement[bool]
) -> Select[DeclarationRow, DeclarationCaseRow, str | None, str | None]:
    row, of = DeclarationRow, DeclarationCaseRow
    account = func.coalesce(of.ended_account_id, of.account_id)
    return (
        select(row, of, AccountRow.name, StaffRow.name)
        .join(of, and_(of.environment_id == row.environment_id, of.declaration_id == row.id))
        .outerjoin(
            AccountRow,
            and_(AccountRow.environment_id == of.environment_id, AccountRow.id == account),
        )
        .outerjoin(
            StaffRow,
            and_(StaffRow.environment_id == of.environment_id, StaffRow.id == of.staff_id),
        )
        .where(row.environment_id == scope.environment_id, which)
    )


def _read(
    session: Session,
    cases: Select[DeclarationRow, DeclarationCaseRow, str | None, str | None],
) -> tuple[Case, ...]:
    fresh = cases.execution_options(populate_existing=True)
    return tuple(
        Case(
            declared=declared_of(row),
            is_matched=of.matched_at is not None,
            account_id=of.ended_account_id or of.account_id,
            account=account or "",
            answer=Answer(of.answer) if of.answer else None,
            said=of.said,
            staff=staff or "",
            answered_at=of.answered_at,
            ends_at=of.ends_at,
        )
        for row, of, account, staff in session.execute(fresh)
    )
