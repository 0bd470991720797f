"""What is said about saved cards: when they end, why one has to stay, what adding one came to."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import ngettext

from portal.domain.cards import Card, Expiry, Kept, KeptFor, Renewal
from portal.domain.taxes import Tax
from portal.queries.cards import ListedCard
from portal.services.card_choices import Expired, Preferred
from portal.services.card_entry import Added, Renewed, TakenAway
from portal.web.language import date, number
from portal.web.sentences import card_words, taxed


def card_ends(card: Card) -> str:
    """`12/2029`, as it is printed on the card."""
    return f"{card.exp_month:02d}/{card.exp_year}"


def card_badges(listed: ListedCard) -> list[tuple[str, str]]:
    """Words and tone of each badge."""
    badges = [(_("Default"), "green")] if listed.card.is_default else []
    if listed.expiry is Expiry.EXPIRING_SOON:
        badges.append((_("Expires soon"), "orange"))
    if listed.expiry is Expiry.EXPIRED:
        badges.append((_("Expired"), "red"))
    return badges


def renewal_words(renewal: Renewal, tax: Tax) -> str:
    """`1 May 2026 for $199.00`."""
    amount = taxed(renewal.amount, renewal.tax, tax)
    return _("%(date)s for %(amount)s", date=date(renewal.at), amount=amount)


def kept_words(kept: Kept, tax: Tax) -> str:
    """Why a card cannot be removed, and what to do."""
    if kept.reason is KeptFor.PAYMENT:
        return _("A payment with it is under way. You can remove it once that has ended.")
    first, *others = kept.renewals
    what = _("%(what)s renews on it on %(when)s", what=first.name, when=renewal_words(first, tax))
    if others:
        more = ngettext(
            "%(what)s, and %(shown)s more",
            "%(what)s, and %(shown)s more",
            len(others),
            what=what,
            shown=number(len(others)),
        )
        what = str(more)
    return _("%(what)s. Make another card the default first.", what=what)


def entered(outcome: Added | Renewed | TakenAway) -> str:
    """What came of the page where a card was added."""
    match outcome:
        case Added(card) if card.is_default:
            return _("%(card)s was added; it is the default.", card=_named(card))
        case Added(card):
            return _("%(card)s was added.", card=_named(card))
        case Renewed(card):
            said = _named(card)
            return _("%(card)s was saved already; its details were renewed.", card=said)
        case TakenAway():
            return _("That card was added, and has been removed again since.")


def chosen(outcome: Preferred | Expired) -> str:
    """What making a card the default came to."""
    said = _named(outcome.card)
    if isinstance(outcome, Expired):
        return _("%(card)s has expired, so it cannot be the default.", card=said)
    return _("%(card)s is the default now.", card=said)


def _named(card: Card) -> str:
    return card_words(card.brand, card.last4)
