"""What support proposed: members decline it here, and buy it where they buy everything."""

from __future__ import annotations

from flask import Blueprint, Response, flash, url_for
from flask_babel import gettext as _

from portal.domain.access import Permission
from portal.services.proposing import decline
from portal.web import htmx
from portal.web.access import requires
from portal.web.requests import database, member, wall

bp = Blueprint("proposals", __name__, url_prefix="/settings/billing/proposals")


@bp.post("/<int:proposal_id>/decline")
@requires(Permission.BILLING_UPDATE)
def say_no(proposal_id: int) -> Response:
    decline(database(), member().actor, proposal_id, wall())
    flash(_("The proposal is declined. Nothing was bought."), "success")
    return htmx.go(url_for("addons.grid"))
