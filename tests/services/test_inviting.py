"""Invitations: by owners, for one address, once, for a week; and what accepting comes to."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from portal.domain.access import Role
from portal.domain.errors import Forbidden, NotFound
from portal.domain.passwords import Weakness
from portal.models.accounts import PersonRow
from portal.models.events import EventRow
from portal.models.invitations import InvitationRow
from portal.models.mails import MailRow
from portal.services import auditing
from portal.services.forgetting import forget_sign_ins
from portal.services.inviting import Needless, Sent
from portal.services.joining import Joined, NotTheirs, SignInFirst
from portal.services.sessions import Entered
from portal.services.sign_in import CodeAsked
from portal.services.throttling import Paused, Refused
from tests.services.entering import HERE, SECOND
from tests.services.gathering import ADA, NEW, Party
from tests.support.mails import Office

WEEK = timedelta(days=7)


@pytest.fixture
def party(world) -> Party:
    return Party(world)


def test_a_newcomer_sets_a_password_and_is_in(party):
    entered = party.join(party.invited("ada@new.test", Role.BILLING))
    assert isinstance(entered, Entered)
    found = party.door.member(entered.sid)
    assert (found.email, found.name, found.actor.role) == ("ada@new.test", "Ada", Role.BILLING)
    assert found.actor.account_id == party.owner.account_id
    assert party.rows() == 0
    assert isinstance(party.try_in("ada@new.test", NEW), Entered)
    inviter, ada = f"person:{party.owner.person_id}", f"person:{found.actor.person_id}"
    assert party.told() == [("invitation:sent", inviter), ("member:joined", ada)]


@pytest.mark.parametrize("role", list(Role))
def test_only_owners_invite_send_again_and_withdraw(party, role):
    who = party.add(role)
    party.invited("first@new.test")
    number = party.waiting()[0].id
    if role is Role.OWNER:
        assert party.invite("second@new.test", by=who) == Sent("second@new.test")
        return
    for act in (
        lambda: party.invite("second@new.test", by=who),
        lambda: party.send_again(who, number),
        lambda: party.withdraw(who, number),
    ):
        with pytest.raises(Forbidden):
            act()
    assert party.rows() == 1
    assert len(party.mails()) == 1


def test_the_answer_does_not_tell_who_has_an_account_elsewhere(party):
    Party(party.world).add(Role.OWNER, "known@elsewhere.test")
    known, unknown = party.invite("known@elsewhere.test"), party.invite("nobody@elsewhere.test")
    assert known == replace(unknown, email="known@elsewhere.test")
    first, second = party.waiting()
    assert replace(first, id=second.id, email=second.email) == second
    first, second = (mail.notice for mail in party.mails())
    assert first | {"nonce": ""} == second | {"nonce": ""}


def test_a_link_is_good_for_a_week_and_once(party, world):
    written = party.invited("ada@new.test")
    world.now += WEEK
    assert party.join(written) is None
    assert party.waiting()[0].is_over
    world.now -= SECOND
    assert isinstance(party.join(written), Entered)
    assert party.join(written) is None


@pytest.mark.parametrize("written", ["", "made-up", "0" * 64])
def test_a_made_up_link_makes_nobody_a_member(party, written):
    party.invited("ada@new.test")
    assert party.join(written) is None
    assert party.accept(written, party.door.enter().sid) is None
    assert party.roles() == ["owner"]


def test_of_many_at_once_one_joins(party):
    written = party.invited("ada@new.test")
    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(lambda _: party.join(written), range(4)))
    assert [type(each) for each in outcomes].count(Entered) == 1
    assert outcomes.count(None) == 3
    assert party.roles() == ["admin", "owner"]


def test_withdrawn_it_opens_nothing(party):
    written = party.invited("ada@new.test")
    number = party.waiting()[0].id
    party.withdraw()
    assert party.join(written) is None
    assert party.waiting() == []
    for act in (party.withdraw, party.send_again):
        with pytest.raises(NotFound):
            act(number=number)
    assert party.invite("ada@new.test") == Sent("ada@new.test")


def test_sent_again_it_has_another_link_and_another_week(party, world):
    first = party.invited("ada@new.test")
    world.now += timedelta(days=8)
    assert party.send_again() == Sent("ada@new.test")
    second = party.link()
    assert party.join(first) is None
    world.now += WEEK - SECOND
    assert isinstance(party.join(second), Entered)
    assert [name for name, _ in party.told()][:2] == ["invitation:sent", "invitation:sent_again"]


def test_invitations_of_other_accounts_are_not_found(party):
    theirs = Party(party.world)
    theirs.invited("ada@new.test")
    number = theirs.waiting()[0].id
    for act in (party.withdraw, party.send_again):
        with pytest.raises(NotFound):
            act(number=number)
    assert theirs.rows() == 1


def test_members_and_the_invited_are_not_invited_again(party):
    party.add(Role.MEMBER, "here@party.test")
    assert party.invite("HERE@party.test") is Needless.MEMBER
    party.invited("ada@new.test")
    assert party.invite("Ada@New.test") is Needless.INVITED
    assert party.rows() == 1


def test_mails_to_one_address_and_of_one_account_are_throttled(party, world):
    party.invited("ada@new.test")
    assert [party.send_again() for _ in range(2)] == [Sent("ada@new.test")] * 2
    assert party.send_again() == Paused(timedelta(minutes=15))
    party.withdraw()
    assert party.invite("ada@new.test") == Paused(timedelta(minutes=15))
    for number in range(27):
        party.invited(f"number{number}@new.test")
    assert isinstance(party.invite("more@new.test"), Paused)
    assert Party(world).invite("ada@new.test") == Sent("ada@new.test")
    assert len(party.mails()) == 30
    world.now += timedelta(minutes=15)
    assert party.invite("more@new.test") == Sent("more@new.test")


def test_who_has_an_account_signs_in_and_goes_on_in_the_new_one(party):
    elsewhere = Party(party.world)
    written = party.invited(elsewhere.door.email.upper(), Role.MEMBER)
    assert party.join(written) == SignInFirst()
    sid = elsewhere.door.enter().sid
    joined = party.accept(written, sid)
    assert isinstance(joined, Joined)
    assert party.door.member(sid) is None, "the id before is worth nothing"
    found = party.door.member(joined.sid)
    assert (found.actor.account_id, found.actor.role) == (party.owner.account_id, Role.MEMBER)
    assert elsewhere.try_in(elsewhere.door.email, NEW) == Refused(), "no password was set"
    assert elsewhere.roles() == ["owner"]


def test_somebody_else_does_not_accept_it(party):
    other = Party(party.world)
    written = party.invited("ada@new.test")
    for door in (other.door, party.door):
        assert party.accept(written, door.enter().sid) == NotTheirs()
    assert party.roles() == ["owner"]
    assert isinstance(party.join(written), Entered)


def test_a_weak_password_does_not_spend_the_link(party):
    written = party.invited("ada@new.test")
    assert party.join(written, replace(ADA, password="short")) is Weakness.SHORT
    assert party.join(written, replace(ADA, password="ada@new.test")) is Weakness.OWN
    assert isinstance(party.join(written), Entered)


def test_who_became_a_member_meanwhile_keeps_their_role(party):
    written = party.invited("ada@new.test", Role.OWNER)
    party.add(Role.MEMBER, "ada@new.test")
    assert isinstance(party.accept(written, party.enter("ada@new.test").sid), Joined)
    assert party.roles() == ["member", "owner"]
    assert [name for name, _ in party.told()][:1] == ["invitation:sent"]
    assert party.rows() == 0


def test_who_was_removed_comes_back_with_a_new_password_and_the_old_second_step(party):
    other = party.add(Role.MEMBER, "back@party.test")
    door = party.door
    door.email = "back@party.test"
    secret, _ = door.turn_on(door.enter().sid)
    party.remove(other)
    outcome = party.join(party.invited("back@party.test", Role.ADMIN))
    assert isinstance(outcome, CodeAsked)
    entered = door.show(outcome.challenge, door.code(secret))
    assert door.member(entered.sid).actor.role is Role.ADMIN


def test_two_accounts_may_invite_one_newcomer_who_joins_once_and_accepts_once(party):
    other = Party(party.world)
    first, second = party.invited("ada@new.test"), other.invited("ada@new.test")
    sid = party.join(first).sid
    assert other.join(second) == SignInFirst()
    assert isinstance(other.accept(second, sid), Joined)


def test_the_mail_speaks_the_inviters_language_and_the_outbox_keeps_no_letter(party, world):
    mine = PersonRow.id == party.owner.person_id
    world.change(update(PersonRow).where(mine).values(locale="de", name="Olga"))
    written = party.invited("ada@new.test")
    office = Office(world)
    assert office.send().mails == 1
    with world.session() as session:
        mail = session.scalars(select(MailRow)).one()
        row = session.scalars(select(InvitationRow)).one()
    assert (mail.recipient, mail.locale, mail.notice["inviter"]) == ("ada@new.test", "de", "Olga")
    assert (mail.status, mail.text, mail.html) == ("sent", "", "")
    assert written not in f"{mail.notice} {row.digest}"


def test_what_happens_is_sealed_with_the_address_it_came_from(party, world):
    entered = party.join(party.invited("ada@new.test"))
    ada = party.door.member(entered.sid).actor
    party.change(ada, Role.MEMBER)
    party.remove(ada)
    mine = select(EventRow).where(EventRow.name.startswith("member:"))
    with world.session() as session:
        assert auditing.verify(session, world.scope, {}) == []
        joined, changed, removed = session.scalars(mine.order_by(EventRow.id))
    assert (joined.address, joined.subject) == (HERE, f"person:{ada.person_id}")
    assert changed.detail == {"before": "admin", "after": "member"}
    assert removed.subject == joined.subject


def test_an_invitation_is_forgotten_a_month_after_its_end(party, world):
    party.invited("ada@new.test")
    world.now += WEEK + timedelta(days=30) - SECOND
    for left in (1, 0):
        with world.session() as session:
            forget_sign_ins(session, world.scope, world.wall)
        assert party.rows() == left
        world.now += SECOND
