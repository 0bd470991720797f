"""How far an account's test clock is moved."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from flask_wtf import FlaskForm
from wtforms import DateTimeLocalField, HiddenField
from wtforms.validators import Optional

from portal.web.forms.lazily import _

SPANS = {"day": timedelta(days=1), "week": timedelta(days=7), "month": timedelta(days=31)}


class ClockForm(FlaskForm):
    """by: the button that was pressed; `to` counts only with the button beside it."""

    to = DateTimeLocalField(_("Date and time, in your account's time zone"), [Optional()])
    by = HiddenField()

    def target(self, now: datetime, next_at: datetime | None, zone: str) -> datetime | None:
        """The instant that is asked for; None when nothing was."""
        if self.by.data in SPANS:
            return now + SPANS[self.by.data]
        if self.by.data == "next":
            return next_at
        local = self.to.data
        return local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) if local else None
