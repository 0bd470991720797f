"""Mail: stored with what it tells of, sent by a worker afterwards, each once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import structlog
from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.declaration_notices import TYPED
from portal.domain.declarations import ZONE
from portal.domain.enclosures import invoice_of
from portal.domain.events import EventName
from portal.domain.jobs import SEND_MAIL
from portal.domain.mails import (
    MOST_TRIES,
    MOST_UNANSWERED,
    PAUSES,
    Mail,
    NotSent,
    Postman,
    Reader,
    Unanswered,
    Writer,
)
from portal.domain.notices import KINDS, Notice
from portal.domain.periods import WallNow
from portal.domain.sign_in_notices import NOT_KEPT
from portal.models.accounts import AccountRow, PersonRow
from portal.models.mails import MailRow
from portal.models.staff import StaffRow
from portal.queries.accounts import billing_now
from portal.services.documents import Printer
from portal.services.enclosing import enclosures
from portal.services.queueing import enqueue
from portal.services.recipients import addressed, addressed_staff, members_told
from portal.services.recording import Doer, record

log = structlog.get_logger()
DOER = "mail"
MOST_AT_ONCE = 200
LOST = "its sending ended twice without an answer; it may have arrived"


@dataclass(frozen=True, slots=True)
class Sent:
    """How many mails went out, and how many tries failed."""

    mails: int
    failures: int


@dataclass(frozen=True, slots=True)
class Post:
    """What sending takes: the database, who writes, prints and carries, and the real now."""

    session: Session
    scope: Scope
    writer: Writer
    printer: Printer
    postman: Postman
    wall: WallNow


def post(session: Session, scope: Scope, account_id: int, notice: Notice) -> None:
    """Add a mail for each member who is to know, and the job that sends it; commit is the caller's.

    A notice whose key was here before adds nothing.
    """
    _post(session, scope, account_id, notice, members_told(session, scope, account_id, notice))


def post_to(
    session: Session, scope: Scope, account_id: int, person_id: int, notice: Notice
) -> None:
    """The same for one person alone, whatever their role; account_id: one they are a member of."""
    person = session.get_one(PersonRow, (scope.environment_id, person_id))
    _post(session, scope, account_id, notice, [addressed(person, notice)])


def post_to_address(
    session: Session, scope: Scope, account_id: int | None, email: str, locale: str, notice: Notice
) -> None:
    """The same for an address that may be nobody's yet, in `locale`. account_id: None for none."""
    stranger = {"key": notice.key, "recipient": email, "locale": locale}
    _post(session, scope, account_id, notice, [stranger])


def post_to_staff(
    session: Session, scope: Scope, staff: Iterable[StaffRow], notice: Notice
) -> None:
    """The same for some of the staff: a mail of no account's, which none of its pages knows of."""
    _post(session, scope, None, notice, [addressed_staff(each, notice) for each in staff])


def _post(
    session: Session, scope: Scope, account_id: int | None, notice: Notice,
    people: list[dict[str, Any]],
) -> None:  # fmt: skip
    invoice = invoice_of(notice)
    said = TypeAdapter(type(notice)).dump_python(notice, mode="json")
    shared = {
        "environment_id": scope.environment_id,
        "account_id": account_id,
        "invoice_id": invoice.id if invoice else None,
        "kind": notice.kind,
        "notice": said,
        "status": "queued",
    }
    rows = [shared | person for person in people]
    if not rows:
        return
    added = insert(MailRow).values(rows).on_conflict_do_nothing().returning(MailRow.id)
    if session.scalars(added).all():
        enqueue(session, scope, SEND_MAIL)


def send_due(
    session: Session, scope: Scope, *, writer: Writer, printer: Printer, postman: Postman,
    wall: WallNow,
) -> Sent:  # fmt: skip
    """Send the mails whose time has come, each claimed and marked before it leaves; commits.

    Safe beside itself. One that dies half-way is sent again, once: MOST_UNANSWERED. What cannot
    be sent is tried MOST_TRIES times, then `failed`, with the reason.
    """
    office = Post(session, scope, writer, printer, postman, wall)
    done: list[bool] = []
    while len(done) < MOST_AT_ONCE and (mail_id := _claim(office)) is not None:
        done.append(_send(office, mail_id))
    return Sent(sum(done), len(done) - sum(done))


def _claim(office: Post) -> int | None:
    """The next due mail, counted as tried before it leaves; None when there is none."""
    session = office.session
    row = session.scalar(
        select(MailRow)
        .where(
            MailRow.environment_id == office.scope.environment_id,
            MailRow.status == "queued",
            _is_due(office.wall),
        )
        .order_by(MailRow.created_at, MailRow.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    if row is None:
        session.rollback()
        return None
    if row.unanswered:
        log.warning("mail_sent_again", mail_id=row.id, unanswered=row.unanswered)
    row.tries, row.unanswered, row.tried_at = row.tries + 1, row.unanswered + 1, office.wall
    session.commit()
    return row.id


def _is_due(wall: WallNow) -> ColumnElement[bool]:
    pauses = enumerate(PAUSES, start=1)
    waited = [and_(MailRow.tries == n, MailRow.tried_at <= wall - pause) for n, pause in pauses]
    late = and_(MailRow.tries > len(PAUSES), MailRow.tried_at <= wall - PAUSES[-1])
    return or_(MailRow.tried_at.is_(None), late, *waited)


def _send(office: Post, mail_id: int) -> bool:
    """Write and hand over one claimed mail, and mark what came of it."""
    try:
        office.postman.send(_written(office, mail_id))
    except Unanswered as error:
        _mark(office, mail_id, str(error), answered=False)
        return False
    except NotSent as error:
        _mark(office, mail_id, str(error), answered=True)
        return False
    row = _row(office, mail_id)
    row.status, row.sent_at, row.failure, row.unanswered = "sent", office.wall, "", 0
    office.session.commit()
    return True


def _written(office: Post, mail_id: int) -> Mail:
    """The mail in its reader's words, which its row keeps. Raises NotSent when it has none."""
    row = _row(office, mail_id)
    if row.unanswered > MOST_UNANSWERED:
        raise NotSent(LOST)
    kind, plain, reader = row.kind, row.notice, _reader(office, row)
    try:
        notice = TypeAdapter(KINDS[kind]).validate_python(plain)
        letter = office.writer.write(notice, reader)
    except Exception as error:  # a mistake in one kind of letter must not hold up the others
        log.exception("mail_not_written", mail_id=mail_id, kind=kind)
        raise NotSent(f"not written: {type(error).__name__}") from error
    papers = enclosures(office.session, office.scope, notice, office.printer, office.wall)
    row = _row(office, mail_id)
    row.subject = letter.subject
    if kind not in NOT_KEPT:
        row.text, row.html = letter.text, letter.html
    key = f"mail-{row.environment_id}-{row.id}"
    mail = Mail(key, row.recipient, letter, office.wall, papers)
    office.session.commit()
    return mail


def _reader(office: Post, row: MailRow) -> Reader:
    """Staff read in UTC, as on their pages; who declared something, in its zone."""
    account = _account(office, row)
    if row.kind in TYPED:
        return Reader(row.locale, ZONE)
    return Reader(row.locale, account.zone, account.name) if account else Reader(row.locale)


def _account(office: Post, row: MailRow) -> AccountRow | None:
    """None for a mail of no account's."""
    if row.account_id is None:
        return None
    return office.session.get_one(AccountRow, (row.environment_id, row.account_id))


def _mark(office: Post, mail_id: int, reason: str, *, answered: bool) -> None:
    """Note a try that failed, and give up after the last. answered: it certainly did not leave."""
    office.session.rollback()
    row = _row(office, mail_id)
    row.failure = reason
    if answered:
        row.unanswered -= 1
    if row.tries >= MOST_TRIES or reason == LOST:
        row.status = "failed"
        _record_failure(office, row)
    log.warning("mail_not_sent", mail_id=mail_id, reason=reason, status=row.status)
    office.session.commit()


def _record_failure(office: Post, row: MailRow) -> None:
    """For the account's history, or the tenant's own: somebody was not told."""
    account = _account(office, row)
    at = billing_now(account, office.wall) if account else office.wall
    doer = Doer(DOER, row.account_id)
    told, detail = EventName.MAIL_FAILED, {"kind": row.kind, "recipient": row.recipient}
    record(office.session, office.scope, doer, told, f"mail:{row.id}", at, **detail)


def _row(office: Post, mail_id: int) -> MailRow:
    key = (office.scope.environment_id, mail_id)
    return office.session.get_one(MailRow, key, populate_existing=True)
