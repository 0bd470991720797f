"""What is asked for about auto-recharge and the ceiling, in the account's own units and money."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Self

from flask_babel import gettext
from flask_wtf import FlaskForm
from wtforms import DecimalField, HiddenField, RadioField, SelectField
from wtforms.validators import InputRequired, NumberRange, Optional, ValidationError

from portal.domain.money import Money, currency
from portal.domain.spending import Mode
from portal.queries.recharge_pages import Recharging, Values
from portal.web.forms.lazily import _, option
from portal.web.forms.whole_numbers import WholeNumberField
from portal.web.language import money, number

MOST = 10**12
LONGEST_MINUTES = 7 * 24 * 60


class RechargeForm(FlaskForm):
    """When, what and how much; sent by GET to be tried, so without a CSRF token there."""

    class Meta:
        csrf = False

    threshold = WholeNumberField(_("Buy when fewer are left than"))
    pack = SelectField(_("Pack"))
    cap = DecimalField(_("Monthly maximum"))
    cooldown = WholeNumberField(_("Minutes between two packs"))
    _shown: Recharging

    def offering(self, shown: Recharging) -> Self:
        """The packs that there are, and what is agreed to, or proposed, where nothing is typed."""
        self._shown, proposed = shown, shown.proposed
        self.pack.choices = [option(p.add_on, _pack_words(p.name, p.amount)) for p in shown.packs]
        whole = gettext("Enter a whole number from %(least)s to %(most)s")
        self.threshold.validators = [_between(whole, 1, MOST)]
        self.cooldown.validators = [_between(whole, 0, LONGEST_MINUTES)]
        if proposed is not None and not self.is_typed:
            sold = shown.pack(proposed.pack) or next(iter(shown.packs), None)
            self.threshold.data, self.pack.data = proposed.threshold, sold and sold.add_on
            self.cap.data = proposed.cap.major()
            self.cooldown.data = int(proposed.cooldown.total_seconds()) // 60
        return self

    @property
    def is_typed(self) -> bool:
        return any(f.raw_data for f in (self.threshold, self.pack, self.cap, self.cooldown))

    def validate_cap(self, field: DecimalField) -> None:
        """At least one pack, in what the currency can express."""
        chosen = self._shown.pack(str(self.pack.data))
        if chosen is None:
            return
        least, code = chosen.amount, chosen.amount.currency
        found = read_money(field.data, code)
        if found is None or not least.minor <= found.minor <= MOST:
            words = gettext("Enter an amount of at least one pack: %(least)s", least=money(least))
            field.process_errors = []
            raise ValidationError(words)

    def values(self, code: str) -> Values:
        """What was typed, once it is valid."""
        cap = read_money(self.cap.data, code) or Money.zero(code)
        minutes = timedelta(minutes=int(self.cooldown.data or 0))
        return Values(int(self.threshold.data or 1), str(self.pack.data), cap, minutes)


class ConsentForm(RechargeForm):
    """The same values once more, with the amount of a pack that was shown."""

    class Meta:
        csrf = True

    amount = HiddenField(validators=[InputRequired()])


class CeilingForm(FlaskForm):
    """How much a month may cost, and what happens beyond it."""

    mode = RadioField(
        _("When a purchase would pass it"),
        choices=[
            option(Mode.OFF, _("No ceiling")),
            option(Mode.WARN, _("Warn")),
            option(Mode.STOP, _("Stop")),
        ],
        default=Mode.OFF,
    )
    amount = DecimalField(_("Monthly ceiling"), [Optional()])

    def read(self, code: str) -> Money | None:
        """The ceiling; None, with the reason beside the field, where none can be read."""
        found = read_money(self.amount.data, code)
        is_off = self.mode.data == Mode.OFF
        if found is None or not 0 < found.minor <= MOST:
            if is_off and not self.amount.process_errors:
                return Money.zero(code)
            self.amount.process_errors = []
            self.amount.errors = [gettext("Enter an amount above zero")]
            return None
        return found


def read_money(typed: Decimal | None, code: str) -> Money | None:
    """None for what the currency cannot express."""
    if typed is None or not typed.is_finite() or abs(typed) > MOST:
        return None
    try:
        return Money.from_major(typed, code)
    except ValueError:
        return None


def step_of(code: str) -> str:
    """The smallest difference between two amounts, as a field of the page has it."""
    return str(Decimal(1).scaleb(-currency(code).exponent))


def _pack_words(name: str, amount: Money) -> str:
    return f"{name} – {money(amount)}"


def _between(words: str, least: int, most: int) -> NumberRange:
    return NumberRange(least, most, words % {"least": number(least), "most": number(most)})
