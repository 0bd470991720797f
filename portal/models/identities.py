"""Who somebody is at an identity provider, and trips of browsers to one."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import SCOPED, Base, Instant, Key, Scoped, Word, in_environment, refers
from portal.models.sign_in import OpensOnce, opens_once


class _Linked:
    """issuer, subject: the provider's names for itself and for who it is."""

    issuer: Mapped[Key]
    subject: Mapped[Key]
    created_at: Mapped[Instant]


class IdentityRow(_Linked, Scoped, Base):
    """A person as a provider knows them: one at each provider."""

    __tablename__ = "identities"
    __table_args__ = (
        refers("person_id", "persons"),
        UniqueConstraint("environment_id", "issuer", "subject"),
        UniqueConstraint("environment_id", "person_id", "issuer"),
        SCOPED,
    )

    person_id: Mapped[int] = mapped_column(BigInteger)


class StaffIdentityRow(_Linked, Scoped, Base):
    """The same of a member of staff."""

    __tablename__ = "staff_identities"
    __table_args__ = (
        refers("staff_id", "staff"),
        UniqueConstraint("environment_id", "issuer", "subject"),
        UniqueConstraint("environment_id", "staff_id", "issuer"),
        SCOPED,
    )

    staff_id: Mapped[int] = mapped_column(BigInteger)


class TripRow(OpensOnce, Scoped, Base):
    """A browser on its way to a provider. person_id: whose identity is to be linked."""

    __tablename__ = "provider_trips"
    __table_args__ = (
        in_environment(),
        refers("person_id", "persons"),
        CheckConstraint("errand in ('member', 'link', 'staff', 'proof')", name="errand"),
        CheckConstraint("(errand = 'link') = (person_id is not null)", name="person"),
        *opens_once(),
    )

    errand: Mapped[Word]
    person_id: Mapped[int | None] = mapped_column(BigInteger)
