"""Where to look for what an event tells of."""

from __future__ import annotations

from flask import url_for
from flask_babel import gettext as _

from portal.domain.activity import Kind, kind_of
from portal.queries.activity import Act
from portal.queries.activity_subjects import NOTHING
from portal.web.words import Way


def act_way(act: Act) -> Way | None:
    """The page of its subject where it has one, else the page that shows such things."""
    kind, _colon, id_ = act.subject.partition(":")
    if act.about is NOTHING and kind in ("invoice", "credit_note", "purchase"):
        return None
    match kind:
        case "invoice":
            return Way(_("See the invoice"), url_for("invoices.show", number=act.about.number))
        case "credit_note":
            url = url_for("credit_notes.show", number=act.about.number)
            return Way(_("See the credit note"), url)
        case "purchase":
            return Way(_("See the purchase"), url_for("purchases.show", purchase_id=int(id_)))
        case "instance":
            anchor = f"instance-{id_}"
            return Way(_("See active add-ons"), url_for("active.index", _anchor=anchor))
        case _:
            return _page_of(act)


def _page_of(act: Act) -> Way | None:
    if act.subject.startswith("feature:"):
        return Way(_("See usage and quota"), url_for("usage.index"))
    pages: dict[Kind | None, Way] = {
        Kind.MONEY: Way(_("See invoices"), url_for("invoices.index")),
        Kind.PLAN: Way(_("See plans"), url_for("plans.index")),
        Kind.CARDS: Way(_("See payment methods"), url_for("payment_methods.index")),
        Kind.MEMBERS: Way(_("See members"), url_for("members.index")),
        Kind.USE: Way(_("See auto-recharge"), url_for("recharge.index")),
        Kind.MAIL: Way(_("See notifications"), url_for("notifications.index")),
    }
    return pages.get(kind_of(act.name))
