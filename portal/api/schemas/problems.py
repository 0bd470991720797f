"""The problem document of RFC 9457, and what it says of single fields."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class FieldProblem(BaseModel):
    """One thing wrong with what was sent: where, and what."""

    model_config = ConfigDict(frozen=True)

    detail: str
    pointer: str | None = Field(None, description="JSON pointer into the body, as a URI fragment.")
    parameter: str | None = Field(None, description="Name of a parameter of the address.")


class Problem(BaseModel):
    """Why a request failed. Nothing was changed by it."""

    model_config = ConfigDict(frozen=True)

    type: str = Field(examples=["urn:portal:problem:bad-input"])
    title: str
    status: int
    detail: str
    request_id: str = Field(description="What our log calls the request.")
    errors: list[FieldProblem] | None = None
    reason: str | None = Field(None, description="Why something cannot be bought, as one word.")
