"""Which card is to pay: one of those saved, or another one typed at Stripe's page."""

from __future__ import annotations

from flask_babel import gettext
from flask_wtf import FlaskForm
from wtforms import IntegerField, RadioField
from wtforms.validators import Optional
from wtforms.widgets import HiddenInput

from portal.domain.cards import Card
from portal.services.ways import CardChoice
from portal.web.forms.lazily import _, option
from portal.web.sentences import card_words

NEW = "new"


class CardForm(FlaskForm):
    """Sent with the paying button. Without a choice the default card pays, or a new one.

    seen: number of the last attempt that an invoice's page showed.
    """

    class Meta:
        csrf = False  # the paying form carries the token

    seen = IntegerField(validators=[Optional()], widget=HiddenInput())
    card = RadioField(_("Pay with"), validate_choice=True)
    notes: dict[str, str]

    def offering(self, cards: tuple[Card, ...], refused: int | None = None) -> CardForm:
        """Offer the saved cards, the default first, and another one.

        refused: the id of a card that has just been tried in vain, so that another is chosen; as
        for one that its bank forbade to try again.
        """
        known = [option(str(card.id), card_words(card.brand, card.last4)) for card in cards]
        another = gettext("Another card") if cards else gettext("A card")
        self.card.choices = [*known, option(NEW, another)]
        self.notes = {str(card.id): _about(card) for card in cards}
        self.notes[NEW] = gettext("You type it on Stripe's page; it is saved for later purchases.")
        if self.card.data is None:
            self.card.data = next(
                (str(c.id) for c in cards if c.id != refused and not c.refused), NEW
            )
        return self

    @property
    def choice(self) -> CardChoice:
        return "new" if self.card.data == NEW else int(str(self.card.data))


def _about(card: Card) -> str:
    month = f"{card.exp_month:02d}/{card.exp_year % 100:02d}"
    if card.refused:
        return gettext("Its bank has asked us not to charge it again; another card is safer")
    if card.is_default:
        return gettext("Default, expires %(month)s", month=month)
    return gettext("Expires %(month)s", month=month)
