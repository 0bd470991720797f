"""The demo host over real HTTP: what it says was done was reported, by the account's own clock."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update

from portal.domain.keys import Access
from portal.host.app import create_host
from portal.host.billing import Billing
from portal.models.accounts import AccountRow
from tests.api.conftest import new_key

EVERYBODY = "60,000 of 100,000 messages used"


@pytest.fixture
def chat(module_stage):
    """Makes a host for a new account with a key that may do so much."""
    world, address = module_stage

    def chat(access=Access.WRITE, **ahead):
        key = world.key_of(world.account())
        clock = update(AccountRow).where(AccountRow.key == f"account{key}")
        world.change(clock.values(test_clock_at=world.now + timedelta(**ahead)))
        member = f"owner@account{key}.test"
        return create_host(
            Billing(address, new_key(world, access), f"account{key}", member)
        ).test_client()

    return chat


def test_use_is_reported_by_the_clock_of_the_account(chat):
    host = chat(days=87)
    host.post("/campaign")
    page = host.get("/").text
    assert "All written." in page
    assert EVERYBODY in page
    host.post("/campaign")
    assert "That is more than you have left." in host.get("/").text


def test_what_could_not_be_reported_was_not_written_and_why(chat):
    host = chat(Access.READ)
    host.post("/campaign")
    page = host.get("/").text
    assert "All written." not in page
    assert "Not written, as it could not be reported. This key may only read." in page
