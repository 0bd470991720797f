"""Members: who belongs to the account, with which role, and who is invited."""

from __future__ import annotations

from flask import Blueprint, Response, flash, url_for
from flask_babel import gettext as _

from portal.domain.access import Permission, Role
from portal.queries import roster
from portal.services import inviting
from portal.services import members as service
from portal.services.inviting import Needless
from portal.services.members import LastOwner
from portal.services.throttling import Paused
from portal.web import htmx
from portal.web.access import requires
from portal.web.entering import let_go, too_soon
from portal.web.forms.members import InviteForm, RoleForm
from portal.web.member_sentences import needless_words, role_words
from portal.web.requests import database, member, state, wall
from portal.web.sign_in_sentences import wait_words
from portal.web.wiring import wiring

bp = Blueprint("members", __name__, url_prefix="/settings/billing/members")


@bp.get("")
@requires(Permission.BILLING_READ)
def index() -> Response:
    return _page(InviteForm(role=Role.MEMBER.value), 200)


@bp.post("")
@requires(Permission.MEMBERS_UPDATE)
def invite() -> Response:
    form = InviteForm()
    if not form.validate():
        return _page(form, 422)
    outcome = inviting.invite(
        database(), member().actor, str(form.email.data), form.chosen, wall(), wiring().safe
    )
    if isinstance(outcome, Paused):
        form.form_errors.append(wait_words(outcome.wait))
        return too_soon(_page(form, 429), outcome.wait)
    if isinstance(outcome, Needless):
        form.email.errors = [needless_words(outcome)]
        return _page(form, 422)
    return _sent(outcome)


@bp.post("/invitations/<int:invitation_id>/send-again")
@requires(Permission.MEMBERS_UPDATE)
def send_again(invitation_id: int) -> Response:
    actor = member().actor
    outcome = inviting.send_again(database(), actor, invitation_id, wall(), wiring().safe)
    if isinstance(outcome, Paused):
        form = InviteForm(formdata=None, role=Role.MEMBER.value)
        form.form_errors.append(wait_words(outcome.wait))
        return too_soon(_page(form, 429), outcome.wait)
    return _sent(outcome)


@bp.post("/invitations/<int:invitation_id>/withdraw")
@requires(Permission.MEMBERS_UPDATE)
def withdraw(invitation_id: int) -> Response:
    inviting.withdraw(database(), member().actor, invitation_id, wall())
    flash(_("The invitation is withdrawn. Its link does not work any more."), "success")
    return htmx.go(url_for("members.index"))


@bp.get("/<int:membership_id>/role")
@requires(Permission.BILLING_READ)
def role(membership_id: int) -> Response:
    listed = roster.get_member(database(), member().actor, membership_id)
    return _role(membership_id, RoleForm(role=listed.role.value), 200)


@bp.post("/<int:membership_id>/role")
@requires(Permission.MEMBERS_UPDATE)
def change_role(membership_id: int) -> Response:
    form = RoleForm()
    if not form.validate():
        return _role(membership_id, form, 422)
    actor = member().actor
    outcome = service.change_role(database(), actor, membership_id, form.chosen, wall())
    if isinstance(outcome, LastOwner):
        return _role(membership_id, form, 409)
    flash(_("The new role holds from now on."), "success")
    return htmx.go(url_for("members.index"))


@bp.get("/<int:membership_id>/remove")
@requires(Permission.BILLING_READ)
def confirm_remove(membership_id: int) -> Response:
    return _remove(roster.get_member(database(), member().actor, membership_id), 200)


@bp.post("/<int:membership_id>/remove")
@requires(Permission.MEMBERS_UPDATE)
def remove(membership_id: int) -> Response:
    actor = member().actor
    outcome = service.remove(database(), actor, membership_id, wall())
    if isinstance(outcome, LastOwner):
        return _remove(roster.get_member(database(), actor, membership_id), 409)
    flash(_("They are no member any more, and signed out of this account."), "success")
    return htmx.go(url_for("members.index"))


@bp.get("/leave")
@requires(Permission.BILLING_READ)
def confirm_leave() -> Response:
    return _remove(roster.get_self(database(), member().actor), 200)


@bp.post("/leave")
@requires(Permission.SELF_UPDATE)
def leave() -> Response:
    actor = member().actor
    if isinstance(service.leave(database(), actor, wall()), LastOwner):
        return _remove(roster.get_self(database(), actor), 409)
    let_go()
    flash(_("You have left the account, and are signed out of it."), "success")
    return htmx.go(url_for("auth.sign_in"))


def _sent(outcome: inviting.Sent) -> Response:
    flash(_("An invitation is on its way to %(email)s.", email=outcome.email), "success")
    return htmx.go(url_for("members.index"))


def _may() -> bool:
    return member().actor.holds(Permission.MEMBERS_UPDATE)


def _page(form: InviteForm, status: int) -> Response:
    actor = member().actor
    return htmx.page(
        "members/index.html",
        "members/_roster.html",
        status,
        form=form,
        members=roster.members(database(), actor),
        invitations=roster.waiting(database(), actor, wall()),
        accounts=roster.belongings(database(), actor),
        roles={role.value: role_words(role) for role in Role},
        may=_may(),
        state=state(),
    )


def _role(membership_id: int, form: RoleForm, status: int) -> Response:
    listed = roster.get_member(database(), member().actor, membership_id)
    return htmx.page(
        "members/role.html",
        "members/_role.html",
        status,
        form=form,
        listed=listed,
        roles={role.value: role_words(role) for role in Role},
        may=_may(),
        state=state(),
    )


def _remove(listed: roster.Listed, status: int) -> Response:
    return htmx.page(
        "members/remove.html",
        "members/_remove.html",
        status,
        listed=listed,
        may=_may(),
        state=state(),
    )
