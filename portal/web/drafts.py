"""A letter before it is laid out, and the addresses that it leads to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import url_for
from flask_babel import gettext as _

from portal.web.language import date, number


@dataclass(frozen=True, slots=True)
class Draft:
    """facts: a label and what it stands for. link, choice: words and an absolute address.

    choice: where such mails are switched off, for those that can be. invites: the reader is no
    member yet. was_member: they are none any more. to_staff: and never were. was_typed: nobody
    knows whose address it is.
    """

    subject: str
    said: tuple[str, ...]
    facts: tuple[tuple[str, str], ...] = ()
    link: tuple[str, str] | None = None
    closing: tuple[str, ...] = ()
    choice: tuple[str, str] | None = None
    invites: bool = False
    was_member: bool = False
    to_staff: bool = False
    was_typed: bool = False


def page(endpoint: str, **where: object) -> str:
    """The absolute address of a page."""
    return url_for(endpoint, _external=True, **where)  # type: ignore[arg-type]


def add_ons() -> tuple[str, str]:
    """The link to what is held."""
    return _("See your add-ons"), page("active.index")


def counted(name: str, quantity: int) -> str:
    return name if quantity == 1 else f"{number(quantity)} × {name}"


def add_on_until_cancelled(renews_at: datetime) -> str:
    """Of an add-on: when it renews, and how to stop that."""
    return _("It renews on %(date)s until you cancel it. To cancel, open %(page)s, choose"
             " Cancel and confirm; it then stays until the end of the period that is paid for.",
             date=date(renews_at), page=page("active.index"))  # fmt: skip


def plan_until_cancelled(renews_at: datetime) -> str:
    """The same of the plan."""
    return _("It renews on %(date)s until you cancel it. To cancel, open %(page)s, choose"
             " Cancel plan and confirm; it then works until the end of the period that is paid"
             " for.", date=date(renews_at), page=page("plans.index"))  # fmt: skip


def agreed_words(agreed: tuple[str, ...]) -> tuple[str, ...]:
    """What was agreed to, as it was shown, for a mail that can be kept."""
    return (_("You agreed to this:"), *agreed) if agreed else ()
