"""What is asked for on the confirm page, and the signed token of what it answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from secrets import token_urlsafe
from typing import Any

from flask import current_app
from flask_babel import gettext
from flask_wtf import FlaskForm
from itsdangerous import BadSignature, URLSafeSerializer
from wtforms import HiddenField, RadioField
from wtforms.validators import InputRequired, NumberRange, StopValidation

from portal.domain.access import Actor
from portal.domain.legal import LegalProfile, Words
from portal.domain.money import Money
from portal.domain.periods import BillingNow, WallNow
from portal.domain.quotes import MOST_AT_ONCE, Quote, Request, Start
from portal.services.accepting import Acceptance
from portal.web.forms.lazily import _, option
from portal.web.forms.whole_numbers import WholeNumberField

ON, OFF = "on", "off"


class OptionsForm(FlaskForm):
    """Quantity, start and auto-renew, sent by GET: it changes nothing, so without a CSRF token."""

    class Meta:
        csrf = False

    quantity = WholeNumberField(_("Quantity"), default=1)
    start = RadioField(
        _("Start"),
        choices=[option(Start.NOW, _("Now")), option(Start.NEXT_CYCLE, _("At the next cycle"))],
        default=Start.NOW,
    )
    auto_renew = RadioField(
        _("Auto-renew"),
        choices=[option(ON, _("Renew automatically")), option(OFF, _("Use it once and stop"))],
        default=ON,
    )
    proposal = HiddenField()

    def limit(self, most: int | None, *, may_wait: bool) -> OptionsForm:
        """Allow 1 to `most` units (None = as many as one purchase takes), and a later start."""
        if not may_wait:
            self.start.choices = [option(Start.NOW, _("Now"))]
        top = min(most or MOST_AT_ONCE, MOST_AT_ONCE)
        words = gettext("Enter a whole number from 1 to %(top)s", top=top)
        self.quantity.validators = [NumberRange(1, top, words)]
        self.quantity.render_kw = {"min": 1, "max": top}
        return self

    def request_for(self, add_on: str) -> Request:
        renews = self.auto_renew.data != OFF
        quantity, start = int(self.quantity.data or 1), Start(self.start.data)
        return Request(add_on, quantity, renews, start, self._proposal_id())

    def _proposal_id(self) -> int | None:
        said = str(self.proposal.data or "")
        return int(said) if said.isascii() and said.isdecimal() and len(said) < 19 else None


class PayForm(FlaskForm):
    """The one hidden field that says what was shown."""

    token = HiddenField(validators=[InputRequired()])
    accepted: Acceptance[Request]
    _actor: Actor
    _add_on: str

    def of(self, actor: Actor, add_on: str) -> PayForm:
        """Whose token it must be, and for what."""
        self._actor, self._add_on = actor, add_on
        return self

    def validate_token(self, field: HiddenField) -> None:
        try:
            self.accepted = read_token(str(field.data), self._actor)
        except (BadSignature, KeyError, TypeError, ValueError):
            raise StopValidation(_("This price is not valid any more.")) from None
        if self.accepted.request.add_on != self._add_on:
            raise StopValidation(_("This price is for another add-on."))


def write_token(quote: Quote, actor: Actor, wall: WallNow, words: Words) -> str:
    """Sign what the page shows, for this member's account and no other; words: of the button."""
    wanted = {
        "add_on": quote.request.add_on,
        "quantity": quote.request.quantity,
        "auto_renew": quote.request.auto_renew,
        "start": quote.request.start,
        "proposal_id": quote.request.proposal_id,
    }
    return sign(actor, wanted, quote.at, quote.digest, quote.due, wall, words)


def read_token(token: str, actor: Actor) -> Acceptance[Request]:
    """Raises BadSignature for a tampered token or another account's, KeyError or ValueError."""
    said = signer(actor).loads(token)
    start = Start(said["start"])
    proposal_id = said["proposal_id"]
    request = Request(said["add_on"], said["quantity"], said["auto_renew"], start, proposal_id)
    return Acceptance(request, **shown(said))


def sign(
    actor: Actor, wanted: Mapping[str, object], at: datetime, digest: str, due: Money,
    wall: WallNow, words: Words,
) -> str:  # fmt: skip
    """A token, good for one payment, of what was asked for and what was shown for it."""
    quoted = {
        "at": at.isoformat(),
        "digest": digest,
        "due": due.minor,
        "currency": due.currency,
        "nonce": token_urlsafe(18),
        "issued_at": wall.isoformat(),
        "words": asdict(words),
    }
    return str(signer(actor).dumps({**wanted, **quoted}))


def shown(said: dict[str, Any]) -> dict[str, Any]:
    """What every acceptance has, from a token's content. Raises KeyError, ValueError."""
    return {
        "at": BillingNow(datetime.fromisoformat(said["at"]).astimezone(UTC)),
        "digest": said["digest"],
        "nonce": said["nonce"],
        "issued_at": WallNow(datetime.fromisoformat(said["issued_at"])),
        "shown_due": Money(said["due"], said["currency"]),
        "agreed": read_words(said["words"]),
    }


def read_words(said: dict[str, Any]) -> Words:
    """What stood on and above a button, from what was signed. Raises KeyError, TypeError."""
    profile, statements = LegalProfile(said["profile"]), tuple(said["statements"])
    return Words(**(said | {"profile": profile, "statements": statements}))


def signer(actor: Actor) -> URLSafeSerializer:
    """What signs a price shown to this account, and to no other."""
    salt = f"quote-{actor.environment_id}-{actor.account_id}"
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt=salt)
