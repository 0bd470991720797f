"""The forms of signing in, and where they may lead afterwards."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask_wtf import FlaskForm
from wtforms import EmailField, HiddenField, PasswordField, StringField
from wtforms.validators import InputRequired, Length

from portal.web.forms.lazily import _

LONGEST_TYPED = 1024


class SignInForm(FlaskForm):
    email = EmailField(
        _("E-mail"), [InputRequired(_("Enter your e-mail address")), Length(max=320)]
    )
    password = PasswordField(
        _("Password"), [InputRequired(_("Enter your password")), Length(max=LONGEST_TYPED)]
    )
    next = HiddenField()


class CodeForm(FlaskForm):
    code = StringField(_("Code"), [InputRequired(_("Enter a code")), Length(max=80)])


class ForgottenForm(FlaskForm):
    email = EmailField(
        _("E-mail"), [InputRequired(_("Enter your e-mail address")), Length(max=320)]
    )


class NewPasswordForm(FlaskForm):
    password = PasswordField(
        _("New password"), [InputRequired(_("Enter a new password")), Length(max=LONGEST_TYPED)]
    )


class ChangePasswordForm(NewPasswordForm):
    old = PasswordField(
        _("Current password"),
        [InputRequired(_("Enter your current password")), Length(max=LONGEST_TYPED)],
    )


class PasswordForm(FlaskForm):
    """Who is signed in shows once more who they are."""

    password = PasswordField(
        _("Password"), [InputRequired(_("Enter your password")), Length(max=LONGEST_TYPED)]
    )


class ProofForm(PasswordForm):
    """The same with both steps."""

    code = StringField(_("Code"), [InputRequired(_("Enter a code")), Length(max=80)])


def safe_next(target: str | None, fallback: str) -> str:
    """`target` when it is a path of this site, else `fallback`."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")):
        return fallback
    if any(ord(sign) < 32 or sign == "\\" for sign in target):
        return fallback
    parts = urlsplit(target)
    return fallback if parts.scheme or parts.netloc else target
