"""What mails say when something that was cancelled is kept after all."""

from __future__ import annotations

from flask_babel import gettext as _

from portal.domain.keeping_notices import AddOnKept, PlanKept
from portal.domain.renewal_notices import Renewing
from portal.web.coming_letters import price
from portal.web.drafts import (
    Draft,
    add_on_until_cancelled,
    agreed_words,
    counted,
    page,
    plan_until_cancelled,
)
from portal.web.language import date


def of_keeping(notice: AddOnKept | PlanKept) -> Draft:
    return _add_on(notice) if isinstance(notice, AddOnKept) else _plan(notice)


def _add_on(notice: AddOnKept) -> Draft:
    what, ahead = counted(notice.name, notice.quantity), notice.renewing
    said = _("%(what)s goes on: its cancellation is taken back. Nothing was charged for that.",
             what=what)  # fmt: skip
    stop = _("It is not charged again: it ends with your plan.")
    if ahead is not None:
        stop = add_on_until_cancelled(ahead.at)
    mine = page("active.index", _anchor=f"instance-{notice.instance_id}")
    return Draft(
        _("You kept %(what)s", what=notice.name), (said,), _charges(ahead),
        (_("See your add-ons"), mine), (stop, *agreed_words(notice.agreed)),
    )  # fmt: skip


def _plan(notice: PlanKept) -> Draft:
    ahead = notice.renewing
    said = [_("%(plan)s goes on: its cancellation is taken back. Nothing was charged for that.",
              plan=notice.plan)]  # fmt: skip
    if notice.add_ons:
        names = ", ".join(notice.add_ons)
        said.append(_("Its add-ons go on with it and are charged as before: %(what)s.", what=names))
    stop = (plan_until_cancelled(ahead.at),) if ahead else ()
    return Draft(
        _("You kept your plan"), tuple(said), _charges(ahead),
        (_("See your plan"), page("plans.index")), (*stop, *agreed_words(notice.agreed)),
    )  # fmt: skip


def _charges(ahead: Renewing | None) -> tuple[tuple[str, str], ...]:
    if ahead is None:
        return ()
    return ((_("Renews on"), date(ahead.at)), (_("Charged then, taxes included"), price(ahead)))
