"""What is said about auto-recharge: what it does, how it stands, why a decision came out so."""

from __future__ import annotations

from collections.abc import Sequence

from flask_babel import gettext as _
from flask_babel import ngettext

from portal.domain.cards import Card
from portal.domain.catalog import Feature
from portal.domain.recharge_decisions import Cause, Pack, PauseCause
from portal.domain.recharge_simulation import Simulated
from portal.queries.recharge_pages import Decided, Recharging, Values
from portal.web.language import date_time, money, number
from portal.web.sentences import card_words
from portal.web.words import Problem

TEXT_VERSION = "2026-12-2"
"""Of `consent_text`: a change of its words is another version."""


def consent_text(
    feature: Feature, pack: Pack, larger: Sequence[Pack], values: Values, zone: str,
    cards: Sequence[Card],
) -> str:  # fmt: skip
    """What a member agrees to: trigger, amount, card, what may be bought instead, monthly maximum,
    and how to stop."""
    trigger = _(
        "When fewer than %(threshold)s %(units)s are left, %(pack)s is bought for %(amount)s, tax"
        " included, and charged to your default card without asking again.",
        threshold=number(values.threshold), units=feature.unit_plural, pack=pack.name,
        amount=money(pack.amount),
    )  # fmt: skip
    dearer = _("If a pack costs more by then, or is not sold any more, nothing is bought until you"
               " agree anew.")  # fmt: skip
    minutes = int(values.cooldown.total_seconds()) // 60
    most = _("No more than %(cap)s is charged so in a calendar month (%(zone)s), tax included.",
             cap=money(values.cap), zone=zone)  # fmt: skip
    pause = ngettext("Between two packs is at least %(shown)s minute.",
                     "Between two packs are at least %(shown)s minutes.", minutes,
                     shown=number(minutes))  # fmt: skip
    stop = _("You can pause it or turn it off on this page at any time, with one click. What is"
             " bought already stays.")  # fmt: skip
    said = [trigger, _charged(cards), _instead(larger), dearer, most, pause, stop]
    return " ".join(each for each in said if each)


def _instead(larger: Sequence[Pack]) -> str:
    """What may be bought instead; empty where the chosen one is the largest."""
    if not larger:
        return ""
    packs = [_("%(pack)s for %(amount)s", pack=p.name, amount=money(p.amount)) for p in larger]
    return str(
        _("Where that is too little, the smallest of these that is enough is bought instead, or"
          " the largest: %(packs)s.", packs=", ".join(packs))
    )  # fmt: skip


def _charged(cards: Sequence[Card]) -> str:
    for card in cards:
        if card.is_default:
            return _("That card is %(card)s now.", card=card_words(card.brand, card.last4))
    return _("No card is saved yet.")


def pack_changed() -> Problem:
    return Problem(
        _("Please look again"),
        _("The price of the pack is not what the page said. Nothing was saved; below is the price"
          " as it is now."),
    )  # fmt: skip


def recharge_state(shown: Recharging) -> str:
    if shown.status == "paused":
        return _("Paused")
    return _("On") if shown.status == "on" else _("Off")


def recharge_tone(shown: Recharging) -> str:
    return {"on": "green", "paused": "orange"}.get(shown.status, "gray")


def recharge_words(shown: Recharging) -> str:
    """What is agreed to, in one sentence; why it is paused, where it is."""
    why: dict[PauseCause | None, str] = {
        PauseCause.MEMBER: _("It was paused by a member of your account."),
        PauseCause.DECLINED: _("Your bank declined the card. Add another one, or choose another"
                               " default card, and it goes on by itself."),
        PauseCause.AUTHENTICATION: _("Your bank wants to check that it is you. Finish the payment,"
                                     " or add another card."),
        PauseCause.NO_CARD: _("There is no card to charge. Add one, and it goes on by itself."),
        PauseCause.PRICE_CHANGED: _("Nothing is bought until you agree anew."),
        PauseCause.NOT_SOLD: _("The pack that you agreed to is not sold any more. Choose another"
                               " one."),
    }  # fmt: skip
    values = shown.proposed
    if shown.status == "off" or values is None:
        return _("Nothing is bought by itself.")
    pack = shown.pack(values.pack)
    said = _("Buys %(pack)s when fewer than %(threshold)s are left, up to %(cap)s a month.",
             pack=pack.name if pack else _("a pack that is not sold"),
             threshold=number(values.threshold), cap=money(values.cap))  # fmt: skip
    dearer = [
        _("%(pack)s costs %(now)s now; you agreed to %(then)s.", pack=each.name,
          now=money(each.amount), then=money(shown.agreed[each.add_on]))
        for each in shown.dearer
    ]  # fmt: skip
    return " ".join([said, *dearer, why.get(shown.pause_cause, "")]).strip()


def decision_words(decided: Decided) -> str:
    """The cause in words, with its figures."""
    until = date_time(decided.until) if decided.until else ""
    amount = money(decided.amount) if decided.amount else ""
    said: dict[Cause, str] = {
        Cause.BOUGHT: _bought_words(decided, amount),
        Cause.ABOVE_THRESHOLD: _("Enough was left."),
        Cause.IN_FLIGHT: _("A pack was being paid for already."),
        Cause.COOLDOWN: _("A pack had just been bought; the next not before %(at)s.", at=until),
        Cause.CAP: _("%(pack)s for %(amount)s would have passed the monthly maximum. It begins anew"
                     " on %(at)s.", pack=decided.pack, amount=amount, at=until),
        Cause.CEILING: _("%(pack)s for %(amount)s would have passed your monthly ceiling. It begins"
                         " anew on %(at)s.", pack=decided.pack, amount=amount, at=until),
        Cause.WINDOW_ENDS: _("At this pace what was left lasts until the quota resets, on %(at)s.",
                             at=until),
        Cause.PAST_DUE: _("The plan could not buy: an invoice was overdue, or it was in trial."),
        Cause.DECLINED: _declined_words(decided, amount),
        Cause.PAUSED: _("It was paused."),
        Cause.PLAN_ENDING: _("The plan is cancelled and ends."),
        Cause.NOT_SOLD: _("The pack that you agreed to was not sold."),
        Cause.NO_CARD: _("There was no card to charge."),
        Cause.RENEWING: _("The plan was being renewed."),
        Cause.PRICE_CHANGED: _("%(pack)s cost %(amount)s, more than you agreed to; paused.",
                               pack=decided.pack, amount=amount),
    }  # fmt: skip
    return said[decided.cause]


def simulated_words(found: Simulated) -> str:
    """The sum of what would have happened."""
    count = len(found.charges)
    bought = ngettext("%(shown)s pack would have been bought in the last 30 days, for %(sum)s.",
                      "%(shown)s packs would have been bought in the last 30 days, for %(sum)s.",
                      count, shown=number(count), sum=money(found.spent))  # fmt: skip
    if not count:
        bought = _("Nothing would have been bought in the last 30 days.")
    if found.is_cut:
        return _("More than %(shown)s packs would have been bought in the last 30 days, for more"
                 " than %(sum)s.", shown=number(count), sum=money(found.spent))  # fmt: skip
    low = _("At the lowest %(left)s were left.", left=number(found.lowest))
    said = [bought, low]
    if found.capped:
        days = len(found.capped)
        said.append(
            ngettext("The monthly maximum would have stopped one on %(shown)s day.",
                     "The monthly maximum would have stopped one on %(shown)s days.", days,
                     shown=number(days))
        )  # fmt: skip
    if found.missed:
        said.append(_("%(units)s would have found nothing left.", units=number(found.missed)))
    return " ".join(str(each) for each in said)


def _bought_words(decided: Decided, amount: str) -> str:
    facts = {"pack": decided.pack, "amount": amount}
    if decided.purchase == "reserved":
        return _("%(pack)s for %(amount)s is being paid for.", **facts)
    if decided.purchase == "failed":
        return _("%(pack)s for %(amount)s was to be bought, and was not paid.", **facts)
    said = _("%(pack)s was bought for %(amount)s.", **facts)
    return said if decided.clears else " ".join([said, _("It leaves less than the threshold.")])


def _declined_words(decided: Decided, amount: str) -> str:
    if decided.reason == "authentication_required":
        return _("The bank wanted to see you for the charge of %(amount)s; paused.", amount=amount)
    if decided.reason == "processing_error":
        return _("The charge of %(amount)s failed on its way; it is tried again.", amount=amount)
    return _("The bank declined the charge of %(amount)s; paused.", amount=amount)
