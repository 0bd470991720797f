"""The pages: requests in, HTML out; no rule of the business lives here."""

from __future__ import annotations

from flask import Flask
from werkzeug.routing import IntegerConverter, Map

from portal.web import errors, language, logs, pages, requests, security, static_files, support
from portal.web.views import (
    accounts,
    active,
    activity,
    addons,
    api_keys,
    approvals,
    auth,
    belongings,
    clock,
    credit_notes,
    declarations,
    declared,
    endpoints,
    health,
    invitations,
    invoices,
    links,
    members,
    messages,
    notifications,
    oidc,
    own_provider,
    own_sign_in,
    payment_methods,
    plans,
    preferences,
    proposals,
    proposing,
    purchases,
    quantities,
    receipts,
    recharge,
    resets,
    second_factor,
    staff,
    staff_activity,
    staff_oidc,
    support_access,
    support_views,
    usage,
    wallet,
    webhooks,
    withdrawals,
)


class RowNumber(IntegerConverter):
    """A number in a path, as large as a row's can be: more names no page."""

    def __init__(self, url_map: Map) -> None:
        super().__init__(url_map, max=2**63 - 1)


def install(app: Flask) -> None:
    """Join the pages to `app`."""
    app.url_map.converters["int"] = RowNumber
    logs.install(app)
    static_files.install(app)
    requests.install(app)
    support.install(app)
    language.install(app)
    security.install(app)
    pages.install(app)
    errors.install(app)
    pages_of_the_portal = (
        accounts, active, activity, addons, api_keys, approvals, auth, belongings, clock,
        credit_notes, declarations, declared, endpoints, health, invitations, invoices, links,
        members, messages, notifications, oidc, own_provider, own_sign_in, payment_methods, plans,
        preferences, proposals, proposing, purchases, quantities, receipts, recharge, resets,
        second_factor, staff, staff_activity, staff_oidc, support_access, support_views, usage,
        wallet, webhooks, withdrawals,
    )  # fmt: skip
    for view in pages_of_the_portal:
        app.register_blueprint(view.bp)
