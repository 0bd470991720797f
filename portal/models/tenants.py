"""Tenants and their environments: the scope of every other row. Not scoped themselves."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base, Created, Key, Word


class TenantRow(Base):
    __tablename__ = "tenants"
    __table_args__ = (UniqueConstraint("key"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    key: Mapped[Key]
    name: Mapped[Key]
    created_at: Mapped[Created]


class EnvironmentRow(Base):
    """catalog_version: grows with every change of the catalog, so that readers may keep a copy."""

    __tablename__ = "environments"
    __table_args__ = (
        UniqueConstraint("tenant_id", "name"),
        CheckConstraint("name in ('production', 'staging', 'development')", name="known"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenants.id"))
    name: Mapped[Word]
    catalog_version: Mapped[int] = mapped_column(BigInteger, server_default="0")
    created_at: Mapped[Created]
