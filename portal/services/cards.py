"""The account's cards as the processor keeps them: kept, preferred, taken away, told of."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import Select, exists, func, select
from sqlalchemy.orm import aliased

from portal.domain.cards import Expiry, expiry, today_in
from portal.domain.errors import NotFound, PaymentsUnavailable
from portal.domain.events import EventName
from portal.domain.jobs import CHARGE_NEW_CARDS
from portal.domain.payments import SavedCard
from portal.models.accounts import AccountRow, PaymentMethodRow
from portal.queries.accounts import billing_now
from portal.services import recharge_news
from portal.services.queueing import enqueue
from portal.services.recording import record
from portal.services.till import Till

log = structlog.get_logger()


def keep(till: Till, account_id: int, saved: SavedCard) -> PaymentMethodRow:
    """The account's row of a card that the processor keeps; commit and `mirror` are the caller's.

    Safe to repeat and to race. The same card saved again takes the older one's place, as default
    too. A card becomes the default when there is none or an expired one. One that was taken away
    stays so: the processor cannot attach it again. Raises NotFound for another account's card.
    """
    account = lock_account(till, account_id)
    row = _find(till, saved.reference)
    if row is not None and row.account_id != account_id:
        raise NotFound("card")
    if row is None:
        return _add(till, account, saved)
    if row.detached_at is None:
        _refresh(till, account, row, saved)
    return row


def prefer(till: Till, row: PaymentMethodRow) -> None:
    """Make a card of ours the account's default; commit and `mirror` are the caller's."""
    account = lock_account(till, row.account_id)
    if row.is_default:
        return
    for other in _live(till, row.account_id):
        other.is_default = False
    till.session.flush()  # the table allows one at a time
    row.is_default = True
    till.session.flush()
    _record(till, account, EventName.CARD_PREFERRED, row)
    recharge_news.card_changed(till, row.account_id)
    enqueue(till.session, till.scope, CHARGE_NEW_CARDS)


def mirror(till: Till, account_id: int) -> None:
    """Let the processor have the default, and none of the cards that were saved again since.

    After the commit, safe to repeat. One that does not answer is logged and changes nothing
    here: the portal always names the card that it charges.
    """
    session = till.session
    account = session.get_one(AccountRow, (till.environment_id, account_id))
    customer = account.stripe_customer_id
    default = next((c for c in _live(till, account_id) if c.is_default), None)
    preferred = default.stripe_payment_method_id if default else None
    replaced = list(session.scalars(_replaced(till, account_id)))
    session.commit()
    try:
        if customer and preferred:
            till.gateway.make_default(customer, preferred)
        for reference in replaced:
            till.gateway.remove_card(reference)
    except (PaymentsUnavailable, NotFound):
        log.warning("cards_not_mirrored", account_id=account_id, exc_info=True)


def sync(till: Till, card_ref: str) -> None:
    """Apply what the processor says of one card now; commit. For every event about a card.

    A card of an unknown customer is ignored, or no longer ours. Losing the default leaves none:
    which card is charged is the customer's choice.
    """
    try:
        news = till.gateway.read_card(card_ref)
    except NotFound:
        news = None
    owner = news.customer_ref if news else None
    account_id = _owner_id(till, owner) if owner else None
    if news is None or account_id is None:
        lose(till, card_ref, EventName.CARD_DETACHED)
        till.session.commit()
        return
    keep(till, account_id, news.card)
    till.session.commit()
    mirror(till, account_id)


def forget_customer(till: Till, customer_ref: str) -> None:
    """Follow the deletion of a customer at the processor, which took its cards along; commit.

    Recorded, so that the next customer is asked for under another key. Unknown ones are ignored.
    """
    account_id = _owner_id(till, customer_ref)
    if account_id is None:
        return
    account = lock_account(till, account_id)
    if account.stripe_customer_id == customer_ref:
        for row in _live(till, account_id):
            _take_away(till, account, row, EventName.CARD_DETACHED)
        account.stripe_customer_id = None
        _record(till, account, EventName.CUSTOMER_DELETED, None, customer=customer_ref)
    till.session.commit()


def _add(till: Till, account: AccountRow, saved: SavedCard) -> PaymentMethodRow:
    live = _live(till, account.id)
    same = _same_number(live, saved)
    default = next((c for c in live if c.is_default), None)
    passes = default is None or default is same or has_expired(default, account, till)
    if same is not None:
        _take_away(till, account, same, EventName.CARD_REPLACED)
    row = PaymentMethodRow(
        environment_id=till.environment_id,
        account_id=account.id,
        stripe_payment_method_id=saved.reference,
        is_default=False,
        created_at=till.wall,
        refused_at=_refused_at(till, account.id, saved),
        **_details(saved),
    )
    till.session.add(row)
    till.session.flush()
    _record(till, account, EventName.CARD_ADDED, row)
    if passes:
        prefer(till, row)
    recharge_news.card_changed(till, row.account_id)
    return row


def _refresh(till: Till, account: AccountRow, row: PaymentMethodRow, saved: SavedCard) -> None:
    """Follow what the card's bank changed: its dates, or its number."""
    changed = {k: v for k, v in _details(saved).items() if getattr(row, k) != v}
    if not changed:
        return
    same = _same_number([c for c in _live(till, row.account_id) if c is not row], saved)
    if same is not None:
        older, newer = sorted((row, same), key=lambda c: c.id)
        passes = older.is_default
        _take_away(till, account, older, EventName.CARD_REPLACED)
        if passes:
            prefer(till, newer)
    if "fingerprint" in changed:
        row.refused_at = _refused_at(till, row.account_id, saved)
    for name, value in changed.items():
        setattr(row, name, value)
    till.session.flush()
    _record(till, account, EventName.CARD_UPDATED, row)


def lose(till: Till, card_ref: str, event: EventName) -> None:
    """Take a card away that is gone at the processor, if it is here."""
    row = _find(till, card_ref)
    if row is None:
        return
    account = lock_account(till, row.account_id)
    till.session.refresh(row)
    if row.detached_at is None:
        _take_away(till, account, row, event)


def _take_away(till: Till, account: AccountRow, row: PaymentMethodRow, event: EventName) -> None:
    row.detached_at, row.is_default = till.wall, False
    till.session.flush()
    _record(till, account, event, row)


def lock_account(till: Till, account_id: int) -> AccountRow:
    """Put whoever changes this account's cards in line; rows that refer to it are not held up."""
    key = (till.environment_id, account_id)
    row = till.session.get(
        AccountRow, key, with_for_update={"key_share": True}, populate_existing=True
    )
    if row is None:
        raise NotFound("account")
    return row


def _rows(till: Till) -> Select[PaymentMethodRow]:
    """The environment's cards, as they are in the database now."""
    mine = PaymentMethodRow.environment_id == till.environment_id
    return select(PaymentMethodRow).where(mine).execution_options(populate_existing=True)


def _find(till: Till, card_ref: str) -> PaymentMethodRow | None:
    return till.session.scalar(
        _rows(till).where(PaymentMethodRow.stripe_payment_method_id == card_ref)
    )


def _live(till: Till, account_id: int) -> list[PaymentMethodRow]:
    statement = _rows(till).where(
        PaymentMethodRow.account_id == account_id, PaymentMethodRow.detached_at.is_(None)
    )
    return list(till.session.scalars(statement.order_by(PaymentMethodRow.id)))


def _replaced(till: Till, account_id: int) -> Select[str]:
    """References of cards taken away whose number is saved again."""
    live = aliased(PaymentMethodRow)
    again = exists().where(
        live.environment_id == PaymentMethodRow.environment_id,
        live.account_id == PaymentMethodRow.account_id,
        live.fingerprint == PaymentMethodRow.fingerprint,
        live.detached_at.is_(None),
    )
    return select(PaymentMethodRow.stripe_payment_method_id).where(
        PaymentMethodRow.environment_id == till.environment_id,
        PaymentMethodRow.account_id == account_id,
        PaymentMethodRow.detached_at.is_not(None),
        PaymentMethodRow.fingerprint != "",
        again,
    )


def _owner_id(till: Till, customer_ref: str) -> int | None:
    """The account behind the processor's customer."""
    return till.session.scalar(
        select(AccountRow.id).where(
            AccountRow.environment_id == till.environment_id,
            AccountRow.stripe_customer_id == customer_ref,
        )
    )


def _refused_at(till: Till, account_id: int, saved: SavedCard) -> datetime | None:
    """Since when its bank forbids to try this number, where it was saved before."""
    if not saved.fingerprint:
        return None
    card = PaymentMethodRow
    return till.session.scalar(
        select(func.max(card.refused_at)).where(
            card.environment_id == till.environment_id,
            card.account_id == account_id,
            card.fingerprint == saved.fingerprint,
        )
    )


def _same_number(rows: list[PaymentMethodRow], saved: SavedCard) -> PaymentMethodRow | None:
    known = (row for row in rows if saved.fingerprint and row.fingerprint == saved.fingerprint)
    return next(known, None)


def has_expired(row: PaymentMethodRow, account: AccountRow, till: Till) -> bool:
    today = today_in(account.zone, till.wall)
    return expiry(row.exp_month, row.exp_year, today) is Expiry.EXPIRED


def _details(saved: SavedCard) -> dict[str, Any]:
    names = ("brand", "last4", "exp_month", "exp_year", "fingerprint")
    return {name: getattr(saved, name) for name in names}


def _record(
    till: Till,
    account: AccountRow,
    event: EventName,
    row: PaymentMethodRow | None,
    **detail: str,
) -> None:
    doer = replace(till.doer, account_id=account.id)
    subject = f"card:{row.id}" if row else f"account:{account.id}"
    if row is not None:
        detail |= {"brand": row.brand, "last4": row.last4}
    record(
        till.session, till.scope, doer, event, subject, billing_now(account, till.wall), **detail
    )
