"""Staff show a second step again before what is grave, unless they have shown one just now."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from flask import Response
from flask_babel import gettext as _

from portal.domain.support import RECENT
from portal.services import staff_sign_in
from portal.web.demo import demo_code_of
from portal.web.entering import not_let_in, origin
from portal.web.forms.support import ProofForm
from portal.web.requests import database, wall
from portal.web.staff import note_proved, staff
from portal.web.wiring import wiring

F = TypeVar("F", bound=ProofForm)


def is_recent() -> bool:
    """Whether no code is asked for."""
    proved_at = staff().proved_at
    return proved_at is not None and wall() <= proved_at + RECENT


def asked(form: F) -> F:
    """The form, which asks for a second step where the last one was shown long ago."""
    provider = wiring().staff_provider
    form.is_recent = is_recent()
    form.by_provider = provider is not None and not staff().has_authenticator
    form.demo_code = "" if form.is_recent else demo_code_of(staff().email)
    return form


def proof_form() -> ProofForm:
    return asked(ProofForm())


def not_proved(form: F, show: Callable[[F, int], Response]) -> Response | None:
    """What to answer where the form is not sound or the code not right; None where they are."""
    if not form.is_sound():
        return show(form, 422)
    if form.is_recent:
        return None
    outcome = staff_sign_in.prove_code(
        database(), staff(), str(form.code.data), origin(), wall(), wiring().safe
    )
    if outcome is None:
        note_proved()
        form.is_recent = True
        return None
    return not_let_in(form, outcome, _("This code is wrong, or has been used already."), show)
