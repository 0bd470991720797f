"""Activity: who did what on an account, when and from where, and a file of it."""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, request
from flask_babel import gettext as _

from portal.domain.access import Permission
from portal.domain.activity import kind_of
from portal.domain.throttle import EXPORT
from portal.queries import activity as queries
from portal.queries.activity import Act, Filters
from portal.web import htmx
from portal.web.access import requires
from portal.web.activity_sentences import act_words, doer_words, kind_words
from portal.web.csv_files import csv_file
from portal.web.forms.activity import ActivityForm
from portal.web.pacing import paced
from portal.web.requests import database, member, state

bp = Blueprint("activity", __name__, url_prefix="/settings/billing/activity")


@bp.get("")
@requires(Permission.BILLING_READ)
def index() -> Response:
    account, scope, form = state().account, member().actor.scope, _form()
    asked, number = form.filters(), request.args.get("page", 1, type=int)
    return htmx.page(
        "activity/index.html",
        "activity/_list.html",
        form=form,
        found=queries.activity_page(database(), scope, account.id, account.zone, asked, number),
        asked=_as_arguments(asked),
        state=state(),
    )


@bp.get("/events.csv")
@requires(Permission.BILLING_READ)
@paced(EXPORT)
def whole() -> Response:
    """All that the filters let through, the newest first."""
    account, scope = state().account, member().actor.scope
    acts = queries.whole_activity(database(), scope, account.id, account.zone, _form().filters())
    head = (_("When"), _("Who"), _("E-mail"), _("Through the eyes of"), _("What"), _("Kind"),
            _("Event"), _("Subject"), _("From where"))  # fmt: skip
    return csv_file("activity", head, _rows(acts, ZoneInfo(account.zone)))


def _form() -> ActivityForm:
    people = queries.doers(database(), member().actor.scope, state().account.id)
    return ActivityForm(request.args).offering(people)


def _as_arguments(asked: Filters) -> dict[str, str]:
    """The filters as an address has them."""
    given = {"kind": asked.kind, "person": asked.person, "since": asked.since, "until": asked.until}
    return {name: str(value) for name, value in given.items() if value is not None}


def _rows(acts: tuple[Act, ...], zone: ZoneInfo) -> Iterator[tuple[str, ...]]:
    for act in acts:
        kind = kind_of(act.name)
        yield (
            act.at.astimezone(zone).isoformat(timespec="seconds"),
            doer_words(act),
            act.who.email if act.who else "",
            act.behalf.email if act.behalf else "",
            act_words(act),
            kind_words(kind) if kind else "",
            act.name,
            act.subject,
            act.address,
        )
