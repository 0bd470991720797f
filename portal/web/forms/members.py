"""Who is invited as what, other roles, and what a new member says of themselves."""

from __future__ import annotations

from typing import Any

from flask_wtf import FlaskForm
from wtforms import EmailField, PasswordField, RadioField, StringField
from wtforms.validators import DataRequired, InputRequired, Length

from portal.domain.access import Role
from portal.web.forms.addresses import WRITABLE
from portal.web.forms.lazily import _
from portal.web.forms.sign_in import LONGEST_TYPED
from portal.web.forms.texts import LINE
from portal.web.member_sentences import role_name


def _stripped(typed: str | None) -> str | None:
    return typed.strip() if typed else typed


class RoleForm(FlaskForm):
    role = RadioField(_("Role"), [InputRequired(_("Choose a role"))])

    def __init__(self, *args: Any, **given: Any) -> None:
        super().__init__(*args, **given)
        self.role.choices = [(role.value, role_name(role)) for role in Role]

    @property
    def chosen(self) -> Role:
        return Role(self.role.data)


class InviteForm(RoleForm):
    email = EmailField(
        _("E-mail"),
        [
            DataRequired(_("Enter their e-mail address")),
            Length(max=320),
            WRITABLE,
        ],
        filters=[_stripped],
    )


class NewcomerForm(FlaskForm):
    name = StringField(
        _("Your name"),
        [
            DataRequired(_("Enter your name")),
            Length(max=255),
            LINE,
        ],
        filters=[_stripped],
    )
    password = PasswordField(
        _("New password"), [InputRequired(_("Enter a new password")), Length(max=LONGEST_TYPED)]
    )
