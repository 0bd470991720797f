"""How many units an instance is to have, and the signed token of what that costs."""

from __future__ import annotations

from flask_babel import gettext
from flask_wtf import FlaskForm
from itsdangerous import BadSignature
from wtforms import HiddenField
from wtforms.validators import InputRequired, NumberRange, StopValidation

from portal.domain.access import Actor
from portal.domain.legal import Words
from portal.domain.periods import WallNow
from portal.domain.quantity_changes import QuantityQuote, QuantityRequest
from portal.domain.quotes import MOST_AT_ONCE
from portal.services.accepting import Acceptance
from portal.web.forms.lazily import _
from portal.web.forms.purchase import shown, sign, signer
from portal.web.forms.whole_numbers import WholeNumberField


class QuantityForm(FlaskForm):
    """Sent by GET: it changes nothing, so it carries no CSRF token."""

    class Meta:
        csrf = False

    quantity = WholeNumberField(_("Quantity"))

    def limit(self, now: int, most: int | None) -> QuantityForm:
        """Allow 1 to `most` units (None = some more than there are `now`), and ask for those."""
        top = most if most is not None else now + MOST_AT_ONCE
        words = gettext("Enter a whole number from 1 to %(top)s", top=top)
        self.quantity.validators = [InputRequired(words), NumberRange(1, top, words)]
        self.quantity.render_kw = {"min": 1, "max": top}
        return self


class RaiseForm(FlaskForm):
    """The one hidden field that says what was shown."""

    token = HiddenField(validators=[InputRequired()])
    accepted: Acceptance[QuantityRequest]
    _actor: Actor
    _instance_id: int

    def of(self, actor: Actor, instance_id: int) -> RaiseForm:
        """Whose token it must be, and for what."""
        self._actor, self._instance_id = actor, instance_id
        return self

    def validate_token(self, field: HiddenField) -> None:
        try:
            said = signer(self._actor).loads(str(field.data))
            request = QuantityRequest(said["instance"], said["quantity"])
            self.accepted = Acceptance(request, **shown(said))
        except (BadSignature, KeyError, TypeError, ValueError):
            raise StopValidation(_("This price is not valid any more.")) from None
        if self.accepted.request.instance_id != self._instance_id:
            raise StopValidation(_("This price is for another add-on."))


def write_quantity_token(quote: QuantityQuote, actor: Actor, wall: WallNow, words: Words) -> str:
    """As `purchase.write_token`, of another quantity."""
    wanted = {"instance": quote.request.instance_id, "quantity": quote.request.quantity}
    due = quote.due.charged + quote.due.carried_out
    return sign(actor, wanted, quote.at, quote.digest, due, wall, words)
