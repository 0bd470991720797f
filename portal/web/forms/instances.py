"""Cancelling and keeping an instance."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import TextAreaField
from wtforms.validators import Length

from portal.services.instances import REASON_LENGTH
from portal.web.forms.lazily import _


class CancelForm(FlaskForm):
    reason = TextAreaField(
        _("What made you decide?"),
        [Length(max=REASON_LENGTH, message=_("Please use at most 500 characters"))],
    )


class EmptyForm(FlaskForm):
    """Only the CSRF token."""
