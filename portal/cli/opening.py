"""What every command works with: a session that sees one environment, the gateway, the clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import cast

import click
from flask import current_app
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.errors import PortalError
from portal.domain.payments import PaymentGateway
from portal.domain.periods import WallNow
from portal.models.base import db
from portal.models.session import set_scope
from portal.services.accounts import ensure_environment
from portal.services.safekeeping import Safe
from portal.settings import Settings


@dataclass(frozen=True, slots=True)
class Store:
    """What the commands about the catalog work on. opened: a session, and the environment that it
    may see."""

    opened: Callable[[], AbstractContextManager[tuple[Session, Scope]]]
    now: Callable[[], WallNow]


@contextmanager
def opened() -> Iterator[tuple[Session, Scope]]:
    """A session scoped to this deployment's environment, which is made at the first use."""
    session = db.session()
    settings = settings_of_app()
    scope = ensure_environment(
        session, settings.tenant_key, settings.tenant_name, settings.portal_environment
    )
    set_scope(session, scope.environment_id)
    try:
        yield session, scope
    finally:
        session.rollback()


@contextmanager
def opened_or_told() -> Iterator[tuple[Session, Scope]]:
    """`opened`, whose refusals end the command with their words."""
    try:
        with opened() as found:
            yield found
    except PortalError as error:
        raise click.ClickException(f"Not done: {error}") from error


def settings_of_app() -> Settings:
    return cast(Settings, current_app.extensions["portal"].settings)


def gateway() -> PaymentGateway:
    return cast(PaymentGateway, current_app.extensions["portal"].gateway)


def safe() -> Safe:
    return cast(Safe, current_app.extensions["portal"].safe)


def now() -> WallNow:
    return WallNow(cast(datetime, current_app.extensions["portal"].now()))
