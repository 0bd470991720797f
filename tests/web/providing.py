"""A browser between the portal and an identity provider that the tests run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from sqlalchemy import update

from portal.domain.access import Actor
from portal.models.accounts import PersonRow
from tests.support.identity_provider import IdentityProvider
from tests.support.world import World
from tests.web.reading import Reply, Visitor

SIGN_IN, STAFF_SIGN_IN = "/sign-in", "/staff/sign-in"
SECURITY = "/settings/billing/security"
PROVIDER = f"{SECURITY}/provider"


@dataclass
class Traveller:
    world: World
    app: Flask
    visitor: Visitor
    provider: IdentityProvider

    def other(self) -> Traveller:
        """Another browser."""
        return Traveller(self.world, self.app, Visitor(self.app.test_client()), self.provider)

    def send(self, page: str, action: str, status: int, **typed: str) -> Reply:
        token = self.visitor.get(page).hidden("csrf_token")
        return self.visitor.post(action, {"csrf_token": token} | typed, status)

    def set_out(self, page: str = SIGN_IN, status: int = 200, **typed: str) -> str:
        """The provider's address that the page leads to."""
        action = f"{page.partition('?')[0]}/oidc" if "sign-in" in page else f"{PROVIDER}/link"
        action = "/sign-in/oidc" if "/sign-in/invitation/" in page else action
        reply = self.send(page, action, status, **typed)
        return str(reply.headers.get("Refresh", "")).partition("url=")[2]

    def come_back(self, url: str, status: int = 303) -> Reply:
        parts = urlsplit(url)
        return self.visitor.get(f"{parts.path}?{parts.query}", status)

    def go(self, page: str = SIGN_IN, status: int = 303, **who: Any) -> Reply:
        """The whole way: to the provider, signed in there, and back."""
        return self.come_back(self.provider.sign_in(self.set_out(page), **who), status)

    def is_in(self) -> bool:
        return self.visitor.client.get(SECURITY).status_code == 200


def without_password(world: World, actor: Actor) -> None:
    """As the host makes persons."""
    world.change(
        update(PersonRow).where(PersonRow.id == actor.person_id).values(password_hash=None)
    )
