"""What every table shares: names of constraints, the scope column, typed column shapes."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    BigInteger,
    DateTime,
    ForeignKeyConstraint,
    Identity,
    MetaData,
    Numeric,
    String,
    func,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

Instant = Annotated[datetime, mapped_column(DateTime(timezone=True))]
Created = Annotated[datetime, mapped_column(DateTime(timezone=True), server_default=func.now())]
Key = Annotated[str, mapped_column(String(255))]
Code = Annotated[str, mapped_column(String(3))]
Word = Annotated[str, mapped_column(String(40))]
Minor = Annotated[int, mapped_column(BigInteger)]
Units = Annotated[Decimal, mapped_column(Numeric(20, 8))]
Total = Annotated[Decimal, mapped_column(Numeric(30, 8))]
UnitPrice = Annotated[Decimal, mapped_column(Numeric(25, 15))]
Json = Annotated[dict[str, Any], mapped_column(JSONB)]


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Scoped:
    """A row of one environment: composite key, so that no foreign key can cross a scope.

    Row security shows it only to transactions of the same environment (migrations/scope.py).
    """

    environment_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, sort_order=-2)
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True, sort_order=-1)


SCOPED = {"info": {"scoped": True}}


def refers(column: str, table: str, **options: Any) -> ForeignKeyConstraint:
    """A foreign key to `table`'s row of the same environment."""
    return ForeignKeyConstraint(
        ["environment_id", column], [f"{table}.environment_id", f"{table}.id"], **options
    )


def in_environment() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["environment_id"], ["environments.id"])


db = SQLAlchemy(model_class=Base)
