"""Balance transactions: what each charge, refund and dispute does to the account's money."""

from __future__ import annotations

from portal.sandbox import lists, rules
from portal.sandbox.calls import Call, Route, route
from portal.sandbox.store import Object, new_id

_FEE_PER_MILLE, _FEE_FIXED = 29, 30  # 2.9 % + 0.30, what a standard account pays
_AVAILABLE_AFTER = 2 * 86400


def book_charge(call: Call, charge: Object) -> Object:
    fee = round(charge["amount"] * _FEE_PER_MILLE / 1000) + _FEE_FIXED
    words = "Stripe processing fees"
    return _book(call, "charge", charge, charge["amount"], charge["description"], fee, words)


def book_refund(call: Call, refund: Object) -> Object:
    """The money leaves; the fee of the charge is not given back."""
    words = f"REFUND FOR CHARGE ({refund['charge']})"
    return _book(call, "refund", refund, -refund["amount"], words)


def book_failed_refund(call: Call, refund: Object) -> Object:
    words = f"REFUND FAILURE ({refund['id']})"
    return _book(call, "refund_failure", refund, refund["amount"], words)


def book_dispute(call: Call, dispute: Object, amount: int, fee: int) -> Object:
    """`amount` below zero is withdrawn, above it comes back; so for `fee` above and below."""
    words = f"Chargeback {'withdrawal' if amount < 0 else 'reversal'} for {dispute['charge']}"
    return _book(call, "adjustment", dispute, amount, words, fee, "Dispute fee", "dispute")


def _book(
    call: Call,
    kind: str,
    source: Object,
    amount: int,
    words: str | None,
    fee: int = 0,
    fee_words: str = "",
    category: str | None = None,
) -> Object:
    detail = {"amount": fee, "application": None, "description": fee_words, "type": "stripe_fee"}
    entry = rules.blank(
        "balance_transaction",
        id=new_id("txn_3", 23),
        object="balance_transaction",
        amount=amount,
        available_on=call.now + _AVAILABLE_AFTER,
        balance_type="payments",
        created=call.now,
        currency=source["currency"],
        description=words,
        fee=fee,
        fee_details=[{**detail, "currency": source["currency"]}] if fee else [],
        net=amount - fee,
        reporting_category=category or kind,
        source=source["id"],
        status="pending",
        type=kind,
    )
    return call.store.insert(entry)


def retrieve(call: Call, identifier: str) -> Object:
    return call.get("balance_transaction", identifier)


def list_entries(call: Call) -> Object:
    equal = {name: call.params.get(name) for name in ("source", "type", "currency")}
    return lists.page(call, "balance_transaction", "/v1/balance_transactions", **equal)


ROUTES: dict[str, Route] = {
    "GET /v1/balance_transactions": route(
        list_entries, lists.PAGING + "created source type currency"
    ),
    "GET /v1/balance_transactions/{id}": route(retrieve),
}
