"""What every page's frame shows, and the hashed names of static files."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

from flask import Flask, current_app, g, request
from flask_babel import get_timezone, gettext, ngettext

from portal.domain.access import Permission
from portal.domain.instances import HELD_PHASES, SubscriptionStatus
from portal.domain.periods import Period
from portal.domain.price_changes import PriceAhead
from portal.domain.support import Consent, masked_email
from portal.queries.account_rows import FormerPlan
from portal.queries.accounts import AccountState
from portal.queries.billing import prices_ahead
from portal.queries.declarations import count_open
from portal.queries.owing import Owing, owing
from portal.queries.recharge_pages import paused_by_itself
from portal.queries.wallet import Expiring
from portal.web import (
    activity_sentences,
    activity_support,
    activity_ways,
    card_sentences,
    ceiling,
    cookies,
    credit_papers,
    deals,
    declaration_words,
    member_sentences,
    owing_sentences,
    plan_sentences,
    price_sentences,
    proposal_sentences,
    quantity_sentences,
    recharge_sentences,
    sentences,
    sign_in_sentences,
    steps,
    support_sentences,
    tenant_sentences,
    usage_charts,
    usage_sentences,
    wallet_sentences,
    withdrawal_words,
    words,
)
from portal.web.forms.sign_in import safe_next
from portal.web.language import date, direction, language, number
from portal.web.proposed import Offered, offered
from portal.web.requests import database, is_staff_page, scope, signed_in
from portal.web.staff import staff_signed_in
from portal.web.support import SupportFrame, frame, shown_email
from portal.web.warnings import QuotaAlert, expiring_soon, quota_alerts
from portal.web.wiring import wiring

THEME, THEMES = "theme", ("auto", "light", "dark")
PHRASES = {
    said.__name__: said
    for said in (
        activity_sentences.act_words, activity_sentences.doer_words, activity_ways.act_way,
        card_sentences.card_badges, card_sentences.card_ends, card_sentences.kept_words,
        card_sentences.renewal_words,
        deals.invoice_deal, deals.keep_deal, deals.keep_plan_deal, deals.purchase_deal,
        words.charged_note, words.per, words.way_out, sentences.brings, sentences.card_words,
        sentences.ending_words, sentences.granted, sentences.line_label, sentences.line_notes,
        sentences.meter_state, sentences.meter_tone, sentences.meter_words, sentences.phase_words,
        price_sentences.price_ahead, price_sentences.price_change,
        sentences.taxed, sentences.units_of,
        credit_papers.balance_words, credit_papers.cause_words, credit_papers.credited_label,
        credit_papers.parts_words, steps.open_invoice_words, steps.refund_words,
        steps.returned_words,
        plan_sentences.fate_words, plan_sentences.gained_words, plan_sentences.granted_words,
        plan_sentences.offer_label, plan_sentences.plan_blocked,
        wallet_sentences.alert_title, wallet_sentences.alert_words, wallet_sentences.entry_words,
        wallet_sentences.expiring_words, wallet_sentences.pace_words,
        wallet_sentences.source_words, wallet_sentences.unused_words,
        declaration_words.answer_words, declaration_words.cancel_labels,
        declaration_words.cancel_link, declaration_words.declared_facts,
        proposal_sentences.proposal_state, proposal_sentences.proposed_words,
        quantity_sentences.quantity_blocked,
        tenant_sentences.tenant_doer_words, tenant_sentences.tenant_words,
        usage_charts.chart_of, usage_charts.chartless_words, usage_sentences.beyond_bill,
        usage_sentences.mix_notes,
        usage_sentences.outlook_tone, usage_sentences.outlook_words, usage_sentences.rate_label,
        usage_sentences.rate_words, usage_sentences.pick_words, usage_sentences.run_out_words,
        usage_sentences.share_percent, usage_sentences.short_words,
        usage_sentences.use_pace_words, usage_sentences.use_price_words,
        usage_sentences.use_sold_words, usage_sentences.use_then_words,
        recharge_sentences.decision_words, recharge_sentences.recharge_state,
        recharge_sentences.recharge_tone, recharge_sentences.recharge_words,
        recharge_sentences.simulated_words, ceiling.ceiling_note,
        member_sentences.role_name, member_sentences.role_words,
        owing_sentences.owed_words, owing_sentences.retry_words,
        activity_support.end_words, support_sentences.standing_words,
        sign_in_sentences.device_icon, sign_in_sentences.device_words,
        withdrawal_words.supplied_words, withdrawal_words.withdraw_labels,
    )
}  # fmt: skip
"""What every template, and every macro, may call."""


@dataclass(frozen=True, slots=True)
class StaffFrame:
    """What staff are shown of where they are. email: None before they are in.

    approves: whether a second of them may let the first look. administers: whether their role is
    to do so. declarations: cancellations that wait for them; None where nobody declares any.
    """

    environment: str
    email: str | None
    approves: bool
    administers: bool
    declarations: int | None


@dataclass(frozen=True, slots=True)
class Page:
    """The frame's view of the request. active_count and cycle: only on an account's pages.

    unfinished: what is bought whose payment has no end yet, with the purchase's id. owing: what
    is overdue. ends_at: when the subscription ends, cancelled. former: a plan that has ended.
    has_clock: its account's time can be moved. quota_alerts and expiring: of use, on the pages
    about it. recharge_paused: features whose auto-recharge waits for one. proposals: what
    support offers. staff: only on staff pages, which know nothing of a member. support: while staff
    look through a member's eyes.
    """

    lang: str
    dir: str
    theme: str
    product_name: str
    member_email: str | None
    account_name: str | None
    can_update: bool
    active_count: int | None
    cycle: str | None
    unfinished: tuple[tuple[str, int], ...]
    owing: Owing | None
    ends_at: datetime | None
    former: FormerPlan | None
    prices_ahead: tuple[PriceAhead, ...]
    quota_alerts: tuple[QuotaAlert, ...]
    expiring: tuple[Expiring, ...]
    recharge_paused: tuple[str, ...]
    proposals: tuple[Offered, ...]
    has_clock: bool
    sandbox: bool
    demo: bool
    support_email: str
    staff: StaffFrame | None
    support: SupportFrame | None


def install(app: Flask) -> None:
    app.context_processor(lambda: {"page": _page()})
    app.jinja_env.globals.update(PHRASES, asset=asset, own_address=own_address)
    app.jinja_env.filters.update(masked=masked_email, shown_email=shown_email)


def own_address() -> str:
    """The page's own address, to come back to; empty for what is no page's."""
    return safe_next(request.full_path, "") if request.method == "GET" else ""


def asset(name: str) -> str:
    """The URL of a static file, which changes when its bytes do."""
    root = Path(current_app.static_folder or "")
    return (
        f"{request.script_root}{current_app.static_url_path}/{name}?v={_fingerprint(root / name)}"
    )


@cache
def _fingerprint(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def _page() -> Page:
    settings = wiring().settings
    who = user.member if (user := signed_in()) else None
    state: AccountState | None = g.get("state")
    return Page(
        lang=language(),
        dir=direction(),
        theme=_theme(),
        product_name=settings.product_name,
        member_email=shown_email(who.email) if who else None,
        account_name=who.account_name if who else None,
        can_update=bool(who and who.actor.holds(Permission.BILLING_UPDATE)),
        active_count=_active_count(state) if state else None,
        cycle=_cycle(state) if state else None,
        unfinished=_unfinished(state) if state else (),
        has_clock=state is not None and settings.portal_environment == "development",
        owing=owing(database(), scope(), state) if state else None,
        ends_at=state.subscription.ends_at if state and state.subscription else None,
        former=state.former if state else None,
        prices_ahead=prices_ahead(state) if state else (),
        quota_alerts=quota_alerts(state) if state else (),
        expiring=expiring_soon(state) if state else (),
        recharge_paused=_recharge_paused(state) if state else (),
        proposals=offered(state),
        sandbox=settings.uses_sandbox,
        demo=settings.portal_demo,
        support_email=settings.support_email,
        staff=_staff_frame() if is_staff_page() else None,
        support=frame(),
    )


def _theme() -> str:
    theme = cookies.held(THEME)
    return theme if theme in THEMES else "auto"


def _staff_frame() -> StaffFrame:
    who = staff_signed_in()
    settings = wiring().settings
    approves = Consent(settings.support_view) is Consent.BREAK_GLASS
    administers = who is not None and who.actor.can(Permission.STAFF_ADMIN)
    declares = settings.german_consumers and who is not None
    waiting = count_open(database(), scope()) if declares else None
    email = who.email if who else None
    return StaffFrame(settings.portal_environment, email, approves, administers, waiting)


def _recharge_paused(state: AccountState) -> tuple[str, ...]:
    return paused_by_itself(database(), scope(), state)


def _active_count(state: AccountState) -> int:
    return sum(1 for i in state.instances if i.phase in HELD_PHASES)


def _unfinished(state: AccountState) -> tuple[tuple[str, int], ...]:
    found = [(i.add_on.name, i.purchase_id) for i in state.unfinished if i.purchase_id]
    found += [(i.add_on.name, i.raise_purchase_id) for i in state.instances if i.raise_purchase_id]
    if state.plan_purchase_id is not None:
        what = gettext("New plan") if state.former else gettext("Change of plan")
        found.append((what, state.plan_purchase_id))
    return tuple(found)


def _cycle(state: AccountState) -> str | None:
    if state.subscription is None:
        return None
    subscription = state.subscription
    if subscription.status is SubscriptionStatus.TRIALING:
        trial = Period(subscription.started_at, subscription.billed_until)
        said: str = gettext(
            "Your trial runs until %(end)s, %(left)s",
            end=date(trial.end),
            left=days_left(trial, state),
        )
        return said
    period = subscription.cycle.billing_period(state.now)
    words: str = gettext(
        "This cycle runs %(start)s – %(end)s, %(left)s",
        start=date(period.start),
        end=date(period.end),
        left=days_left(period, state),
    )
    return words


def days_left(period: Period, state: AccountState) -> str:
    """Whole days to the end as the account's calendar counts them; the last day says today."""
    zone = get_timezone()
    days = (period.end.astimezone(zone).date() - state.now.astimezone(zone).date()).days
    if days < 1:
        return str(gettext("ends today"))
    return str(ngettext("%(shown)s day left", "%(shown)s days left", days, shown=number(days)))
