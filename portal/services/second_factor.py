"""A person's authenticator: turned on with a code, asked for codes at sign-in, turned off."""

from __future__ import annotations

import hmac
from dataclasses import dataclass

import pyotp
import structlog
from sqlalchemy import Select, delete, select
from sqlalchemy.orm import Session

from portal.domain.access import Permission, Scope
from portal.domain.errors import Conflict
from portal.domain.events import EventName
from portal.domain.periods import WallNow
from portal.domain.sign_in_notices import RecoveryCodesMade, SecondFactorSwitched
from portal.models.sign_in import SecondFactorRow
from portal.queries.persons import has_second_factor
from portal.services.proving import Visit, end_challenges, prove
from portal.services.recovery_codes import drop_codes, plain_code, replace_codes, spend
from portal.services.safekeeping import Safe
from portal.services.sessions import rotate
from portal.services.throttling import Admitted, Paused, Refused

log = structlog.get_logger()
STEP_S, DIGITS = 30, 6
NEIGHBOURS = (-1, 0, 1)
"""Steps whose codes are good: a clock may be half a minute off."""


@dataclass(frozen=True, slots=True)
class Switched:
    """sid: the session's new id. codes: recovery codes to be shown now, and never again."""

    sid: str
    codes: tuple[str, ...] = ()


def begin(visit: Visit, safe: Safe) -> None:
    """A new secret, not in force before a code of it is shown; commit. Raises Conflict once on."""
    visit.actor.require(Permission.SELF_UPDATE)
    scope, person_id = visit.scope, visit.actor.person_id
    row = visit.session.scalar(_of(scope, person_id).with_for_update())
    if row is not None and row.confirmed_at is not None:
        raise Conflict("the second factor is on")
    if row is None:
        row = SecondFactorRow(environment_id=scope.environment_id, person_id=person_id)
        visit.session.add(row)
    row.encrypted = safe.lock(pyotp.random_base32(), _owner(scope.environment_id, person_id))
    row.created_at, row.last_step = visit.wall, 0
    visit.session.commit()


def offered(visit: Visit, safe: Safe) -> str | None:
    """The secret that waits for its first code, to be shown to whose it is."""
    scope, person_id = visit.scope, visit.actor.person_id
    row = visit.session.scalar(_of(scope, person_id, is_on=False))
    return safe.open(row.encrypted, _owner(scope.environment_id, person_id)) if row else None


def turn_on(visit: Visit, password: str, code: str, safe: Safe) -> Switched | Refused | Paused:
    """Ask for codes from now on; commit. Raises Conflict when no secret waits for its first."""
    waiting = _of(visit.scope, visit.actor.person_id, is_on=False)
    if visit.session.scalar(waiting) is None:
        raise Conflict("no secret waits for its first code")
    row: SecondFactorRow | None = None

    def shows() -> bool:
        nonlocal row
        row = _shown(visit.session, waiting, plain_code(code), visit.wall, safe)
        return row is not None

    outcome = prove(visit, password, shows)
    if isinstance(outcome, Refused | Paused) or row is None:
        return outcome if isinstance(outcome, Paused) else Refused()
    row.confirmed_at = visit.wall
    codes = replace_codes(visit.session, visit.scope, visit.actor.person_id, visit.wall)
    return _switched(visit, EventName.SECOND_FACTOR_ON, codes)


def turn_off(visit: Visit, password: str, code: str, safe: Safe) -> Switched | Refused | Paused:
    """Ask for no more codes; commit."""
    outcome = prove(visit, password, lambda: _accepted(visit, code, safe))
    if isinstance(outcome, Refused | Paused):
        return outcome
    scope, person_id = visit.scope, visit.actor.person_id
    visit.session.execute(
        delete(SecondFactorRow).where(
            SecondFactorRow.environment_id == scope.environment_id,
            SecondFactorRow.person_id == person_id,
        )
    )
    drop_codes(visit.session, scope, person_id)
    return _switched(visit, EventName.SECOND_FACTOR_OFF)


def make_codes(visit: Visit, password: str, code: str, safe: Safe) -> Switched | Refused | Paused:
    """Ten recovery codes in place of those before; commit."""
    outcome = prove(visit, password, lambda: _accepted(visit, code, safe))
    if isinstance(outcome, Refused | Paused):
        return outcome
    codes = replace_codes(visit.session, visit.scope, visit.actor.person_id, visit.wall)
    return _switched(visit, EventName.RECOVERY_CODES_MADE, codes)


def prove_all(visit: Visit, password: str, code: str, safe: Safe) -> Admitted | Refused | Paused:
    """Whether the password is right, and the code too where the person has a second step.

    As `prove`: the caller commits. Raises Forbidden.
    """
    if not has_second_factor(visit.session, visit.scope, visit.actor.person_id):
        return prove(visit, password)
    return prove(visit, password, lambda: _accepted(visit, code, safe))


def prove_alone(visit: Visit, password: str, code: str, safe: Safe) -> Refused | Paused | None:
    """The same for what is done elsewhere next; commit. None when it is right."""
    outcome = prove_all(visit, password, code, safe)
    if isinstance(outcome, Refused | Paused):
        return outcome
    visit.session.commit()
    return None


def accepts(
    session: Session, scope: Scope, person_id: int, code: str, wall: WallNow, safe: Safe
) -> bool:
    """Whether it is a good code of the authenticator, or a recovery code; it is spent with that.

    The caller commits.
    """
    typed = plain_code(code)
    if is_of_authenticator(code):
        turned_on = _of(scope, person_id, is_on=True)
        return _shown(session, turned_on, typed, wall, safe) is not None
    return spend(session, scope, person_id, typed, wall)


def is_of_authenticator(code: str) -> bool:
    """By its length; a recovery code is longer."""
    return len(plain_code(code)) == DIGITS


def step_of(secret: str, code: str, last_step: int, wall: WallNow) -> int | None:
    """The earliest of the good steps, none of them spent, that has this code; None for a wrong one.

    code: as `plain_code` gives it.
    """
    now, totp = int(wall.timestamp()) // STEP_S, pyotp.TOTP(secret, digits=DIGITS, interval=STEP_S)
    for step in (now + neighbour for neighbour in NEIGHBOURS):
        right = hmac.compare_digest(totp.generate_otp(step).encode(), code.encode())
        if right and step > last_step:
            return step
    return None


def _accepted(visit: Visit, code: str, safe: Safe) -> bool:
    return accepts(visit.session, visit.scope, visit.actor.person_id, code, visit.wall, safe)


def _switched(visit: Visit, event: EventName, codes: tuple[str, ...] = ()) -> Switched:
    """Record and tell what was done, give the session another id, and commit."""
    person_id = visit.actor.person_id
    visit.record(event)
    if event is EventName.RECOVERY_CODES_MADE:
        visit.tell(RecoveryCodesMade(person_id, visit.place))
    else:
        is_on = event is EventName.SECOND_FACTOR_ON
        visit.tell(SecondFactorSwitched(person_id, visit.place, is_on))
        end_challenges(visit.session, visit.scope, person_id, visit.wall)
    sid = rotate(visit.session, visit.scope, visit.session_id)
    visit.session.commit()
    return Switched(sid, codes)


def _shown(
    session: Session, which: Select[SecondFactorRow], code: str, wall: WallNow, safe: Safe
) -> SecondFactorRow | None:
    """The authenticator whose code it is; that code and those before are spent then."""
    row = session.scalar(which.with_for_update().execution_options(populate_existing=True))
    if row is None:
        return None
    secret = safe.open(row.encrypted, _owner(row.environment_id, row.person_id))
    if secret is None:
        log.warning("second_factor_unreadable", person_id=row.person_id)
        return None
    step = step_of(secret, code, row.last_step, wall)
    if step is None:
        return None
    row.last_step = step
    return row


def _of(scope: Scope, person_id: int, is_on: bool | None = None) -> Select[SecondFactorRow]:
    """A person's authenticator; in force, or waiting for its first code, where that is asked."""
    found = select(SecondFactorRow).where(
        SecondFactorRow.environment_id == scope.environment_id,
        SecondFactorRow.person_id == person_id,
    )
    if is_on is None:
        return found
    on = SecondFactorRow.confirmed_at.is_not(None)
    return found.where(on if is_on else ~on)


def _owner(environment_id: int, person_id: int) -> str:
    """Whose a secret is."""
    return f"{environment_id}:{person_id}"
