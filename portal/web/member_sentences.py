"""What pages and mails say about members, their roles and their accounts."""

from __future__ import annotations

from flask_babel import gettext as _

from portal.domain.access import Role
from portal.services.inviting import Needless


def role_name(role: Role) -> str:
    match role:
        case Role.OWNER:
            return str(_("Owner"))
        case Role.ADMIN:
            return str(_("Admin"))
        case Role.BILLING:
            return str(_("Billing"))
        case Role.MEMBER:
            return str(_("Member"))


def role_words(role: Role) -> str:
    """What who has it may do."""
    match role:
        case Role.OWNER:
            return str(_("See everything, buy and cancel, set the monthly ceiling, and decide"
                         " who is a member"))  # fmt: skip
        case Role.ADMIN | Role.BILLING:
            return str(_("See everything, buy and cancel, and look after cards"))
        case Role.MEMBER:
            return str(_("See everything and change nothing"))


def needless_words(needless: Needless) -> str:
    match needless:
        case Needless.MEMBER:
            return str(_("Somebody with this address is a member already"))
        case Needless.INVITED:
            return str(_("An invitation to this address is there already: send it again below"))
