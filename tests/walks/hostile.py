"""What attackers hope for: words that would be markup or formulas, and secrets to be found."""

from __future__ import annotations

from sqlalchemy import create_engine, make_url, text

from tests.support.database import Database

NAME = "=<img src=x onerror=alert(1)>#p()$x$"
NAMED = {
    "tenants": ("name",),
    "accounts": ("name",),
    "persons": ("name",),
    "staff": ("name",),
    "api_keys": ("name",),
    "plans": ("name", "description"),
    "add_ons": ("name", "description"),
    "features": ("name", "unit_singular", "unit_plural"),
    "credit_grants": ("name",),
    "payment_methods": ("brand",),
    "usage_days": ("dimension", "value"),
    "invoice_lines": ("name",),
    "credit_notes": ("reason",),
    "credit_note_lines": ("name",),
    "declarations": ("name", "identification", "contract"),
    "quote_lines": ("name",),
    "sessions": ("user_agent",),
    "support_windows": ("reason", "ticket"),
    "support_approvals": ("reason", "ticket"),
    "support_sessions": ("reason", "ticket", "user_agent"),
    "proposals": ("note",),
    "invitations": ("email",),
    "webhook_endpoints": ("url",),
    "webhook_messages": ("answer",),
}
"""Columns that somebody outside fills in and pages show; the product's name is a setting."""
TOLD = ("staff", "reason", "ticket", "name", "email", "browser", "approved_by", "note", "before")
"""What an event keeps of them."""
LONGEST = 40
HERE = "environment_id = :here"
WHOSE = {"tenants": "id = (select tenant_id from environments where id = :here)"}
NAMED_IN_EVENTS = """
update events set detail = (
    select jsonb_object_agg(key, case when key = any(:told) and value #>> '{}' <> ''
        then to_jsonb(left(:name || (value #>> '{}'), :most)) else value end)
    from jsonb_each(detail))
where environment_id = :here and detail ?| :told
"""

NOBODY_THERE = "http://127.0.0.1:9"
CANARIES = {
    "stripe_secret_key": "sk_test_canarykey",
    "stripe_webhook_secret": "whsec_canarynow",
    "stripe_webhook_secret_previous": "whsec_canarybefore",
    "smtp_url": "smtp://canaryname:canarypassword@127.0.0.1:9",
    "oidc_client_secret": "canarymembers",
    "staff_oidc_client_secret": "canarystaff",
}
PLAIN = {
    "mail_from": "Billing <billing@acme.test>",
    "product_name": NAME,
    "oidc_issuer": NOBODY_THERE,
    "oidc_client_id": "members",
    "staff_oidc_issuer": NOBODY_THERE,
    "staff_oidc_client_id": "staff",
}
"""Settings that are no secrets."""


def guarded(database_url: str) -> str:
    """The same database with a password in its address, which a server that trusts ignores."""
    url = make_url(database_url)
    kept = url if url.password else url.set(password="canarydatabase")
    return kept.render_as_string(hide_password=False)


def call_everything_hostile(database: Database, environment_id: int) -> None:
    owner = create_engine(database.owner_url)
    with owner.begin() as connection:
        given = {"here": environment_id, "name": NAME, "most": LONGEST, "told": list(TOLD)}
        for table, columns in NAMED.items():
            filled = (f"{column} = left(:name || {column}, :most)" for column in columns)
            named = f"update {table} set {', '.join(filled)} where {WHOSE.get(table, HERE)}"
            changed = connection.execute(text(named), given)
            assert changed.rowcount, f"nothing happens in tests/walks that makes a row of {table}"
        assert connection.execute(text(NAMED_IN_EVENTS), given).rowcount > 20
        for table in ("invoice_documents", "receipt_documents", "credit_note_documents"):
            connection.execute(text(f"delete from {table} where environment_id = :here"), given)
        grown = "update environments set catalog_version = catalog_version + 1 where id = :here"
        connection.execute(text(grown), given)
    owner.dispose()
