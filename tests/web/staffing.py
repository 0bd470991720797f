"""Somebody of the staff at their pages, in one browser."""

from __future__ import annotations

from dataclasses import dataclass, field

import pyotp

from portal.domain.access import StaffRole
from portal.services import staff
from portal.services.safekeeping import Safe
from tests.services.staffing import STAFF_MAIL, STAFF_PASSWORD
from tests.support.world import World
from tests.web.guarding import MASTER, STEP
from tests.web.reading import Reply, Visitor

SIGN_IN, CODE = "/staff/sign-in", "/staff/sign-in/code"
KEYS, MESSAGES = "/staff/api-keys", "/staff/messages"


@dataclass
class AtDesk:
    """secret: of the authenticator that the link offered."""

    world: World
    visitor: Visitor
    mail: str = STAFF_MAIL
    name: str = "Ann"
    role: StaffRole = StaffRole.ADMIN
    secret: str = field(default="")

    def send(self, page: str, action: str, status: int, **typed: str) -> Reply:
        """Fill in a form of a page."""
        token = self.visitor.get(page).hidden("csrf_token")
        return self.visitor.post(action, {"csrf_token": token} | typed, status)

    def link(self) -> str:
        with self.world.session() as session:
            scope, wall = self.world.scope, self.world.wall
            who = (self.mail, self.name, wall, Safe(MASTER), self.role)
            written = staff.add(session, scope, *who)
        return f"/staff/set-up/{written}"

    def set_up(self, link: str = "") -> AtDesk:
        """Both steps set by a link: signed in. A step passes."""
        link = link or self.link()
        page = self.visitor.get(link)
        self.secret = "".join(page.words(page.all("code")[0]).split())
        self.send(link, link, 303, password=STAFF_PASSWORD, code=self.code())
        self.world.now += STEP
        return self

    def code(self) -> str:
        return pyotp.TOTP(self.secret).at(self.world.now)

    def password(self, password: str = STAFF_PASSWORD, status: int = 303) -> Reply:
        return self.send(SIGN_IN, SIGN_IN, status, email=self.mail, password=password)

    def show(self, code: str = "", status: int = 303) -> Reply:
        return self.send(CODE, CODE, status, code=code or self.code())

    def sign_out(self) -> None:
        self.send(KEYS, "/staff/sign-out", 303)

    def is_in(self) -> bool:
        return self.visitor.client.get(KEYS).status_code == 200
