"""What mails say about a person's own sign-in."""

from __future__ import annotations

from flask_babel import gettext as _

from portal.domain.sign_in_notices import (
    IdentitySwitched,
    Invited,
    PasswordChanged,
    PasswordForgotten,
    Place,
    RecoveryCodesMade,
    SecondFactorSwitched,
    SignInNotice,
    invitation_secret,
    reset_secret,
)
from portal.web.drafts import Draft, page
from portal.web.language import date_time
from portal.web.member_sentences import role_name, role_words
from portal.web.sign_in_sentences import device_words
from portal.web.wiring import wiring


def of_sign_in(notice: SignInNotice) -> Draft:
    match notice:
        case PasswordForgotten():
            return _forgotten(notice)
        case PasswordChanged():
            return _changed(notice)
        case SecondFactorSwitched():
            return _switched(notice)
        case RecoveryCodesMade():
            return _codes_made(notice)
        case IdentitySwitched():
            return _identity(notice)
        case Invited():
            return _invited(notice)


def _forgotten(notice: PasswordForgotten) -> Draft:
    written = reset_secret(wiring().safe.master, notice.nonce)
    return Draft(
        _("Set a new password"),
        (_("Somebody, probably you, asked for a new password. Follow the link to set one. It works"
           " once, until %(at)s.", at=date_time(notice.expires_at)),),
        _place(notice.place),
        (_("Set a new password"), page("resets.show", written=written)),
        (_("If it was not you, do nothing: your password stays as it is."),),
    )  # fmt: skip


def _changed(notice: PasswordChanged) -> Draft:
    said = _("Your password was changed by who knew the old one. All other sessions have ended.")
    if notice.by_link:
        said = _("A new password was set by the link that we mailed. All sessions have ended.")
    subject, provider = _("Your password was changed"), wiring().provider
    if provider is None or provider.issuer not in notice.issuers:
        return _told(subject, said, notice.place)
    also = _("“%(label)s” on the sign-in page signs you in as well. If it was not you who linked"
             " it, unlink it under Security.", label=provider.label)  # fmt: skip
    return _told(subject, said, notice.place, also)


def _switched(notice: SecondFactorSwitched) -> Draft:
    if notice.is_on:
        said = _("From now on, signing in asks for a code of your authenticator app as well.")
        return _told(_("Two-step sign-in is on"), said, notice.place)
    said = _("From now on, your password alone signs you in.")
    return _told(_("Two-step sign-in is off"), said, notice.place)


def _codes_made(notice: RecoveryCodesMade) -> Draft:
    said = _("You have ten new recovery codes. Those before do not work any more.")
    return _told(_("You have new recovery codes"), said, notice.place)


def _identity(notice: IdentitySwitched) -> Draft:
    if notice.is_linked:
        said = _("From now on, “%(label)s” on the sign-in page signs you in.", label=notice.label)
        return _told(_("You have another way to sign in"), said, notice.place)
    said = _("From now on, “%(label)s” on the sign-in page signs you in no more. All other sessions"
             " have ended.", label=notice.label)  # fmt: skip
    return _told(_("A way to sign in was removed"), said, notice.place)


def _invited(notice: Invited) -> Draft:
    written = invitation_secret(wiring().safe.master, notice.nonce)
    product = wiring().settings.product_name
    return Draft(
        _("%(who)s invites you to %(product)s", who=notice.inviter, product=product),
        (_("%(who)s asks you to become a member of %(account)s. Follow the link to accept. It works"
           " once, until %(at)s.",
           who=notice.inviter, account=notice.account, at=date_time(notice.expires_at)),),
        ((_("Role"), role_name(notice.role)), (_("What you may do"), role_words(notice.role))),
        (_("See the invitation"), page("invitations.show", written=written)),
        (_("If you do not know who that is, do nothing: nobody gets anything of yours."),),
        invites=True,
    )  # fmt: skip


def _told(subject: str, said: str, place: Place, *further: str) -> Draft:
    """What was done, where, and what to do for who did not do it."""
    way = _(
        "If it was not you, set a new password at once: %(page)s", page=page("resets.forgotten")
    )
    see = (_("See how you sign in"), page("security.index"))
    return Draft(subject, (said, *further), _place(place), see, (way,))


def _place(place: Place) -> tuple[tuple[str, str], ...]:
    return (
        (_("When"), date_time(place.at)),
        (_("Device"), device_words(place.user_agent)),
        (_("Address"), place.address),
    )
