"""The sign-in form, and where it may lead afterwards."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask_wtf import FlaskForm
from wtforms import EmailField, HiddenField, PasswordField
from wtforms.validators import InputRequired, Length

from portal.web.forms.lazily import _


class SignInForm(FlaskForm):
    email = EmailField(
        _("E-mail"), [InputRequired(_("Enter your e-mail address")), Length(max=320)]
    )
    password = PasswordField(
        _("Password"), [InputRequired(_("Enter your password")), Length(max=1024)]
    )
    next = HiddenField()


def safe_next(target: str | None, fallback: str) -> str:
    """`target` when it is a path of this site, else `fallback`."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")):
        return fallback
    if any(ord(sign) < 32 or sign == "\\" for sign in target):
        return fallback
    parts = urlsplit(target)
    return fallback if parts.scheme or parts.netloc else target
