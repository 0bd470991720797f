"""What pages, mails and the page of activity say of support's proposals."""

from __future__ import annotations

from flask_babel import gettext as _

from portal.domain.events import EventName
from portal.domain.proposals import ProposalState, Proposed
from portal.queries.activity import Act
from portal.queries.proposals import Proposal
from portal.web.drafts import Draft, counted, page
from portal.web.language import date, number

PROPOSAL_EVENTS = frozenset(
    (EventName.PROPOSAL_MADE, EventName.PROPOSAL_WITHDRAWN, EventName.PROPOSAL_DECLINED)
)


def proposal_words(act: Act) -> str:
    """Raises KeyError for an event of another kind."""
    what, by = act.about.name or _("Add-on"), act.detail.get("by", "")
    match act.name:
        case EventName.PROPOSAL_MADE:
            return _("%(by)s proposed %(quantity)s × %(what)s", by=by, what=what,
                     quantity=number(int(act.detail["quantity"])))  # fmt: skip
        case EventName.PROPOSAL_WITHDRAWN:
            return _("%(by)s took the proposal of %(what)s back", by=by, what=what)
        case EventName.PROPOSAL_DECLINED:
            return _("The proposal of %(what)s was declined", what=what)
        case _:
            raise KeyError(act.name)


def proposed_words(each: Proposal) -> str:
    return counted(each.add_on.name, each.quantity)


def proposal_state(state: ProposalState) -> str:
    said: dict[ProposalState, str] = {
        ProposalState.OPEN: _("Waits for an answer"),
        ProposalState.PAYING: _("Being paid"),
        ProposalState.BOUGHT: _("Bought"),
        ProposalState.DECLINED: _("Declined"),
        ProposalState.WITHDRAWN: _("Withdrawn"),
        ProposalState.EXPIRED: _("Over"),
    }
    return said[state]


def of_proposal(notice: Proposed) -> Draft:
    what = counted(notice.add_on, notice.quantity)
    where = page(
        "addons.preview",
        lookup_key=notice.lookup_key,
        quantity=notice.quantity,
        auto_renew="on" if notice.auto_renew else "off",
        proposal=notice.proposal_id,
    )
    said = _("%(by)s, our support, proposes to add this to your plan: %(what)s.", by=notice.by,
             what=what)  # fmt: skip
    note = (_("“%(note)s”", note=notice.note),) if notice.note else ()
    nothing = _("Nothing is bought or charged unless one of you does it. You see what it costs,"
                " to the cent, before you pay. It waits until %(date)s.",
                date=date(notice.expires_at))  # fmt: skip
    return Draft(
        _("A proposal: %(what)s", what=what),
        (said, *note, nothing),
        (),
        (_("See what it costs"), where),
    )
