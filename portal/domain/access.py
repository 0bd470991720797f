"""Who may do what: the one table of permissions, and the actor who holds them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from portal.domain.errors import Forbidden


class Permission(StrEnum):
    BILLING_READ = "billing.read"
    BILLING_UPDATE = "billing.update"
    BILLING_LIMIT = "billing.limit"
    SELF_UPDATE = "self.update"
    MEMBERS_UPDATE = "members.update"
    STAFF = "staff"
    STAFF_ADMIN = "staff.admin"


class Role(StrEnum):
    OWNER = "owner"
    ADMIN = "admin"
    BILLING = "billing"
    MEMBER = "member"


class StaffRole(StrEnum):
    """Kinds of the business's own people."""

    SUPPORT = "support"
    ADMIN = "admin"


_LEAST = frozenset({Permission.BILLING_READ, Permission.SELF_UPDATE})
_FULL = _LEAST | {Permission.BILLING_UPDATE}
GRANTS: dict[Role, frozenset[Permission]] = {
    Role.OWNER: _FULL | {Permission.BILLING_LIMIT, Permission.MEMBERS_UPDATE},
    Role.ADMIN: _FULL,
    Role.BILLING: _FULL,
    Role.MEMBER: _LEAST,
}
"""Everybody may look, and change how they themselves sign in. Nobody among them is staff."""
STAFF_GRANTS: dict[StaffRole, frozenset[Permission]] = {
    StaffRole.SUPPORT: frozenset({Permission.STAFF}),
    StaffRole.ADMIN: frozenset({Permission.STAFF, Permission.STAFF_ADMIN}),
}
"""Support helps accounts; administrators also hold what lets the host application in and out."""
INVITERS = frozenset(role for role in Role if Permission.MEMBERS_UPDATE in GRANTS[role])


@dataclass(frozen=True, slots=True)
class Scope:
    """The tenant and environment that bound every query and every unique key."""

    tenant_id: int
    environment_id: int


@dataclass(frozen=True, slots=True)
class Actor:
    """The person behind a request, fixed for its whole length.

    account_id: the one account every query and write is scoped to. address: of their session.
    staff_id: who of the staff looks through the person's eyes; they may read, and nothing else.
    """

    person_id: int
    account_id: int
    scope: Scope
    role: Role
    address: str = ""
    staff_id: int | None = None

    @property
    def environment_id(self) -> int:
        return self.scope.environment_id

    def holds(self, permission: Permission) -> bool:
        """Whether the person's role has it: what pages show, whoever looks at them."""
        return permission in GRANTS[self.role]

    def can(self, permission: Permission) -> bool:
        """Whether this request may: a support view only reads."""
        reads = self.staff_id is None or permission is Permission.BILLING_READ
        return reads and self.holds(permission)

    def require(self, permission: Permission) -> None:
        """Raise Forbidden unless this actor holds `permission`."""
        if not self.can(permission):
            raise Forbidden(permission)


@dataclass(frozen=True, slots=True)
class StaffActor:
    """The member of staff behind a request: of one environment, and of no account.

    address: of their session.
    """

    staff_id: int
    scope: Scope
    role: StaffRole
    address: str

    def can(self, permission: Permission) -> bool:
        return permission in STAFF_GRANTS[self.role]

    def require(self, permission: Permission) -> None:
        """Raise Forbidden unless they hold `permission`."""
        if not self.can(permission):
            raise Forbidden(permission)
