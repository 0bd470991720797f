"""Messages to the host: sent until they arrive, for three days, and what operators do about it."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from portal.domain.errors import Conflict, NotFound
from portal.domain.webhooks import MOST_TRIES, Answer, NotDelivered
from portal.queries.webhooks import endpoints, messages
from portal.services import webhooks
from portal.services.delivering import Delivered, deliver_due, forget_old
from tests.services.hearing import URL, Host, Office


@pytest.fixture
def office(world):
    return Office(world)


def test_it_is_tried_ten_times_over_three_days_with_the_same_body(office, world):
    office.add("purchase.settled")
    world.buy(world.account(), "salesforce")
    office.host.answer = Answer(500, "oh no")
    began, tries = world.now, []
    while office.rows()[0].status == "queued":
        if office.deliver() == Delivered(0, 1):
            tries.append(world.now - began)
        world.pass_time(minutes=1)
    assert len(tries) == MOST_TRIES == 10
    assert tries[:4] == [timedelta(minutes=m) for m in (0, 1, 6, 36)]
    assert timedelta(days=2, hours=23) < tries[-1] < timedelta(days=3, hours=1)
    assert len({parcel.body for parcel, _ in office.host.got}) == 1
    row = office.rows()[0]
    assert (row.status, row.answer_status, row.answer) == ("failed", 500, "oh no")
    assert office.deliver() == Delivered(0, 0)


@pytest.mark.parametrize("answer", [Answer(301, ""), Answer(404, ""), NotDelivered("no route")])
def test_anything_but_2xx_is_tried_again(answer, office, world):
    office.add("purchase.settled")
    world.buy(world.account(), "salesforce")
    office.host.answer = answer
    assert office.deliver() == Delivered(0, 1)
    assert office.deliver() == Delivered(0, 0), "not before its time"
    world.pass_time(minutes=1)
    office.host.answer = Answer(204, "")
    assert office.deliver() == Delivered(1, 0)
    assert office.rows()[0].status == "delivered"


def test_one_that_died_half_way_is_sent_again_under_the_same_key(office, world):
    office.add("purchase.settled")
    world.buy(world.account(), "salesforce")
    office.host.answer = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        office.deliver()
    office.host.answer = Answer(200, "")
    world.pass_time(minutes=1)
    assert office.deliver() == Delivered(1, 0)
    assert len({parcel.body for parcel, _ in office.host.got}) == 1


def test_one_bad_message_holds_up_no_other(office, world):
    office.add("purchase.settled")
    actor = world.account()
    world.buy(actor, "salesforce")
    office.host.answer = Answer(500, "")
    office.deliver()
    world.buy(actor, "zendesk")
    office.host.answer = Answer(200, "")
    assert office.deliver() == Delivered(1, 0)


def test_workers_beside_each_other_send_each_once(office, world):
    office.add()
    actor = world.account()
    for _ in range(5):
        world.buy(actor, "messages_10k")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: office.deliver(), range(4)))
    keys = [json.loads(parcel.body)["id"] for parcel, _ in office.host.got]
    assert len(keys) == len(set(keys)) == len(office.rows()) == 15


class Slow(Host):
    """Takes its time, in which others may work."""

    def __init__(self, world, seconds, answers=None, meanwhile=lambda: None):
        super().__init__()
        self.world, self.seconds, self.answers = world, seconds, answers or {}
        self.meanwhile, self.late = meanwhile, []

    def send(self, parcel, at):
        self.late.append(self.world.now - at)
        self.world.pass_time(seconds=self.seconds)
        self.meanwhile()
        super().send(parcel, at)
        return self.answers.get(parcel.endpoint_id, Answer(200, ""))

    def sent_to(self):
        return [parcel.endpoint_id for parcel, _ in self.got]


def test_each_is_signed_and_claimed_when_it_leaves_however_slow_those_before_it(office, world):
    office.add("purchase.settled")
    actor = world.account()
    for _ in range(5):
        world.buy(actor, "messages_10k")
    beside = Office(world)
    office.host = Slow(world, 14, meanwhile=lambda: office.host.late[4:] and beside.deliver())
    office.deliver()
    assert office.host.late == [timedelta(0)] * len(office.host.late)
    sent = [json.loads(each.body)["id"] for each, _ in office.host.got + beside.host.got]
    assert len(sent) == len(set(sent)) == 5, "none by a second worker while it is on its way"


def test_a_dead_endpoint_holds_up_no_other(office, world):
    dead = office.add("purchase.settled")
    actor = world.account()
    for _ in range(5):
        world.buy(actor, "messages_10k")
    alive = office.add("purchase.settled")
    for _ in range(2):
        world.buy(actor, "messages_10k")
    office.host = Slow(world, 10, {dead: Answer(500, "")})
    office.deliver()
    assert office.host.sent_to() == [dead, alive, alive, dead, dead], "then it rests"
    office.host.seconds = 0
    world.buy(actor, "messages_10k")
    assert office.deliver() == Delivered(1, 0)
    world.pass_time(minutes=1)
    office.host.answers = {}
    assert office.deliver() == Delivered(8, 0), "it is back, and nothing was lost"


def test_endpoints_take_turns_and_a_run_ends(office, world):
    slow = office.add("purchase.settled")
    actor = world.account()
    for _ in range(10):
        world.buy(actor, "messages_10k")
    other = office.add("purchase.settled")
    world.buy(actor, "messages_10k")
    office.host = Slow(world, 9)
    assert office.deliver() == Delivered(7, 0)
    assert office.host.sent_to() == [slow, other, *[slow] * 5]


def test_no_transaction_is_open_while_the_host_is_waited_for(office, world):
    office.add("purchase.settled")
    world.buy(world.account(), "salesforce")
    with world.session() as session:

        class Watching(Host):
            def send(self, parcel, at):
                assert not session.in_transaction()
                return super().send(parcel, at)

        done = deliver_due(session, world.scope, courier=Watching(), now=lambda: world.wall)
    assert done == Delivered(1, 0)


def test_paused_messages_wait_and_removed_ones_do_not_go(office, world):
    paused, removed = office.add("purchase.settled"), office.add("purchase.settled")
    office.do(webhooks.pause, paused)
    world.buy(world.account(), "salesforce")
    office.do(webhooks.remove, removed)
    assert office.deliver() == Delivered(0, 0)
    office.do(webhooks.resume, paused)
    assert office.deliver() == Delivered(1, 0)
    assert office.host.got[0][0].endpoint_id == paused
    with world.session() as session:
        assert [each.id for each in endpoints(session, world.scope)] == [paused]


def test_two_secrets_sign_until_the_overlap_ends(office, world):
    endpoint, actor = office.add("purchase.settled"), world.account()
    assert office.do(webhooks.rotate, endpoint, timedelta(hours=1)) == 2
    with pytest.raises(Conflict, match="two secrets"):
        office.do(webhooks.rotate, endpoint, timedelta(hours=1))
    world.buy(actor, "salesforce")
    office.deliver()
    world.pass_time(hours=1)
    world.buy(actor, "zendesk")
    office.deliver()
    assert [parcel.generations for parcel, _ in office.host.got] == [(2, 1), (2,)]


def test_replay(office, world):
    endpoint, actor = office.add("purchase.settled"), world.account()
    world.buy(actor, "salesforce")
    office.deliver()
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)

    def replay(since=long_ago, failed_only=True):
        with world.session() as session:
            return webhooks.replay(
                session, world.scope, endpoint, since, world.wall, failed_only=failed_only
            )

    assert replay() == 0
    assert replay(since=datetime(2100, 1, 1, tzinfo=UTC), failed_only=False) == 0
    assert replay(failed_only=False) == 1
    assert office.deliver() == Delivered(1, 0)
    assert len({parcel.body for parcel, _ in office.host.got}) == 1
    with world.session() as session, pytest.raises(NotFound):
        webhooks.replay(session, world.scope, 99, long_ago, world.wall, failed_only=True)


def test_old_ones_are_forgotten_and_waiting_ones_never(office, world):
    office.add("purchase.settled")
    office.do(webhooks.pause, office.add("purchase.settled"))
    world.buy(world.account(), "salesforce")
    office.deliver()
    world.pass_time(days=30)
    assert office.do(forget_old) == 0
    world.pass_time(seconds=1)
    assert office.do(forget_old) == 1
    assert [row.status for row in office.rows()] == ["queued"]


@pytest.mark.parametrize(
    ("url", "types"),
    [("ftp://host.test", []), ("host.test", []), ("https://", []), ("", []),
     ("https://name:password@host.test/", []), (URL, ["purchase.happened"])],
)  # fmt: skip
def test_what_cannot_be_an_endpoint(url, types, office):
    with pytest.raises(Conflict):
        office.add(*types, url=url)


def test_the_last_answer_is_kept_short(office, world):
    endpoint = office.add("purchase.settled")
    world.buy(world.account(), "salesforce")
    office.host.answer = Answer(503, "x" * 1000)
    office.deliver()
    with world.session() as session:
        (message,) = messages(session, world.scope, endpoint, 10)
    assert (message.status, message.tries, message.answer_status) == ("queued", 1, 503)
