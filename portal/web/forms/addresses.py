"""An e-mail address that is typed to be written to."""

from __future__ import annotations

from wtforms.validators import Regexp

from portal.domain.mails import ADDRESS
from portal.web.forms.lazily import _

WRITABLE = Regexp(
    ADDRESS,
    message=_(
        "Enter an e-mail address like name@example.com, in letters from A to Z: mail to others"
        " cannot be sent"
    ),
)
