"""The filter bar of the page of activity, sent by GET."""

from __future__ import annotations

from datetime import date

from flask_babel import gettext
from flask_wtf import FlaskForm
from wtforms import DateField, SelectField

from portal.domain.activity import Kind
from portal.queries.activity import NOBODY, Filters, Someone
from portal.web.activity_sentences import kind_words
from portal.web.forms.lazily import _, option
from portal.web.support import shown_email

EARLIEST, LATEST = date(2000, 1, 1), date(2200, 1, 1)


class ActivityForm(FlaskForm):
    class Meta:
        csrf = False

    kind = SelectField(_("Kind"), default="", validate_choice=False)
    person = SelectField(_("Person"), default="", validate_choice=False)
    since = DateField(_("From"))
    until = DateField(_("Until"))

    _known: frozenset[str] = frozenset()

    def offering(self, people: tuple[Someone, ...]) -> ActivityForm:
        self._known = frozenset(str(each) for each in (NOBODY, *(p.id for p in people)))
        self.kind.choices = [
            option("", gettext("Everything")),
            *(option(kind.value, kind_words(kind)) for kind in Kind),
        ]
        self.person.choices = [
            option("", gettext("Anybody")),
            *(option(str(each.id), f"{each.name} ({shown_email(each.email)})") for each in people),
            option(str(NOBODY), gettext("Nobody: automatic, API, staff")),
        ]
        return self

    def filters(self) -> Filters:
        """What was asked for; anything unknown counts as not asked."""
        kinds = {kind.value: kind for kind in Kind}
        return Filters(
            kind=kinds.get(self.kind.data),
            person=int(self.person.data) if self.person.data in self._known else None,
            since=_sensible(self.since.data),
            until=_sensible(self.until.data),
        )


def _sensible(day: date | None) -> date | None:
    return day if day is not None and EARLIEST <= day <= LATEST else None
