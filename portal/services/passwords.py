"""Passwords: hashed, compared at a constant cost, and set where they are good enough."""

from __future__ import annotations

import secrets
from functools import cache
from importlib.resources import files

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.passwords import Weakness, normal, weakness
from portal.models.accounts import PersonRow
from portal.models.staff import StaffRow
from portal.models.tenants import TenantRow

_hasher = PasswordHasher()
LISTS = ("passwords", "names")


def hash_password(password: str) -> str:
    return _hasher.hash(normal(password))


def is_right(stored: str | None, password: str) -> bool:
    """Whether `password` is what was hashed. Without a hash it costs as much, and is wrong."""
    try:
        return _hasher.verify(stored or _nobodys_hash(), normal(password)) and stored is not None
    except (VerificationError, InvalidHashError):
        return False


def still_holds(session: Session, person: PersonRow | StaffRow, stored: str | None) -> bool:
    """Whether the hash that a password was compared with is the person's until the commit.

    It is read anew under the row's lock: comparing takes long enough for another one to be set.
    """
    session.refresh(person, with_for_update={"key_share": True})
    return person.password_hash == stored


def renew(person: PersonRow | StaffRow, password: str) -> None:
    """Hash a password that was right once more, where the stored hash is weaker than today's."""
    if person.password_hash and _hasher.check_needs_rehash(person.password_hash):
        person.password_hash = hash_password(password)


def weakness_of(session: Session, scope: Scope, password: str, email: str) -> Weakness | None:
    """Why it may not be a new password; None when it may."""
    tenant = session.get_one(TenantRow, scope.tenant_id)
    return weakness(password, email, _common(), (tenant.key, tenant.name))


@cache
def _nobodys_hash() -> str:
    return _hasher.hash(secrets.token_urlsafe())


@cache
def _common() -> frozenset[str]:
    """What is tried first: common_passwords.LICENSE says where the lists are from."""
    lists = (files("portal.services").joinpath(f"common_{what}.txt") for what in LISTS)
    return frozenset(word for each in lists for word in each.read_text("utf-8").splitlines())
