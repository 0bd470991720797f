"""Words without a place to break: no name, address, reason or path makes a page too wide."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page
from sqlalchemy import select, update

from portal.domain.access import Actor, Role
from portal.domain.keys import Access
from portal.domain.quotes import Request
from portal.domain.sign_in import Origin
from portal.domain.support import Consent
from portal.models.accounts import AccountRow, MembershipRow, PersonRow
from portal.models.catalog import AddOnRow
from portal.models.staff import StaffRow
from portal.models.webhooks import WebhookMessageRow
from portal.queries.staff import StaffMember
from portal.services import instances, keys, proposing, support_approvals, webhooks
from portal.services.inviting import invite
from portal.services.support import Wanted, look, note_page, start
from tests.browser.portal_pages import Portal
from tests.browser.soundness import WIDTHS, sideways
from tests.browser.stack import Stack
from tests.services.declaring import Declarations
from tests.services.entering import FIREFOX, HERE, SAFE
from tests.services.staffing import StaffDoor
from tests.support.database import clone

WORD = "W" * 255
PATH = f"/settings/billing/{'w' * 182}"
ADDRESS = f"{'i' * 64}@{'d' * 60}.{'d' * 60}.test"
PAGES = (
    "members", "members/{other}/role", "members/{other}/remove", "activity", "support-access",
    "notifications", "security", "add-ons", "add-ons/salesforce/purchase", "add-ons/active",
    "add-ons/active/{held}/cancel", "usage", "invoices", "invoices/1", "payment-methods",
)  # fmt: skip

STAFF_PAGES = (
    "accounts?q=W", "accounts/{account}", "accounts/{account}/proposals", "approvals",
    "approvals/1", "cancellations", "cancellations/1", "cancellations/2", "activity",
    "support-sessions", "api-keys", "api-keys/{prefix}/rotate", "api-keys/{prefix}/revoke",
    "messages", "messages/endpoints/{endpoint}/secret", "messages/endpoints/{endpoint}/remove",
)  # fmt: skip
OWN_WISH = "accounts/{account}"


@pytest.fixture(scope="module")
def stack(demo_template, tmp_path_factory) -> Iterator[Stack]:
    """Where staff see the most forms: owners are asked, or a second member of staff."""
    with clone(demo_template) as database:
        folder, more = tmp_path_factory.mktemp("recorded"), {"support_view": "break-glass"}
        stack = Stack(database, folder, more).start()
        yield stack
        stack.stop()


@pytest.fixture
def crowded(stack) -> tuple[str, dict[str, int]]:
    """The owner's address, and ids: everybody and everything there has one long word for a name."""
    world = stack.world
    owner = world.account()
    mail = f"owner@account{world.key_of(owner)}.test"
    other = world.member(owner.account_id, f"{'o' * 60}@{'p' * 60}.test", Role.MEMBER)
    for add_on in ("salesforce", "zendesk", "messages_100k"):
        world.buy(owner, add_on)
    held = {each.add_on.lookup_key: each.id for each in world.state(owner).held}
    with world.session() as session:
        instances.cancel(owner, held["zendesk"], WORD, session=session, wall=world.wall)
        invite(session, owner, ADDRESS, Role.ADMIN, world.wall, SAFE)
        mine = select(MembershipRow.id).where(MembershipRow.account_id == owner.account_id)
        ids = dict(
            zip((owner, other), session.scalars(mine.order_by(MembershipRow.id)), strict=True)
        )
    staff = StaffDoor(world)
    staff_sid = staff.set_up()
    who = staff.who(staff_sid)
    wanted = Wanted(owner.account_id, ids[owner], WORD, "T" * 40)
    with world.session() as session:
        begun = start(session, who, wanted, Consent.OPEN, Origin(HERE, FIREFOX), world.wall)
        view = look(session, world.scope, begun.sid, staff_sid, Consent.OPEN, world.wall)
        note_page(session, view, PATH, world.wall)
    world.change(
        update(PersonRow).values(name=WORD),
        update(AccountRow).where(AccountRow.id == owner.account_id).values(name=WORD),
        update(AddOnRow).where(AddOnRow.lookup_key.in_(held)).values(name=WORD),
    )
    return mail, {"other": ids[other], "held": held["salesforce"]}


def test_one_long_word_makes_no_page_too_wide(crowded, stack, open_page):
    mail, ids = crowded
    portal = Portal(open_page(), stack.url).sign_in(mail)
    wide = []
    for path in PAGES:
        portal.open(path.format(**ids))
        wide += [(path, *each) for each in too_wide(portal.page)]
    assert wide == []


def too_wide(page: Page) -> list[tuple[int, int, list[str]]]:
    """The widths that the page does not fit, by how many pixels, and what of it is cut off."""
    found = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        if sideways(page) > 0 or cut(page):
            found.append((width, sideways(page), cut(page)))
    return found


def cut(page: Page) -> list[str]:
    """What of the page's tables and boxes is out of sight to the right, once it has come."""
    page.wait_for_load_state()
    return page.evaluate(
        """() => [...document.querySelectorAll(
            "main td, main th, main dd, main dt, main h2, main h3, main p, main select, main li"
        )].filter(each => !each.closest(".visually-hidden, thead, .tabs"))
          .filter(each => each.getBoundingClientRect().right > innerWidth + 1)
          .map(each => each.tagName + ": " + each.textContent.trim().slice(0, 40))"""
    )


@pytest.fixture
def desks(stack) -> tuple[tuple[str, str], dict[str, object]]:
    """Sessions of two administrators, and ids: what they see has one long word for each name.

    The second asks for a view of the account, which the first may approve.
    """
    world = stack.world
    owner = world.account()
    doors = StaffDoor(world, email=ADDRESS), StaffDoor(world, email="bea@staff.test")
    sids = doors[0].set_up(), doors[1].set_up()
    who, asker = doors[0].who(sids[0]), doors[1].who(sids[1])
    assert who is not None
    assert asker is not None
    ids = _work_of(world, owner, who, asker)
    declared = Declarations(world, by=who)
    for _ in range(2):
        declared.declare(name=WORD[:200], contract=WORD[:200])
    declared.match()
    declared.put_aside("not_ours", said=WORD)
    world.change(
        update(StaffRow).values(name=WORD),
        update(PersonRow).values(name=WORD),
        update(AccountRow).where(AccountRow.id == owner.account_id).values(name=WORD, key=WORD),
        update(AddOnRow).where(AddOnRow.lookup_key == "salesforce").values(name=WORD),
        update(WebhookMessageRow).values(status="failed", answer=WORD),
    )
    return sids, ids


def _work_of(world, owner: Actor, who: StaffMember, asker: StaffMember) -> dict[str, object]:
    """A view that was, a wish for another, a proposal, keys and an endpoint with a message."""
    scope, wall = world.scope, world.wall
    mine = select(MembershipRow.id).where(MembershipRow.account_id == owner.account_id)
    with world.session() as session:
        wanted = Wanted(owner.account_id, session.scalars(mine).one(), WORD, WORD[:100])
        start(session, who, wanted, Consent.OPEN, Origin(HERE, FIREFOX), wall)
        support_approvals.ask(session, asker, wanted, wall)
        endpoint = webhooks.add(session, scope, f"https://host.test/{WORD}", [], wall)
        prefix = keys.create(session, scope, WORD, Access.WRITE, wall).prefix
        ended = keys.create(session, scope, WORD, Access.READ, wall).prefix
        keys.revoke(session, scope, ended, wall)
        wish = Request("salesforce", 1, True)
        proposing.propose(session, who, owner.account_id, wish, WORD, wall)
    world.buy(owner, "messages_100k")
    return {"account": owner.account_id, "prefix": prefix, "endpoint": endpoint}


def test_one_long_word_makes_no_staff_page_too_wide(desks, stack, open_page):
    """Nor does a long label in German."""
    (sid, asker), ids = desks
    wide = []
    for speech in ("en", "de"):
        page = open_page()
        page.set_extra_http_headers({"Accept-Language": speech})
        for whose, path in (*((sid, path) for path in STAFF_PAGES), (asker, OWN_WISH)):
            page.context.add_cookies([{"name": "staff", "value": whose, "url": stack.url}])
            page.goto(f"{stack.url}/staff/{path.format(**ids)}")
            wide += [(speech, path, *each) for each in too_wide(page)]
    assert wide == []
