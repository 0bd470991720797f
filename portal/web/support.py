"""A support view in the browser: a cookie of its own, and one place that lets nothing through."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import Flask, Response, current_app, flash, g, request, session, url_for
from flask_babel import gettext as _
from werkzeug.exceptions import MethodNotAllowed
from werkzeug.routing import Rule

from portal.domain.errors import SupportViewOn
from portal.domain.support import LIFE, Consent, masked_email
from portal.models.session import only_read
from portal.queries.support import EndedView, SupportView
from portal.services import support as service
from portal.web import cookies, htmx
from portal.web.requests import database, is_staff_page, scope, support_view, wall
from portal.web.security import OF_MACHINES
from portal.web.staff import held_sid
from portal.web.wiring import wiring

COOKIE = "support"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
LEAVING = frozenset({"support.end", "staff.sign_out"})
SECRETS = frozenset({"written"})
"""Parts of addresses that open something for who knows them."""
NO_ADDRESS = "…"
CLOSED_BLUEPRINTS = frozenset(
    {
        *("security", "second_factor", "own_provider", "links", "resets", "invitations"),
        *("oidc", "staff_oidc", "staff_activity", "declarations", "withdrawals"),
    }
)
CLOSED = frozenset(
    {
        # Files are data that leaves the portal.
        *("activity.whole", "usage.days", "wallet.ledger", "invoices.document"),
        *("credit_notes.document", "receipts.document"),
        # They carry what confirms a payment, or come back from where one was made.
        *("addons.preview", "plans.preview", "quantities.preview", "recharge.consent"),
        *("purchases.returned", "invoices.returned", "payment_methods.come_back"),
        # They confirm who may do what, what ends, and which card is there.
        *("members.role", "members.confirm_remove", "members.confirm_leave"),
        *("active.cancel", "active.withdraw", "plans.cancel", "payment_methods.remove"),
    }
)
"""Pages that nobody opens through somebody else's eyes."""


@dataclass(frozen=True, slots=True)
class SupportFrame:
    """What the banner says."""

    staff_name: str
    member_name: str
    member_email: str
    account_name: str
    reason: str
    ticket: str
    minutes: int
    until: datetime


def install(app: Flask) -> None:
    app.before_request(_watch)
    app.after_request(_forget)


def enter(response: Response, sid: str) -> Response:
    """Give the browser this view's id. Forms that it had open count no more."""
    session.pop("csrf_token", None)
    cookies.give(response, COOKIE, sid, LIFE)
    return response


def leave(response: Response) -> Response:
    session.pop("csrf_token", None)
    response.headers["Clear-Site-Data"] = '"cache"'
    g.support_is_over = True
    return response


def frame() -> SupportFrame | None:
    """None where no support view is on."""
    view = support_view()
    if view is None:
        return None
    who = view.member
    left = -int(-(view.expires_at - wall()).total_seconds() // 60)
    return SupportFrame(
        view.staff_name, who.name, masked_email(who.email), who.account_name, view.reason,
        view.ticket, left, view.expires_at,
    )  # fmt: skip


def shown_email(email: str) -> str:
    """A member's e-mail address: to members whole, to staff partly, in a support view too."""
    return masked_email(email) if support_view() or is_staff_page() else email


def _watch() -> Response | None:
    """Look for a view before anything else is decided, and refuse all but reading while it is on.

    Raises SupportViewOn. What is over, or was never ours, is no member's request by mistake.
    """
    sid = cookies.held(COOKIE)
    if "scope" not in g or request.blueprint in OF_MACHINES:
        return None
    if not sid:  # the second of two tabs that end it
        return _turn_away(None) if request.endpoint == "support.end" else None
    consent = Consent(wiring().settings.support_view)
    found = service.look(database(), scope(), sid, held_sid(), consent, wall())
    if not isinstance(found, SupportView):
        g.support_is_over = True
        return None if is_staff_page() else _turn_away(found)
    g.support_view = found
    if request.endpoint in LEAVING:
        return None
    if request.method not in SAFE or _is_closed():
        service.note_refused(database(), found, _tried(), wall())
        only_read(database())
        raise SupportViewOn(request.method)
    if request.url_rule and not is_staff_page() and request.method != "OPTIONS":
        service.note_page(database(), found, _address(), wall())
    only_read(database())
    return None


def _tried() -> service.Tried:
    browser = request.user_agent.string
    return service.Tried(request.method, _address(), g.request_id, browser)


def _address() -> str:
    """What is told of the address: members read it, so no link's secret, no id of a staff page,
    and nothing that names no page of ours."""
    rule = request.url_rule or _rule_of_another_method()
    if rule is None:
        return NO_ADDRESS
    is_tellable = request.path.isprintable() and rule.arguments.isdisjoint(SECRETS)
    return request.path if is_tellable and not is_staff_page() else rule.rule


def _rule_of_another_method() -> Rule | None:
    wrong = request.routing_exception
    if not isinstance(wrong, MethodNotAllowed) or not wrong.valid_methods:
        return None
    found = current_app.url_map.bind("").match(
        request.path, method=next(iter(wrong.valid_methods)), return_rule=True
    )
    return found[0]


def _is_closed() -> bool:
    return request.endpoint in CLOSED or request.blueprint in CLOSED_BLUEPRINTS


def _turn_away(found: EndedView | None) -> Response:
    flash(_("The support view is over. Nothing was changed."), "warning")
    if found is None:
        return htmx.go(url_for("accounts.index"))
    return htmx.go(url_for("accounts.show", account_id=found.account_id))


def _forget(response: Response) -> Response:
    """Take the cookie of a view that is over."""
    if g.get("support_is_over"):
        cookies.take(response, COOKIE)
    return response
