"""Tenants and their environments: the scope of every other row; each scope sees its own pair."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import SCOPED, Base, Created, Key, Word


class TenantRow(Base):
    """Made by the function `make_environment` only; the portal's roles may read it."""

    __tablename__ = "tenants"
    __table_args__ = (UniqueConstraint("key"), SCOPED)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    key: Mapped[Key]
    name: Mapped[Key]
    created_at: Mapped[Created]


class EnvironmentRow(Base):
    """catalog_version: grows with every change of the catalog, so that readers may keep a copy.

    Found before there is a scope by `find_environment`, made by `make_environment`: functions of
    the owner's. The portal's roles may change the version and nothing else.
    """

    __tablename__ = "environments"
    __table_args__ = (
        UniqueConstraint("tenant_id", "name"),
        CheckConstraint("name in ('production', 'staging', 'development')", name="known"),
        SCOPED,
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenants.id"))
    name: Mapped[Word]
    catalog_version: Mapped[int] = mapped_column(BigInteger, server_default="0")
    created_at: Mapped[Created]
