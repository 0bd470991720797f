"""What staff propose to an account."""

from __future__ import annotations

from collections.abc import Sequence

from flask_wtf import FlaskForm
from wtforms import RadioField, SelectField, TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange

from portal.domain.proposals import LONGEST_NOTE
from portal.domain.quotes import MOST_AT_ONCE, Request
from portal.web.forms.lazily import _, option
from portal.web.forms.purchase import OFF, ON
from portal.web.forms.whole_numbers import WholeNumberField

_WHOLE = _("Enter a whole number from 1 to 100")


class ProposalForm(FlaskForm):
    add_on = SelectField(_("Add-on"), [InputRequired(_("Choose an add-on"))], choices=[])
    quantity = WholeNumberField(
        _("Quantity"),
        [
            InputRequired(_WHOLE),
            NumberRange(1, MOST_AT_ONCE, _WHOLE),
        ],
        default=1,
    )
    auto_renew = RadioField(
        _("Auto-renew"),
        choices=[option(ON, _("Renew automatically")), option(OFF, _("Use it once and stop"))],
        default=OFF,
    )
    note = TextAreaField(
        _("A word to the customer"), [Length(max=LONGEST_NOTE, message=_("At most 500 letters"))]
    )

    def offering(self, add_ons: Sequence[tuple[str, str]]) -> ProposalForm:
        """Lookup keys and names of what can be proposed."""
        self.add_on.choices = [option("", _("Choose one")), *(option(*each) for each in add_ons)]
        return self

    def wanted(self) -> Request:
        renews = self.auto_renew.data == ON
        return Request(str(self.add_on.data), int(self.quantity.data or 1), renews)

    def refuse(self, why: str) -> None:
        self.add_on.errors = (*self.add_on.errors, why)
