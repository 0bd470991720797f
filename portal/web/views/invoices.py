"""Issued invoices."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response

from portal.domain.access import Permission
from portal.queries import invoices as queries
from portal.queries.purchases import refunds
from portal.web import htmx
from portal.web.access import requires
from portal.web.requests import database, member, state

bp = Blueprint("invoices", __name__, url_prefix="/settings/billing/invoices")


@bp.get("")
@requires(Permission.BILLING_READ)
def index() -> Response:
    actor = member().actor
    context: dict[str, Any] = {
        "invoices": queries.invoices(database(), actor),
        "refunds": refunds(database(), actor),
        "state": state(),
    }
    return htmx.page("invoices/index.html", "invoices/_list.html", **context)


@bp.get("/<int:number>")
@requires(Permission.BILLING_READ)
def show(number: int) -> Response:
    found = queries.get_invoice(database(), member().actor, number)
    context: dict[str, Any] = {"invoice": found, "state": state()}
    return htmx.page("invoices/invoice.html", "invoices/_invoice.html", **context)
