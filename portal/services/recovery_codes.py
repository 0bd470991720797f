"""Recovery codes: ten for who has lost their authenticator, each good once, stored as digests."""

from __future__ import annotations

import secrets
from base64 import b32encode

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.periods import WallNow
from portal.domain.sign_in import digest_of
from portal.models.sign_in import RecoveryCodeRow

CODES, CODE_BYTES, GROUP = 10, 10, 4


def plain_code(typed: str) -> str:
    """A code as it is compared, however it was typed."""
    return "".join(sign for sign in typed.lower() if sign.isalnum())


def replace_codes(session: Session, scope: Scope, person_id: int, wall: WallNow) -> tuple[str, ...]:
    """New ones in place of those before, as they are shown: abcd-efgh-ijkl-mnop."""
    drop_codes(session, scope, person_id)
    plain = [b32encode(secrets.token_bytes(CODE_BYTES)).decode().lower() for _ in range(CODES)]
    session.add_all(
        RecoveryCodeRow(
            environment_id=scope.environment_id,
            person_id=person_id,
            digest=digest_of(code),
            created_at=wall,
        )
        for code in plain
    )
    return tuple(_grouped(code) for code in plain)


def drop_codes(session: Session, scope: Scope, person_id: int) -> None:
    session.execute(
        delete(RecoveryCodeRow).where(
            RecoveryCodeRow.environment_id == scope.environment_id,
            RecoveryCodeRow.person_id == person_id,
        )
    )


def spend(session: Session, scope: Scope, person_id: int, code: str, wall: WallNow) -> bool:
    """Whether it was good until now. Two at once: one of them has it."""
    row = session.scalar(
        select(RecoveryCodeRow)
        .where(
            RecoveryCodeRow.environment_id == scope.environment_id,
            RecoveryCodeRow.person_id == person_id,
            RecoveryCodeRow.digest == digest_of(code),
            RecoveryCodeRow.used_at.is_(None),
        )
        .with_for_update()
    )
    if row is not None:
        row.used_at = wall
    return row is not None


def _grouped(code: str) -> str:
    return "-".join(code[start : start + GROUP] for start in range(0, len(code), GROUP))
