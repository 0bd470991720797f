"""The forms about support views: finding an account, starting a view, and letting staff look."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from flask_babel import gettext
from flask_wtf import FlaskForm
from wtforms import BooleanField, RadioField, SearchField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length, Optional

from portal.domain.support import LEAST_REASON, LONGEST_REASON, LONGEST_TICKET, masked_email
from portal.queries.staff_accounts import AccountMember
from portal.web.forms.lazily import _, option
from portal.web.forms.texts import LINE
from portal.web.member_sentences import role_name

LONGEST_SEARCH = 320


def storable(typed: str | None) -> str | None:
    """Without the sign that no database holds."""
    return typed.replace("\0", "") if typed else typed


def _stripped(typed: str | None) -> str | None:
    stored = storable(typed)
    return stored.strip() if stored else stored


def _reason(id_: str = "reason") -> TextAreaField:
    return TextAreaField(
        _("Reason"),
        [
            DataRequired(_("Say why")),
            Length(LEAST_REASON, LONGEST_REASON, _("Use 10 to 500 characters")),
        ],
        filters=[_stripped],
        id=id_,
    )


def _ticket(id_: str = "ticket") -> StringField:
    return StringField(
        _("Ticket"),
        [
            DataRequired(_("Enter the number of the ticket")),
            Length(max=LONGEST_TICKET),
            LINE,
        ],
        filters=[_stripped],
        id=id_,
    )


class AccountSearchForm(FlaskForm):
    """Sent by GET."""

    class Meta:
        csrf = False

    q = SearchField(_("Find an account"), filters=[storable])

    @property
    def text(self) -> str:
        return (self.q.data or "").strip()[:LONGEST_SEARCH]


class ProofForm(FlaskForm):
    """What staff confirm with a code, unless they have shown one just now (`is_recent`).

    by_provider: they have no authenticator, and show it at the identity provider before. demo_code:
    what the authenticator of the demo's staff would show; empty for everybody else.
    """

    code = StringField(_("Code"), [Optional(), Length(max=80)])

    is_recent = by_provider = False
    demo_code = ""

    def is_sound(self) -> bool:
        sound = self.validate()
        if not self.is_recent and self.by_provider:
            self.form_errors.append(gettext("Confirm first that it is you"))
            return False
        if not self.is_recent and not self.code.data:
            self.code.errors = [gettext("Enter a code")]
            return False
        return bool(sound)


class SupportForm(ProofForm):
    """Why staff want to look, and through whose eyes."""

    membership = RadioField(_("Look as"), [InputRequired(_("Choose a member"))], coerce=int)
    reason = _reason()
    ticket = _ticket()

    def offering(self, members: Sequence[AccountMember]) -> SupportForm:
        self.membership.choices = [
            (each.id, f"{each.name} ({masked_email(each.email)}), {role_name(each.role)}")
            for each in members
        ]
        return self


class AskForm(FlaskForm):
    """What owners read who are asked to let staff look; it may share a page with the form above."""

    reason = _reason("ask-reason")
    ticket = _ticket("ask-ticket")


class ReportForm(FlaskForm):
    """The filters of the report, sent by GET; anything unknown counts as not asked."""

    class Meta:
        csrf = False

    days = SelectField(
        _("Since"),
        default="30",
        validate_choice=False,
        choices=[
            option("7", _("7 days ago")),
            option("30", _("30 days ago")),
            option("365", _("a year ago")),
        ],
    )
    staff = SelectField(_("Staff"), default="", validate_choice=False)
    odd = BooleanField(_("Only out of hours, or with something refused"))

    _known: frozenset[str] = frozenset()

    def offering(self, people: Sequence[tuple[int, str]]) -> ReportForm:
        self._known = frozenset(str(id_) for id_, _name in people)
        self.staff.choices = [
            option("", gettext("Everybody")),
            *(option(str(id_), name) for id_, name in people),
        ]
        return self

    @property
    def since(self) -> timedelta:
        return timedelta(days=int(self.days.data) if self.days.data in ("7", "365") else 30)

    @property
    def staff_id(self) -> int | None:
        return int(self.staff.data) if self.staff.data in self._known else None


class AllowForm(FlaskForm):
    """How long staff may look."""

    span = RadioField(
        _("For how long"),
        [InputRequired(_("Choose for how long"))],
        choices=[
            option("hour", _("1 hour")),
            option("day", _("1 day")),
            option("week", _("7 days")),
        ],
        default="hour",
    )
