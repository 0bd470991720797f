"""Which pages open in a support view, and that each one that does is seen: whole, and read only."""

from __future__ import annotations

from portal.domain.credit_notes import Destination
from portal.services.crediting import Correction, correct
from portal.services.recording import Doer
from portal.services.support import Wanted
from portal.services.support_approvals import ask
from portal.services.till import Till
from portal.web.security import OF_MACHINES
from portal.web.support import CLOSED, CLOSED_BLUEPRINTS, LEAVING
from tests.services.staffing import StaffDoor
from tests.web.looking import UNKNOWN, Looking, addresses

OPEN_WITH_A_FORM = {
    "members.index": "who is in the account; its form invites",
    "notifications.index": "which mails the member gets",
    "support_access.index": "what the owner allowed",
    "clock.index": "where the account's clock stands; in development only",
    "auth.sign_in": "nobody's page: who is in is sent on",
    "auth.code": "the same",
}
"""Pages whose own form writes, and that show what staff are there to see."""
UNSEEN = {
    "auth.home": (302, "leads to the add-ons"),
    "auth.sign_in": (302, "leads to the add-ons"),
    "auth.code": (303, "nobody is half-way in"),
    "auth.support": (303, "leads to the staff's door"),
    "staff.home": (303, "leads to the accounts"),
    "staff.sign_in": (303, "leads to the accounts"),
    "staff.code": (303, "nobody is half-way in"),
    "staff.show_set_up": (410, "the link is none"),
    "api_keys.rotation": (404, "there is no key, and none is an account's"),
    "api_keys.revocation": (404, "there is no key, and none is an account's"),
    "endpoints.rotation": (404, "there is no endpoint, and none is an account's"),
    "declared.show": (404, "nobody has declared anything"),
    "endpoints.removal": (404, "there is no endpoint, and none is an account's"),
}
"""Pages that are open and never there in this walk: what they answer, and why."""


def _more_to_see(on: Looking) -> None:
    """A credit note, and the wish of another of the staff that waits for a second one."""
    world, second = on.world, StaffDoor(on.world, email="second@staff.test")
    who = second.who(second.set_up())
    assert who is not None
    with world.session() as session:
        till = Till(session, world.gateway, world.scope, world.wall, Doer("staff:test"))
        correct(till, Correction(1, None, None, Destination.BALANCE, "It did not work."))
        wanted = Wanted(on.actor.account_id, int(on.membership()), "A figure is wrong", "T-1")
        ask(session, who, wanted, world.wall)


def test_reading_changes_nothing_and_every_page_has_the_banner(on, app):
    _more_to_see(on)
    before, calls = on.rows(), len(on.world.gateway.calls)
    counted, unseen = {"closed": 0, "page": 0, "error": 0}, {}
    for endpoint, url in addresses(app, on, "GET"):
        reply = on.client.get(url)
        if reply.status_code != 200:
            unseen[endpoint] = reply.status_code
        if reply.status_code in (301, 302, 303):
            continue
        assert reply.mimetype == "text/html", (endpoint, reply.mimetype)
        page = on.desk.visitor._read(reply, reply.status_code)
        assert len(page.all("section", aria_label="Support view")) == 1, endpoint
        assert page.words(page.all("title")[0]).startswith("Support view: "), endpoint
        assert "owner@account1.test" not in page.html, endpoint
        is_closed = endpoint in CLOSED or endpoint.partition(".")[0] in CLOSED_BLUEPRINTS
        assert (reply.status_code == 403) is is_closed, endpoint
        kind = "closed" if is_closed else "page" if reply.status_code == 200 else "error"
        counted[kind] += 1
    found = {e: status for e, status in unseen.items() if status != 403}
    assert found == {e: status for e, (status, _) in UNSEEN.items()}
    assert on.rows() == before
    assert len(on.world.gateway.calls) == calls
    assert counted["page"] > 20
    assert counted["closed"] > 15
    assert on.desk.visitor.get(UNKNOWN, 404).all("section", aria_label="Support view")


def test_what_is_closed_are_routes_that_there_are(app):
    endpoints = {rule.endpoint for rule in app.url_map.iter_rules()}
    assert endpoints >= CLOSED | LEAVING
    assert {e.partition(".")[0] for e in endpoints} >= CLOSED_BLUEPRINTS | OF_MACHINES


def test_every_page_whose_form_confirms_a_change_is_closed(app):
    """Role change, removal, cancellation, withdrawal, cards, payment: whatever posts to itself."""
    rules = [r for r in app.url_map.iter_rules() if not r.rule.startswith("/staff")]
    written = {rule.rule for rule in rules if "POST" in (rule.methods or set())}
    confirming = {r.endpoint for r in rules if r.rule in written and "GET" in (r.methods or set())}
    apart = CLOSED_BLUEPRINTS | OF_MACHINES
    still_open = {e for e in confirming - CLOSED if e.partition(".")[0] not in apart}
    assert still_open == OPEN_WITH_A_FORM.keys()
    assert len(confirming & CLOSED) > 8


def test_every_address_of_a_file_is_closed(on, app):
    files = [(e, url) for e, url in addresses(app, on, "GET") if url.endswith((".csv", "/pdf"))]
    assert len(files) >= 5
    for endpoint, url in files:
        assert on.client.get(url).status_code == 403, endpoint
