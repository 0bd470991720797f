"""A host that is told of events, as tests say it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from sqlalchemy import select

from portal.domain.webhooks import Answer
from portal.models.webhooks import WebhookMessageRow
from portal.services import webhooks
from portal.services.delivering import deliver_due
from tests.support.world import World

URL = "https://host.test/hook"
THANKS = Answer(200, "thanks")


@dataclass
class Host:
    """Keeps what it is sent, and answers as it is told."""

    answer: Answer | BaseException = THANKS
    got: list = field(default_factory=list)

    def send(self, parcel, at):
        self.got.append((parcel, at))
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer

    def types(self):
        return [json.loads(parcel.body)["type"] for parcel, _ in self.got]


@dataclass
class Office:
    world: World
    host: Host = field(default_factory=Host)

    def do(self, service, *given, **named):
        with self.world.session() as session:
            return service(session, self.world.scope, *given, self.world.wall, **named)

    def add(self, *types, url=URL):
        return self.do(webhooks.add, url, types)

    def deliver(self):
        with self.world.session() as session:
            return deliver_due(
                session, self.world.scope, courier=self.host, now=lambda: self.world.wall
            )

    def rows(self):
        with self.world.session() as session:
            return list(session.scalars(select(WebhookMessageRow).order_by(WebhookMessageRow.id)))
