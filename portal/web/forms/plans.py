"""Which cycle the plans are shown for, and the signed token of a change that was quoted."""

from __future__ import annotations

from flask_wtf import FlaskForm
from itsdangerous import BadSignature
from wtforms import HiddenField, RadioField
from wtforms.validators import InputRequired, StopValidation

from portal.domain.access import Actor
from portal.domain.errors import NotFound
from portal.domain.legal import Words
from portal.domain.periods import BillingPeriod, Interval, WallNow
from portal.domain.plan_changes import PlanQuote, PlanRequest
from portal.services.accepting import Acceptance
from portal.web.forms.lazily import _, option
from portal.web.forms.purchase import shown, sign, signer

CYCLES = {
    BillingPeriod.DAILY: _("Daily"),
    BillingPeriod.WEEKLY: _("Weekly"),
    BillingPeriod.MONTHLY: _("Monthly"),
    BillingPeriod.QUARTERLY: _("Quarterly"),
    BillingPeriod.HALF_YEARLY: _("Half-yearly"),
    BillingPeriod.ANNUAL: _("Annual"),
}


class CycleForm(FlaskForm):
    """The switch above the plans, sent by GET."""

    class Meta:
        csrf = False

    cycle = RadioField(_("Billing cycle"), validate_choice=False)

    def offering(self, intervals: tuple[Interval, ...], own: Interval) -> CycleForm:
        """Offer those; anything else that is asked for is the account's own."""
        offered = {cycle_of(each): each for each in intervals}
        self.cycle.choices = [option(key, CYCLES[each.period]) for key, each in offered.items()]
        if self.cycle.data not in offered:
            self.cycle.data = cycle_of(own)
        return self

    @property
    def interval(self) -> Interval:
        return interval_of(str(self.cycle.data))


class ChangeForm(FlaskForm):
    """The one hidden field that says what was shown."""

    token = HiddenField(validators=[InputRequired()])
    accepted: Acceptance[PlanRequest]
    _actor: Actor
    _wanted: PlanRequest

    def of(self, actor: Actor, wanted: PlanRequest) -> ChangeForm:
        """Whose token it must be, and for what."""
        self._actor, self._wanted = actor, wanted
        return self

    def validate_token(self, field: HiddenField) -> None:
        try:
            self.accepted = read_change_token(str(field.data), self._actor)
        except (BadSignature, KeyError, TypeError, ValueError, NotFound):
            raise StopValidation(_("This price is not valid any more.")) from None
        if self.accepted.request != self._wanted:
            raise StopValidation(_("This price is for another plan."))


def write_change_token(quote: PlanQuote, actor: Actor, wall: WallNow, words: Words) -> str:
    """As `write_token`, of a change of plan."""
    wanted = {"plan": quote.request.plan, "cycle": cycle_of(quote.request.interval)}
    return sign(actor, wanted, quote.at, quote.digest, quote.due.charged, wall, words)


def read_change_token(token: str, actor: Actor) -> Acceptance[PlanRequest]:
    """Raises as `read_token`, and NotFound for a cycle that there is not."""
    said = signer(actor).loads(token)
    return Acceptance(PlanRequest(said["plan"], interval_of(said["cycle"])), **shown(said))


def cycle_of(interval: Interval) -> str:
    """How an address names an interval: `monthly`, `half-yearly`."""
    return interval.period.value.lower().replace("_", "-")


def interval_of(cycle: str) -> Interval:
    """Raises NotFound for a name that no interval has."""
    named = {cycle_of(Interval(period)): Interval(period) for period in BillingPeriod}
    if cycle not in named:
        raise NotFound("cycle")
    return named[cycle]
