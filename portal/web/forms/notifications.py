"""Which mails a member wants."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import BooleanField

from portal.services.mail_choices import MailChoices
from portal.web.forms.lazily import _


class ChoicesForm(FlaskForm):
    alerts = BooleanField(_("A quota runs low"))
    expiries = BooleanField(_("Credits are about to expire"))
    digest = BooleanField(_("Weekly digest of use"))

    def choices(self) -> MailChoices:
        return MailChoices(self.alerts.data, self.expiries.data, self.digest.data)
