"""Receipts of invoices that were issued open."""

from __future__ import annotations

from flask import Blueprint, Response

from portal.domain.access import Permission
from portal.domain.throttle import EXPORT
from portal.services import documents
from portal.web.access import requires
from portal.web.pacing import paced
from portal.web.requests import database, member, wall
from portal.web.wiring import wiring

bp = Blueprint("receipts", __name__, url_prefix="/settings/billing/receipts")


@bp.get("/<int:number>/pdf")
@requires(Permission.BILLING_READ)
@paced(EXPORT)
def document(number: int) -> Response:
    """number: of the invoice."""
    found = documents.document_of(
        member().actor, number, documents.RECEIPTS,
        session=database(), printer=wiring().printer, wall=wall(),
    )  # fmt: skip
    reply = Response(found.content, mimetype="application/pdf")
    reply.headers.set("Content-Disposition", "attachment", filename=f"receipt-{number:06d}.pdf")
    return reply
