"""Which contracts of an account can be withdrawn from now, and until when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction

from sqlalchemy import ColumnElement, String, and_, case, cast, func, literal, select
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.contract_withdrawals import Contract, Once, withdrawal_end
from portal.domain.instances import SubscriptionStatus
from portal.domain.legal import TERMS, Box, LegalProfile
from portal.domain.periods import Period
from portal.models.consents import ConsentRow
from portal.models.purchases import PurchaseRow, QuoteRow
from portal.models.subscriptions import PlanChangeRow
from portal.models.usage import LotRow
from portal.queries.accounts import AccountState
from portal.queries.sales import sold_to
from portal.queries.subscriptions import Instance


@dataclass(frozen=True, slots=True)
class _Agreed:
    """profile, request: of the words that were agreed to; None where none were kept."""

    at: datetime
    profile: str | None
    request: str | None


def contracts_of(session: Session, scope: Scope, state: AccountState) -> dict[int, Contract]:
    """By instance, those of held add-ons that can be withdrawn from now.

    More units are agreed to anew, for all of them. A pack that was used up, as was asked for, has
    been supplied. Source: Directive 2011/83/EU art. 9 and 16(a); ADR 0029.
    """
    held = {each.id: each for each in state.held}
    if not held or not TERMS[state.account.profile].withdrawal_days:
        return {}
    agreed = _agreed_purchases(session, scope, PurchaseRow.instance_id.in_(held))
    left = once_of(session, scope, held.values())
    found: dict[int, Contract] = {}
    for instance_id in held:
        contract = _contract(state, agreed.get(instance_id, ()))
        if contract is not None and not _supplied(contract, left.get(instance_id)):
            found[instance_id] = contract
    return found


def plan_contract(session: Session, scope: Scope, state: AccountState) -> Contract | None:
    """That of the plan, where it can be withdrawn from now.

    It counts from when the plan was changed last, else from when it came or its trial ends.
    """
    subscription = state.subscription
    if subscription is None or not TERMS[state.account.profile].withdrawal_days:
        return None
    bought = _agreed_purchases(session, scope, sold_to() == subscription.id, "plan")
    acts = [*bought.get(None, ()), *_agreed_changes(session, scope, subscription.id)]
    if not acts or subscription.status is SubscriptionStatus.TRIALING:
        acts.append(_Agreed(subscription.plan_paid_from, None, None))
    return _contract(state, acts)


def once_of(session: Session, scope: Scope, instances: Iterable[Instance]) -> dict[int, Once]:
    """What is left of those that are charged once, by their ids."""
    wanted = {each.id: each for each in instances if not each.price.is_recurring}
    if not wanted:
        return {}
    shares = defaultdict[int | None, list[Fraction]](list)
    lots = select(LotRow.instance_id, LotRow.granted, LotRow.remaining).where(
        LotRow.environment_id == scope.environment_id,
        LotRow.instance_id.in_(wanted),
        LotRow.granted > 0,
    )
    for instance_id, granted, remaining in session.execute(lots):
        shares[instance_id].append(Fraction(remaining) / Fraction(granted))
    return {key: Once(_mean(shares[key]), _span(each)) for key, each in wanted.items()}


def _mean(shares: list[Fraction]) -> Fraction | None:
    """A pack of several features has one price: each counts alike."""
    return sum(shares, Fraction(0)) / len(shares) if shares else None


def _span(instance: Instance) -> Period | None:
    start, end = instance.span.starts_at, instance.span.ends_at
    return Period(start, end) if end is not None and start < end else None


def _supplied(contract: Contract, once: Once | None) -> bool:
    return once is not None and contract.asked and once.units == 0


def _contract(state: AccountState, acts: Iterable[_Agreed]) -> Contract | None:
    """Of what was agreed to last; None where its words, or the time, gave no such right."""
    last = max(acts, key=lambda act: act.at, default=None)
    if last is None:
        return None
    days = TERMS[state.account.profile].withdrawal_days
    if last.profile is not None:
        days = min(days, TERMS[LegalProfile(last.profile)].withdrawal_days)
    ends_at = withdrawal_end(last.at, days, state.account.zone)
    if not days or state.now >= ends_at:
        return None
    return Contract(last.at, _asked(last), ends_at)


def _asked(act: _Agreed) -> bool:
    if act.profile is None or not act.request:
        return False
    return TERMS[LegalProfile(act.profile)].box is Box.START


def _agreed_purchases(
    session: Session, scope: Scope, which: ColumnElement[bool], *kinds: str
) -> dict[int | None, list[_Agreed]]:
    """By instance, None for plans; by default of what is no plan. A pack that auto-recharge bought
    was agreed to with it."""
    recharged = literal("recharge:") + cast(PurchaseRow.policy_id, String)
    bought = literal("purchase:") + cast(PurchaseRow.id, String)
    subject = case((PurchaseRow.policy_id.is_not(None), recharged), else_=bought)
    wanted = (
        select(PurchaseRow.instance_id, QuoteRow.quoted_at, ConsentRow.profile, ConsentRow.request)
        .join(QuoteRow, _joined(QuoteRow, PurchaseRow, QuoteRow.id == PurchaseRow.quote_id))
        .outerjoin(ConsentRow, _joined(ConsentRow, PurchaseRow, ConsentRow.subject == subject))
        .where(
            PurchaseRow.environment_id == scope.environment_id,
            PurchaseRow.status == "settled",
            PurchaseRow.kind.in_(kinds or ("add_on", "quantity")),
            which,
        )
        .order_by(func.coalesce(ConsentRow.request, "").desc())
    )
    found = defaultdict[int | None, list[_Agreed]](list)
    for instance_id, at, profile, request in session.execute(wanted):
        found[instance_id].append(_Agreed(at.astimezone(UTC), profile, request))
    return found


def _agreed_changes(session: Session, scope: Scope, subscription_id: int) -> list[_Agreed]:
    """Changes of plan that came at the end of a term."""
    subject = literal("plan_change:") + cast(PlanChangeRow.id, String)
    wanted = (
        select(PlanChangeRow.effective_at, ConsentRow.profile, ConsentRow.request)
        .outerjoin(ConsentRow, _joined(ConsentRow, PlanChangeRow, ConsentRow.subject == subject))
        .where(
            PlanChangeRow.environment_id == scope.environment_id,
            PlanChangeRow.subscription_id == subscription_id,
            PlanChangeRow.status == "applied",
        )
    )
    rows = session.execute(wanted)
    return [_Agreed(at.astimezone(UTC), profile, request) for at, profile, request in rows]


def _joined(
    table: type[QuoteRow | ConsentRow],
    to: type[PurchaseRow | PlanChangeRow],
    on: ColumnElement[bool],
) -> ColumnElement[bool]:
    return and_(table.environment_id == to.environment_id, table.account_id == to.account_id, on)
