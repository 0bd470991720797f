"""What the subjects of events are called now, and what they came to; each kind in one statement."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Executable, case, func, literal, select
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.money import Money
from portal.models.accounts import AccountRow, PersonRow
from portal.models.base import Base
from portal.models.catalog import AddOnRow, FeatureRow, PlanRow
from portal.models.credit_notes import CreditNoteRow
from portal.models.invoices import InvoiceRow
from portal.models.proposals import ProposalRow
from portal.models.purchases import PurchaseRow, QuoteRow, RefundRow
from portal.models.recharge import RechargePolicyRow
from portal.models.subscriptions import InstanceRow
from portal.queries.sales import BEGINS


@dataclass(frozen=True, slots=True)
class About:
    """name: of the add-on, plan, feature or person; number: of the paper; kind: of the
    purchase, `beginning` where a plan begins with it."""

    name: str = ""
    number: int = 0
    amount: Money | None = None
    kind: str = ""


NOTHING = About()
Reader = Callable[[Scope, int | None, Sequence[str]], Executable]


def subjects_of(
    session: Session, scope: Scope, account_id: int | None, subjects: Iterable[str]
) -> dict[str, About]:
    """By subject, as events have it: `kind:id`; those of this account that there still are.

    account_id: None for any of the environment's, which only staff see.
    `plan_key:growth` asks for a plan by its lookup key.
    """
    wanted: dict[str, set[str]] = defaultdict(set)
    for kind, _, id_ in (subject.partition(":") for subject in subjects):
        if kind in _READERS and (id_.isdecimal() or kind == "plan_key"):
            wanted[kind].add(id_)
    found: dict[str, About] = {}
    for kind, ids in wanted.items():
        rows = session.execute(_READERS[kind](scope, account_id, sorted(ids))).mappings()
        found |= {f"{kind}:{row['id']}": _about(row) for row in rows}
    return found


def _about(row: Any) -> About:
    amount = Money(row["minor"], row["currency"]) if "currency" in row else None
    return About(row.get("name", ""), row.get("number", 0), amount, row.get("kind", ""))


def _mine(row: Any, scope: Scope, account_id: int | None, ids: Sequence[str]) -> Iterator[Any]:
    """Rows of the account by their ids."""
    if account_id is not None:
        yield row.account_id == account_id
    yield from _scoped(row, scope, ids)


def _scoped(row: Any, scope: Scope, ids: Sequence[str]) -> Iterator[Any]:
    yield row.environment_id == scope.environment_id
    yield row.id.in_([int(each) for each in ids])


def _named(row: Any) -> Reader:
    """Rows of the environment that have a name."""
    return lambda scope, _, ids: select(row.id, row.name).where(*_scoped(row, scope, ids))


def _joined(other: type[Base], row: Any, id_: Any) -> tuple[type[Base], Any]:
    """What to join: the row of `other` that `row` refers to by `id_`."""
    named: Any = other
    return other, (named.environment_id == row.environment_id) & (named.id == id_)


def _plans_by_key(scope: Scope, _: int | None, keys: Sequence[str]) -> Executable:
    row = PlanRow
    mine = row.environment_id == scope.environment_id
    return select(row.lookup_key.label("id"), row.name).where(mine, row.lookup_key.in_(keys))


def _accounts(scope: Scope, account_id: int | None, ids: Sequence[str]) -> Executable:
    """The currency of what is said of the account itself."""
    row = AccountRow
    found = select(row.id, literal(0).label("minor"), row.currency).where(*_scoped(row, scope, ids))
    return found if account_id is None else found.where(row.id == account_id)


def _instances(scope: Scope, account_id: int | None, ids: Sequence[str]) -> Executable:
    row = InstanceRow
    found = select(row.id, AddOnRow.name).join(*_joined(AddOnRow, row, row.add_on_id))
    return found.where(*_mine(row, scope, account_id, ids))


def _proposals(scope: Scope, account_id: int | None, ids: Sequence[str]) -> Executable:
    row = ProposalRow
    found = select(row.id, AddOnRow.name).join(*_joined(AddOnRow, row, row.add_on_id))
    return found.where(*_mine(row, scope, account_id, ids))


def _policies(scope: Scope, account_id: int | None, ids: Sequence[str]) -> Executable:
    row = RechargePolicyRow
    found = select(row.id, FeatureRow.name).join(*_joined(FeatureRow, row, row.feature_id))
    return found.where(*_mine(row, scope, account_id, ids))


def _purchases(scope: Scope, account_id: int | None, ids: Sequence[str]) -> Executable:
    row = PurchaseRow
    name = func.coalesce(AddOnRow.name, QuoteRow.promise["name"].astext, "")
    amount = QuoteRow.charged_minor.label("minor")
    kind = case((QuoteRow.promise.has_key(BEGINS), literal("beginning")), else_=row.kind)
    return (
        select(row.id, kind.label("kind"), name.label("name"), amount, QuoteRow.currency)
        .join(*_joined(QuoteRow, row, row.quote_id))
        .outerjoin(*_joined(InstanceRow, row, row.instance_id))
        .outerjoin(*_joined(AddOnRow, row, InstanceRow.add_on_id))
        .where(*_mine(row, scope, account_id, ids))
    )


def _papers(row: Any) -> Reader:
    """Invoices or credit notes: number and total."""

    def read(scope: Scope, account_id: int | None, ids: Sequence[str]) -> Executable:
        columns = (row.id, row.number, row.total_minor.label("minor"), row.currency)
        return select(*columns).where(*_mine(row, scope, account_id, ids))

    return read


def _refunds(scope: Scope, account_id: int | None, ids: Sequence[str]) -> Executable:
    row = RefundRow
    columns = (row.id, row.amount_minor.label("minor"), row.currency)
    return select(*columns).where(*_mine(row, scope, account_id, ids))


_READERS: dict[str, Reader] = {
    "account": _accounts,
    "credit_note": _papers(CreditNoteRow),
    "feature": _named(FeatureRow),
    "instance": _instances,
    "invoice": _papers(InvoiceRow),
    "person": _named(PersonRow),
    "plan": _named(PlanRow),
    "plan_key": _plans_by_key,
    "proposal": _proposals,
    "purchase": _purchases,
    "recharge": _policies,
    "refund": _refunds,
}
