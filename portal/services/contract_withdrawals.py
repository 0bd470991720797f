"""What withdrawing from a contract would come to: what ends, and what is given back of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.contract_withdrawals import Contract, Once, Part, part_of
from portal.domain.credit_notes import Destination
from portal.domain.credits import StoredLine
from portal.domain.errors import Conflict
from portal.domain.lines import QuoteLine
from portal.domain.money import Money, total
from portal.domain.periods import BillingNow
from portal.domain.taxes import taxed
from portal.models.invoices import InvoiceRow
from portal.queries.accounts import AccountState
from portal.queries.billing import billing_state
from portal.queries.contracts import contracts_of, once_of, plan_contract
from portal.queries.stored_lines import lines_since
from portal.queries.subscriptions import Instance
from portal.queries.supply import supplies
from portal.services.credit_notes import Proposal, proposal
from portal.services.instances import find_instance


class NoRightToWithdraw(Conflict):
    """There never was one, or its time is over."""


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """subject: as events name it. instance: None for the plan. ends: the add-ons that end.

    parts: what was charged for it; notes: the credit notes, one for each invoice. waived: what use
    beyond the allowance would cost, with its tax, that is not billed yet and never will be.
    """

    subject: str
    name: str
    instance: Instance | None
    contract: Contract
    ends: tuple[Instance, ...]
    parts: tuple[Part, ...]
    notes: tuple[Proposal, ...]
    waived: Money
    at: BillingNow

    @property
    def currency(self) -> str:
        return self.waived.currency

    @property
    def credited(self) -> Money:
        return total([each.credit.total for each in self.notes], self.currency)

    @property
    def off_invoice(self) -> Money:
        return total([each.to.off_invoice for each in self.notes], self.currency)

    @property
    def to_card(self) -> Money:
        return total([each.to.to_card for each in self.notes], self.currency)

    @property
    def to_balance(self) -> Money:
        return total([each.to.to_balance for each in self.notes], self.currency)


def foresee_add_on(
    session: Session, scope: Scope, state: AccountState, instance_id: int
) -> Withdrawal:
    """Of an add-on now. Raises NotFound, and NoRightToWithdraw."""
    instance = find_instance(state, instance_id)
    contract = contracts_of(session, scope, state).get(instance_id)
    if contract is None:
        raise NoRightToWithdraw("there is no right to withdraw from it any more")
    bound = {instance.id: contract}
    subject, name = f"instance:{instance.id}", instance.add_on.name
    foreseen = _Foreseen(session, scope, state, bound, None, (instance,))
    return foreseen.withdrawal(subject, name, instance, contract)


def foresee_plan(session: Session, scope: Scope, state: AccountState) -> Withdrawal:
    """Of the plan now, and of all add-ons: without it they are nothing. Raises NoRightToWithdraw.

    An add-on that could not be withdrawn from alone counts as asked for.
    Source: Directive 2011/83/EU art. 15.
    """
    contract, subscription = plan_contract(session, scope, state), state.subscription
    if contract is None or subscription is None:
        raise NoRightToWithdraw("there is no right to withdraw from the plan any more")
    bound = {each.id: replace(contract, asked=True) for each in state.held}
    bound |= contracts_of(session, scope, state)
    foreseen = _Foreseen(session, scope, state, bound, contract, state.held)
    subject = f"subscription:{subscription.id}"
    return foreseen.withdrawal(subject, subscription.plan.name, None, contract)


@dataclass(frozen=True, slots=True)
class _Foreseen:
    """bound: the contract about each instance that ends; plan: that about the plan, if it does."""

    session: Session
    scope: Scope
    state: AccountState
    bound: dict[int, Contract]
    plan: Contract | None
    ends: tuple[Instance, ...]

    def withdrawal(
        self, subject: str, name: str, instance: Instance | None, contract: Contract
    ) -> Withdrawal:
        parts = tuple(self._parts())
        return Withdrawal(
            subject, name, instance, contract, self.ends, parts, tuple(self._notes(parts)),
            self._waived(), self.state.now,
        )  # fmt: skip

    def _parts(self) -> Iterator[Part]:
        once = once_of(self.session, self.scope, self.ends)
        lines = tuple(self._lines())
        used = supplies(self.session, self.scope, self.state, lines)
        for line in lines:
            id_ = line.instance_id
            contract = self.bound.get(id_) if id_ is not None else self.plan
            if contract is not None:
                left = once.get(id_ or 0, Once())
                yield part_of(line, contract, left, self.state.now, used.get(id_))

    def _lines(self) -> Iterator[StoredLine]:
        """Those of what ends that have not gone back already."""
        for line in lines_since(self.session, self.scope, self.state, self._since()):
            id_ = line.instance_id
            mine = id_ in self.bound if id_ is not None else self.plan is not None
            if mine and line.closed_at is None and (id_ or line.period):
                yield line

    def _waived(self) -> Money:
        """With the plan only: of an add-on alone, use until then is billed as ever."""
        account = self.state.account
        arrears = billing_state(self.state).arrears if self.plan is not None else ()
        return total([taxed(account.tax, each.amount) for each in arrears], account.currency)

    def _since(self) -> datetime:
        agreed = [c.agreed_at for c in (*self.bound.values(), self.plan) if c is not None]
        return min([*agreed, self.state.now])

    def _notes(self, parts: Iterable[Part]) -> Iterator[Proposal]:
        given = defaultdict[int, list[QuoteLine]](list)
        for part in parts:
            given[part.line.invoice_id] += part.given
        for invoice_id, lines in sorted(given.items()):
            invoice = self.session.get_one(InvoiceRow, (self.scope.environment_id, invoice_id))
            made = proposal(self.session, invoice, lines, Destination.CARD)
            if made.credit.total:
                yield made
