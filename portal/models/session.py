"""Which environment a database session may see, and whether it may write."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.orm import Session, SessionTransaction

_SCOPE = "environment_id"
_READ_ONLY = "read_only"


def open_session(engine: Engine, environment_id: int | None) -> Session:
    """A session outside Flask, seeing one environment; None sees no scoped row at all."""
    return Session(engine, info={_SCOPE: environment_id}, expire_on_commit=False)


def set_scope(session: Session, environment_id: int | None) -> None:
    """Let `session` see one environment from now on, in an open transaction too."""
    session.info[_SCOPE] = environment_id
    if session.in_transaction():
        _announce(session.connection(), environment_id)


def only_read(session: Session) -> None:
    """Let the database refuse every write of `session` from its next transaction on."""
    session.info[_READ_ONLY] = True


def only_reads(session: Session) -> bool:
    return bool(session.info.get(_READ_ONLY))


def _announce(connection: Connection, environment_id: int | None) -> None:
    scope = "" if environment_id is None else str(environment_id)
    connection.exec_driver_sql("SELECT set_config('app.scope', %s, true)", (scope,))


@event.listens_for(Session, "after_begin")
def _scope_transaction(session: Any, transaction: SessionTransaction, connection: Any) -> None:
    """Every outermost transaction names its scope to row security before anything else."""
    if not transaction.nested:
        _announce(connection, session.info.get(_SCOPE))
        if only_reads(session):
            connection.exec_driver_sql("SET TRANSACTION READ ONLY")
