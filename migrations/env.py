"""How migrations run: as the owner, on a connection of their own, one at a time."""

from __future__ import annotations

import os

from alembic import context
from sqlalchemy import NullPool, create_engine, text

import migrations.scope  # noqa: F401  (registers the row-security operations)
import portal.models  # noqa: F401  (loads every table)
from portal.models.base import Base

_LOCK = 7_301_442


def _owner_url() -> str:
    url = os.environ.get("DATABASE_OWNER_URL", "")
    if not url:
        raise SystemExit("DATABASE_OWNER_URL: set it to migrate; the portal's own role may not.")
    return url


def _is_ours(name: str | None, kind: str, _parents: object) -> bool:
    """False for the tables of the job engine: their models are its own."""
    return kind != "table" or not (name or "").startswith("procrastinate_")


def _run() -> None:
    engine = create_engine(_owner_url(), poolclass=NullPool)
    with engine.connect() as connection:
        connection.execute(text("select pg_advisory_lock(:lock)"), {"lock": _LOCK})
        connection.commit()
        context.configure(
            connection=connection, target_metadata=Base.metadata, include_name=_is_ours
        )
        with context.begin_transaction():
            context.run_migrations()


_run()
