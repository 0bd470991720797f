"""Staff get a mail when one of them waits for another's word, and when it was given."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.domain.errors import Conflict
from portal.domain.mails import PAUSES, NotSent, Reader
from portal.domain.support import APPROVABLE
from portal.models.events import EventRow
from portal.models.identities import StaffIdentityRow
from portal.models.mails import MailRow
from tests.services.approving import Glass
from tests.services.staffing import StaffDoor
from tests.support.mails import Office

ASKED, ANSWERED = "approval_asked", "approval_answered"


def mails(glass: Glass, kind: str) -> dict[str, dict[str, object]]:
    """What was stored of it, by address."""
    mine = select(MailRow).where(MailRow.kind == kind).order_by(MailRow.id)
    with glass.world.session() as session:
        return {row.recipient: row.notice for row in session.scalars(mine)}


def test_all_who_could_approve_are_asked_and_nobody_else(glass):
    glass.ask("Ann")
    told = mails(glass, ASKED)
    assert set(told) == {"ben@staff.test", "cleo@staff.test"}
    until = glass.world.now + APPROVABLE
    assert told["ben@staff.test"] == {
        "approval_id": 1, "staff": "Ann", "account": "Account1", "reason": "A figure is wrong.",
        "ticket": "T-1", "expires_at": until.isoformat().replace("+00:00", "Z"),
    }  # fmt: skip


def test_who_was_ended_reset_or_never_came_in_is_not_asked(glass):
    glass.end("Cleo")
    StaffDoor(glass.world, "dan@staff.test", name="Dan").add()
    StaffDoor(glass.world, "ben@staff.test", name="Ben").reset()
    glass.ask("Ann")
    assert mails(glass, ASKED) == {}


def test_whom_an_identity_provider_knows_is_asked(glass):
    door = StaffDoor(glass.world, "dan@staff.test", name="Dan")
    door.add()
    with glass.world.session() as session:
        session.add(
            StaffIdentityRow(
                environment_id=glass.world.scope.environment_id, staff_id=4,
                issuer="https://id.test", subject="dan", created_at=glass.world.now,
            )
        )  # fmt: skip
        session.commit()
    glass.ask("Ann")
    assert "dan@staff.test" in mails(glass, ASKED)


@pytest.mark.parametrize("approved", [True, False])
def test_who_asked_is_told_once_what_came_of_it(glass, approved):
    wish = glass.ask("Ann")
    glass.world.now += timedelta(minutes=9)
    glass.answer("Ben", wish, approved=approved)
    with pytest.raises(Conflict):
        glass.answer("Cleo", wish)
    told = mails(glass, ANSWERED)
    assert set(told) == {"ann@staff.test"}
    [said] = told.values()
    assert (said["staff"], said["account"], said["is_approved"]) == ("Ben", "Account1", approved)
    assert said["expires_at"] == glass.wish(wish).expires_at.isoformat().replace("+00:00", "Z")


def test_each_wish_is_told_and_each_mail_goes_out_in_utc(glass):
    office = Office(glass.world)
    glass.answer("Ben", glass.ask("Ann"), approved=False)
    glass.ask("Ann")
    office.send()
    sent = [mail.letter.subject for mail in office.bag.mails]
    assert sorted(sent) == [ANSWERED, *[ASKED] * 4]
    assert {reader for _, reader in office.writer.written} == {Reader("", "UTC", "")}


def test_one_that_is_given_up_is_in_the_tenants_own_history(glass):
    office = Office(glass.world)
    office.bag.troubles = [NotSent("no such mailbox")] * 10
    glass.ask("Ann")
    for pause in (timedelta(0), *PAUSES):
        glass.world.now += pause
        office.send()
    assert {row.status for row in office.rows()} == {"failed"}
    with glass.world.session() as session:
        failed = session.scalars(select(EventRow).filter_by(name="mail:failed")).all()
    assert [row.account_id for row in failed] == [None, None]
    assert {row.detail["recipient"] for row in failed} == {"ben@staff.test", "cleo@staff.test"}
