"""What purchases count in their month: reserved before they are charged, spent once they are."""

from __future__ import annotations

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from portal.domain.access import Actor, Permission
from portal.domain.errors import Conflict
from portal.domain.events import EventName
from portal.domain.money import Money
from portal.domain.recharge_decisions import Trigger
from portal.domain.spending import Mode, PassesCeiling, month_of, passes
from portal.models.accounts import AccountRow
from portal.models.credit_notes import CreditNoteRow
from portal.models.invoices import InvoiceRow
from portal.models.purchases import PurchaseRow
from portal.models.recharge import RechargePolicyRow
from portal.models.spending import SpendCeilingRow, SpendMonthRow
from portal.queries.accounts import billing_now
from portal.queries.spending import WHOLE_ACCOUNT
from portal.services import recharge_news
from portal.services.recording import record
from portal.services.till import Till


class Passed(Exception):
    """A purchase would pass the account's ceiling; nothing of it may be kept."""

    def __init__(self, by: PassesCeiling) -> None:
        self.by = by
        super().__init__("the month's ceiling")


def reserve(till: Till, purchase: PurchaseRow) -> None:
    """Count what a new purchase comes to in the present month; commit is the caller's.

    Called under the subscription's row lock. Raises Passed where the ceiling stops it, Conflict
    where an auto-recharge's cap does: whoever decided to buy has looked before.
    """
    account = till.session.get_one(AccountRow, (till.environment_id, purchase.account_id))
    purchase.spend_month = month_of(till.account_now(account.id), account.zone)
    _open(till, purchase, account.currency)
    if passed := _passed(till, purchase):
        raise Passed(passed)
    if not _fits_cap(till, purchase):
        raise Conflict("the monthly maximum of an auto-recharge")
    _move(till, purchase, 1, 0)


def can_reserve(till: Till, purchase: PurchaseRow) -> bool:
    """Whether a purchase that was let go still fits its month; keeps the sums locked."""
    if purchase.spend_month is None:
        return True
    return _passed(till, purchase) is None and _fits_cap(till, purchase)


def again(till: Till, purchase: PurchaseRow) -> None:
    """Count a purchase that was let go once more; ask `can_reserve` first."""
    _move(till, purchase, 1, 0)


def spend(till: Till, purchase: PurchaseRow) -> None:
    """What was reserved is spent."""
    _move(till, purchase, -1, 1)


def let_go(till: Till, purchase: PurchaseRow) -> None:
    """What was reserved is free again, also for what waited for the next month."""
    recharge_news.unlimited(till, purchase.account_id, Trigger.AGAIN)
    _move(till, purchase, -1, 0)


def returned(till: Till, purchase_id: int, amount: Money) -> None:
    """What a credit note sends back to the card makes room in the purchase's month.

    Called once the note is there. No more room than the purchase took, whatever its charge paid
    besides. An auto-recharge's own maximum stays used: it is never passed. Source: ADR 0022.
    """
    purchase = till.session.get_one(PurchaseRow, (till.environment_id, purchase_id))
    if purchase.spend_month is None:
        return
    recharge_news.unlimited(till, purchase.account_id, Trigger.AGAIN)
    row = _locked(till, purchase, WHOLE_ACCOUNT)
    if row is not None:
        back, most = _went_back(till, purchase_id), purchase.spend_minor
        row.spent_minor -= min(back, most) - min(back - amount.minor, most)


def set_ceiling(till: Till, actor: Actor, mode: Mode, amount: Money) -> None:
    """Keep the account's ceiling, and commit. Raises Forbidden for all but an owner."""
    actor.require(Permission.BILLING_LIMIT)
    account = till.session.get_one(AccountRow, (actor.environment_id, actor.account_id))
    at = billing_now(account, till.wall)
    values = {"mode": mode, "amount_minor": amount.minor, "currency": amount.currency,
              "set_by": actor.person_id, "set_at": at}  # fmt: skip
    key = {"environment_id": actor.environment_id, "account_id": actor.account_id}
    row = insert(SpendCeilingRow).values(**key, **values)
    till.session.execute(
        row.on_conflict_do_update(index_elements=["environment_id", "account_id"], set_=values)
    )
    subject, said = f"account:{actor.account_id}", {"mode": mode, "amount": amount.minor}
    record(till.session, till.scope, till.doer, EventName.CEILING_SET, subject, at, **said)
    recharge_news.unlimited(till, actor.account_id, Trigger.SAVE)
    till.session.commit()


def _went_back(till: Till, purchase_id: int) -> int:
    """What all credit notes of a purchase's invoice have sent back to the card."""
    sent = (
        select(func.coalesce(func.sum(CreditNoteRow.card_minor), 0))
        .join(InvoiceRow, InvoiceRow.id == CreditNoteRow.invoice_id)
        .where(
            CreditNoteRow.environment_id == till.environment_id,
            InvoiceRow.environment_id == till.environment_id,
            InvoiceRow.purchase_id == purchase_id,
        )
    )
    return int(till.session.scalar(sent) or 0)


def _passed(till: Till, purchase: PurchaseRow) -> PassesCeiling | None:
    """Whether the ceiling stops it; locks the month's row for the account."""
    row = _locked(till, purchase, WHOLE_ACCOUNT)
    key = (till.environment_id, purchase.account_id)
    ceiling = till.session.get(SpendCeilingRow, key, populate_existing=True)
    if row is None or ceiling is None or ceiling.mode != Mode.STOP:
        return None
    code = ceiling.currency
    counted = Money(row.spent_minor + row.reserved_minor, code)
    return passes(Money(ceiling.amount_minor, code), counted, Money(purchase.spend_minor, code))


def _fits_cap(till: Till, purchase: PurchaseRow) -> bool:
    if purchase.policy_id is None:
        return True
    row = _locked(till, purchase, purchase.policy_id)
    policy = till.session.get_one(RechargePolicyRow, (till.environment_id, purchase.policy_id))
    counted = row.spent_minor + row.reserved_minor if row else 0
    return counted + _capped(purchase) <= policy.cap_minor


def _locked(till: Till, purchase: PurchaseRow, policy_id: int) -> SpendMonthRow | None:
    key = (till.environment_id, purchase.account_id, policy_id, purchase.spend_month)
    return till.session.get(SpendMonthRow, key, with_for_update=True, populate_existing=True)


def _counts(purchase: PurchaseRow) -> dict[int, int]:
    """What it counts, by the id of the policy whose sums those are."""
    found = {WHOLE_ACCOUNT: purchase.spend_minor}
    return found | ({purchase.policy_id: _capped(purchase)} if purchase.policy_id else {})


def _capped(purchase: PurchaseRow) -> int:
    """With the cents that join its charge, so that no charge passes the maximum."""
    return purchase.spend_minor + purchase.carried_reserved_minor


def _open(till: Till, purchase: PurchaseRow, code: str) -> None:
    month = {"environment_id": till.environment_id, "account_id": purchase.account_id,
             "month": purchase.spend_month, "currency": code, "reserved_minor": 0,
             "spent_minor": 0}  # fmt: skip
    rows = [month | {"policy_id": policy_id} for policy_id in sorted(_counts(purchase))]
    till.session.execute(insert(SpendMonthRow).values(rows).on_conflict_do_nothing())


def _move(till: Till, purchase: PurchaseRow, reserved: int, spent: int) -> None:
    """Add to both sums of its month: 1 or -1 times what it counts, or nothing."""
    row = SpendMonthRow
    if purchase.spend_month is None:  # made before months were counted
        return
    for policy_id, counts in sorted(_counts(purchase).items()):
        till.session.execute(
            update(row)
            .where(
                row.environment_id == till.environment_id,
                row.account_id == purchase.account_id,
                row.policy_id == policy_id,
                row.month == purchase.spend_month,
            )
            .values(
                reserved_minor=row.reserved_minor + reserved * counts,
                spent_minor=row.spent_minor + spent * counts,
            )
        )
