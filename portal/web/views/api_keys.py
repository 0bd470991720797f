"""Staff: the API keys of the host application, made, exchanged and revoked."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, Response, flash, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.domain.errors import Conflict, NotFound
from portal.domain.keys import Access, ApiKey, KeyState
from portal.queries.keys import all_keys
from portal.services import keys
from portal.services.keys import NewKey
from portal.web import htmx
from portal.web.forms.staff import NewKeyForm, OverlapForm
from portal.web.forms.support import ProofForm
from portal.web.requests import STAFF_PREFIX, database, scope, wall
from portal.web.staff import administrators_only, doer
from portal.web.staff_proof import asked, not_proved, proof_form

bp = Blueprint("api_keys", __name__, url_prefix=f"{STAFF_PREFIX}/api-keys")


@bp.get("")
@administrators_only
def index() -> Response:
    return _list(asked(NewKeyForm()), 200)


@bp.post("")
@administrators_only
def create() -> Response:
    form = asked(NewKeyForm())
    if (refused := not_proved(form, _list)) is not None:
        return refused
    name, access = str(form.name.data), Access(form.access.data)
    ends_at = wall() + timedelta(days=form.days.data) if form.days.data else None
    return _shown_once(keys.create(database(), scope(), name, access, wall(), ends_at, doer()))


@bp.get("/<prefix>/rotate")
@administrators_only
def rotation(prefix: str) -> Response:
    return _rotation(prefix, asked(OverlapForm()), 200)


@bp.post("/<prefix>/rotate")
@administrators_only
def rotate(prefix: str) -> Response:
    """Whoever makes a key sees it: one that opens sessions would let staff in as any member."""
    form = asked(OverlapForm())
    if _good(prefix).opens_sessions:
        return _rotation(prefix, form, 403)
    refused = not_proved(form, lambda typed, status: _rotation(prefix, typed, status))
    if refused is not None:
        return refused
    overlap = timedelta(hours=form.hours.data or 0)
    return _shown_once(keys.rotate(database(), scope(), prefix, overlap, wall(), doer()))


@bp.get("/<prefix>/revoke")
@administrators_only
def revocation(prefix: str) -> Response:
    return _revocation(prefix, proof_form(), 200)


@bp.post("/<prefix>/revoke")
@administrators_only
def revoke(prefix: str) -> ResponseReturnValue:
    refused = not_proved(proof_form(), lambda typed, status: _revocation(prefix, typed, status))
    if refused is not None:
        return refused
    keys.revoke(database(), scope(), prefix, wall(), doer())
    flash(_("%(prefix)s no longer works.", prefix=prefix), "success")
    return htmx.go(url_for("api_keys.index"))


def _list(form: NewKeyForm, status: int) -> Response:
    form.code.data = ""
    found = sorted(all_keys(database(), scope()), key=lambda key: -key.id)
    works = [key for key in found if key.state(wall()) is KeyState.GOOD]
    return htmx.page(
        "api_keys/index.html",
        "api_keys/_list.html",
        status,
        form=form,
        works=works,
        over=[key for key in found if key not in works],
    )


def _shown_once(made: NewKey) -> Response:
    """The key, in the answer itself: it is kept nowhere to be shown again."""
    return htmx.page("api_keys/made.html", "api_keys/_made.html", made=made)


def _rotation(prefix: str, form: OverlapForm, status: int) -> Response:
    form.code.data = ""
    return htmx.page(
        "api_keys/rotate.html", "api_keys/_rotate.html", status, key=_good(prefix), form=form
    )


def _revocation(prefix: str, form: ProofForm, status: int) -> Response:
    form.code.data = ""
    return htmx.page(
        "api_keys/revoke.html", "api_keys/_revoke.html", status, key=_good(prefix), form=form
    )


def _good(prefix: str) -> ApiKey:
    """Raises NotFound, and Conflict for a key that no longer works."""
    found = next((key for key in all_keys(database(), scope()) if key.prefix == prefix), None)
    if found is None:
        raise NotFound(f"key {prefix}")
    if found.state(wall()) is not KeyState.GOOD:
        raise Conflict("this key no longer works")
    return found
