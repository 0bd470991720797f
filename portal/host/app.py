"""The chat: one page, kept in memory, that asks before each message and reports it after."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from pathlib import Path

from flask import Flask, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Reply

from portal.host.billing import Billing, NotReached, Quota

ROOT = Path(__file__).parents[2]
CAMPAIGN = 60_000
MOST_SHOWN = 20
PAGE = "/settings/billing/usage"


@dataclass
class Talk:
    """What was said, the newest last, and why the last thing was not."""

    said: list[tuple[str, str]] = field(default_factory=list)
    stopped: Quota | None = None
    problem: str = ""

    def add(self, mine: str, answer: str) -> None:
        self.said += [("You", mine), ("Assistant", answer)]
        del self.said[:-MOST_SHOWN]


class Chat:
    """The pages, for one member of one account: everybody who opens them is that member."""

    def __init__(self, billing: Billing) -> None:
        self._billing = billing
        self._talk = Talk()

    def page(self) -> str:
        talk, quota = self._talk, None
        problem, talk.problem = talk.problem, ""
        try:
            quota = self._billing.may_use(1)
        except NotReached as error:
            problem = problem or str(error)
        return render_template(
            "host/chat.html", talk=talk, quota=quota, problem=problem, campaign=CAMPAIGN
        )

    def say(self) -> Reply:
        text = request.form.get("text", "").strip()[:500]
        if text:
            self._send(text, 1, f"You wrote {len(text)} letters.")
        return redirect(url_for("chat"), 303)

    def campaign(self) -> Reply:
        self._send(f"Write to {CAMPAIGN:,} customers", CAMPAIGN, "All written.")
        return redirect(url_for("chat"), 303)

    def to_billing(self) -> Reply:
        stopped = self._talk.stopped
        try:
            wanted = stopped.help_page if stopped and stopped.help_page else PAGE
            return redirect(self._billing.way_in(wanted), 303)
        except NotReached as error:
            self._talk.problem = str(error)
            return redirect(url_for("chat"), 303)

    def _send(self, text: str, units: int, answer: str) -> None:
        """Ask first; what is allowed is reported under an id of its own, and then said."""
        self._talk.stopped = None
        try:
            quota = self._billing.may_use(units)
            if not quota.allowed:
                self._talk.stopped = quota
                return
            self._billing.was_used(f"chat-{secrets.token_hex(8)}", units, quota.now)
            self._talk.add(text, answer)
        except NotReached as error:
            self._talk.problem = f"Not written, as it could not be reported. {error}"


def create_host(billing: Billing) -> Flask:
    """The demo host as an application."""
    app = Flask(
        __name__,
        template_folder=str(ROOT / "templates"),
        static_folder=str(ROOT / "static"),
    )
    chat = Chat(billing)
    app.add_url_rule("/", "chat", chat.page)
    for name, view in (
        ("say", chat.say), ("campaign", chat.campaign), ("to_billing", chat.to_billing),
    ):  # fmt: skip
        app.add_url_rule(f"/{name}", name, view, methods=["POST"])
    return app
