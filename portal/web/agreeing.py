"""What a paying button says, signed with the page, and read again when it is pressed."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from flask import request
from flask_babel import gettext as _
from itsdangerous import BadSignature

from portal.domain.legal import TERMS, Duty, LegalProfile, Words, box_for, statements_for
from portal.web.forms.purchase import read_words, signer
from portal.web.language import language
from portal.web.legal_words import box_words, button_words, statement_words
from portal.web.requests import member, state
from portal.web.words import Problem

TICKED = "yes"


@dataclass(frozen=True, slots=True)
class Deal:
    """A paying button and what stands above it. signed: the same, for a form without a token of
    its own that carries it; empty with one."""

    words: Words
    signed: str = ""

    @property
    def lang(self) -> str:
        """The button's own language, where it is not the page's."""
        own = self.words.button_locale
        return own if own != self.words.locale else ""


def deal_of(duty: Duty, plain: str) -> Deal:
    """The words of the account's profile. plain: those of the button where no law asks for more."""
    profile = state().account.profile
    terms = TERMS[profile]
    button, locale = button_words(terms, duty, plain)
    said = tuple(statement_words(each, terms, duty) for each in statements_for(terms, duty))
    asked = box_words(box_for(terms, duty, state().now), duty, terms)
    return Deal(Words(profile, terms.text_version, language(), button, locale, said, asked))


def signed(deal: Deal, about: str) -> Deal:
    """about: what the button is for, as `pressed` will be asked."""
    said = {"about": about, "words": asdict(deal.words)}
    return Deal(deal.words, str(signer(member().actor).dumps(said)))


def pressed(about: str) -> Words | Problem | None:
    """What the button that was pressed said; why that is not good enough.

    None between businesses, where a request without it stands for itself.
    """
    raw = request.form.get("shown", "")
    if not raw and state().account.profile is LegalProfile.STANDARD:
        return None
    try:
        said = signer(member().actor).loads(raw)
        words = read_words(said["words"]) if said["about"] == about else None
    except (BadSignature, KeyError, TypeError, ValueError):
        words = None
    if words is None:
        return _other_words()
    return objection(words) or words


def owing(about: str) -> Words | None:
    """The same where it was agreed to before and is owed: nothing more is asked for."""
    words = pressed(about)
    return words if isinstance(words, Words) else None


def objection(words: Words | None) -> Problem | None:
    """Why what was shown does not bind: other words are to be shown, or the box is not ticked."""
    if words is None or words.profile is not state().account.profile:
        return _other_words()
    if words.request and request.form.get("requested") != TICKED:
        return Problem(
            _("Please tick the box above the button"),
            _("Without it we may not go on. Nothing was charged."),
        )
    return None


def _other_words() -> Problem:
    return Problem(
        _("Please read this page again"),
        _("It says more now than the one that you had open. Nothing was charged."),
    )
