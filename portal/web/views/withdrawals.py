"""Withdrawing from a contract, for consumers: what it comes to, and the second press."""

from __future__ import annotations

from flask import Blueprint, Response, flash, url_for
from flask_babel import gettext as _

from portal.domain.access import Permission
from portal.domain.errors import Conflict
from portal.services.contract_withdrawals import (
    NoRightToWithdraw,
    Withdrawal,
    foresee_add_on,
    foresee_plan,
)
from portal.services.contract_withdrawing import withdraw_from
from portal.web import htmx
from portal.web.access import requires
from portal.web.language import date_time, money
from portal.web.requests import database, forget_state, member, state, wall
from portal.web.wiring import wiring

bp = Blueprint("withdrawals", __name__, url_prefix="/settings/billing/withdrawals")


@bp.get("/add-ons/<int:instance_id>")
@requires(Permission.BILLING_READ)
def add_on(instance_id: int) -> Response:
    return _page(instance_id)


@bp.post("/add-ons/<int:instance_id>")
@requires(Permission.BILLING_UPDATE)
def confirm_add_on(instance_id: int) -> Response:
    return _confirmed(instance_id)


@bp.get("/plan")
@requires(Permission.BILLING_READ)
def plan() -> Response:
    return _page(None)


@bp.post("/plan")
@requires(Permission.BILLING_UPDATE)
def confirm_plan() -> Response:
    return _confirmed(None)


def _page(instance_id: int | None) -> Response:
    try:
        made = _foreseen(instance_id)
    except NoRightToWithdraw:
        flash(_("There is nothing to withdraw from here any more."), "info")
        return _back(instance_id)
    return htmx.page(
        "withdrawals/contract.html", "withdrawals/_contract.html",
        made=made, here=_here(instance_id), back=_way_back(instance_id), state=state(),
    )  # fmt: skip


def _foreseen(instance_id: int | None) -> Withdrawal:
    session, scope = database(), member().actor.scope
    if instance_id is None:
        return foresee_plan(session, scope, state())
    return foresee_add_on(session, scope, state(), instance_id)


def _confirmed(instance_id: int | None) -> Response:
    try:
        made = withdraw_from(
            member().actor, instance_id,
            session=database(), gateway=wiring().gateway, wall=wall(),
        )  # fmt: skip
    except NoRightToWithdraw:
        flash(_("There is nothing to withdraw from here any more."), "info")
        return _back(instance_id)
    except Conflict:
        flash(_("A payment for it is under way. Please try again in a few minutes."), "warning")
        return htmx.go(_here(instance_id))
    forget_state()
    if made is None:
        flash(_("You had withdrawn from it already."), "info")
    else:
        flash(_told(made), "success")
    return _back(instance_id)


def _told(made: Withdrawal) -> str:
    said = _("You withdrew from the contract about %(what)s on %(at)s. We confirm it by mail.",
             what=made.name, at=date_time(made.at))  # fmt: skip
    if not made.credited:
        return said
    return f"{said} {_('%(amount)s goes back to you.', amount=money(made.credited))}"


def _here(instance_id: int | None) -> str:
    if instance_id is None:
        return url_for("withdrawals.plan")
    return url_for("withdrawals.add_on", instance_id=instance_id)


def _way_back(instance_id: int | None) -> str:
    return url_for("plans.index") if instance_id is None else url_for("active.index")


def _back(instance_id: int | None) -> Response:
    return htmx.go(_way_back(instance_id))
