"""What the jobs were given to work with, and the environment that they work in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from flask import Flask
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.mails import Postman, Writer
from portal.domain.payments import PaymentGateway
from portal.domain.periods import WallNow
from portal.domain.webhooks import Courier
from portal.models.base import db
from portal.models.session import set_scope
from portal.services.accounts import ensure_environment
from portal.services.documents import Printer
from portal.services.safekeeping import Safe
from portal.settings import Settings


@dataclass(frozen=True, slots=True)
class Means:
    """postman: None when no way for mail was set."""

    settings: Settings
    gateway: PaymentGateway
    now: Callable[[], WallNow]
    writer: Writer
    printer: Printer
    postman: Postman | None
    courier: Courier
    safe: Safe


@contextmanager
def opened(app: Flask, means: Means) -> Iterator[tuple[Session, Scope]]:
    """A session of its own, in the one environment that the settings name."""
    settings = means.settings
    with app.app_context():
        session = db.session()
        scope = ensure_environment(
            session, settings.tenant_key, settings.tenant_name, settings.portal_environment
        )
        set_scope(session, scope.environment_id)
        yield session, scope
