"""What an add-on would cost an account now: the very quote of the confirm page."""

from __future__ import annotations

from flask import url_for

from portal.api.operations import operation
from portal.api.problems import ApiProblem, unfit
from portal.api.requests import settings, state_of
from portal.api.schemas.fields import Amount, Span
from portal.api.schemas.problems import FieldProblem
from portal.api.schemas.quotes import (
    GivenQuote,
    ToldCapacity,
    ToldGoingForward,
    ToldLine,
    ToldQuote,
)
from portal.domain.capacity import Capacity
from portal.domain.eligibility import Reason
from portal.domain.keys import Access
from portal.domain.lines import LineKind, QuoteLine
from portal.domain.quotes import GoingForward, Quote, Request, Start
from portal.domain.working import in_words
from portal.queries.accounts import AccountState
from portal.queries.addons import WHO_MAY_BUY, Card, card_for_host, may_wait
from portal.services.phrases import ENGLISH
from portal.services.purchases import offer


@operation("POST", "/quotes", Access.READ, {200: ToldQuote}, body=GivenQuote, refuses=(404, 409))
def quote_add_on(body: GivenQuote) -> ToldQuote:
    """Quote an add-on, to the cent as the confirm page would; nothing is stored or charged.

    409 with a `reason` when the account cannot buy it now: the same words as on its card.
    """
    state = state_of(body.account)
    card = card_for_host(state, body.add_on)
    if card is None:
        raise unfit([FieldProblem(pointer="#/add_on", detail="is nothing that is sold here")])
    _refuse(card, body.quantity)
    if body.start is Start.NEXT_CYCLE and not may_wait(state, WHO_MAY_BUY, card.add_on):
        raise unfit([FieldProblem(pointer="#/start", detail="cannot be at the next cycle")])
    quote = offer(state, Request(body.add_on, body.quantity, body.auto_renew, body.start))
    return _told(state, card, quote)


def _refuse(card: Card, quantity: int) -> None:
    if card.refusal is not None:
        reason = card.refusal.reason
        raise ApiProblem(409, "cannot-be-bought", SAID[reason], reason=reason)
    if card.most is not None and quantity > card.most:
        detail = f"is more than the {card.most} that the account can still add"
        raise unfit([FieldProblem(pointer="#/quantity", detail=detail)])


SAID: dict[Reason, str] = {
    Reason.NOT_SOLD: "It is no longer sold.",
    Reason.OWNED: "The account has it already.",
    Reason.CANCELLING: "The account has it until it ends, and can keep it instead.",
    Reason.PAYMENT_PENDING: "A payment for it is not finished yet.",
    Reason.INCLUDED: "It is included in the plan.",
    Reason.PLAN: "It is not available on the account's plan.",
    Reason.CURRENCY: "It is not sold in the account's currency.",
    Reason.BILLING_PERIOD: "It is not sold for the plan's billing period.",
    Reason.RESET_PERIOD: "It resets at another pace than the plan.",
    Reason.MOST_HELD: "The account has as many as it can hold.",
    Reason.NO_SUBSCRIPTION: "The account has no plan.",
    Reason.TRIALING: "The account is in its trial.",
    Reason.PAST_DUE: "An invoice of the account is overdue.",
    Reason.SUSPENDED: "The account is suspended.",
    Reason.TERM_OVER: "The plan is ending, and its last term is over.",
    Reason.RENEWING: "The account moves to another plan; ask again in a few minutes.",
    Reason.PERMISSION: "The member may not buy.",
}


def _told(state: AccountState, card: Card, quote: Quote) -> ToldQuote:
    wanted = quote.request
    return ToldQuote(
        account=state.account.key,
        add_on=wanted.add_on,
        name=card.add_on.name,
        quantity=wanted.quantity,
        auto_renew=wanted.auto_renew,
        start=wanted.start,
        price=quote.price.lookup_key,
        use_prices=[each.lookup_key for each in quote.usage_prices],
        lines=[_line(each) for each in quote.lines],
        due=Amount.of(quote.due),
        charged=Amount.of(quote.charged),
        carried=Amount.of(quote.carried_out),
        tax=Amount.of(quote.sum_of(LineKind.TAX)),
        capacity=[_capacity(each) for each in quote.capacity],
        going_forward=_going_forward(quote.going_forward) if quote.going_forward else None,
        starts_at=quote.starts_at,
        ends_at=quote.ends_at or quote.cancel_at,
        quoted_at=quote.at,
        expires_at=quote.expires_at,
        pay_url=_pay_url(wanted),
    )


def _pay_url(wanted: Request) -> str:
    """The confirm page, filled in."""
    auto_renew = "on" if wanted.auto_renew else "off"
    return settings().public_url + url_for(
        "addons.preview",
        lookup_key=wanted.add_on,
        quantity=wanted.quantity,
        auto_renew=auto_renew,
        start=wanted.start,
    )


def _capacity(brought: Capacity) -> ToldCapacity:
    return ToldCapacity(
        feature=brought.feature.lookup_key,
        units=brought.units,
        until=brought.until,
        then_units=brought.then_units,
    )


def _line(line: QuoteLine) -> ToldLine:
    return ToldLine(
        kind=line.kind,
        name=line.name,
        quantity=line.quantity,
        amount=Amount.of(line.amount),
        period=Span(start=line.period.start, end=line.period.end) if line.period else None,
        included=line.included,
        working=in_words(line.working, ENGLISH),
    )


def _going_forward(then: GoingForward) -> ToldGoingForward:
    return ToldGoingForward(
        amount=Amount.of(then.amount),
        tax=Amount.of(then.tax),
        every=then.interval.period,
        every_count=then.interval.count,
        next_at=then.next_at,
    )
