"""The three calls that a host makes: may it be used, was it used, and in to the portal."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

TIMEOUT_S = 10.0


class NotReached(Exception):
    """The portal did not answer, or refused what was asked; the text says what it said."""


@dataclass(frozen=True, slots=True)
class Quota:
    """limit, left: None = unlimited. help_name, help_page: what would help, where it can.

    now: by the account's own clock, which a test clock may have moved.
    """

    allowed: bool
    limit: str | None
    used: str
    left: str | None
    reason: str
    help_name: str
    help_page: str
    now: datetime


@dataclass(frozen=True, slots=True)
class Billing:
    """url: of the portal. key: may write. account: its key; email: of the member who chats."""

    url: str
    key: str
    account: str
    email: str
    feature: str = "messages"

    def may_use(self, units: int) -> Quota:
        """Raises NotReached."""
        path = f"/api/v1/accounts/{self.account}/entitlements/{self.feature}?units={units}"
        said = self._ask("GET", path)
        helps = said.get("help") or {}
        return Quota(
            allowed=said["allowed"],
            limit=_grouped(said["limit"]),
            used=_grouped(said["used"]) or "0",
            left=_grouped(said["remaining"]),
            reason=said["reason"] or "",
            help_name=helps.get("name", ""),
            help_page=_page_of(helps.get("buy_url", "")),
            now=datetime.fromisoformat(said["now"]),
        )

    def was_used(self, event_id: str, units: int, at: datetime) -> None:
        """Raises NotReached; the same id may be sent again, and counts once."""
        event = {
            "account": self.account,
            "id": event_id,
            "feature": self.feature,
            "units": str(units),
            "occurred_at": at.astimezone(UTC).isoformat(),
            "dimensions": {"channel": "chat"},
        }
        [result] = self._ask("POST", "/api/v1/usage-events", event)["results"]
        if result["verdict"] == "refused":
            raise NotReached(result["detail"])

    def way_in(self, page: str) -> str:
        """An address that signs the member in and shows `page`, once. Raises NotReached."""
        wanted = {"account": self.account, "email": self.email, "page": page}
        return str(self._ask("POST", "/api/v1/portal-sessions", wanted)["url"])

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        request = urllib.request.Request(  # noqa: S310  (the operator's own address)
            self.url + path,
            json.dumps(body).encode() if body is not None else None,
            {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"},
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise NotReached(_detail(error)) from error
        except (OSError, ValueError) as error:
            raise NotReached(f"The portal did not answer: {error}") from error


def _grouped(units: str | None) -> str | None:
    """`100,000` for people."""
    return None if units is None else f"{Decimal(units):,f}"


def _page_of(url: str) -> str:
    """The path of an address of the portal's, with what is asked for in it."""
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def _detail(error: urllib.error.HTTPError) -> str:
    try:
        said = json.load(error)
    except ValueError:
        said = {}
    return str(said.get("detail") or f"The portal answered {error.code}.")
