"""The wallet: credits in burn order, and their ledger."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from flask import Blueprint, Response, request
from flask_babel import gettext as _

from portal.domain.access import Permission
from portal.domain.catalog import Feature
from portal.domain.throttle import EXPORT
from portal.queries.addons import all_cards
from portal.queries.credit_ledger import Entry, ledger_page, whole_ledger
from portal.queries.wallet import CreditSource, credit_source
from portal.services.wallet import credits_of
from portal.web import htmx
from portal.web.access import requires
from portal.web.csv_files import csv_file
from portal.web.pacing import paced
from portal.web.requests import database, member, state
from portal.web.wallet_sentences import entry_words, source_words

bp = Blueprint("wallet", __name__, url_prefix="/settings/billing/wallet")


@bp.get("")
@requires(Permission.BILLING_READ)
def index() -> Response:
    actor = member().actor
    wallet = credits_of(database(), actor.scope, state())
    number = request.args.get("page", 1, type=int)
    return htmx.page(
        "wallet/index.html",
        "wallet/_credits.html",
        wallet=wallet,
        ledger=ledger_page(database(), actor.scope, state(), number),
        features=_features(),
        source_of=_source,
        offer=_offer(),
        state=state(),
    )


@bp.get("/ledger.csv")
@requires(Permission.BILLING_READ)
@paced(EXPORT)
def ledger() -> Response:
    """All of it, the newest first."""
    entries = whole_ledger(database(), member().actor.scope, state())
    header = (_("Day"), _("Credits"), _("What"), _("Source"), _("Units"), _("Balance"))
    return csv_file("credits", header, _rows(entries))


def _rows(entries: tuple[Entry, ...]) -> Iterator[tuple[str | Decimal, ...]]:
    features = _features()
    for entry in entries:
        source = _source(entry)
        yield (
            entry.day.isoformat(),
            features[entry.feature_id].name,
            entry_words(entry.kind),
            source_words(source) if source else "",
            entry.units,
            entry.balance,
        )


def _features() -> dict[int, Feature]:
    return {feature.id: feature for feature in state().catalog.features}


def _source(entry: Entry) -> CreditSource | None:
    """None for a day's use, which has many."""
    if entry.instance_id is None and not entry.source_key:
        return None
    return credit_source(state(), entry.instance_id, entry.source_key)


def _offer() -> tuple[str, str] | None:
    """Lookup key and name of the first add-on with credits that can be bought now."""
    cards = (card for card in all_cards(state(), member().actor) if card.refusal is None)
    found = (card.add_on for card in cards if card.add_on.credit_grants and card.price)
    return next(((add_on.lookup_key, add_on.name) for add_on in found), None)
