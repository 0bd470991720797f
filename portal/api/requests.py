"""What is known of a request of the host application before its operation runs."""

from __future__ import annotations

from typing import cast

from flask import current_app, g, request
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.errors import NotFound
from portal.domain.pace import Pace
from portal.domain.periods import WallNow
from portal.models.base import db
from portal.queries.accounts import AccountState, account_state
from portal.services.accounts import find_account_id
from portal.settings import Settings

PREFIX = "/api/v1"


def is_for_the_api() -> bool:
    return request.path.startswith(f"{PREFIX}/")


def wall() -> WallNow:
    """One wall-clock instant for the whole request."""
    found: WallNow = g.wall
    return found


def database() -> Session:
    return db.session()


def scope() -> Scope:
    """The environment this deployment serves."""
    found: Scope = g.scope
    return found


def request_id() -> str:
    return str(g.get("request_id", ""))


def settings() -> Settings:
    return cast(Settings, current_app.extensions["portal"].settings)


def pace() -> Pace:
    return cast(Pace, current_app.extensions["api_pace"])


def account_id_of(key: str) -> int:
    """Raises NotFound for a key that no account of this environment has."""
    found = find_account_id(database(), scope(), key)
    if found is None:
        raise NotFound("account")
    return found


def state_of(key: str) -> AccountState:
    """The whole state of one account. Raises NotFound."""
    return account_state(database(), scope(), account_id_of(key), wall())
