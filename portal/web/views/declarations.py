"""Cancelling a contract without signing in: the form, and what confirms it."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from flask import Blueprint, Response, g, render_template, url_for
from flask.typing import ResponseReturnValue

from portal.domain.declarations import ZONE, Declared
from portal.domain.errors import NotFound
from portal.queries.declarations import find_receipt
from portal.services.declaring import declare
from portal.services.throttling import Paused
from portal.web import htmx
from portal.web.access import open_to_all
from portal.web.declaration_words import declared_facts, shown_words
from portal.web.entering import origin, too_soon
from portal.web.forms.declarations import DeclarationForm
from portal.web.requests import database, scope, wall
from portal.web.sign_in_sentences import wait_words
from portal.web.wiring import wiring

bp = Blueprint("declarations", __name__, url_prefix="/cancel-contracts")


@bp.before_request
def _where_it_is_asked_for() -> None:
    """Raises NotFound where nobody sells to consumers in Germany."""
    if not wiring().settings.german_consumers:
        raise NotFound("page")
    g.zone = ZONE


@bp.get("")
@open_to_all
def show() -> Response:
    return _form(DeclarationForm(), 200)


@bp.post("")
@open_to_all
def send() -> ResponseReturnValue:
    """The answer is the same whoever's the address, and whether or not there is an account."""
    form = DeclarationForm()
    form.today = wall().astimezone(ZoneInfo(ZONE)).date()
    if not form.validate():
        return _form(form, 422)
    outcome = declare(database(), scope(), form.declaration(), shown_words(), origin(), wall())
    if isinstance(outcome, Paused):
        form.form_errors.append(wait_words(outcome.wait))
        return too_soon(_form(form, 429), outcome.wait)
    return htmx.go(url_for("declarations.received", written=outcome.written))


@bp.get("/received/<written>")
@open_to_all
def received(written: str) -> Response:
    return _received(_receipt(written), written)


@bp.get("/received/<written>/text")
@open_to_all
def text(written: str) -> Response:
    """The same as a file."""
    declared = _receipt(written)
    if declared is None:
        return _received(None, written)
    facts = declared_facts(declared)
    body = render_template("declarations/received.txt", declared=declared, facts=facts)
    response = Response(body, mimetype="text/plain")
    response.headers["Content-Disposition"] = f"attachment; filename=cancellation-{declared.id}.txt"
    return response


def _receipt(written: str) -> Declared | None:
    return find_receipt(database(), scope(), written, wall())


def _received(declared: Declared | None, written: str) -> Response:
    return htmx.page(
        "declarations/received.html",
        "declarations/_received.html",
        200 if declared else 410,
        declared=declared,
        written=written,
    )


def _form(form: DeclarationForm, status: int) -> Response:
    return htmx.page("declarations/show.html", "declarations/_form.html", status, form=form)
