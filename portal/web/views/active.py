"""The active add-ons: auto-renew, Cancel and Keep."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, request, url_for
from flask_babel import gettext as _

from portal.domain.access import Permission
from portal.domain.errors import Conflict
from portal.domain.instances import Phase
from portal.queries import active as queries
from portal.queries.billing import next_bills
from portal.queries.consents import consents_to
from portal.queries.contracts import contracts_of
from portal.queries.invoices import find_invoice_of
from portal.queries.subscriptions import Instance
from portal.services import instances, withdrawing
from portal.services.capacity import open_windows_now
from portal.services.instances import find_instance, next_boundary
from portal.web import htmx
from portal.web.access import requires
from portal.web.agreeing import pressed
from portal.web.forms.instances import CancelForm
from portal.web.requests import database, forget_state, member, state, wall
from portal.web.sentences import renewal
from portal.web.wiring import wiring
from portal.web.words import Problem

bp = Blueprint("active", __name__, url_prefix="/settings/billing/add-ons/active")


@bp.get("")
@requires(Permission.BILLING_READ)
def index() -> Response:
    return htmx.page("active/index.html", "active/_list.html", **_context())


@bp.post("/<int:instance_id>/auto-renew")
@requires(Permission.BILLING_UPDATE)
def auto_renew(instance_id: int) -> Response:
    """The switch: off is Cancel without a reason, on is Keep."""
    if request.form.get("auto_renew") == "on":
        return _kept(instance_id)
    actor = member().actor
    return _changed(instances.cancel(actor, instance_id, "", session=database(), wall=wall()))


@bp.post("/<int:instance_id>/keep")
@requires(Permission.BILLING_UPDATE)
def keep(instance_id: int) -> Response:
    return _kept(instance_id)


@bp.get("/<int:instance_id>/cancel")
@requires(Permission.BILLING_READ)
def cancel(instance_id: int) -> Response:
    return _cancel_page(instance_id, CancelForm(), 200)


@bp.post("/<int:instance_id>/cancel")
@requires(Permission.BILLING_UPDATE)
def confirm_cancel(instance_id: int) -> Response:
    form = CancelForm()
    if not form.validate():
        return _cancel_page(instance_id, form, 422)
    reason = form.reason.data or ""
    actor = member().actor
    cancelled = instances.cancel(actor, instance_id, reason, session=database(), wall=wall())
    flash(renewal(cancelled), "success")
    return htmx.go(url_for("active.index", _anchor=f"instance-{instance_id}"))


@bp.get("/<int:instance_id>/withdraw")
@requires(Permission.BILLING_READ)
def withdraw(instance_id: int) -> Response:
    instance = find_instance(state(), instance_id)
    if instance.phase is not Phase.SCHEDULED:
        raise Conflict("nothing to take back")
    paid = None
    if instance.purchase_id is not None:
        paid = find_invoice_of(database(), member().actor, instance.purchase_id)
    return htmx.page(
        "active/withdraw.html",
        "active/_withdraw.html",
        instance=instance,
        paid=paid,
        state=state(),
    )


@bp.post("/<int:instance_id>/withdraw")
@requires(Permission.BILLING_UPDATE)
def confirm_withdraw(instance_id: int) -> Response:
    withdrawing.withdraw(
        member().actor, instance_id,
        session=database(), gateway=wiring().gateway, wall=wall(),
    )  # fmt: skip
    flash(_("Taken back: it does not start."), "success")
    return htmx.go(url_for("active.index"))


def _kept(instance_id: int) -> Response:
    """Go on with it, if what the button says was read."""
    agreed = pressed(f"instance:{instance_id}")
    if isinstance(agreed, Problem):
        flash(f"{agreed.title}. {agreed.message}", "warning")
        return htmx.go(url_for("active.index", _anchor=f"instance-{instance_id}"))
    kept = instances.keep(
        member().actor, instance_id, session=database(), wall=wall(), agreed=agreed
    )
    return _changed(kept)


def _changed(instance: Instance) -> Response:
    forget_state()
    flash(renewal(instance), "success")
    if not htmx.wants_partial():
        return htmx.go(url_for("active.index", _anchor=f"instance-{instance.id}"))
    others = ("layouts/_tabs.html", "layouts/_flash.html")
    return htmx.partials("active/_list.html", *others, **_context())


def _cancel_page(instance_id: int, form: CancelForm, status: int) -> Response:
    instance = find_instance(state(), instance_id)
    if not instance.renews:
        raise Conflict("nothing to cancel")
    scope, stops_at = member().actor.scope, next_boundary(state(), instance)
    return htmx.page(
        "active/cancel.html",
        "active/_cancel.html",
        status,
        form=form,
        instance=instance,
        contract=contracts_of(database(), scope, state()).get(instance_id),
        consents=consents_to(database(), member().actor, f"instance:{instance_id}"),
        stops_at=stops_at,
        next_bills=next_bills(state()),
        wont_fit=queries.wont_fit(database(), scope, state(), instance, stops_at),
        state=state(),
    )


def _context() -> dict[str, Any]:
    scope = member().actor.scope
    open_windows_now(database(), scope, state())
    rows = queries.rows(database(), scope, state())
    return {
        "rows": rows,
        "ended": queries.ended(state()),
        "next_bills": next_bills(state()),
        "state": state(),
    }
