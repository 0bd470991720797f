"""Words without a place to break: no name, address, reason or path makes a page too wide."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from portal.domain.access import Role
from portal.domain.sign_in import Origin
from portal.domain.support import Consent
from portal.models.accounts import AccountRow, MembershipRow, PersonRow
from portal.models.catalog import AddOnRow
from portal.services import instances
from portal.services.inviting import invite
from portal.services.support import Wanted, look, note_page, start
from tests.browser.portal_pages import Portal
from tests.browser.soundness import WIDTHS, sideways
from tests.services.entering import FIREFOX, HERE, SAFE
from tests.services.staffing import StaffDoor

WORD = "W" * 255
PATH = f"/settings/billing/{'w' * 182}"
ADDRESS = f"{'i' * 64}@{'d' * 60}.{'d' * 60}.test"
PAGES = (
    "members", "members/{other}/role", "members/{other}/remove", "activity", "support-access",
    "notifications", "security", "add-ons", "add-ons/salesforce/purchase", "add-ons/active",
    "add-ons/active/{held}/cancel", "usage", "invoices", "invoices/1", "payment-methods",
)  # fmt: skip


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
        for width in WIDTHS:
            portal.page.set_viewport_size({"width": width, "height": 900})
            if sideways(portal.page) > 0 or cut(portal.page):
                wide.append((path, width, sideways(portal.page), cut(portal.page)))
    assert wide == []


def cut(page) -> list[str]:
    """What of the page's tables and boxes is out of sight to the right, once it has come."""
    page.wait_for_load_state()
    return page.evaluate(
        """() => [...document.querySelectorAll(
            "main td, main th, main dd, main dt, main h2, main h3, main p, main select, main li"
        )].filter(each => !each.closest(".visually-hidden, thead, .tabs"))
          .filter(each => each.getBoundingClientRect().right > innerWidth + 1)
          .map(each => each.tagName + ": " + each.textContent.trim().slice(0, 40))"""
    )
