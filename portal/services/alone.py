"""One of many: what goes wrong with it does not hold up the others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from sqlalchemy.orm import Session

log = structlog.get_logger()


@contextmanager
def alone(session: Session, left_out: str, **about: int) -> Iterator[None]:
    """Commit what is done inside, or undo it and log `left_out` with whom it is about."""
    try:
        yield
        session.commit()
    except Exception:
        session.rollback()
        log.exception(left_out, **about)
