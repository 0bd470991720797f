"""`flask audit`: each fault in a chain is named; ends that were kept elsewhere must still stand."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from click.testing import Result

from portal.domain.chain import NOTHING
from portal.local.roles import connect
from tests.support.database import Database

Run = Callable[..., Result]


@pytest.fixture
def flask(commands) -> Run:
    return partial(commands, "audit")


@pytest.fixture
def account(world) -> int:
    """An account with a chain of six links or more."""
    actor = world.account()
    for add_on in ("salesforce", "messages_10k"):
        world.buy(actor, add_on)
    return actor.account_id


def harm(database: Database, *statements: str) -> None:
    with connect(database.owner_url) as owner:
        for statement in statements:
            owner.execute(statement)


def test_whole_chains_are_called_whole(account, flask):
    done = flask("verify")
    assert (done.exit_code, done.output) == (0, "Every event is as it was sealed.\n")


UNBOUND = "alter table event_seals drop constraint fk_event_seals_environment_id_event_id"
SECOND = "account_id = {id} and position = 2"
EVENT = f"(select event_id from event_seals where {SECOND})"
FAULTS = {
    "an actor": (f"update events set actor = 'x' where id = {EVENT}", "of link 2 is not as it was"),
    "a detail": (f"update events set detail = jsonb_build_object('a', 1) where id = {EVENT}",
                 "of link 2 is not as it was sealed"),
    "an instant": (f"update events set at = at + interval '1 microsecond' where id = {EVENT}",
                   "of link 2 is not as it was sealed"),
    "an address": (f"update events set address = '192.0.2.1' where id = {EVENT}",
                   "of link 2 is not as it was sealed"),
    "an account": (f"update events set account_id = null where id = {EVENT}",
                   "of link 2 is not as it was sealed"),
    "an event gone": (f"{UNBOUND}; delete from events where id = {EVENT}", "of link 2 is gone"),
    "a link gone": (f"delete from event_seals where {SECOND}", "account {id}: link 2 is missing"),
    "links gone": ("delete from event_seals where account_id = {id} and position in (2, 3)",
                   "account {id}: links 2 to 3 are missing"),
    "an event without a link": (f"delete from event_seals where {SECOND}", " has no link"),
    "an event too many": (
        "insert into events (environment_id, account_id, actor, name, subject, at)"
        " select environment_id, account_id, 'x', 'card:added', 'card:1', at from events limit 1",
        "(card:added) has no link",
    ),
    "a seal": (f"update event_seals set digest = repeat('a', 64) where {SECOND}",
               "of link 2 is not as it was sealed"),
    "the end": ("delete from event_seals where account_id = {id} and position ="
                " (select length from event_chains where account_id = {id})", "should end at link"),
    "a forged end": ("update event_chains set digest = repeat('a', 64) where account_id = {id}",
                     "is not the one that the chain ended with"),
    "no end": ("delete from event_chains where account_id = {id}", "should end at link 0"),
    "the tenant's": ("update events set actor = 'x' where account_id is null", "the tenant: event"),
}  # fmt: skip


@pytest.mark.parametrize(("fault", "said"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_named_and_the_status_is_1(account, flask, world_database, fault, said):
    harm(world_database, fault.format(id=account))
    done = flask("verify")
    assert done.exit_code == 1
    assert said.format(id=account) in done.output
    assert "Every event" not in done.output


def test_a_chain_that_was_cut_and_its_end_with_it_is_found_by_the_end_that_was_kept(
    account, flask, world_database, tmp_path
):
    kept = tmp_path / "heads"
    kept.write_text(flask("heads").output)
    assert flask("verify", "--heads", str(kept)).exit_code == 0
    last = f"(select max(position) from event_seals where account_id = {account})"
    harm(
        world_database,
        f"with cut as (delete from event_seals where account_id = {account} and position = {last}"
        " returning event_id) select * from cut",
        "delete from events e where not exists (select 1 from event_seals s"
        " where s.event_id = e.id)",
        "update event_chains c set (length, digest) = (select position, digest from event_seals s"
        " where s.account_id = c.account_id order by position desc limit 1)",
    )
    assert flask("verify").exit_code == 0
    done = flask("verify", "--heads", str(kept))
    assert done.exit_code == 1
    assert f"account {account}: link" in done.output
    assert "is not the one that was kept" in done.output


def test_a_chain_that_went_whole_is_found_too(account, flask, tmp_path):
    kept = tmp_path / "heads"
    kept.write_text(f"{account + 1000} 3 {NOTHING}\n")
    done = flask("verify", "--heads", str(kept))
    assert done.output == f"account {account + 1000}: the whole chain is missing\n"
    kept.write_text("1 two three\n")
    done = flask("verify", "--heads", str(kept))
    assert (done.exit_code, "line 1 of" in done.output) == (1, True)
