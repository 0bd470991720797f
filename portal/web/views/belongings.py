"""Somebody with several accounts goes on in another of them."""

from __future__ import annotations

from flask import Blueprint, Response, flash, url_for
from flask_babel import gettext as _

from portal.domain.access import Permission
from portal.services.sessions import move
from portal.web import htmx
from portal.web.access import requires
from portal.web.entering import take
from portal.web.requests import database, member, wall

bp = Blueprint("belongings", __name__, url_prefix="/settings/billing/accounts")


@bp.post("/<int:membership_id>")
@requires(Permission.SELF_UPDATE)
def go_on(membership_id: int) -> Response:
    """Raises NotFound for a membership of somebody else."""
    who = member()
    take(move(database(), who.actor, who.session_id, membership_id, wall()))
    flash(_("You see another account now: %(name)s.", name=member().account_name), "success")
    return htmx.go(url_for("addons.grid"))
