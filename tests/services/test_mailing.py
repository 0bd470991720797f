"""Mail: stored with what it tells of, once for each member, and sent once whatever dies between."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, text, update

from portal.domain.access import Actor, Role
from portal.domain.declaration_notices import TYPED
from portal.domain.enclosures import invoice_of
from portal.domain.mails import MOST_TRIES, PAUSES, Attachment, NotSent, Reader, Unanswered
from portal.domain.notices import STAFF_KINDS, Invoiced, Notice
from portal.domain.use_notices import UsageDigest
from portal.gateways.queue import JobQueue
from portal.models.accounts import PaymentMethodRow, PersonRow
from portal.models.events import EventRow
from portal.models.invoices import InvoiceRow
from portal.models.mails import MailRow
from portal.models.subscriptions import SubscriptionRow
from portal.services import instances
from portal.services.mailing import LOST, Sent, post
from portal.services.queueing import QUEUE
from portal.services.reminding import remind_of_cards
from tests.services.paying import Till
from tests.support.ending_notices import ADD_ON_CANCELLED
from tests.support.mails import Office
from tests.support.notices import BOUGHT, FAILED, NOTICES
from tests.support.world import World


@pytest.fixture
def office(world: World) -> Office:
    return Office(world)


def tell(world: World, account_id: int, notice: Notice = BOUGHT, *, keep: bool = True) -> None:
    with world.session() as session:
        session.info[QUEUE] = JobQueue()
        post(session, world.scope, account_id, notice)
        if keep:
            session.commit()


def jobs(world: World) -> list[tuple[str, str, dict[str, int]]]:
    with world.session() as session:
        found = session.execute(
            text("select queue_name, task_name, args from procrastinate_jobs order by id")
        )
        return [tuple(row) for row in found]


def test_each_member_who_may_act_gets_one_in_their_language(world, office):
    owner = world.account()
    world.member(owner.account_id, "billing@one.test", Role.BILLING)
    world.member(owner.account_id, "member@one.test", Role.MEMBER)
    world.account()
    world.change(update(PersonRow).where(PersonRow.email == "billing@one.test").values(locale="fr"))
    tell(world, owner.account_id)
    rows = office.rows()
    assert [(r.recipient, r.locale, r.status) for r in rows] == [
        ("owner@account1.test", "", "queued"),
        ("billing@one.test", "fr", "queued"),
    ]
    assert rows[0].key == f"purchased:7:{owner.person_id}"


def test_a_repeat_is_neither_stored_nor_sent(world, office):
    owner = world.account()
    tell(world, owner.account_id)
    tell(world, owner.account_id)
    assert len(office.rows()) == len(jobs(world)) == 1
    assert office.send() == Sent(1, 0)
    tell(world, owner.account_id)
    assert office.send() == Sent(0, 0)
    assert len(jobs(world)) == 1


def test_mail_and_job_go_with_the_transaction_that_wanted_them(world, office):
    owner = world.account()
    tell(world, owner.account_id, keep=False)
    assert (office.rows(), jobs(world)) == ([], [])
    tell(world, owner.account_id)
    environment_id = world.scope.environment_id
    job = (f"environment-{environment_id}", "send_mail", {"environment_id": environment_id})
    assert jobs(world) == [job]


CHOSEN = {UsageDigest.kind, *(each.kind for each in STAFF_KINDS), *TYPED}
ALWAYS = [notice for notice in NOTICES if notice.kind not in CHOSEN]
"""The digest goes only to those who chose it, what staff ask of each other to no member,
what is said to somebody who declared something to the address they gave."""


@pytest.mark.parametrize("notice", ALWAYS, ids=lambda n: n.kind)
def test_every_figure_arrives_as_it_was_stored(world, office, notice):
    owner = world.account(zone="Asia/Tokyo")
    notice = of_a_real_invoice(office, owner, notice)
    tell(world, owner.account_id, notice)
    assert office.send() == Sent(1, 0)
    assert office.writer.written == [(notice, Reader("", "Asia/Tokyo", "Account1"))]


def of_a_real_invoice(office: Office, owner: Actor, notice: Notice) -> Notice:
    """The notice about an invoice that is there, where it is about one."""
    if invoice_of(notice) is None:
        return notice
    office.world.buy(owner, "sms_10k")
    office.empty()
    with office.world.session() as session:
        invoice = session.scalars(select(InvoiceRow)).one()
    return replace(notice, invoice=Invoiced(invoice.id, invoice.number))


def test_the_invoices_pdf_goes_along(world, office):
    owner = world.account()
    tell(world, owner.account_id, of_a_real_invoice(office, owner, FAILED))
    tell(world, owner.account_id)
    office.send()
    by_kind = {m.letter.subject: m.attachments for m in office.bag.mails}
    assert by_kind["purchased"] == ()
    paper = Attachment("invoice-000001.pdf", b"%PDF IssuedInvoice 000001")
    assert by_kind["payment_failed"] == (paper,)


def test_without_a_pdf_the_mail_goes_all_the_same(world, office):
    owner = world.account()
    office.printer.broken = True
    tell(world, owner.account_id, of_a_real_invoice(office, owner, FAILED))
    assert office.send() == Sent(1, 0)
    assert office.bag.mails[0].attachments == ()


def test_what_was_said_is_kept_and_marked(world, office):
    tell(world, world.account().account_id)
    office.send()
    [row] = office.rows()
    assert (row.subject, row.html, row.status, row.sent_at) == (
        "purchased", "<p>purchased</p>", "sent", world.now,
    )  # fmt: skip
    assert (row.tries, row.unanswered, row.failure) == (1, 0, "")


def test_what_is_refused_is_tried_later_and_later_and_then_given_up(world, office):
    tell(world, world.account().account_id)
    office.bag.troubles = [NotSent("450 later")] * MOST_TRIES
    for pause in PAUSES:
        assert office.send() == Sent(0, 1)
        assert office.send() == Sent(0, 0), "not at once"
        world.now += pause - timedelta(seconds=1)
        assert office.send() == Sent(0, 0)
        world.pass_time(seconds=1)
    assert office.rows()[0].status == "queued"
    office.send()
    [row] = office.rows()
    assert (row.status, row.failure, row.tries, row.unanswered) == ("failed", "450 later", 5, 0)
    with world.session() as session:
        told = session.scalars(select(EventRow).filter_by(name="mail:failed")).one()
    assert (told.account_id, told.subject) == (row.account_id, f"mail:{row.id}")
    assert told.detail == {"kind": "purchased", "recipient": "owner@account1.test"}
    world.pass_time(days=9)
    assert office.send() == Sent(0, 0)


def test_one_bad_mail_holds_up_no_other(world, office):
    owner = world.account()
    tell(world, owner.account_id, ADD_ON_CANCELLED)
    tell(world, owner.account_id)
    office.writer.mute = "add_on_cancelled"
    assert office.send() == Sent(1, 1)
    assert [r.failure for r in office.rows()] == ["not written: KeyError", ""]


def test_a_worker_that_dies_in_the_middle_sends_once_more_and_no_oftener(world, office):
    tell(world, world.account().account_id)
    office.bag.troubles = [SystemExit(), SystemExit(), SystemExit()]
    for pause in PAUSES[:2]:
        with pytest.raises(SystemExit):
            office.send()
        assert office.send() == Sent(0, 0), "it may still be under way"
        world.now += pause
    assert office.send() == Sent(0, 1)
    [row] = office.rows()
    assert (row.status, row.failure) == ("failed", LOST)
    assert len(office.bag.troubles) == 1, "it left twice at most"


def test_a_worker_that_died_leaves_the_mail_to_the_next(world, office):
    tell(world, world.account().account_id)
    office.bag.troubles = [SystemExit()]
    with pytest.raises(SystemExit):
        office.send()
    world.now += PAUSES[0]
    assert office.send() == Sent(1, 0)
    assert office.rows()[0].status == "sent"


def test_a_server_that_goes_silent_counts_as_having_taken_it(world, office):
    tell(world, world.account().account_id)
    silent = Unanswered("timed out")
    office.bag.troubles = [silent, NotSent("450 later"), silent, silent]
    for pause in PAUSES[:3]:
        assert office.send() == Sent(0, 1)
        world.now += pause
    office.send()
    [row] = office.rows()
    assert (row.status, row.failure, len(office.bag.troubles)) == ("failed", LOST, 1)


def test_several_workers_send_each_mail_once(world, office):
    owner = world.account()
    for number in range(12):
        world.member(owner.account_id, f"p{number}@one.test", Role.OWNER)
    tell(world, owner.account_id)
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: office.send(), range(4)))
    assert sum(each.mails for each in done) == 13
    assert len({m.recipient for m in office.bag.mails}) == len(office.bag.mails) == 13


def test_cancelling_is_confirmed_by_mail_each_time_it_is_done(world, office):
    owner = world.account()
    world.buy(owner, "members_5")
    [held] = [i.id for i in world.state(owner).held]
    with world.session() as session:
        for act in (instances.cancel, instances.cancel, instances.keep, instances.cancel):
            told = ("",) if act is instances.cancel else ()
            act(owner, held, *told, session=session, wall=world.wall)
            world.pass_time(minutes=1)
    cancelled = [r for r in office.rows() if r.kind == "add_on_cancelled"]
    assert len(cancelled) == 2
    assert cancelled[0].notice["ends_at"] == "2026-05-01T00:00:00Z"


def test_money_that_goes_back_is_told_once(world, office):
    till = Till(world)
    buyer = world.account(card=None)
    opened = world.buy(buyer, "messages_10k")
    till.gateway.pay_page(till.page(opened.purchase_id))
    world.pass_time(days=60)
    for _ in range(2):
        till.finish(buyer, opened.purchase_id)
    told = [r for r in office.rows() if r.kind == "refunded"]
    assert [(r.notice["failed"], r.notice["reason"]) for r in told] == [(False, "period_over")]
    assert told[0].notice["amount"]["currency"] == "usd"


def test_a_default_card_that_ends_soon_is_told_of_twice_while_something_renews(world, office):
    owner = world.account()
    world.account(card=None)
    ends = {"exp_month": world.now.month + 1, "exp_year": world.now.year}
    world.change(update(PaymentMethodRow).values(**ends))
    for days in (0, 1, 30, 5):
        world.pass_time(days=days)
        with world.session() as session:
            remind_of_cards(session, world.scope, world.wall)
    assert [(r.kind, r.notice["reminder"]) for r in office.rows()] == [
        ("card_expiring", 1), ("card_expiring", 2),
    ]  # fmt: skip
    assert {r.account_id for r in office.rows()} == {owner.account_id}


def test_a_card_that_nothing_is_charged_to_is_not_mentioned(world):
    world.account()
    world.change(
        update(PaymentMethodRow).values(exp_month=world.now.month, exp_year=world.now.year),
        update(SubscriptionRow).values(status="suspended"),
    )
    with world.session() as session:
        remind_of_cards(session, world.scope, world.wall)
    assert world.rows(MailRow) == 0


def test_a_good_card_is_not_mentioned(world):
    world.account()
    world.change(update(PaymentMethodRow).values(exp_month=12, exp_year=world.now.year + 3))
    with world.session() as session:
        remind_of_cards(session, world.scope, world.wall)
    assert world.rows(MailRow) == 0
