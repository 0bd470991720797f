"""Auto-recharge by feature, what it decided, and the account's monthly ceiling."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, flash, request, url_for
from flask_babel import gettext as _

from portal.domain.access import Permission
from portal.domain.errors import NotFound
from portal.domain.money import Money
from portal.domain.recharge_decisions import Pack, larger_packs
from portal.domain.spending import Mode
from portal.domain.throttle import PREVIEW, PURCHASE
from portal.queries.cards import saved_cards
from portal.queries.consents import consents_to
from portal.queries.recharge_pages import Recharging, Values, decisions, rechargings
from portal.queries.recharge_trials import simulated
from portal.queries.spending import Ceiling, ceiling_of
from portal.services import recharge_policies, spending
from portal.services.capacity import open_windows_now
from portal.services.recharge_policies import AmountChanged, Consent, Wanted
from portal.services.till import till_of
from portal.web import htmx
from portal.web.access import requires
from portal.web.agreeing import pressed
from portal.web.deals import recharge_deal
from portal.web.forms.recharge import CeilingForm, ConsentForm, RechargeForm, step_of
from portal.web.language import language
from portal.web.pacing import paced
from portal.web.recharge_sentences import TEXT_VERSION, consent_text, pack_changed
from portal.web.requests import database, forget_state, member, state, wall
from portal.web.wiring import wiring
from portal.web.words import Problem

bp = Blueprint("recharge", __name__, url_prefix="/settings/billing/auto-recharge")


@bp.get("")
@requires(Permission.BILLING_READ)
def index() -> Response:
    return _page(None, 200)


@bp.get("/<feature>")
@requires(Permission.BILLING_READ)
@paced(PREVIEW)
def edit(feature: str) -> Response:
    """The values, and what they would have done; recalculated as they change."""
    shown = _shown(feature)
    form = RechargeForm(request.args or None).offering(shown)
    sound = form.validate() if form.is_typed else shown.proposed is not None
    found = simulated(database(), member().actor.scope, state(), shown, form.values(_code())) if (
        sound) else None  # fmt: skip
    status = 422 if form.errors else 200
    return htmx.page(
        "recharge/edit.html", "recharge/_simulated.html", status,
        form=form, shown=shown, found=found, step=step_of(_code()), state=state(),
        consents=consents_to(database(), member().actor, f"recharge:{shown.policy_id}"),
    )  # fmt: skip


@bp.get("/<feature>/consent")
@requires(Permission.BILLING_READ)
def consent(feature: str) -> Response:
    shown = _shown(feature)
    form = RechargeForm(request.args or None).offering(shown)
    if not form.is_typed or not form.validate():
        return htmx.go(url_for(".edit", feature=feature, **_typed()))
    return _consent(shown, form, 200)


@bp.post("/<feature>/consent")
@requires(Permission.BILLING_UPDATE)
@paced(PURCHASE)
def agree(feature: str) -> Response:
    shown = _shown(feature)
    form = ConsentForm().offering(shown)
    if not form.validate():
        return _consent(shown, form, 422, pack_changed())
    values, pack = form.values(_code()), shown.pack(str(form.pack.data))
    digits = str(form.amount.data)
    amount = Money(int(digits) if digits.isdecimal() else 0, _code())
    if pack is None or pack.amount != amount:
        return _consent(shown, form, 422, pack_changed())
    text = _text(shown, pack, values)
    agreed = pressed(f"recharge:{feature}:{text}")
    if isinstance(agreed, Problem):
        return _consent(shown, form, 422, agreed)
    wanted = Wanted(feature, values.threshold, values.pack, values.cap, values.cooldown)
    larger = larger_packs(shown.packs, pack)
    said = Consent(wanted, amount, text, TEXT_VERSION, language(), agreed, larger)
    outcome = recharge_policies.agree(
        member().actor, said, session=database(), gateway=wiring().gateway, wall=wall()
    )
    if isinstance(outcome, AmountChanged):
        forget_state()
        return _consent(_shown(feature), form, 422, pack_changed())
    flash(_("Auto-recharge is on for %(what)s.", what=shown.feature.name), "success")
    return htmx.go(url_for(".index"))


@bp.post("/<feature>/pause")
@requires(Permission.BILLING_UPDATE)
def pause(feature: str) -> Response:
    return _changed(recharge_policies.stop_for_now, feature, _("Auto-recharge is paused."))


@bp.post("/<feature>/resume")
@requires(Permission.BILLING_UPDATE)
def resume(feature: str) -> Response:
    return _changed(recharge_policies.go_on, feature, _("Auto-recharge goes on."))


@bp.post("/<feature>/off")
@requires(Permission.BILLING_UPDATE)
def turn_off(feature: str) -> Response:
    said = _("Auto-recharge is off. Nothing is bought by itself.")
    return _changed(recharge_policies.turn_off, feature, said)


@bp.post("/ceiling")
@requires(Permission.BILLING_LIMIT)
def set_ceiling() -> Response:
    form, actor = CeilingForm(), member().actor
    form.validate()
    amount = form.read(_code())
    if amount is None or form.mode.errors:
        return _page(form, 422)
    till = till_of(actor, database(), wiring().gateway, wall())
    spending.set_ceiling(till, actor, Mode(form.mode.data), amount)
    flash(_("The ceiling is saved."), "success")
    return htmx.go(url_for(".index", _anchor="recharge-ceiling"))


def _typed() -> dict[str, Any]:
    """The values in the address, for another page of the same."""
    names = ("threshold", "pack", "cap", "cooldown")
    return {name: request.args[name] for name in names if name in request.args}


def _changed(act: Callable[..., None], feature: str, said: str) -> Response:
    act(member().actor, feature, session=database(), gateway=wiring().gateway, wall=wall())
    flash(said, "success")
    return htmx.go(url_for(".index"))


def _page(form: CeilingForm | None, status: int) -> Response:
    actor = member().actor
    open_windows_now(database(), actor.scope, state())
    ceiling = ceiling_of(database(), actor.environment_id, state())
    context: dict[str, Any] = {
        "rechargings": rechargings(database(), actor.scope, state()),
        "decisions": decisions(database(), actor.scope, state()),
        "ceiling": ceiling,
        "form": form or _ceiling_form(ceiling),
        "may_limit": actor.holds(Permission.BILLING_LIMIT),
        "step": step_of(_code()),
        "state": state(),
    }
    return htmx.page("recharge/index.html", "recharge/_overview.html", status, **context)


def _ceiling_form(ceiling: Ceiling) -> CeilingForm:
    amount = ceiling.amount.major() if ceiling.amount else None
    return CeilingForm(None, mode=ceiling.mode, amount=amount)


def _consent(
    shown: Recharging, form: RechargeForm, status: int, problem: Problem | None = None
) -> Response:
    """What is agreed to, with today's amount; problem: why it is shown anew."""
    values, pack = form.values(_code()), shown.pack(str(form.pack.data))
    if pack is None or form.threshold.errors or form.cap.errors or form.cooldown.errors:
        return htmx.go(url_for(".edit", feature=shown.feature.lookup_key))
    text = _text(shown, pack, values)
    return htmx.page(
        "recharge/consent.html", "recharge/_consent.html", status,
        shown=shown, values=values, pack=pack, problem=problem, state=state(),
        deal=recharge_deal(values.cap, text, shown.feature.lookup_key),
    )  # fmt: skip


def _text(shown: Recharging, pack: Pack, values: Values) -> str:
    cards = saved_cards(database(), member().actor)
    larger, zone = larger_packs(shown.packs, pack), state().account.zone
    return consent_text(shown.feature, pack, larger, values, zone, cards)


def _shown(feature: str) -> Recharging:
    """Raises NotFound for a feature that no pack brings."""
    scope = member().actor.scope
    open_windows_now(database(), scope, state())
    found = rechargings(database(), scope, state())
    shown = next((each for each in found if each.feature.lookup_key == feature), None)
    if shown is None:
        raise NotFound("auto-recharge")
    return shown


def _code() -> str:
    return state().account.currency
