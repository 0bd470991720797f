"""A sign-in link as the host asks for it and gets it."""

from __future__ import annotations

from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from portal.api.schemas.fields import AccountKey, Given, Instant, Told

SOMEBODYS = r"^[^@\s\x00-\x1f\x7f]{1,64}@[^@\s\x00-\x1f\x7f]{1,255}$"
PAGE = r"^/settings/billing(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*(\?[A-Za-z0-9._~&=%-]*)?$"

NANCY: JsonDict = {"account": "northwind", "email": "owner@northwind.example"}


class GivenPortalSession(Given):
    """Who is to be signed in, and what they see first."""

    model_config = ConfigDict(json_schema_extra={"examples": [NANCY]})

    account: AccountKey
    email: str = Field(
        max_length=320,
        pattern=SOMEBODYS,
        description="Of a member of the account.",
        examples=["owner@example.com"],
    )
    page: str = Field(
        "/settings/billing/add-ons",
        max_length=500,
        pattern=PAGE,
        description="Path of the page that the member is shown first.",
    )


class ToldPortalSession(Told):
    """url: for the member's browser, once, until expires_at. Whoever has it can sign in."""

    url: str
    expires_at: Instant
