"""A member at the pages of signing in and of security."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta

import pyotp
from sqlalchemy import select

from portal.domain.jobs import MAIL_RESET_LINK
from portal.domain.sign_in_notices import reset_secret
from portal.models.mails import MailRow
from tests.support.working import work
from tests.support.world import PASSWORD, World
from tests.web.reading import Reply, Visitor

SECURITY = "/settings/billing/security"
TWO_STEP = f"{SECURITY}/two-step"
MASTER = "a secret for tests that is long enough"
STEP = timedelta(seconds=30)


@dataclass
class Guarded:
    """A browser and the member whose it is. secret: of their authenticator, once it is on."""

    world: World
    visitor: Visitor
    mail: str = "owner@account1.test"
    secret: str = field(default="")

    def send(self, page: str, action: str, status: int, **typed: str) -> Reply:
        """Fill in the form of a page."""
        token = self.visitor.get(page).hidden("csrf_token")
        return self.visitor.post(action, {"csrf_token": token} | typed, status)

    def set_up(self) -> Reply:
        """Turn two-step sign-in on; the page of recovery codes. A step passes."""
        self.send(TWO_STEP, f"{TWO_STEP}/begin", 303)
        page = self.visitor.get(TWO_STEP)
        self.secret = "".join(page.words(page.all("code")[0]).split())
        shown = self.send(TWO_STEP, f"{TWO_STEP}/on", 200, password=PASSWORD, code=self.code())
        self.world.now += STEP
        return shown

    def code(self) -> str:
        return pyotp.TOTP(self.secret).at(self.world.now)

    def show(self, code: str, status: int = 303) -> Reply:
        return self.send("/sign-in/code", "/sign-in/code", status, code=code)

    def is_in(self) -> bool:
        return self.visitor.client.get(SECURITY).status_code == 200

    def forget(self, mail: str = "", status: int = 200) -> Reply:
        """Ask for a link; the worker does at once what is left to it."""
        page = "/sign-in/forgotten"
        reply = self.send(page, page, status, email=mail or self.mail)
        work(self.visitor.client.application, self.world, MAIL_RESET_LINK)
        return reply

    def link(self) -> str:
        """The page that the mailed link opens."""
        with self.world.session() as session:
            mine = select(MailRow).where(MailRow.kind == "password_forgotten")
            mail = session.scalars(mine.order_by(MailRow.id.desc())).first()
        assert mail is not None
        return f"/sign-in/reset/{reset_secret(MASTER, mail.notice['nonce'])}"

    def codes(self, page: Reply) -> list[str]:
        return re.findall(r"\w{4}-\w{4}-\w{4}-\w{4}", page.text)
