"""Two workers renew what is due, one of them killed in the middle: each is billed once.

The bench does the same with thousands.
"""

from __future__ import annotations

from flask import Flask

from bench.places import Place
from bench.renewals import check, fill, renew

DUE = 60


def test_each_is_renewed_once_and_declines_hold_up_nobody(world, world_database, capsys):
    here = Place(world, Flask("none"), world_database.app_url, world_database.owner_url)
    fill(here, DUE - 1)
    renew(here, DUE)
    assert check(here, DUE) == []
    assert capsys.readouterr().out == "57 paid, 3 declined and past due\n"
