"""What pages say of what is owed: when it is tried again, and when service stops."""

from __future__ import annotations

from flask_babel import gettext as _

from portal.queries.owing import Owing
from portal.web.language import date


def owed_words(owed: Owing) -> str:
    """What happens while it is not paid."""
    if owed.suspends_at is None:
        return _("Pay what is open, and everything goes on at once.")
    if owed.ends_at is not None:
        stops = _("Everything keeps working until your plan ends on %(date)s. The invoice stays"
                  " to be paid.", date=date(owed.ends_at))  # fmt: skip
    else:
        stops = _("Everything keeps working until %(date)s; unpaid by then, your plan is"
                  " suspended.", date=date(owed.suspends_at))  # fmt: skip
    return f"{retry_words(owed)} {stops}"


def retry_words(owed: Owing) -> str:
    """When the card is charged again, if it is."""
    if owed.retry_at is None:
        return _("We do not try again by ourselves, unless another card becomes the default.")
    return _("We try again on %(date)s.", date=date(owed.retry_at))
