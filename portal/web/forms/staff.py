"""The forms of staff: how they sign in, and what they do to keys and endpoints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask_wtf import FlaskForm
from wtforms import (
    IntegerField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
)
from wtforms.validators import (
    DataRequired,
    InputRequired,
    Length,
    NumberRange,
    Optional,
    ValidationError,
)
from wtforms.widgets import CheckboxInput, ListWidget

from portal.domain.keys import LONGEST_OVERLAP, Access
from portal.domain.webhooks import TYPES, is_address
from portal.queries.webhooks import Endpoint
from portal.web.forms.lazily import _, option
from portal.web.forms.sign_in import CodeForm, NewPasswordForm
from portal.web.forms.support import ProofForm
from portal.web.forms.texts import LINE
from portal.web.forms.whole_numbers import WholeNumberField

MOST_HOURS = int(LONGEST_OVERLAP.total_seconds()) // 3600
MOST_DAYS, HIGHEST_ID = 3650, 2**63 - 1


class SetUpForm(NewPasswordForm, CodeForm):
    """Both steps of a sign-in, set together."""


class NewKeyForm(ProofForm):
    name = StringField(
        _("Name"),
        [DataRequired(_("Say what it is for")), Length(max=255), LINE],
        filters=[lambda typed: typed and typed.strip()],
    )
    access = RadioField(
        _("Access"),
        [InputRequired(_("Choose what it may do"))],
        choices=[
            option(Access.READ.value, _("Read")),
            option(Access.WRITE.value, _("Read and write")),
        ],
    )
    days = WholeNumberField(
        _("Ends after days"),
        [
            Optional(),
            NumberRange(1, MOST_DAYS, _("Enter a whole number from 1 to 3650, or nothing")),
        ],
    )


class OverlapForm(ProofForm):
    hours = WholeNumberField(
        _("Hours that the old one still works"),
        [
            InputRequired(_("Enter a whole number from 0 to 168")),
            NumberRange(0, MOST_HOURS, _("Enter a whole number from 0 to 168")),
        ],
        default=24,
    )


class NewEndpointForm(ProofForm):
    """http: whether messages may go without encryption, as within a network of one's own."""

    http = False

    url = StringField(
        _("Address"),
        [DataRequired(_("Say where the host application listens")), Length(max=2000)],
        filters=[lambda typed: typed and typed.strip()],
    )
    types = SelectMultipleField(
        _("What it is told of"),
        choices=[option(each, each) for each in TYPES],
        option_widget=CheckboxInput(),
        widget=ListWidget(),
        validate_choice=True,
    )

    def allowing(self, *, http: bool) -> NewEndpointForm:
        self.http = http
        return self

    def validate_url(self, field: StringField) -> None:
        typed = field.data or ""
        if not is_address(typed):
            raise ValidationError(_("Enter a whole address, without a name or password in it"))
        if not (self.http or typed.lower().startswith("https:")):
            raise ValidationError(_("Enter an address that begins with https://"))

    def url_hint(self) -> str:
        return _("With http:// too, as your settings say.") if self.http else ""


class MessageFilterForm(FlaskForm):
    """Sent by GET; anything unknown counts as not asked."""

    class Meta:
        csrf = False

    to = SelectField(_("Endpoint"), default="", validate_choice=False)
    status = SelectField(
        _("Status"),
        default="",
        validate_choice=False,
        choices=[
            option("", _("All")),
            option("queued", _("Waiting")),
            option("failed", _("Failed")),
            option("delivered", _("Arrived")),
        ],
    )
    before = IntegerField(validators=[Optional()])

    def offering(self, endpoints: Sequence[Endpoint]) -> MessageFilterForm:
        named = (option(str(each.id), each.url) for each in endpoints)
        self.to.choices = [option("", _("All endpoints")), *named]
        return self

    def endpoint_id(self) -> int | None:
        return int(self.to.data) if self.to.data in _values(self.to) - {""} else None

    def state(self) -> str | None:
        return self.status.data if self.status.data in _values(self.status) - {""} else None

    def before_id(self) -> int | None:
        before = self.before.data
        return before if before is not None and 0 < before <= HIGHEST_ID else None


def _values(field: SelectField) -> set[str]:
    choices: Any = field.choices or ()
    return {choice.value for choice in choices}
