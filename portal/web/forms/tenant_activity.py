"""The filter bar of the staff's page of activity, sent by GET."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from flask_babel import gettext
from flask_wtf import FlaskForm
from wtforms import DateField, SearchField, SelectField

from portal.domain.activity import Kind
from portal.queries.tenant_activity import TenantFilters
from portal.web.activity_sentences import kind_words
from portal.web.forms.activity import EARLIEST, LATEST
from portal.web.forms.lazily import _, option
from portal.web.forms.support import storable

OWN = "own"
LONGEST_SPAN, USUAL_SPAN = timedelta(days=92), timedelta(days=30)


class TenantActivityForm(FlaskForm):
    class Meta:
        csrf = False

    account = SearchField(_("Account"), filters=[storable])
    kind = SelectField(_("Kind"), default="", validate_choice=False)
    doer = SelectField(_("Who"), default="", validate_choice=False)
    since = DateField(_("From"))
    until = DateField(_("Until"))

    _doers: frozenset[str] = frozenset()

    def offering(self, people: Sequence[tuple[int, str]]) -> TenantActivityForm:
        self.kind.choices = [
            option("", gettext("Everything")),
            *(option(kind.value, kind_words(kind)) for kind in Kind),
            option(OWN, gettext("Staff, keys, webhooks and catalog")),
        ]
        doers = {
            "person": gettext("Members"),
            "staff": gettext("All staff"),
            **{f"staff:{id_}": gettext("%(name)s, staff", name=name) for id_, name in people},
            "key": gettext("Host application"),
            "stripe": gettext("Payment provider"),
            "cli": gettext("Command line"),
            "anonymous": gettext("Somebody not signed in"),
        }
        self._doers = frozenset(doers)
        self.doer.choices = [
            option("", gettext("Anybody")),
            *(option(value, label) for value, label in doers.items()),
        ]
        return self

    def filters(self, today: date) -> TenantFilters:
        """What was asked for; anything unknown counts as not asked, and 92 days are the most."""
        until = _sensible(self.until.data)
        newest = until or today
        since = _sensible(self.since.data) or newest - USUAL_SPAN
        kinds = {kind.value: kind for kind in Kind}
        return TenantFilters(
            since=max(since, newest - LONGEST_SPAN),
            until=until,
            kind=kinds.get(self.kind.data),
            own=self.kind.data == OWN,
            doer=self.doer.data if self.doer.data in self._doers else "",
            account=(self.account.data or "").strip(),
        )


def _sensible(day: date | None) -> date | None:
    return day if day is not None and EARLIEST <= day <= LATEST else None
