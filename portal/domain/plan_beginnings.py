"""The quote of a plan that begins once another has ended, and what is billed from then on."""

from __future__ import annotations

from dataclasses import dataclass, replace

from portal.domain.bills import BillingState
from portal.domain.capacity import Cycle
from portal.domain.catalog import Plan, usage_prices_for
from portal.domain.lines import Means, charge_line, completed, due_for, means_after, with_tax
from portal.domain.periods import Anchor, BillingNow
from portal.domain.plan_changes import PlanQuote, PlanRequest
from portal.domain.plan_limits import Level, misfits, raised
from portal.domain.plan_moves import Timing, plan_price
from portal.domain.quotes import GoingForward, expiry_of_quote
from portal.domain.recurring import Recurring
from portal.domain.taxes import tax_on


@dataclass(frozen=True, slots=True)
class Returning:
    """An account without a plan, which had one. former: the one that ended last, by lookup key.

    levels: of held features.
    """

    account_id: int
    former: str
    zone: str
    means: Means
    levels: tuple[Level, ...] = ()


def quote_beginning(
    returning: Returning, target: Plan, request: PlanRequest, at: BillingNow
) -> PlanQuote:
    """Price the first whole period of `target` from the whole second `at`: there is no trial again.

    Raises ValueError without a price. Source: ADR 0031.
    """
    price = plan_price(target, returning.means.currency, request.interval)
    if price is None:
        raise ValueError("no price to begin with")
    anchor = Anchor(at, returning.zone)
    period = anchor.period_at(at, request.interval)
    whole = replace(charge_line(target.name, price, 1, None, at), period=period)
    taxed = with_tax(whole, returning.means.tax)
    lines = completed(taxed, returning.means)
    tax = tax_on(returning.means.tax, whole.amount)
    return PlanQuote(
        request=request,
        account_id=returning.account_id,
        from_plan=returning.former,
        from_price=None,
        price=price,
        timing=Timing.NOW,
        at=at,
        effective_at=at,
        expires_at=expiry_of_quote(at, period.end),
        lines=lines,
        due=due_for(lines, returning.means.currency),
        moves=(),
        misfits=misfits(target, (), returning.levels, at),
        raised=raised(None, target, Cycle(request.interval, anchor, anchor), at),
        usage_prices=usage_prices_for(target, price),
        going_forward=GoingForward(whole.amount, tax, request.interval, period.end),
    )


def begun(returning: Returning, accepted: PlanQuote, name: str) -> BillingState:
    """What is billed once the plan, called `name`, has begun as it was accepted."""
    anchor, ahead = Anchor(accepted.at, returning.zone), accepted.going_forward
    return BillingState(
        means=means_after(returning.means, accepted.lines, accepted.due),
        plan=Recurring(name, accepted.price, anchor, ahead.next_at),
    )
