"""What stands on the page for cancelling without signing in, and on what confirms it."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext as _

from portal.domain.declarations import TEXT_VERSION, Answer, CancellationKind, Declared, Shown
from portal.web.language import browsers_best, date_time, day, language, number
from portal.web.legal_words import GERMAN
from portal.web.wiring import wiring


@dataclass(frozen=True, slots=True)
class CancelLabels:
    """lang: the labels' own language, where it is not the page's."""

    here: str
    confirm: str
    lang: str = ""


def cancel_labels() -> CancelLabels:
    """In German on a German page, and for whoever reads German rather than English, whatever the
    page's language. Source: § 312k(2) BGB; ADR 0032.
    """
    german_page = language().partition("-")[0] == GERMAN
    if german_page or browsers_best(["en", GERMAN]) == GERMAN:
        lang = "" if german_page else GERMAN
        return CancelLabels("Verträge hier kündigen", "jetzt kündigen", lang)
    return CancelLabels(_("Cancel contracts here"), _("cancel now"))


def cancel_link() -> CancelLabels | None:
    """The labels where every page leads there; None where it does not."""
    return cancel_labels() if wiring().settings.german_consumers else None


def shown_words() -> Shown:
    """What a declaration is typed under now."""
    labels = cancel_labels()
    return Shown(TEXT_VERSION, language(), labels.confirm, labels.lang or language())


def declared_facts(declared: Declared) -> tuple[tuple[str, str], ...]:
    """All that was declared, and when it was received, line by line."""
    said = declared.said
    reason = ((_("Reason"), said.reason),) if said.reason else ()
    wanted = day(said.wanted_on) if said.wanted_on else _("At the earliest possible time")
    return (
        (_("Received"), date_time(declared.received_at)),
        (_("Number"), number(declared.id)),
        (_("Cancellation"), kind_words(said.kind)),
        *reason,
        (_("Name"), said.name),
        (_("Account or invoice"), said.identification),
        (_("Contract"), said.contract),
        (_("To end on"), wanted),
        (_("E-mail"), said.email),
        (_("Sent with"), _("“%(note)s”", note=declared.shown.button)),
    )


def kind_words(kind: CancellationKind) -> str:
    said: dict[CancellationKind, str] = {
        CancellationKind.ORDINARY: _("Ordinary cancellation"),
        CancellationKind.FOR_CAUSE: _("Cancellation for cause"),
    }
    return said[kind]


def answer_words(answer: Answer) -> str:
    said: dict[Answer, str] = {
        Answer.CARRIED_OUT: _("Carried out"),
        Answer.DONE: _("Done by other means"),
        Answer.NOT_OURS: _("Not ours"),
    }
    return said[answer]
