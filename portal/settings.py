"""The portal's settings, read once from the environment; a bad one stops the start by name."""

from __future__ import annotations

from email.utils import parseaddr
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

STRIPE_CHECKOUT = "https://checkout.stripe.com"
SupportConsent = Literal["open", "consent", "break-glass"]
Environment = Literal["production", "staging", "development"]


class Settings(BaseSettings):
    """Frozen. Names of environment variables are the field names in capitals.

    database_url: as the role portal_app. database_owner_url: for migrations only.
    stripe_api_base: set = the Stripe sandbox, the whole difference to real payments.
    stripe_checkout_origin: where Checkout pages are; unset = Stripe's own, or the sandbox.
    portal_demo: shows the demo sign-ins and lets `flask demo load` run.
    trusted_hosts: names besides public_url's, with commas, that browsers may ask for; "*" for all.
    proxy_hops: how many proxies before us add the address they see to X-Forwarded-For.
    api_rate_per_minute: requests of one API key to one process.
    german_consumers: consumers in Germany buy here, so that every page leads to where contracts are
    cancelled without signing in.
    support_view: whether staff look at an account when they have a reason, once it lets them, or
    when a second of the staff approves.
    webhook_private_addresses: lets messages to the host go by http, and to our own network.
    oidc_…: the identity provider of members, staff_oidc_… that of staff; without an issuer none.
    …_label: what its button says. …_second_step: words of `amr` or `acr` that stand for a code.
    smtp_url, mail_folder: where mail goes, the first before the second; without both it waits.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    database_url: SecretStr
    database_owner_url: SecretStr | None = None
    secret_key: SecretStr = Field(min_length=32)
    portal_environment: Environment = "development"
    portal_demo: bool = False
    proxy_hops: int | None = Field(None, ge=0, le=9)
    public_url: str = Field("http://127.0.0.1:8420", pattern=r"^https?://[^/\s]+$")
    trusted_hosts: str | None = None
    product_name: str = "Billing"
    support_email: str = ""
    tenant_key: str = "default"
    tenant_name: str = "Acme"
    stripe_secret_key: SecretStr
    stripe_webhook_secret: SecretStr = Field(min_length=7)
    stripe_webhook_secret_previous: SecretStr | None = None
    stripe_api_base: str | None = Field(None, pattern=r"^https?://[^/\s]+$")
    stripe_checkout_origin: str | None = Field(None, pattern=r"^https?://[^/\s;,]+$")
    stripe_webhook_tolerance_s: int = Field(300, ge=1)
    german_consumers: bool = False
    support_view: SupportConsent = "open"
    api_rate_per_minute: int = Field(600, ge=1)
    webhook_private_addresses: bool = False
    oidc_issuer: str = Field("", max_length=255)
    oidc_client_id: str = ""
    oidc_client_secret: SecretStr = SecretStr("")
    oidc_label: str = Field("Continue with your company account", min_length=1, max_length=60)
    oidc_second_step: str = ""
    staff_oidc_issuer: str = Field("", max_length=255)
    staff_oidc_client_id: str = ""
    staff_oidc_client_secret: SecretStr = SecretStr("")
    staff_oidc_label: str = Field("Continue with your company account", min_length=1, max_length=60)
    staff_oidc_second_step: str = ""
    smtp_url: SecretStr | None = None
    mail_from: str = ""
    mail_folder: Path | None = None

    @property
    def is_https(self) -> bool:
        return self.public_url.startswith("https://")

    @property
    def served_hosts(self) -> list[str] | None:
        """Names that requests may have in Host; None for any. Source: ADR 0009."""
        said = self.trusted_hosts or ("" if self.portal_environment == "production" else "*")
        named = [name.strip() for name in said.split(",") if name.strip()]
        own = urlsplit(self.public_url).hostname or ""
        return None if "*" in named else [own, *named]

    @property
    def uses_sandbox(self) -> bool:
        return self.stripe_api_base is not None

    @property
    def checkout_origin(self) -> str:
        """The scheme and host that a paying form may lead to."""
        return self.stripe_checkout_origin or self.stripe_api_base or STRIPE_CHECKOUT

    @property
    def webhook_secrets(self) -> list[str]:
        """The secret in force, and the one before it while they are being exchanged."""
        secrets = [self.stripe_webhook_secret, self.stripe_webhook_secret_previous]
        return [secret.get_secret_value() for secret in secrets if secret]

    @field_validator("database_url", "database_owner_url")
    @classmethod
    def _is_postgresql(cls, url: SecretStr | None) -> SecretStr | None:
        if url and not url.get_secret_value().startswith("postgresql+psycopg://"):
            raise ValueError("must start with postgresql+psycopg://")
        return url

    @field_validator("oidc_issuer", "staff_oidc_issuer")
    @classmethod
    def _is_an_issuer(cls, issuer: str) -> str:
        parts = urlsplit(issuer)
        at_home = parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1")
        if issuer and not (at_home or (parts.scheme == "https" and parts.hostname)):
            raise ValueError("must be https://…, or http:// on this machine")
        if parts.query or parts.fragment or any(sign.isspace() for sign in issuer):
            raise ValueError("must be an address without a query")
        return issuer

    @field_validator("smtp_url")
    @classmethod
    def _is_smtp(cls, url: SecretStr | None) -> SecretStr | None:
        if url is None or not url.get_secret_value():
            return None
        parts = urlsplit(url.get_secret_value())
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            raise ValueError("must be smtp://name:password@host:587 or smtps://…")
        return url

    @field_validator("mail_from")
    @classmethod
    def _is_an_address(cls, sender: str) -> str:
        _, at, domain = parseaddr(sender)[1].rpartition("@")
        if sender and not (sender.isprintable() and at and domain):
            raise ValueError("must be an address: Billing <billing@example.com>")
        return sender

    @model_validator(mode="after")
    def _mail_says_from_whom(self) -> Settings:
        if self.smtp_url and not self.mail_from:
            raise ValueError("MAIL_FROM is needed with SMTP_URL")
        return self

    @model_validator(mode="after")
    def _providers_know_us(self) -> Settings:
        for start in ("", "STAFF_"):
            issuer = getattr(self, f"{start}oidc_issuer".lower())
            client = getattr(self, f"{start}oidc_client_id".lower())
            if bool(issuer) is not bool(client):
                raise ValueError(f"{start}OIDC_ISSUER and {start}OIDC_CLIENT_ID go together")
            if self.portal_environment == "production" and issuer.startswith("http:"):
                raise ValueError(f"{start}OIDC_ISSUER must start with https:// in production")
        if self.oidc_issuer and (self.oidc_issuer, self.oidc_client_id) == (
            self.staff_oidc_issuer, self.staff_oidc_client_id,
        ):  # fmt: skip
            raise ValueError("STAFF_OIDC_CLIENT_ID must be another client than OIDC_CLIENT_ID")
        return self

    @model_validator(mode="after")
    def _sandbox_takes_no_live_money(self) -> Settings:
        """Source: product.md §9."""
        key = self.stripe_secret_key.get_secret_value()
        if not key.startswith(("sk_test_", "rk_test_", "sk_live_", "rk_live_")):
            raise ValueError("STRIPE_SECRET_KEY must be a secret (sk_) or restricted (rk_) key")
        if self.stripe_api_base and "_live_" in key:
            raise ValueError("STRIPE_API_BASE is set: a live STRIPE_SECRET_KEY is refused")
        if self.portal_environment == "production":
            self._refuse_in_production()
        return self

    def _refuse_in_production(self) -> None:
        if self.stripe_api_base:
            raise ValueError("STRIPE_API_BASE (the Stripe sandbox) is refused in production")
        if self.portal_demo:
            raise ValueError("PORTAL_DEMO is refused in production")
        if "host=/" in self.database_url.get_secret_value().replace("%2F", "/"):
            raise ValueError("DATABASE_URL: an embedded database is refused in production")
        if not self.is_https:
            raise ValueError("PUBLIC_URL must start with https:// in production")
        if self.proxy_hops is None:
            raise ValueError("PROXY_HOPS is needed in production: 0 without a proxy, mostly 1")


class BadSettings(SystemExit):
    """The process cannot start; the text names each variable and what is wrong with it."""


def load_settings() -> Settings:
    """Read the environment. Raises BadSettings naming every bad variable, never its value."""
    try:
        return Settings()
    except ValidationError as error:
        lines = [f"  {_variable(e['loc'])}{e['msg']}" for e in error.errors()]
        raise BadSettings("The portal cannot start:\n" + "\n".join(lines)) from None


def _variable(location: tuple[int | str, ...]) -> str:
    return f"{str(location[0]).upper()}: " if location else ""
