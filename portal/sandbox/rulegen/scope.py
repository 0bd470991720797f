"""Which operations, objects and shapes the rules cover, and what Stripe sends only on request."""

from __future__ import annotations

# operation -> module under the stripe package's `params` folder, without "_" and "_params"
OPERATIONS = {
    "POST /v1/customers": "customer_create",
    "GET /v1/customers": "customer_list",
    "GET /v1/customers/{customer}": "customer_retrieve",
    "POST /v1/customers/{customer}": "customer_update",
    "DELETE /v1/customers/{customer}": "customer_delete",
    "GET /v1/customers/{customer}/payment_methods": "customer_payment_method_list",
    "GET /v1/customers/{customer}/payment_methods/{payment_method}": (
        "customer_payment_method_retrieve"
    ),
    "POST /v1/payment_methods": "payment_method_create",
    "GET /v1/payment_methods": "payment_method_list",
    "GET /v1/payment_methods/{payment_method}": "payment_method_retrieve",
    "POST /v1/payment_methods/{payment_method}": "payment_method_update",
    "POST /v1/payment_methods/{payment_method}/attach": "payment_method_attach",
    "POST /v1/payment_methods/{payment_method}/detach": "payment_method_detach",
    "POST /v1/payment_intents": "payment_intent_create",
    "GET /v1/payment_intents": "payment_intent_list",
    "GET /v1/payment_intents/{intent}": "payment_intent_retrieve",
    "POST /v1/payment_intents/{intent}": "payment_intent_update",
    "POST /v1/payment_intents/{intent}/confirm": "payment_intent_confirm",
    "POST /v1/payment_intents/{intent}/cancel": "payment_intent_cancel",
    "POST /v1/setup_intents": "setup_intent_create",
    "GET /v1/setup_intents": "setup_intent_list",
    "GET /v1/setup_intents/{intent}": "setup_intent_retrieve",
    "POST /v1/setup_intents/{intent}": "setup_intent_update",
    "POST /v1/setup_intents/{intent}/confirm": "setup_intent_confirm",
    "POST /v1/setup_intents/{intent}/cancel": "setup_intent_cancel",
    "POST /v1/checkout/sessions": "checkout.session_create",
    "GET /v1/checkout/sessions": "checkout.session_list",
    "GET /v1/checkout/sessions/{session}": "checkout.session_retrieve",
    "POST /v1/checkout/sessions/{session}": "checkout.session_update",
    "POST /v1/checkout/sessions/{session}/expire": "checkout.session_expire",
    "GET /v1/checkout/sessions/{session}/line_items": "checkout.session_line_item_list",
    "POST /v1/refunds": "refund_create",
    "GET /v1/refunds": "refund_list",
    "GET /v1/refunds/{refund}": "refund_retrieve",
    "POST /v1/refunds/{refund}": "refund_update",
    "GET /v1/charges": "charge_list",
    "GET /v1/charges/{charge}": "charge_retrieve",
    "GET /v1/disputes": "dispute_list",
    "GET /v1/disputes/{dispute}": "dispute_retrieve",
    "POST /v1/disputes/{dispute}": "dispute_update",
    "POST /v1/disputes/{dispute}/close": "dispute_close",
    "GET /v1/events": "event_list",
    "GET /v1/events/{id}": "event_retrieve",
    "GET /v1/balance_transactions": "balance_transaction_list",
    "GET /v1/balance_transactions/{id}": "balance_transaction_retrieve",
}

# object name -> module of its class in the stripe package
OBJECTS = {
    "customer": "_customer",
    "payment_method": "_payment_method",
    "payment_intent": "_payment_intent",
    "setup_intent": "_setup_intent",
    "checkout.session": "checkout._session",
    "item": "_line_item",
    "refund": "_refund",
    "charge": "_charge",
    "dispute": "_dispute",
    "event": "_event",
    "balance_transaction": "_balance_transaction",
}

# nested shapes whose null keys the sandbox fills in too: dotted path from the object
NESTED = (
    "customer.address",
    "customer.invoice_settings",
    "payment_method.billing_details",
    "payment_method.billing_details.address",
    "payment_method.card",
    "payment_method.card.checks",
    "payment_intent.payment_method_options.card",
    "setup_intent.payment_method_options.card",
    "charge.billing_details",
    "charge.outcome",
    "charge.payment_method_details.card",
    "charge.payment_method_details.card.checks",
    "charge.payment_method_details.card.three_d_secure",
    "dispute.evidence",
    "dispute.evidence_details",
    "checkout.session.customer_details",
    "checkout.session.custom_text",
)

# Keys Stripe leaves out unless they are asked for with expand[], or in some modes only.
ON_REQUEST = {
    "customer": (
        "sources subscriptions tax_ids tax cash_balance invoice_credit_balance test_clock "
        "individual_name business_name deleted"
    ),
    "checkout.session": (
        "line_items optional_items name_collection origin_context phone_number_collection "
        "presentment_details shipping_cost total_details tax_id_collection wallet_options "
        "payment_method_configuration_details"
    ),
    "charge": (
        "refunds source_transfer transfer radar_options presentment_details authorization_code "
        "level3 payment_method_details"
    ),
    "payment_intent": (
        "review amount_details presentment_details payment_details processing hooks "
        "payment_record invoice"
    ),
    "setup_intent": "attach_to_self",
    "payment_method": "radar_options paypay sequra",
    "refund": (
        "failure_balance_transaction failure_reason instructions_email next_action description "
        "presentment_details pending_reason"
    ),
    "event": "account context reason",
    "dispute": "network_reason_code",
}

# Lists and details that expand[] brings although they are no reference to another object.
EXPANDABLE_PARTS = {
    "customer": "sources subscriptions tax tax_ids cash_balance",
    "checkout.session": "line_items",
    "charge": "refunds",
}

# The API has these fields, the package's types leave them out at every version.
UNTYPED = ("client_secret",)

# Below these parameters only cards are described; other methods are accepted unread.
CARD_ONLY = ("payment_method_data", "payment_method_options")
CARD_ONLY_KEPT = ("card", "type", "billing_details", "metadata", "allow_redisplay", "radar_options")
METHOD_TYPES_PRUNED = ("POST /v1/payment_methods", "POST /v1/payment_methods/{payment_method}")
