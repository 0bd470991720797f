"""Issued credit notes."""

from __future__ import annotations

from flask import Blueprint, Response

from portal.domain.access import Permission
from portal.domain.throttle import EXPORT
from portal.queries import credit_notes as queries
from portal.services import documents
from portal.web import htmx
from portal.web.access import requires
from portal.web.pacing import paced
from portal.web.requests import database, member, state, wall
from portal.web.wiring import wiring

bp = Blueprint("credit_notes", __name__, url_prefix="/settings/billing/credit-notes")


@bp.get("/<int:number>")
@requires(Permission.BILLING_READ)
def show(number: int) -> Response:
    note = queries.get_credit_note(database(), member().actor, number)
    return htmx.page(
        "credit_notes/credit_note.html", "credit_notes/_note.html", note=note, state=state()
    )


@bp.get("/<int:number>/pdf")
@requires(Permission.BILLING_READ)
@paced(EXPORT)
def document(number: int) -> Response:
    found = documents.document_of(
        member().actor, number, documents.CREDIT_NOTES,
        session=database(), printer=wiring().printer, wall=wall(),
    )  # fmt: skip
    reply = Response(found.content, mimetype="application/pdf")
    name = f"credit-note-{number:06d}.pdf"
    reply.headers.set("Content-Disposition", "attachment", filename=name)
    return reply
