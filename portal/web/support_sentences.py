"""What pages say of accounts to staff, and of support views to everybody."""

from __future__ import annotations

from flask_babel import gettext as _

from portal.domain.instances import SubscriptionStatus
from portal.queries.accounts import AccountState
from portal.web.language import date


def standing_words(seen: AccountState) -> str:
    """How the subscription stands, and when it ends or ended."""
    if seen.subscription is None:
        if seen.former is None:
            return _("never had a plan")
        return _("%(plan)s ended on %(date)s", plan=seen.former.name,
                 date=date(seen.former.ended_at))  # fmt: skip
    said: dict[SubscriptionStatus, str] = {
        SubscriptionStatus.TRIALING: _("on trial"),
        SubscriptionStatus.ACTIVE: _("in good standing"),
        SubscriptionStatus.PAST_DUE: _("past due"),
        SubscriptionStatus.SUSPENDED: _("suspended"),
    }
    words = said.get(seen.subscription.status, str(seen.subscription.status))
    ends_at = seen.subscription.ends_at
    return words if ends_at is None else _("%(words)s, ends on %(date)s", words=words,
                                           date=date(ends_at))  # fmt: skip
