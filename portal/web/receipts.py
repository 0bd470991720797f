"""What a receipt shows: the invoice, what was bought, and the meters as they stand after it."""

from __future__ import annotations

from typing import Any

from flask import Response
from flask_babel import gettext as _

from portal.domain.capacity import Capacity, brought_by
from portal.queries import usage
from portal.queries.accounts import AccountState
from portal.queries.active import row_of
from portal.queries.consents import consents_to
from portal.queries.invoices import find_invoice_of
from portal.queries.purchases import Purchase, get_purchase
from portal.queries.subscriptions import Instance
from portal.queries.usage import Meter
from portal.services.capacity import open_windows_now
from portal.services.raising import brought_by_more
from portal.web import htmx
from portal.web.requests import database, member, state


def receipt_page(purchase_id: int, push_url: str = "") -> Response:
    """The receipt; htmx has it with the title, the heading and the tabs that go with it."""
    purchase = get_purchase(database(), member().actor, purchase_id)
    if purchase.kind == "plan":
        return _plan_receipt(purchase)
    context = receipt_context(purchase_id)
    if not htmx.wants_partial():
        return htmx.page("purchases/receipt.html", "purchases/_receipt.html", **context)
    frame = ("layouts/_title.html", "layouts/_head.html", "layouts/_tabs.html")
    return htmx.partials("purchases/_receipt.html", *frame, push_url=push_url, **context)


def receipt_context(purchase_id: int) -> dict[str, Any]:
    """The receipt of a settled purchase of this account. Raises NotFound."""
    actor = member().actor
    purchase = get_purchase(database(), actor, purchase_id)
    instance = next(i for i in state().instances if i.id == purchase.instance_id)
    return {
        "invoice": find_invoice_of(database(), actor, purchase_id),
        "purchase": purchase,
        "consents": consents_to(
            database(), actor, f"purchase:{purchase_id}", f"instance:{instance.id}"
        ),
        "row": row_of(state(), instance),
        "brought": _brought(state(), instance, purchase),
        "meters": _raised(instance),
        "state": state(),
        "head_title": _("Receipt"),
    }


def _plan_receipt(purchase: Purchase) -> Response:
    actor, of_plan = member().actor, state().subscription
    counted = {e.feature.id for e in of_plan.plan.entitlements} if of_plan else set()
    return htmx.page(
        "plans/receipt.html",
        "plans/_receipt.html",
        purchase=purchase,
        consents=consents_to(database(), actor, f"purchase:{purchase.id}"),
        invoice=find_invoice_of(database(), actor, purchase.id),
        meters=tuple(m for m in account_meters() if m.feature.id in counted),
        state=state(),
        head_title=_("Receipt"),
    )


def account_meters() -> tuple[Meter, ...]:
    """Every meter of the account, with this window's lots opened first."""
    actor = member().actor
    open_windows_now(database(), actor.scope, state())
    return usage.meters(database(), actor.scope, state())


def _brought(account: AccountState, instance: Instance, purchase: Purchase) -> tuple[Capacity, ...]:
    """What `instance`, or more of it, brought when it was bought."""
    if account.subscription is None:
        return ()
    if purchase.kind == "quantity":
        subscription, at = account.subscription, purchase.quoted_at
        return brought_by_more(instance, subscription, purchase.added, at)
    return brought_by(
        instance.add_on,
        instance.price,
        instance.quantity,
        account.subscription.cycle,
        instance.span.starts_at,
        instance.span.cancel_at,
    )


def _raised(instance: Instance) -> tuple[Meter, ...]:
    """The meters of what `instance` brings."""
    brought = {e.feature.id for e in instance.add_on.entitlements}
    brought |= {g.feature.id for g in instance.add_on.credit_grants}
    return tuple(meter for meter in account_meters() if meter.feature.id in brought)
