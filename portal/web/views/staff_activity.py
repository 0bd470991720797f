"""Staff: what was done in their environment, by whom and from where, and a file of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from flask import Blueprint, Response, request
from flask_babel import gettext as _

from portal.domain.activity import kind_of
from portal.domain.support import masked_email
from portal.domain.throttle import EXPORT
from portal.queries.staff import all_staff
from portal.queries.tenant_activity import Place, TenantAct, tenant_file, tenant_page
from portal.services.staff_activity import note_reading
from portal.web import htmx
from portal.web.activity_sentences import kind_words
from portal.web.csv_files import csv_file
from portal.web.forms.tenant_activity import TenantActivityForm
from portal.web.pacing import paced
from portal.web.requests import STAFF_PREFIX, database, scope, wall
from portal.web.staff import staff, staff_only
from portal.web.tenant_sentences import tenant_doer_words, tenant_words

bp = Blueprint("staff_activity", __name__, url_prefix=f"{STAFF_PREFIX}/activity")
ASKED = ("account", "kind", "doer", "since", "until")
LONGEST_VALUE = 200


@bp.get("")
@staff_only
def index() -> Response:
    form, asked, before = _form(), _asked(), _place(request.args.get("before", ""))
    note_reading(database(), staff(), asked, wall())
    found = tenant_page(database(), scope(), form.filters(wall().date()), before)
    older = f"{found.older.at.isoformat()}_{found.older.id}" if found.older else ""
    return htmx.page(
        "staff_activity/index.html", "staff_activity/_list.html",
        form=form, found=found, asked=asked, older=older, is_first=before is None,
    )  # fmt: skip


@bp.get("/events.csv")
@staff_only
@paced(EXPORT)
def whole() -> Response:
    """What the filters let through, the newest first."""
    form = _form()
    note_reading(database(), staff(), _asked(), wall(), as_file=True)
    acts = tenant_file(database(), scope(), form.filters(wall().date()))
    head = (_("When"), _("Account"), _("Who"), _("E-mail"), _("Through the eyes of"), _("What"),
            _("Kind"), _("Event"), _("Subject"), _("From where"))  # fmt: skip
    return csv_file("tenant-activity", head, _rows(acts))


def _form() -> TenantActivityForm:
    people = [(each.id, each.name) for each in all_staff(database(), scope())]
    return TenantActivityForm(request.args).offering(people)


def _asked() -> dict[str, str]:
    """The filters as the address has them, for links and for the record."""
    given = {name: request.args.get(name, "") for name in ASKED}
    return {name: value[:LONGEST_VALUE] for name, value in given.items() if value}


def _place(written: str) -> Place | None:
    """None for anything that no page has written."""
    at, _line, id_ = written.partition("_")
    try:
        place = Place(datetime.fromisoformat(at), int(id_))
    except ValueError:
        return None
    return place if place.at.tzinfo is not None and 0 < place.id < 2**63 else None


def _rows(acts: tuple[TenantAct, ...]) -> Iterator[tuple[str, ...]]:
    for each in acts:
        act, kind = each.act, kind_of(each.act.name)
        yield (
            act.at.astimezone(UTC).isoformat(timespec="seconds"),
            each.account_name,
            tenant_doer_words(each),
            masked_email(act.who.email) if act.who else "",
            masked_email(act.behalf.email) if act.behalf else "",
            tenant_words(act),
            kind_words(kind) if kind else "",
            act.name,
            act.subject,
            act.address,
        )
