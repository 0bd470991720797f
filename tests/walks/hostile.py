"""What attackers hope for: names that would be markup or formulas, and secrets to be found."""

from __future__ import annotations

from sqlalchemy import create_engine, text

from tests.support.database import Database

NAME = "=<img src=x onerror=alert(1)>#p()$x$"
NAMED = {
    "accounts": ("name",),
    "persons": ("name",),
    "api_keys": ("name",),
    "plans": ("name", "description"),
    "add_ons": ("name", "description"),
    "features": ("name", "unit_singular", "unit_plural"),
    "credit_grants": ("name",),
    "payment_methods": ("brand",),
    "usage_days": ("dimension", "value"),
    "invoice_lines": ("name",),
    "credit_note_lines": ("name",),
    "declarations": ("name", "identification", "contract"),
    "quote_lines": ("name",),
}
"""Columns that somebody outside fills in and pages show."""

CANARIES = {
    "stripe_secret_key": "sk_test_canarykey",
    "stripe_webhook_secret": "whsec_canarynow",
    "stripe_webhook_secret_previous": "whsec_canarybefore",
    "smtp_url": "smtp://canaryname:canarypassword@127.0.0.1:9",
    "mail_from": "Billing <billing@acme.test>",
}


def call_everything_hostile(database: Database, environment_id: int) -> None:
    owner = create_engine(database.owner_url)
    with owner.begin() as connection:
        given = {"here": environment_id, "name": NAME}
        for table, columns in NAMED.items():
            set_to = ", ".join(f"{column} = left(:name || {column}, 40)" for column in columns)
            where = "environment_id = :here"
            changed = connection.execute(text(f"update {table} set {set_to} where {where}"), given)
            assert changed.rowcount, f"nothing happens in tests/walks that makes a row of {table}"
        for table in ("invoice_documents", "receipt_documents", "credit_note_documents"):
            connection.execute(text(f"delete from {table} where environment_id = :here"), given)
        grown = "update environments set catalog_version = catalog_version + 1 where id = :here"
        connection.execute(text(grown), given)
    owner.dispose()
