"""How far an account's test clock is moved."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from flask_wtf import FlaskForm
from wtforms import DateTimeLocalField, HiddenField, IntegerField
from wtforms.validators import NumberRange, Optional
from wtforms.widgets import HiddenInput

from portal.web.forms.lazily import _

SPANS = {"day": timedelta(days=1), "week": timedelta(days=7), "month": timedelta(days=31)}
ON = "on"
LATEST_S = 253_402_300_799  # the end of the year 9999, as seconds since 1970


class ClockForm(FlaskForm):
    """by: the button that was pressed; `to` counts only with the button beside it.

    until: where a button leads, as its page said: pressed twice, it leads no farther.
    since, steps: of a move that is under way: where it began, and how many steps were taken on it.
    """

    to = DateTimeLocalField(_("Date and time, in your account's time zone"), [Optional()])
    by = HiddenField()
    since = IntegerField(validators=[Optional(), NumberRange(0, LATEST_S)], widget=HiddenInput())
    until = IntegerField(validators=[Optional(), NumberRange(0, LATEST_S)], widget=HiddenInput())
    steps = IntegerField(validators=[Optional(), NumberRange(min=0)], widget=HiddenInput())

    @property
    def names_instant(self) -> bool:
        """Whether a button was pressed that says where it leads."""
        return bool(self.by.data and self.until.data)

    def target(self, now: datetime, next_at: datetime | None, zone: str) -> datetime | None:
        """The instant that is asked for; None when nothing was."""
        if self.by.data in (*SPANS, ON, "next") and self.until.data:
            return datetime.fromtimestamp(self.until.data, UTC)
        if self.by.data in SPANS:
            return now + SPANS[self.by.data]
        if self.by.data == "next":
            return next_at
        local = self.to.data
        return local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) if local else None
