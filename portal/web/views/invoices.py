"""Issued invoices."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, url_for
from flask_babel import gettext as _

from portal.domain.access import Permission
from portal.domain.throttle import EXPORT, PURCHASE
from portal.queries import invoices as queries
from portal.queries.balance import balance_of
from portal.queries.billing import next_bills
from portal.queries.cards import saved_cards
from portal.queries.credit_notes import credit_notes, notes_of
from portal.queries.given_back import given_back
from portal.queries.purchases import refunds
from portal.services import documents, invoice_payments
from portal.services.invoice_payments import AtCheckout, InvoicePaid
from portal.services.ways import Paying
from portal.web import htmx
from portal.web.access import requires
from portal.web.agreeing import owing
from portal.web.forms.cards import CardForm
from portal.web.pacing import paced
from portal.web.requests import database, forget_state, member, state, wall
from portal.web.wiring import wiring

bp = Blueprint("invoices", __name__, url_prefix="/settings/billing/invoices")


@bp.get("")
@requires(Permission.BILLING_READ)
def index() -> Response:
    actor = member().actor
    context: dict[str, Any] = {
        "invoices": queries.invoices(database(), actor),
        "notes": credit_notes(database(), actor),
        "given_back": given_back(database(), actor),
        "balance": balance_of(database(), actor),
        "refunds": refunds(database(), actor),
        "next_bills": next_bills(state()),
        "state": state(),
    }
    return htmx.page("invoices/index.html", "invoices/_list.html", **context)


@bp.get("/<int:number>")
@requires(Permission.BILLING_READ)
def show(number: int) -> Response:
    return _page(number, 200)


@bp.get("/upcoming")
@requires(Permission.BILLING_READ)
def upcoming() -> Response:
    """The next invoice, by the functions that will make it."""
    context: dict[str, Any] = {"next_bills": next_bills(state()), "state": state()}
    return htmx.page("invoices/upcoming.html", "invoices/_upcoming.html", **context)


@bp.post("/<int:number>/pay")
@requires(Permission.BILLING_UPDATE)
@paced(PURCHASE)
def pay(number: int) -> Response:
    """Pay an open invoice; the account goes on at once."""
    actor = member().actor
    invoice, form = queries.get_invoice(database(), actor, number), _cards(CardForm(), number)
    if not form.validate():
        return _page(number, 422, form)
    agreed = owing(f"invoice:{number}")
    outcome = invoice_payments.pay(
        actor, invoice.id, Paying(form.choice, _address, agreed, form.seen.data),
        session=database(), gateway=wiring().gateway, wall=wall(),
    )  # fmt: skip
    if isinstance(outcome, AtCheckout):
        return htmx.go(outcome.url)
    if isinstance(outcome, InvoicePaid):
        flash(_("Invoice %(number)s is paid. Thank you.", number=invoice.number), "success")
    return htmx.go(url_for("invoices.show", number=number))


@bp.get("/<int:number>/return")
@requires(Permission.BILLING_READ)
def returned(number: int) -> Response:
    """Back from Stripe's page or the bank's: ask how it went, whatever the address says."""
    actor = member().actor
    invoice = queries.get_invoice(database(), actor, number)
    invoice_payments.finish(
        actor, invoice.id, session=database(), gateway=wiring().gateway, wall=wall()
    )
    return htmx.go(url_for("invoices.show", number=number))


def _address(number: int) -> str:
    return wiring().settings.public_url + url_for("invoices.show", number=number)


def _cards(form: CardForm, number: int) -> CardForm:
    actor = member().actor
    attempt = queries.last_try(database(), actor, queries.get_invoice(database(), actor, number).id)
    refused = attempt.card_id if attempt and attempt.declined else None
    return form.offering(saved_cards(database(), actor), refused)


def _page(number: int, status: int, form: CardForm | None = None) -> Response:
    forget_state()
    actor = member().actor
    invoice = queries.get_invoice(database(), actor, number)
    return htmx.page(
        "invoices/invoice.html",
        "invoices/_invoice.html",
        status,
        invoice=invoice,
        notes=notes_of(database(), actor, invoice.id),
        given_back=given_back(database(), actor),
        attempt=queries.last_try(database(), actor, invoice.id),
        form=form or _cards(CardForm(None), number),
        state=state(),
    )


@bp.get("/<int:number>/pdf")
@requires(Permission.BILLING_READ)
@paced(EXPORT)
def document(number: int) -> Response:
    found = documents.document_of(
        member().actor, number, session=database(), printer=wiring().printer, wall=wall()
    )
    reply = Response(found.content, mimetype="application/pdf")
    reply.headers.set("Content-Disposition", "attachment", filename=f"invoice-{number:06d}.pdf")
    return reply
