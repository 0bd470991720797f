"""Somebody declares a cancellation without signing in: kept word for word, and confirmed."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.declaration_notices import (
    DeclarationMatched,
    DeclarationReceived,
    DeclarationWaits,
)
from portal.domain.declarations import Declaration, Shown
from portal.domain.events import EventName
from portal.domain.jobs import MATCH
from portal.domain.periods import WallNow
from portal.domain.sign_in import Origin, digest_of, plain_email
from portal.domain.throttle import DECLARED, DECLARED_ADDRESS, network_of
from portal.models.accounts import AccountRow
from portal.models.declarations import DeclarationCaseRow, DeclarationRow
from portal.queries.accounts import billing_now
from portal.queries.declarations import declared_of, matching_account
from portal.queries.staff import staff_with_a_way_in
from portal.services.mailing import post, post_to_address, post_to_staff
from portal.services.queueing import enqueue
from portal.services.recording import Doer, record
from portal.services.throttling import Paused, admit, watched

DOER = "declarations"
_SAID = (
    "kind", "reason", "name", "identification", "contract", "email", "text_version", "locale",
    "button", "button_locale", "address",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Receipt:
    """written: what stands in the link to the page that can be kept."""

    written: str


def declare(
    session: Session, scope: Scope, said: Declaration, shown: Shown, origin: Origin, wall: WallNow
) -> Receipt | Paused:
    """Keep what was declared, and confirm it by mail; commit.

    No account is looked for, so that the answer cannot tell whether there is one, nor how long it
    takes. Source: § 312k(2), (4) BGB; ADR 0032.
    """
    network = network_of(origin.address)
    tries = watched(DECLARED, plain_email(said.email)), watched(DECLARED_ADDRESS, network)
    admitted = admit(session, scope, tries, wall)
    if isinstance(admitted, Paused):
        return admitted
    written = secrets.token_urlsafe(32)
    row = _row(scope, said, shown, origin, wall)
    row.receipt_digest, row.digest = digest_of(written), _digest(row)
    session.add(row)
    session.flush()
    mine = {"environment_id": row.environment_id, "declaration_id": row.id}
    session.add(DeclarationCaseRow(**mine))
    doer, subject = Doer("anonymous", address=origin.stored_address), f"declaration:{row.id}"
    record(session, scope, doer, EventName.DECLARATION_RECEIVED, subject, wall)
    notice = DeclarationReceived(declared_of(row))
    post_to_address(session, scope, None, said.email, shown.locale, notice)
    enqueue(session, scope, MATCH)
    session.commit()
    return Receipt(written)


def match_waiting(session: Session, scope: Scope, wall: WallNow) -> int:
    """Look for the account of each declaration that is new, and tell its owners; commits each.

    How many. Safe beside itself.
    """
    count = 0
    while (case := _claim(session, scope)) is not None:
        _match(session, scope, case, wall)
        session.commit()
        count += 1
    session.rollback()
    return count


def verify_declarations(session: Session, scope: Scope) -> Iterator[str]:
    """One sentence for each declaration that is not what was kept."""
    rows = session.scalars(
        select(DeclarationRow)
        .where(DeclarationRow.environment_id == scope.environment_id)
        .order_by(DeclarationRow.id)
        .execution_options(yield_per=1000)
    )
    for row in rows:
        if row.digest != _digest(row):
            yield f"declaration {row.id}: its words are not those that were declared"


def _row(
    scope: Scope, said: Declaration, shown: Shown, origin: Origin, wall: WallNow
) -> DeclarationRow:
    return DeclarationRow(
        environment_id=scope.environment_id,
        kind=said.kind,
        reason=said.reason,
        name=said.name,
        identification=said.identification,
        contract=said.contract,
        wanted_on=said.wanted_on,
        email=said.email,
        text_version=shown.text_version,
        locale=shown.locale,
        button=shown.button,
        button_locale=shown.button_locale,
        address=origin.stored_address,
        received_at=wall.astimezone(UTC),
    )


def _claim(session: Session, scope: Scope) -> DeclarationCaseRow | None:
    row = DeclarationCaseRow
    return session.scalar(
        select(row)
        .where(row.environment_id == scope.environment_id, row.matched_at.is_(None))
        .order_by(row.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )


def _match(session: Session, scope: Scope, case: DeclarationCaseRow, wall: WallNow) -> None:
    key = (scope.environment_id, case.declaration_id)
    declared = declared_of(session.get_one(DeclarationRow, key))
    found = matching_account(session, scope, declared.said)
    case.matched_at = wall
    account_name = "" if found is None else found.name
    waits = DeclarationWaits(declared.id, declared.said.contract, account_name)
    post_to_staff(session, scope, staff_with_a_way_in(session, scope), waits)
    if found is None:
        return
    case.account_id = found.id
    account = session.get_one(AccountRow, (scope.environment_id, found.id))
    told, subject = EventName.DECLARATION_MATCHED, f"declaration:{declared.id}"
    at = billing_now(account, wall)
    record(session, scope, Doer(DOER, found.id), told, subject, at, contract=declared.said.contract)
    post(session, scope, found.id, DeclarationMatched(declared, found.name))


def _digest(row: DeclarationRow) -> str:
    said = {name: getattr(row, name) for name in _SAID}
    said["wanted_on"] = row.wanted_on.isoformat() if row.wanted_on else ""
    said["received_at"] = row.received_at.astimezone(UTC).isoformat()
    plain = json.dumps(said, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(plain.encode()).hexdigest()
