"""What staff find of accounts: by name, the host's id, a member's e-mail, an invoice's number."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from portal.domain.access import Role, Scope
from portal.domain.sign_in import plain_email
from portal.models.accounts import AccountRow, MembershipRow, PersonRow
from portal.models.invoices import InvoiceRow

LONGEST_PAGE = 25
LARGEST_NUMBER = 2**63 - 1


@dataclass(frozen=True, slots=True)
class FoundAccount:
    """key: the host application's own id of it."""

    id: int
    key: str
    name: str
    currency: str
    members: int


@dataclass(frozen=True, slots=True)
class AccountPage:
    """number: of the page, from 1; total: of accounts on all of them."""

    accounts: tuple[FoundAccount, ...]
    number: int
    pages: int
    total: int


@dataclass(frozen=True, slots=True)
class AccountMember:
    """id: of the membership."""

    id: int
    person_id: int
    name: str
    email: str
    role: Role


def search_accounts(session: Session, scope: Scope, text: str, number: int) -> AccountPage:
    """One page, by name; the first one for a number that there is not. Part of a name is enough.

    E-mail addresses and ids are to be whole: what they begin with finds nobody.
    """
    wanted = _wanted(scope, text.strip())
    total = session.scalar(select(func.count()).select_from(AccountRow).where(*wanted)) or 0
    pages = max(-(-total // LONGEST_PAGE), 1)
    number = number if 1 <= number <= pages else 1
    members = (
        select(func.count())
        .where(
            MembershipRow.environment_id == AccountRow.environment_id,
            MembershipRow.account_id == AccountRow.id,
        )
        .scalar_subquery()
    )
    row = AccountRow
    rows = session.execute(
        select(row.id, row.key, row.name, row.currency, members)
        .where(*wanted)
        .order_by(func.lower(row.name), row.id)
        .limit(LONGEST_PAGE)
        .offset((number - 1) * LONGEST_PAGE)
    )
    return AccountPage(tuple(FoundAccount(*each) for each in rows), number, pages, total)


def members_of(session: Session, scope: Scope, account_id: int) -> tuple[AccountMember, ...]:
    """Owners first, then by role and name."""
    rows = session.execute(
        select(MembershipRow.id, PersonRow.id, PersonRow.name, PersonRow.email, MembershipRow.role)
        .join(PersonRow, PersonRow.id == MembershipRow.person_id)
        .where(
            MembershipRow.environment_id == scope.environment_id,
            MembershipRow.account_id == account_id,
            PersonRow.environment_id == scope.environment_id,
        )
    )
    ranks = list(Role)
    found = [AccountMember(*each[:4], Role(each[4])) for each in rows]
    found.sort(key=lambda each: (ranks.index(each.role), each.name.lower(), each.id))
    return tuple(found)


def _wanted(scope: Scope, text: str) -> tuple[ColumnElement[bool], ...]:
    mine = AccountRow.environment_id == scope.environment_id
    ways = [
        AccountRow.name.icontains(text, autoescape=True),
        AccountRow.key == text,
        AccountRow.id.in_(
            select(MembershipRow.account_id)
            .join(PersonRow, PersonRow.id == MembershipRow.person_id)
            .where(
                MembershipRow.environment_id == scope.environment_id,
                PersonRow.environment_id == scope.environment_id,
                func.lower(PersonRow.email) == plain_email(text),
            )
        ),
    ]
    if text.isascii() and text.isdecimal() and int(text) <= LARGEST_NUMBER:
        numbered = select(InvoiceRow.account_id).where(
            InvoiceRow.environment_id == scope.environment_id, InvoiceRow.number == int(text)
        )
        ways.append(AccountRow.id.in_(numbered))
    return mine, or_(*ways)
