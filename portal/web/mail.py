"""Writes mails: a notice, in the words and figures of the member who reads it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from flask import Flask, g
from flask_babel import force_locale
from flask_babel import gettext as _

from portal.domain.mails import Letter, Reader
from portal.domain.notices import Notice
from portal.settings import Settings
from portal.web.drafts import Draft
from portal.web.language import direction, known_locale, language
from portal.web.letters import draft_of


@dataclass(frozen=True, slots=True)
class Frame:
    """What surrounds every letter."""

    lang: str
    dir: str
    product_name: str
    hello: str
    why: str
    ask: str


@dataclass(frozen=True, slots=True)
class LetterWriter:
    """The portal's Writer; needs no request."""

    app: Flask
    settings: Settings

    def write(self, notice: Notice, reader: Reader) -> Letter:
        with self._speaking(reader):
            draft = draft_of(notice)
            words = {"draft": draft, "frame": _frame(self.settings, reader, draft)}
            return Letter(
                subject=one_line(draft.subject),
                text=self.app.jinja_env.get_template("mail/letter.txt").render(words),
                html=self.app.jinja_env.get_template("mail/letter.html").render(words),
            )

    @contextmanager
    def _speaking(self, reader: Reader) -> Iterator[None]:
        """Words, figures and links as on the member's pages; nothing is loaded, nobody signed in.

        Contexts of its own, so that the session of whoever sends stays as it is.
        """
        base_url = self.settings.public_url
        with self.app.app_context(), self.app.test_request_context(base_url=base_url):
            g.zone = reader.zone
            with force_locale(known_locale(reader.locale)):
                yield


def one_line(text: str) -> str:
    """Without line breaks and other control characters, which would end a header."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _frame(settings: Settings, reader: Reader, draft: Draft) -> Frame:
    name, support = settings.product_name, settings.support_email
    why = _("You get this mail as a member of %(account)s.", account=reader.account)
    if draft.invites:
        why = _("You get this mail because an owner of %(account)s typed your address.",
                account=reader.account)  # fmt: skip
    if draft.was_member:
        why = _("You get this mail because you were a member of %(account)s.",
                account=reader.account)  # fmt: skip
    if draft.to_staff:
        why, support = _("You get this mail as one of the staff."), ""
    if draft.was_typed:
        why = _("You get this mail because your address was typed on our page for cancelling"
                " contracts.")  # fmt: skip
    return Frame(
        lang=language(),
        dir=direction(),
        product_name=name,
        hello=_("Hello,"),
        why=why,
        ask=_("Questions? Write to %(support)s.", support=support) if support else "",
    )  # fmt: skip
