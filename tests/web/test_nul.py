"""The character that PostgreSQL keeps nowhere is refused in plain words, wherever it is sent."""

from __future__ import annotations

import pytest

FORMS = (
    ("/sign-in", {"email": "owner\0@northwind.test", "password": "x"}),
    ("/sign-in/forgotten", {"email": "owner\0@northwind.test"}),
    ("/staff/sign-in", {"email": "ann\0@staff.test", "password": "x", "code": "1"}),
)


@pytest.mark.parametrize(("address", "typed"), FORMS, ids=[address for address, _ in FORMS])
def test_in_a_form(address, typed, visit):
    page = visit.get(address)
    reply = visit.post(address, typed | {"csrf_token": page.hidden("csrf_token")}, 400)
    assert "We did not understand that" in reply.text


def test_in_the_name_of_a_field(visit):
    visit.post("/sign-in", {"e\0mail": "x"}, 400)


@pytest.mark.parametrize("address", ["/sign-in%00", "/sign-in?next=%00", "/%00", "/sign-in?%00=1"])
def test_in_an_address(address, visit):
    visit.get(address, 400)
