"""Somebody at the door of one world: passwords, codes, links, and what they do once inside."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pyotp
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.domain.access import Actor, Scope
from portal.domain.keys import Access, ApiKey
from portal.domain.periods import WallNow
from portal.domain.sign_in import Origin, digest_of
from portal.domain.sign_in_notices import reset_secret
from portal.models.accounts import SessionRow
from portal.models.events import EventRow
from portal.models.mails import MailRow
from portal.queries.keys import find_key
from portal.queries.members import Member, find_member
from portal.services import keys, links, resetting, second_factor, sign_in
from portal.services.proving import Visit
from portal.services.safekeeping import Safe
from portal.services.sessions import Entered
from portal.services.sign_in import CodeAsked
from tests.support.world import PASSWORD, World

SAFE = Safe("a secret for tests that is long enough")
HERE, THERE = "192.0.2.7", "198.51.100.9"
SECOND, STEP = timedelta(seconds=1), timedelta(seconds=30)
OF_SIGN_IN = ("session", "password", "second_factor", "recovery", "proof")
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def host_key(session: Session, scope: Scope, wall: WallNow) -> ApiKey:
    """A new key of the host application that signs members in."""
    made = keys.create(session, scope, "host", Access.WRITE, wall, opens_sessions=True)
    found = find_key(session, scope, made.written)
    assert found is not None
    return found


@dataclass
class Door:
    """account: a number for the address of the owner, who tries to come in."""

    world: World
    actor: Actor = field(init=False)
    email: str = field(init=False)

    def __post_init__(self) -> None:
        self.actor = self.world.account(card=None)
        self.email = f"owner@account{self.world.key_of(self.actor)}.test"

    def try_in(
        self, password: str = PASSWORD, *, at: str = HERE, device: str = "", email: str = ""
    ) -> Any:
        origin = Origin(at, FIREFOX, device)
        with self.world.session() as session:
            return sign_in.sign_in(
                session, self.world.scope, email or self.email, password, origin, self.world.wall
            )

    def enter(self, **where: str) -> Entered:
        outcome = self.try_in(**where)
        assert isinstance(outcome, Entered)
        return outcome

    def challenge(self, **where: str) -> str:
        outcome = self.try_in(**where)
        assert isinstance(outcome, CodeAsked)
        return outcome.challenge

    def show(self, challenge: str, code: str, *, device: str = "") -> Any:
        origin = Origin(HERE, FIREFOX, device)
        with self.world.session() as session:
            return sign_in.enter_code(
                session, self.world.scope, challenge, code, origin, self.world.wall, SAFE
            )

    def forget(self, email: str = "", *, at: str = HERE) -> Any:
        """Ask for a link; the worker does at once what is left to it."""
        outcome = self.wish(email, at=at)
        if outcome is None:
            self.mail_links()
        return outcome

    def wish(self, email: str = "", *, at: str = HERE) -> Any:
        """Ask for a link, and leave it to the worker."""
        typed, origin, wall = email or self.email, Origin(at, FIREFOX), self.world.wall
        with self.world.session() as session:
            return resetting.ask(session, self.world.scope, typed, origin, wall)

    def mail_links(self) -> None:
        """What the worker does."""
        with self.world.session() as session:
            resetting.mail_waiting(session, self.world.scope, self.world.wall, SAFE)

    def reset(self, written: str, password: str) -> Any:
        origin = Origin(THERE, FIREFOX)
        with self.world.session() as session:
            return resetting.reset(
                session, self.world.scope, written, password, origin, self.world.wall
            )

    def link(self) -> str:
        """What stands in the link that was mailed last."""
        return reset_secret(SAFE.master, self.mails("password_forgotten")[-1].notice["nonce"])

    def link_of_the_host(self) -> str:
        """What stands in a link that the host has asked for."""
        with self.world.session() as session:
            scope, wall = self.world.scope, self.world.wall
            key, account = host_key(session, scope, wall), self.actor.account_id
            made = links.make(session, scope, account, self.email, "/", key, wall)
        assert made is not None
        return made.written

    def follow(self, written: str) -> links.Followed | None:
        origin, wall = Origin(THERE, FIREFOX), self.world.wall
        with self.world.session() as session:
            return links.follow(session, self.world.scope, written, origin, wall)

    @contextmanager
    def visit(self, sid: str, device: str = "") -> Iterator[Visit]:
        member = self.member(sid)
        assert member is not None
        with self.world.session() as session:
            yield Visit(
                session, member.actor, member.session_id, Origin(HERE, FIREFOX, device),
                self.world.wall,
            )  # fmt: skip

    def member(self, sid: str) -> Member | None:
        with self.world.session() as session:
            return find_member(session, self.world.scope, digest_of(sid), self.world.wall)

    def session_id(self, sid: str) -> int:
        with self.world.session() as session:
            mine = SessionRow.sid_digest == digest_of(sid)
            return session.scalars(select(SessionRow.id).where(mine)).one()

    def turn_on(self, sid: str) -> tuple[str, second_factor.Switched]:
        """The secret of the authenticator, and what turning it on came to; a step passes."""
        with self.visit(sid) as visit:
            second_factor.begin(visit, SAFE)
        with self.visit(sid) as visit:
            secret = second_factor.offered(visit, SAFE)
        assert secret is not None
        with self.visit(sid) as visit:
            outcome = second_factor.turn_on(visit, PASSWORD, self.code(secret), SAFE)
        assert isinstance(outcome, second_factor.Switched)
        self.world.now += STEP
        return secret, outcome

    def code(self, secret: str, steps: int = 0) -> str:
        """What the authenticator shows now, or so many half minutes later."""
        return pyotp.TOTP(secret).at(self.world.now + steps * STEP)

    def mails(self, kind: str) -> list[MailRow]:
        mine = MailRow.recipient == self.email, MailRow.kind == kind
        with self.world.session() as session:
            return list(session.scalars(select(MailRow).where(*mine).order_by(MailRow.id)))

    def told(self) -> list[str]:
        """Names of what was recorded of the account, but for how it began."""
        mine = EventRow.account_id == self.actor.account_id
        with self.world.session() as session:
            names = session.scalars(select(EventRow.name).where(mine).order_by(EventRow.id))
            return [name for name in names if name.startswith(OF_SIGN_IN)]
