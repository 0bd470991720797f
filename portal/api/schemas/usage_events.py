"""Usage events as the host reports them, and what became of each."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import ConfigDict, Discriminator, Field, RootModel, Tag
from pydantic.config import JsonDict

from portal.api.schemas.fields import Given, Span, Told
from portal.domain.usage import MOST_EVENTS

MESSAGE: JsonDict = {
    "account": "northwind",
    "id": "chat-1",
    "feature": "messages",
    "units": "12",
    "occurred_at": "2026-11-01T09:12:44Z",
    "dimensions": {"channel": "e-mail"},
}
ONE, MANY = "one event", "events"


class GivenEvent(Given):
    """A fact. What cannot be counted is refused alone: the others count all the same."""

    model_config = ConfigDict(json_schema_extra={"examples": [MESSAGE]})

    account: str = Field(max_length=1000)
    id: str = Field(
        max_length=1000, description="The host's own, unique in the account for 35 days."
    )
    feature: str = Field(max_length=1000, description="Lookup key of a metered one.")
    units: str = Field(
        max_length=100,
        description="A decimal: used of a consumed feature, the new level of a held one; below"
        " zero in a correction, which needs a reason.",
        examples=["12"],
    )
    occurred_at: str = Field(max_length=100, examples=["2026-11-01T09:12:44Z"])
    dimensions: dict[str, str] = Field(
        default_factory=dict, description="What use is broken down by; five at most."
    )
    reason: str = Field("", max_length=1000)


class GivenEvents(Given):
    """Of one account or several, in the order in which they are counted."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"events": [MESSAGE]}]})

    events: list[GivenEvent] = Field(min_length=1, max_length=MOST_EVENTS)


def _shape(sent: Any) -> str:
    return ONE if isinstance(sent, dict) and sent and "events" not in sent else MANY


class GivenReport(
    RootModel[
        Annotated[
            Annotated[GivenEvent, Tag(ONE)] | Annotated[GivenEvents, Tag(MANY)],
            Discriminator(_shape),
        ]
    ]
):
    """One event as it is, or a list of them."""

    @property
    def events(self) -> list[GivenEvent]:
        return [self.root] if isinstance(self.root, GivenEvent) else self.root.events


class VerdictWord(StrEnum):
    COUNTED = "counted"
    LATE = "late"
    DUPLICATE = "duplicate"
    REFUSED = "refused"


class ToldVerdict(Told):
    """late: counted in the present window, its own being closed. reason, detail: of a refusal."""

    account: str
    id: str
    verdict: VerdictWord
    window: Span | None
    reason: str | None
    detail: str | None


class ToldReport(Told):
    """How many came to what, and what became of each, in the order they were sent in."""

    counted: int
    late: int
    duplicate: int
    refused: int
    results: list[ToldVerdict]
