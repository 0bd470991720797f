"""Staff: where the host application is told of events: added, paused, removed, new secrets."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, Response, flash, url_for
from flask_babel import gettext as _

from portal.domain.errors import NotFound
from portal.domain.webhooks import secret_of
from portal.queries.webhooks import Endpoint, find_endpoint
from portal.services import webhooks
from portal.web import htmx
from portal.web.forms.staff import NewEndpointForm, OverlapForm
from portal.web.forms.support import ProofForm
from portal.web.requests import STAFF_PREFIX, database, scope, wall
from portal.web.staff import administrators_only, doer
from portal.web.staff_proof import asked, not_proved, proof_form
from portal.web.wiring import wiring

bp = Blueprint("endpoints", __name__, url_prefix=f"{STAFF_PREFIX}/messages/endpoints")


@bp.get("/new")
@administrators_only
def adding() -> Response:
    return _adding(_new_form(), 200)


@bp.post("/new")
@administrators_only
def add() -> Response:
    form = _new_form()
    if (refused := not_proved(form, _adding)) is not None:
        return refused
    url, types = str(form.url.data), form.types.data or ()
    added = webhooks.add(database(), scope(), url, types, wall(), doer())
    return _shown_once(added, 1)


@bp.post("/<int:endpoint_id>/pause")
@administrators_only
def pause(endpoint_id: int) -> Response:
    if (refused := _not_proved(endpoint_id, _("Pause"))) is not None:
        return refused
    webhooks.pause(database(), scope(), endpoint_id, wall(), doer())
    flash(_("Its messages wait until you resume it."), "success")
    return htmx.go(url_for("messages.index"))


@bp.post("/<int:endpoint_id>/resume")
@administrators_only
def resume(endpoint_id: int) -> Response:
    if (refused := _not_proved(endpoint_id, _("Resume"))) is not None:
        return refused
    webhooks.resume(database(), scope(), endpoint_id, wall(), doer())
    flash(_("What waited is on its way."), "success")
    return htmx.go(url_for("messages.index"))


@bp.get("/<int:endpoint_id>/remove")
@administrators_only
def removal(endpoint_id: int) -> Response:
    return _removal(_endpoint(endpoint_id), proof_form(), 200)


@bp.post("/<int:endpoint_id>/remove")
@administrators_only
def remove(endpoint_id: int) -> Response:
    found = _endpoint(endpoint_id)
    refused = not_proved(proof_form(), lambda typed, status: _removal(found, typed, status))
    if refused is not None:
        return refused
    webhooks.remove(database(), scope(), endpoint_id, wall(), doer())
    flash(_("%(url)s is told of nothing more.", url=found.url), "success")
    return htmx.go(url_for("messages.index"))


@bp.get("/<int:endpoint_id>/secret")
@administrators_only
def rotation(endpoint_id: int) -> Response:
    return _rotation(_endpoint(endpoint_id), asked(OverlapForm()), 200)


@bp.post("/<int:endpoint_id>/secret")
@administrators_only
def rotate(endpoint_id: int) -> Response:
    form, found = asked(OverlapForm()), _endpoint(endpoint_id)
    refused = not_proved(form, lambda typed, status: _rotation(found, typed, status))
    if refused is not None:
        return refused
    overlap = timedelta(hours=form.hours.data or 0)
    generation = webhooks.rotate(database(), scope(), endpoint_id, overlap, wall(), doer())
    return _shown_once(endpoint_id, generation)


def _new_form() -> NewEndpointForm:
    form = asked(NewEndpointForm())
    return form.allowing(http=wiring().settings.webhook_private_addresses)


def _not_proved(endpoint_id: int, act: str) -> Response | None:
    """What asks for a code before what one press does; None where none is wanted."""
    found = _endpoint(endpoint_id)

    def show(form: ProofForm, status: int) -> Response:
        form.code.data = ""
        return htmx.page(
            "endpoints/prove.html", "endpoints/_prove.html", status, endpoint=found, form=form,
            act=act,
        )  # fmt: skip

    return not_proved(proof_form(), show)


def _adding(form: NewEndpointForm, status: int) -> Response:
    form.code.data = ""
    return htmx.page("endpoints/add.html", "endpoints/_add.html", status, form=form)


def _shown_once(endpoint_id: int, generation: int) -> Response:
    """The secret, in the answer itself: no page shows it again."""
    master = wiring().settings.secret_key.get_secret_value()
    return htmx.page(
        "endpoints/secret.html",
        "endpoints/_secret.html",
        endpoint=_endpoint(endpoint_id),
        secret=secret_of(master, scope().environment_id, endpoint_id, generation),
    )


def _removal(endpoint: Endpoint, form: ProofForm, status: int) -> Response:
    form.code.data = ""
    return htmx.page(
        "endpoints/remove.html", "endpoints/_remove.html", status, endpoint=endpoint, form=form
    )


def _rotation(endpoint: Endpoint, form: OverlapForm, status: int) -> Response:
    form.code.data = ""
    overlaps = endpoint.overlap_until is not None and wall() < endpoint.overlap_until
    return htmx.page(
        "endpoints/rotate.html",
        "endpoints/_rotate.html",
        status,
        endpoint=endpoint,
        form=form,
        overlaps=overlaps,
    )


def _endpoint(endpoint_id: int) -> Endpoint:
    found = find_endpoint(database(), scope(), endpoint_id)
    if found is None:
        raise NotFound(f"webhook {endpoint_id}")
    return found
