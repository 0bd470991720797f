"""Each rule that the database keeps: a row that breaks it, and its neighbour that does not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from psycopg import sql
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from portal.models.base import Base
from tests.models.twins import Twins

FINE = ""


@dataclass(frozen=True)
class Case:
    """A row of `table`, found by `where`, inserted once more or changed, with `values` in SQL.

    breaks: the constraint that refuses it; empty when it is fine.
    """

    table: str
    breaks: str
    values: dict[str, str] = field(default_factory=dict)
    where: str = "true"
    change: bool = False

    def __str__(self) -> str:
        told = ", ".join(f"{name}={value}" for name, value in self.values.items())
        return f"{self.table}({told}) {self.breaks or 'is fine'}"


def again(table: str, breaks: str, where: str = "true", **values: str) -> Case:
    return Case(table, breaks, values, where)


def changed(table: str, breaks: str, where: str = "true", **values: str) -> Case:
    return Case(table, breaks, values, where, change=True)


NEW = "gen_random_uuid()::text"
AN_ACCOUNT = "(select min(id) from accounts)"
SOME_STAFF = "(select min(id) from staff)"
A_FEATURE = "(select min(id) from features)"
ONETIME = "add_on_type = 'onetime'"
MANY = "add_on_type = 'multiple_instance'"
ENTITIES = [
    ("one_entity", {"plan_id": "null", "add_on_id": "null"}),
    ("entity_type", {"entity_type": "'SEAT'", "plan_id": "null", "add_on_id": "null"}),
]
CATALOG = [
    *(
        again(table, f"uq_{table}_environment_id_lookup_key")
        for table in ("features", "plans", "add_ons")
    ),
    again("features", FINE, lookup_key=NEW),
    again("features", "ck_features_type", lookup_key=NEW, type="'other'", use="null"),
    again("features", "ck_features_use_of_metered", lookup_key=NEW, type="'metered'", use="null"),
    again("features", "ck_features_use", "use is not null", lookup_key=NEW, use="'sold'"),
    again("plans", "ck_plans_status", lookup_key=NEW, status="'gone'"),
    again("add_ons", "ck_add_ons_status", lookup_key=NEW, status="'gone'"),
    again("add_ons", "ck_add_ons_type", lookup_key=NEW, type="'twice'"),
    again("add_ons", "ck_add_ons_max_instances", lookup_key=NEW, max_instances="0"),
    again("prices", "uq_prices_current_lookup_key"),
    again("prices", FINE, ended_at="now()", started_at="now()"),
    again("prices", FINE, lookup_key=NEW),
    again("prices", "ck_prices_amount", lookup_key=NEW, amount="-0.01"),
    again("prices", FINE, lookup_key=NEW, amount="0"),
    again("prices", "ck_prices_type", lookup_key=NEW, type="'GIFT'"),
    again("prices", "ck_prices_billing_model", lookup_key=NEW, billing_model="'AUCTION'"),
    again("prices", "ck_prices_tiers", lookup_key=NEW, billing_model="'TIERED'"),
    again("prices", "ck_prices_tiers", lookup_key=NEW, tier_mode="'VOLUME'"),
    again("prices", "ck_prices_tiers", lookup_key=NEW, billing_model="'TIERED'",
          tier_mode="'SIDEWAYS'", tiers="'[{}]'"),
    again("prices", "ck_prices_package", lookup_key=NEW, billing_model="'PACKAGE'"),
    again("prices", "ck_prices_billing_cadence", lookup_key=NEW, billing_cadence="'TWICE'"),
    again("prices", "ck_prices_billing_cadence", "billing_period is not null", lookup_key=NEW,
          billing_period="null"),
    again("prices", "ck_prices_billing_period", "billing_period is not null", lookup_key=NEW,
          billing_period="'LUNAR'"),
    again("prices", "ck_prices_billing_period_count", lookup_key=NEW, billing_period_count="0"),
    again("prices", "ck_prices_invoice_cadence", "type = 'USAGE'", lookup_key=NEW,
          invoice_cadence="'ADVANCE'"),
    again("prices", "ck_prices_feature_of_usage", lookup_key=NEW, type="'USAGE'",
          invoice_cadence="'ARREAR'"),
    again("prices", "ck_prices_feature_of_usage", lookup_key=NEW, feature_id=A_FEATURE),
    again("prices", "ck_prices_capacity_ends", lookup_key=NEW, capacity_ends="'duration'"),
    again("prices", "ck_prices_trial_period_days", lookup_key=NEW, trial_period_days="-1"),
    again("prices", "ck_prices_ended_after_start", ended_at="started_at - interval '1 s'"),
    again("prices", "ck_prices_one_entity", "plan_id is not null", lookup_key=NEW, plan_id="null"),
    again("prices", "ck_prices_entity_type", lookup_key=NEW, entity_type="'SEAT'", plan_id="null",
          add_on_id="null"),
    again("prices", "fk_prices_environment_id_plan_id", "plan_id is not null", lookup_key=NEW,
          plan_id="0"),
    again("entitlements",
          "uq_entitlements_environment_id_entity_type_plan_id_add__e322"),
    changed("entitlements", "ck_entitlements_usage_limit", usage_limit="-1"),
    changed("entitlements", FINE, usage_limit="0"),
    changed("entitlements", FINE, usage_limit="null"),
    changed("entitlements", "ck_entitlements_usage_reset_period", usage_reset_period="'LUNAR'"),
    *(
        changed(table, f"ck_{table}_{name}", **values)
        for table in ("entitlements", "credit_grants")
        for name, values in ENTITIES
    ),
    again("credit_grants", "ck_credit_grants_credits", credits="0"),
    again("credit_grants", "ck_credit_grants_cadence", cadence="'TWICE'"),
    again("credit_grants", "ck_credit_grants_period", period="'FORTNIGHTLY'"),
    again("credit_grants", "ck_credit_grants_period", period="'MONTHLY'", cadence="'ONETIME'"),
    again("credit_grants", "ck_credit_grants_expiration_type", expiration_type="'DURATION'"),
]  # fmt: skip
PEOPLE = [
    again("tenants", "uq_tenants_key"),
    again("environments", "uq_environments_tenant_id_name"),
    changed("environments", "ck_environments_known", name="'qa'"),
    again("accounts", "uq_accounts_environment_id_key", stripe_customer_id="null"),
    again("accounts", "uq_accounts_stripe_customer", key=NEW),
    again("accounts", FINE, key=NEW, stripe_customer_id="null"),
    again("accounts", "ck_accounts_tax_rate", key=NEW, stripe_customer_id="null", tax_rate="100"),
    again("accounts", "ck_accounts_tax_rate", key=NEW, stripe_customer_id="null", tax_rate="-1"),
    again("persons", "uq_persons_email", email="upper(email)"),
    again("memberships", "uq_memberships_environment_id_account_id_person_id"),
    changed("memberships", "ck_memberships_role", role="'root'"),
    again("sessions", "uq_sessions_environment_id_sid_digest"),
    again("payment_methods", "uq_payment_methods_environment_id_stripe_payment_method_id",
          is_default="false"),
    again("payment_methods", "uq_payment_methods_default", stripe_payment_method_id=NEW),
    again("payment_methods", "uq_payment_methods_fingerprint", stripe_payment_method_id=NEW,
          is_default="false"),
    again("payment_methods", FINE, stripe_payment_method_id=NEW, is_default="false",
          fingerprint=NEW),
    again("payment_methods", FINE, stripe_payment_method_id=NEW, is_default="false",
          detached_at="now()"),
    again("payment_methods", FINE, stripe_payment_method_id=NEW, detached_at="now()"),
    changed("payment_methods", "ck_payment_methods_exp_month", exp_month="13"),
]  # fmt: skip
HELD = [
    again("subscriptions", "uq_subscriptions_live"),
    again("subscriptions", FINE, ended_at="now()"),
    changed("subscriptions", "ck_subscriptions_status", status="'napping'"),
    again("plan_changes", "uq_plan_changes_scheduled"),
    again("plan_changes", FINE, status="'withdrawn'"),
    changed("plan_changes", "ck_plan_changes_status", status="'maybe'"),
    again("price_changes", "uq_price_changes_scheduled"),
    again("price_changes", "uq_price_changes_scheduled", "instance_id is null"),
    again("price_changes", FINE, status="'applied'"),
    again("price_changes", FINE, feature_id=A_FEATURE),
    again("price_changes", FINE, effective_at="effective_at + interval '1 d'"),
    changed("price_changes", "ck_price_changes_status", status="'maybe'"),
    changed("price_changes", "ck_price_changes_another_price", new_price_id="old_price_id"),
    changed("price_changes", "ck_price_changes_announced_before", effective_at="announced_at"),
    changed("instances", "ck_instances_next_quantity", next_quantity="2"),
    again("instances", "ex_instances_onetime_held_once", ONETIME),
    again("instances", "ex_instances_onetime_held_once", ONETIME, status="'pending_payment'"),
    again("instances", "ex_instances_onetime_held_once", ONETIME,
          starts_at="starts_at + interval '10 y'", status="'scheduled'"),
    again("instances", FINE, ONETIME, status="'failed'"),
    again("instances", FINE, ONETIME, status="'ended'"),
    again("instances", FINE, MANY),
    again("instances", FINE, ONETIME,  # back to back: the one ends as the other begins
          starts_at="starts_at - interval '1 d'", ends_at="starts_at"),
    again("instances", FINE, ONETIME,
          starts_at="starts_at - interval '1 d'", cancel_at="starts_at"),
    again("instances", "ex_instances_onetime_held_once", ONETIME,
          starts_at="starts_at - interval '1 d'", ends_at="starts_at + interval '1 s'"),
    again("instances", "ck_instances_quantity", MANY, quantity="0"),
    again("instances", "ck_instances_status", MANY, status="'lost'"),
    again("instances", "ck_instances_ends_after_start", MANY,
          ends_at="starts_at - interval '1 s'"),
    again("instances", "fk_instances_environment_id_add_on_id_add_on_type", ONETIME,
          add_on_type="'multiple_instance'"),
    again("instances", "fk_instances_environment_id_account_id_subscription_id", MANY,
          account_id="(select max(id) from accounts)"),
]  # fmt: skip
MONEY = [
    again("quotes", "uq_quotes_environment_id_nonce"),
    again("quotes", FINE, nonce=NEW),
    again("quotes", "ck_quotes_due", nonce=NEW, charged_minor="-1"),
    again("quotes", "ck_quotes_due", nonce=NEW, charged_minor="0", carried_out_minor="-1"),
    again("quotes", "ck_quotes_charged_or_carried", nonce=NEW, charged_minor="1",
          carried_out_minor="1"),
    again("quote_lines", "uq_quote_lines_environment_id_quote_id_position"),
    again("quote_lines", "ck_quote_lines_kind", position="99", kind="'tip'"),
    again("quote_lines", "ck_quote_lines_sign", position="99", kind="'charge'", amount_minor="-1"),
    again("quote_lines", "ck_quote_lines_sign", position="99", kind="'balance'", amount_minor="1"),
    again("quote_lines", FINE, position="99", kind="'balance'", amount_minor="-1"),
    again("purchases", "uq_purchases_environment_id_quote_id"),
    changed("purchases", "ck_purchases_status", status="'maybe'", settled_at="null"),
    changed("purchases", "ck_purchases_settled_at", "status = 'settled'", settled_at="null"),
    changed("purchases", "ck_purchases_reserved", balance_reserved_minor="-1"),
    changed("purchases", "ck_purchases_reserved", carried_reserved_minor="-1"),
    again("payment_attempts", "uq_payment_attempts_environment_id_idempotency_key", number="99"),
    again("payment_attempts", "uq_payment_attempts_environment_id_purchase_id_number",
          idempotency_key=NEW),
    again("payment_attempts", FINE, idempotency_key=NEW, number="99", page_ref="null"),
    again("payment_attempts", "uq_payment_attempts_environment_id_page_ref",
          "page_ref is not null", idempotency_key=NEW, number="99"),
    changed("payment_attempts", "ck_payment_attempts_kind", kind="'barter'"),
    changed("purchases", "ck_purchases_failure", "status = 'settled'", failure="'declined'"),
    changed("purchases", "ck_purchases_failure", "status = 'failed'", failure="''"),
    again("refunds", "uq_refunds_environment_id_credit_note_id", "credit_note_id is not null",
          idempotency_key=NEW, reference=NEW),
    again("refunds", "uq_refunds_environment_id_reference", "credit_note_id is null",
          idempotency_key=NEW),
    again("refunds", FINE, "credit_note_id is null", idempotency_key=NEW, reference=NEW),
    again("refunds", "uq_refunds_environment_id_idempotency_key",
          attempt_id="(select min(id) from payment_attempts)"),
    changed("refunds", "ck_refunds_amount", amount_minor="0"),
    changed("refunds", "ck_refunds_status", status="'maybe'"),
    changed("payment_attempts", "ck_payment_attempts_amount", amount_minor="0"),
    changed("payment_attempts", "ck_payment_attempts_status", status="'maybe'"),
    again("transfers", "uq_transfers_environment_id_key"),
    again("transfers", FINE, key=NEW),
    again("transfers", "ck_transfers_amount", key=NEW, amount_minor="0"),
    again("transfers", "ck_transfers_two_accounts", key=NEW, debit="credit"),
    again("transfers", "ck_transfers_known_accounts", key=NEW, debit="'petty_cash'"),
    changed("account_balances", "ck_account_balances_available", balance_minor="-1"),
    changed("account_balances", "ck_account_balances_available", carried_minor="-1"),
    changed("account_balances", "ck_account_balances_reserved", balance_reserved_minor="-1"),
    changed("account_balances", "ck_account_balances_reserved", carried_reserved_minor="-1"),
    again("account_balances", "pk_account_balances"),
    again("invoices", "uq_invoices_environment_id_number"),
    again("invoices", "uq_invoices_environment_id_purchase_id", number="99"),
    again("invoices", "ck_invoices_status", number="99", status="'draft'"),
    again("invoices", "ck_invoices_amounts", number="99", charged_minor="-1"),
    again("invoices", "uq_invoices_environment_id_subscription_id_due_at", "due_at is not null",
          number="99"),
    changed("invoices", "ck_invoices_one_origin", "due_at is not null", purchase_id="1"),
    changed("invoices", "ck_invoices_due_at", "due_at is not null", due_at="null"),
    changed("collections", "ck_collections_status", "status = 'open'", status="'maybe'"),
    changed("collections", "ck_collections_paid_at", "status = 'open'", paid_at="now()"),
    changed("collections", "ck_collections_retries", retries="-1"),
    changed("collections", "ck_collections_credited", credited_minor="-1"),
    changed("collections", FINE, "status = 'open'", status="'credited'"),
    changed("purchases", "ck_purchases_kind", kind="'barter'"),
    changed("purchases", "ck_purchases_instance", "instance_id is not null", kind="'plan'"),
    changed("payment_attempts", "ck_payment_attempts_one_debt", "invoice_id is not null",
            purchase_id="1"),
    again("payment_attempts", "uq_payment_attempts_environment_id_invoice_id_number",
          "invoice_id is not null", idempotency_key=NEW),
    again("invoice_lines", "uq_invoice_lines_environment_id_invoice_id_position"),
    again("invoice_documents", "pk_invoice_documents"),
    again("invoice_documents", "ck_invoice_documents_sha256", sha256="left(sha256, 63)"),
    again("receipt_documents", "pk_receipt_documents"),
    again("receipt_documents", "ck_receipt_documents_sha256", sha256="left(sha256, 63)"),
    again("invoice_counters", "pk_invoice_counters"),
    changed("invoice_counters", "ck_invoice_counters_last_number", last_number="-1"),
    again("credit_notes", "uq_credit_notes_environment_id_number", key=NEW),
    again("credit_notes", "uq_credit_notes_environment_id_key", number="number + 1"),
    again("credit_notes", FINE, number="number + 1", key=NEW),
    again("credit_notes", "ck_credit_notes_amounts", number="number + 1", key=NEW,
          tax_minor="total_minor + 1"),
    again("credit_notes", "ck_credit_notes_parts", number="number + 1", key=NEW,
          off_invoice_minor="-1", balance_minor="total_minor - card_minor + 1"),
    again("credit_notes", "ck_credit_notes_whole", number="number + 1", key=NEW,
          balance_minor="balance_minor + 1"),
    again("credit_notes", "ck_credit_notes_cause", number="number + 1", key=NEW, cause="'whim'"),
    again("credit_note_lines", "uq_credit_note_lines_environment_id_credit_note_id_position"),
    again("credit_note_lines", "ck_credit_note_lines_kind", position="9", amount_minor="1"),
    again("credit_note_lines", "ck_credit_note_lines_kind", position="9", kind="'charge'"),
    again("credit_note_lines", "ck_credit_note_lines_credits_a_line", position="9",
          credited_line_id="null"),
    again("credit_note_lines", FINE, position="9"),
    again("credit_note_documents", "ck_credit_note_documents_sha256", sha256="left(sha256, 63)"),
    changed("purchases", "ck_purchases_spend", spend_minor="-1"),
    changed("purchases", "uq_purchases_in_flight", "status = 'settled'",
            status="'reserved'", settled_at="null",
            policy_id="(select min(id) from recharge_policies)"),
    again("recharge_policies", "uq_recharge_policies_environment_id_account_id_feature_id"),
    changed("recharge_policies", "ck_recharge_policies_status", status="'maybe'"),
    changed("recharge_policies", "ck_recharge_policies_pause_cause", pause_cause="'declined'"),
    changed("recharge_policies", FINE, status="'paused'", pause_cause="'declined'"),
    changed("recharge_policies", "ck_recharge_policies_figures", threshold="0"),
    changed("recharge_policies", "ck_recharge_policies_figures", cap_minor="0"),
    changed("recharge_policies", "ck_recharge_policies_figures", cooldown_s="-1"),
    changed("recharge_policies", "ck_recharge_policies_look_for", look_at="now()", look_for="''"),
    again("recharge_decisions", "uq_recharge_decisions_environment_id_purchase_id_cause"),
    again("recharge_decisions", FINE, cause="'declined'"),
    again("recharge_decisions", "ck_recharge_decisions_bought", purchase_id="null"),
    again("spend_months", "pk_spend_months"),
    changed("spend_months", "ck_spend_months_sums", reserved_minor="-1"),
    changed("spend_months", "ck_spend_months_sums", spent_minor="-1"),
    changed("spend_months", "ck_spend_months_month", month="'2026-04-02'"),
    changed("spend_ceilings", "ck_spend_ceilings_mode", mode="'perhaps'"),
    changed("spend_ceilings", "ck_spend_ceilings_amount", amount_minor="-1"),
    changed("spend_ceilings", FINE, amount_minor="0"),
    again("event_seals", "uq_event_seals_environment_id_event_id", position="1000000"),
    changed("event_seals", "ck_event_seals_position", position="0"),
    changed("event_chains", "ck_event_chains_length", length="-1"),
    again("credit_note_counters", "pk_credit_note_counters"),
    changed("credit_note_counters", "ck_credit_note_counters_last_number", last_number="-1"),
]  # fmt: skip
USAGE = [
    again("lots", "uq_lots_environment_id_account_id_source_key_effective_at"),
    again("lots", FINE, source_key=NEW),
    again("lots", FINE, "source_key like 'plan:%'", effective_at="effective_at + interval '1 s'"),
    again(
        "lots",
        "uq_lots_once",
        "source_key like 'plan-grant:%:%'",
        effective_at="effective_at + interval '1 s'",
    ),
    changed("lots", "ck_lots_units", remaining="-0.00000001"),
    changed("lots", "ck_lots_units", remaining="granted + 0.00000001"),
    changed("lots", "ck_lots_units", granted="-1", remaining="-1"),
    changed("lots", FINE, remaining="0"),
    changed("lots", "ck_lots_source", source="'found'"),
    changed("lots", "ck_lots_expires_after_start", expires_at="effective_at"),
    again("draws", "uq_draws_environment_id_usage_event_id_lot_id"),
    again("draws", "ck_draws_units", usage_event_id="0", units="0"),
    again("draws", FINE, usage_event_id="0", units="-1"),
    again("draws", "fk_draws_environment_id_lot_id", usage_event_id="0", lot_id="0"),
    again("usage_ids", "pk_usage_ids"),
    again("usage_events", FINE),
    again("usage_events", "ck_usage_events_reason", units="-1", excess="0", reason="''"),
    again("usage_events", FINE, units="-1", excess="-1", reason="'Sent twice'"),
    again("usage_events", "ck_usage_events_excess", excess="units + 1"),
    again("usage_events", "ck_usage_events_excess", excess="-1"),
    again("usage_days", "pk_usage_days"),
    changed("usage_days", "ck_usage_days_units", units="-1"),
    again("counters", "pk_counters"),
    changed("counters", "ck_counters_units", "settled = 0", used="-1", excess="-1"),
    changed("counters", "ck_counters_units", "settled = 0", excess="-1"),
    changed("counters", "ck_counters_units", excess="used + 1"),
    again("arrears", FINE),
    again("arrears", "ck_arrears_units", units="0"),
    again(
        "arrears",
        "ck_arrears_billed_at_a_price",
        price_id="null",
        invoice_id="(select min(id) from invoices)",
    ),
    changed("counters", "ck_counters_settled", settled="excess + 1"),
    changed("counters", "ck_counters_settled", settled="-1"),
    again("quota_alerts", "uq_quota_alerts_once"),
    again("quota_alerts", FINE, allowance="allowance - 1"),
    changed("quota_alerts", "ck_quota_alerts_threshold", threshold="50"),
    changed("quota_alerts", "ck_quota_alerts_units", allowance="0"),
    changed("quota_alerts", "ck_quota_alerts_units", used="allowance * 0.74"),
    again("stripe_events", "pk_stripe_events"),
]
MAILS = [
    again("mails", "uq_mails_environment_id_key"),
    again("mails", FINE, key=NEW),
    again("mails", "ck_mails_status", key=NEW, status="'lost'", sent_at="null"),
    again("mails", "ck_mails_sent_at", key=NEW, status="'sent'", sent_at="null"),
    again("mails", "ck_mails_tries", key=NEW, tries="0", unanswered="1"),
    again("mails", "ck_mails_tries", key=NEW, unanswered="-1"),
]
HOST = [
    changed("accounts", "ck_accounts_country", country="'de'"),
    changed("accounts", FINE, country="'DE'"),
    changed("accounts", "ck_accounts_customer_type", customer_type="'both'"),
    again("consents", "ck_consents_digest", digest="''"),
    again("declarations", "uq_declarations_environment_id_receipt_digest"),
    again("declarations", FINE, receipt_digest="repeat('a', 64)"),
    again("declarations", "ck_declarations_kind", receipt_digest="repeat('a', 64)", kind="'gone'"),
    again(
        "declarations",
        "ck_declarations_reason",
        receipt_digest="repeat('a', 64)",
        kind="'for_cause'",
    ),
    again(
        "declarations", FINE, receipt_digest="repeat('a', 64)", kind="'for_cause'", reason="'Why.'"
    ),
    again("declarations", "ck_declarations_receipt_digest", receipt_digest="'x'"),
    again("declarations", "ck_declarations_digest", receipt_digest="repeat('a', 64)", digest="''"),
    again("declaration_cases", "uq_declaration_cases_environment_id_declaration_id"),
    changed(
        "declaration_cases",
        "ck_declaration_cases_matched",
        account_id=AN_ACCOUNT,
        matched_at="null",
    ),
    changed("declaration_cases", FINE, account_id=AN_ACCOUNT, matched_at="now()"),
    changed(
        "declaration_cases",
        "ck_declaration_cases_answer",
        answer="'gone'",
        said="'Why.'",
        staff_id=SOME_STAFF,
        answered_at="now()",
    ),
    changed("declaration_cases", "ck_declaration_cases_whole", answer="'done'", said="'Why.'"),
    changed(
        "declaration_cases",
        "ck_declaration_cases_said",
        answer="'done'",
        staff_id=SOME_STAFF,
        answered_at="now()",
    ),
    changed(
        "declaration_cases",
        FINE,
        answer="'done'",
        said="'Why.'",
        staff_id=SOME_STAFF,
        answered_at="now()",
    ),
    changed(
        "declaration_cases",
        "ck_declaration_cases_carried_out",
        answer="'carried_out'",
        staff_id=SOME_STAFF,
        answered_at="now()",
    ),
    changed(
        "declaration_cases",
        "ck_declaration_cases_ended",
        answer="'carried_out'",
        staff_id=SOME_STAFF,
        answered_at="now()",
        subject="'subscription:1'",
    ),
    changed(
        "declaration_cases",
        FINE,
        answer="'carried_out'",
        staff_id=SOME_STAFF,
        answered_at="now()",
        subject="'subscription:1'",
        ends_at="now()",
        ended_account_id=AN_ACCOUNT,
    ),
    again("consents", "ck_consents_button", button="''"),
    again("api_keys", "uq_api_keys_environment_id_prefix"),
    again("api_keys", FINE, prefix=NEW),
    changed("api_keys", "ck_api_keys_access", access="'all'"),
    changed("api_keys", "ck_api_keys_digest", digest="left(digest, 63)"),
    again("sign_in_links", "uq_sign_in_links_environment_id_digest"),
    again("sign_in_links", FINE, digest="repeat('a', 64)"),
    changed("sign_in_links", "ck_sign_in_links_digest", digest="''"),
    changed("sign_in_links", "ck_sign_in_links_expires_at", expires_at="created_at"),
    again("try_counts", "uq_try_counts_environment_id_subject"),
    again("try_counts", FINE, subject="repeat('a', 64)", tries="0"),
    changed("try_counts", "ck_try_counts_subject", subject="''"),
    changed("try_counts", "ck_try_counts_tries", tries="-1"),
    again("devices", "uq_devices_environment_id_person_id_digest"),
    changed("devices", "ck_devices_digest", digest="''"),
    again("challenges", "uq_challenges_environment_id_digest"),
    changed("challenges", "ck_challenges_digest", digest="''"),
    changed("challenges", "ck_challenges_expires_at", expires_at="created_at"),
    again("reset_links", "uq_reset_links_environment_id_digest"),
    changed("reset_links", "ck_reset_links_digest", digest="''"),
    changed("reset_links", "ck_reset_links_expires_at", expires_at="created_at"),
    again("invitations", "uq_invitations_environment_id_digest", email=NEW),
    again("invitations", "uq_invitations_email", digest="repeat('a', 64)", email="upper(email)"),
    changed("invitations", "ck_invitations_role", role="'king'"),
    changed("invitations", "ck_invitations_digest", digest="''"),
    changed("invitations", "ck_invitations_expires_at", expires_at="sent_at"),
    again("second_factors", "uq_second_factors_environment_id_person_id"),
    again("recovery_codes", "uq_recovery_codes_environment_id_person_id_digest"),
    changed("recovery_codes", "ck_recovery_codes_digest", digest="''"),
    again("staff", "uq_staff_email"),
    again("staff", "uq_staff_email", email="upper(email)"),
    again("staff", FINE, ended_at="now()"),
    changed("staff", "ck_staff_both_steps", password_hash="null"),
    changed("staff", "ck_staff_role", role="'king'"),
    again("staff_sessions", "uq_staff_sessions_environment_id_sid_digest"),
    changed("staff_sessions", "ck_staff_sessions_sid_digest", sid_digest="''"),
    changed("staff_sessions", "ck_staff_sessions_expires_at", expires_at="created_at"),
    again("staff_challenges", "uq_staff_challenges_environment_id_digest"),
    changed("staff_challenges", "ck_staff_challenges_digest", digest="''"),
    changed("staff_challenges", "ck_staff_challenges_expires_at", expires_at="created_at"),
    again("staff_links", "uq_staff_links_environment_id_digest"),
    changed("staff_links", "ck_staff_links_digest", digest="''"),
    changed("staff_links", "ck_staff_links_expires_at", expires_at="created_at"),
    again("identities", "uq_identities_environment_id_issuer_subject", person_id="person_id + 1"),
    again("identities", "uq_identities_environment_id_person_id_issuer", subject="'sub-2'"),
    again(
        "staff_identities",
        "uq_staff_identities_environment_id_issuer_subject",
        staff_id="staff_id + 1",
    ),
    again(
        "staff_identities", "uq_staff_identities_environment_id_staff_id_issuer", subject="'sub-2'"
    ),
    again("provider_trips", "uq_provider_trips_environment_id_digest"),
    changed("provider_trips", "ck_provider_trips_digest", digest="''"),
    changed("provider_trips", "ck_provider_trips_expires_at", expires_at="created_at"),
    changed("provider_trips", "ck_provider_trips_errand", errand="'king'"),
    changed("provider_trips", "ck_provider_trips_person", errand="'link'"),
    changed("support_windows", "ck_support_windows_opened_whole", ends_at="null"),
    changed("support_windows", "ck_support_windows_asked_whole", asked_at="now()"),
    changed("support_windows", "ck_support_windows_ends_at", ends_at="opened_at"),
    changed(
        "support_windows",
        "ck_support_windows_asked_or_opened",
        opened_at="null",
        opened_by_id="null",
        ends_at="null",
    ),
    changed("proposals", "ck_proposals_quantity", quantity="0"),
    changed("proposals", "ck_proposals_expires_at", expires_at="made_at"),
    changed("proposals", "ck_proposals_declined_by", declined_at="now()"),
    changed("proposals", FINE, withdrawn_at="now()"),
    changed(
        "proposals",
        "ck_proposals_one_end",
        withdrawn_at="now()",
        declined_at="now()",
        declined_by="(select min(id) from persons)",
    ),
    changed(
        "support_approvals",
        "ck_support_approvals_answered_whole",
        where="is_approved",
        answered_at="null",
    ),
    changed(
        "support_approvals",
        "ck_support_approvals_answered_by",
        where="is_approved",
        answered_by_id="staff_id",
    ),
    changed("support_approvals", "ck_support_approvals_expires_at", expires_at="asked_at"),
    again("support_sessions", "uq_support_sessions_environment_id_sid_digest"),
    again(
        "support_sessions",
        "uq_support_sessions_environment_id_approval_id",
        where="approval_id is not null",
        sid_digest="repeat('a', 64)",
    ),
    changed(
        "support_sessions",
        "ck_support_sessions_allowed_once",
        where="approval_id is not null",
        window_id="(select min(id) from support_windows)",
    ),
    changed("support_sessions", "ck_support_sessions_sid_digest", sid_digest="''"),
    changed("support_sessions", "ck_support_sessions_expires_at", expires_at="started_at"),
    changed(
        "support_sessions",
        "ck_support_sessions_ended_whole",
        where="ended_at is null",
        ended_at="now()",
    ),
    again("billed_elsewhere", "uq_billed_elsewhere_environment_id_subscription_id", id="id + 1"),
    changed("billed_elsewhere", "ck_billed_elsewhere_amount", amount_minor="-1"),
    changed("billed_elsewhere", FINE, amount_minor="0"),
    changed("billed_elsewhere", "ck_billed_elsewhere_period", period_end_at="period_start_at"),
    changed("webhook_endpoints", "ck_webhook_endpoints_generation", generation="0"),
    again("webhook_messages", "uq_webhook_messages_environment_id_endpoint_id_message_key"),
    again("webhook_messages", FINE, message_key="'msg_2'"),
    changed("webhook_messages", "ck_webhook_messages_status", status="'lost'"),
    changed("webhook_messages", "ck_webhook_messages_delivered_at", status="'delivered'"),
    changed("webhook_messages", "ck_webhook_messages_tries", tries="-1"),
]
CASES = [*CATALOG, *PEOPLE, *HELD, *MONEY, *USAGE, *MAILS, *HOST]


@pytest.fixture
def connection(twins: Twins) -> Iterator[Connection]:
    """The owner's, so that only the constraint can refuse; everything is rolled back."""
    with twins.owner.connect() as connection:
        yield connection
        connection.rollback()


def statement(case: Case) -> str:
    columns = [c.name for c in Base.metadata.tables[case.table].columns]
    if case.change:
        chosen = f"select ctid from {case.table} where {case.where} order by ctid limit 1"
        assigned = ", ".join(f"{name} = {value}" for name, value in case.values.items())
        return f"update {case.table} set {assigned} where ctid = ({chosen})"
    identity = {"id"} if case.table not in ("stripe_events", "billed_elsewhere") else set()
    listed = [name for name in columns if name not in identity]
    chosen = ", ".join(case.values.get(name, quoted(name)) for name in listed)
    return (
        f"insert into {case.table} ({', '.join(map(quoted, listed))})"
        f" select {chosen} from {case.table} where {case.where} order by ctid limit 1"
    )


def quoted(name: str) -> str:
    return sql.Identifier(name).as_string()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_database_keeps_its_rules(connection, case):
    query = text(statement(case).replace(":", "\\:"))
    if case.breaks:
        with pytest.raises(IntegrityError) as refused:
            connection.execute(query)
        assert refused.value.orig.diag.constraint_name == case.breaks
    else:
        assert connection.execute(query).rowcount == 1


def test_every_rule_of_the_schema_is_shown_to_bite(connection):
    """Keys of a whole row and references are left to the tests of row security; the job engine's
    own tables to the engine."""
    found = connection.scalars(
        text(
            "select conname from pg_constraint where connamespace = 'public'::regnamespace"
            " and contype in ('c', 'u', 'x')"
            " and not starts_with(conrelid::regclass::text, 'procrastinate_') union"
            " select i.relname from pg_index x join pg_class i on i.oid = x.indexrelid"
            " where x.indisunique and x.indpred is not null"
            " and not starts_with(x.indrelid::regclass::text, 'procrastinate_')"
        )
    )
    shown = {case.breaks for case in CASES}
    targets = {name for name in found if name not in shown and not _is_only_a_target(name)}
    assert targets == set()


def _is_only_a_target(name: str) -> bool:
    """A unique key that holds by its id alone: it is there for references to point at."""
    return name.endswith(("_environment_id_account_id_id", "_environment_id_id_type"))
