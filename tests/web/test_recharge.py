"""The auto-recharge page: tried, agreed to, changed, and read by those who may only look."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update

from portal.domain.access import Role
from portal.models.accounts import PaymentMethodRow
from portal.models.catalog import AddOnRow, PriceRow
from portal.services.usage import count
from tests.services.recharging import Recharge
from tests.services.using import used
from tests.web.reading import HTMX

PAGE = "/settings/billing/auto-recharge"
TYPED = "threshold=10000&pack=messages_50k&cap=100&cooldown=10"


@pytest.fixture
def owner(world, visit):
    actor = world.account()
    visit.sign_in("owner@account1.test")
    return actor


@pytest.fixture
def busy(world, owner):
    """Thirty days of use, a little more than the plan brings."""
    with world.session() as session:
        events = [used("messages", 4_000, world.now - timedelta(days=day)) for day in range(1, 30)]
        count(session, world.scope, owner.account_id, events, world.wall)
    return owner


def press(visit, page, action, status=303, **data):
    forms = [f for f in page.all("form", method="post") if f.get("action") == action]
    assert forms, action
    fields = {e.get("name"): e.get("value", "") for e in forms[0].iter("input") if e.get("name")}
    return visit.post(action, fields | data, status)


def test_what_is_proposed_is_a_tenth_and_half_of_the_plans_own(owner, visit):
    """A1."""
    page = visit.get(f"{PAGE}/messages")
    assert page.hidden("threshold") == "10000"
    chosen = [o for o in page.all("option") if o.get("selected") is not None]
    assert [o.get("value") for o in chosen] == ["messages_50k"]


def test_values_are_tried_on_the_last_days_with_and_without_a_script(busy, visit):
    whole = visit.get(f"{PAGE}/messages?{TYPED}")
    part = visit.get(f"{PAGE}/messages?{TYPED}", **HTMX)
    for reply in (whole, part):
        assert "would have been bought in the last 30 days" in reply.text
    assert "<html" not in part.html
    tight = visit.get(f"{PAGE}/messages?threshold=90000&pack=messages_10k&cap=7&cooldown=10")
    assert "The monthly maximum would have stopped one" in tight.text


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("threshold=0&pack=messages_50k&cap=100&cooldown=10", "Enter a whole number from 1"),
        ("threshold=x&pack=messages_50k&cap=100&cooldown=10", "Enter a whole number from 1"),
        ("threshold=&pack=messages_50k&cap=100&cooldown=10", "Enter a whole number from 1"),
        ("threshold=1&pack=messages_50k&cap=100&cooldown=1.5", "Enter a whole number from 0"),
        ("threshold=1&pack=messages_50k&cap=28.99&cooldown=10", "at least one pack: $29.00"),
        ("threshold=1&pack=messages_50k&cap=NaN&cooldown=10", "at least one pack: $29.00"),
        ("threshold=1&pack=messages_50k&cap=29.001&cooldown=10", "at least one pack: $29.00"),
        ("threshold=1&pack=gold&cap=100&cooldown=10", "Not a valid choice"),
        ("threshold=1&pack=messages_50k&cap=100&cooldown=-1", "Enter a whole number from 0"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(owner, visit, typed, said):
    page = visit.get(f"{PAGE}/messages?{typed}", 422)
    assert said in page.text
    assert "Not a valid integer" not in page.text
    back = visit.get(f"{PAGE}/messages/consent?{typed}", 303)
    assert "threshold=" in back.headers["Location"]


def test_agreeing_names_amount_trigger_maximum_and_how_to_stop(world, owner, visit):
    page = visit.get(f"{PAGE}/messages/consent?{TYPED}")
    for said in ("fewer than 10,000 messages", "$29.00", "$100.00", "turn it off", "(UTC)",
                 "charged to your default card", "That card is Visa ending 4242 now.",
                 "or the largest: 100,000 message pack for $49.00.",
                 "If a pack costs more by then"):  # fmt: skip
        assert said in page.text
    press(visit, page, f"{PAGE}/messages/consent")
    assert "Buys 50,000 message pack when fewer than 10,000 are left" in visit.get(PAGE).text
    recharge = Recharge(world)
    row = recharge.policy(owner)
    assert (row.status, row.threshold, row.cap_minor, row.cooldown_s) == ("on", 10_000, 10_000, 600)
    for act, status in (("pause", "paused"), ("resume", "on"), ("off", "off")):
        press(visit, visit.get(PAGE), f"{PAGE}/messages/{act}")
        assert recharge.policy(owner).status == status


def test_another_amount_than_was_shown_saves_nothing(owner, visit):
    page = visit.get(f"{PAGE}/messages/consent?{TYPED}")
    again = press(visit, page, f"{PAGE}/messages/consent", 422, amount="2800")
    assert "is not what the page said" in again.text
    assert "Nothing is bought by itself" in visit.get(PAGE).text


def test_another_card_than_was_shown_asks_once_more(world, owner, visit):
    page = visit.get(f"{PAGE}/messages/consent?{TYPED}")
    world.change(update(PaymentMethodRow).values(last4="0005"))
    again = press(visit, page, f"{PAGE}/messages/consent", 422)
    assert "That card is Visa ending 0005 now." in again.text
    press(visit, again, f"{PAGE}/messages/consent")
    assert Recharge(world).policy(owner).status == "on"


def test_without_a_card_the_consent_says_so(world, visit):
    world.account(card=None)
    visit.sign_in("owner@account1.test")
    assert "No card is saved yet." in visit.get(f"{PAGE}/messages/consent?{TYPED}").text


def test_history_says_why(world, owner, visit):
    recharge = Recharge(world)
    recharge.agree(owner)
    recharge.work()
    recharge.use(owner, 95_000)
    page = visit.get(PAGE)
    assert "50,000 message pack was bought for $29.00." in page.text
    assert "Enough was left." in page.text
    assert "Bought this year $29.00" in page.text


def test_values_that_would_buy_without_end_are_answered_at_once(owner, visit):
    endless = "threshold=1000000000000&pack=sms_10k&cap=9000000000&cooldown=0"
    page = visit.get(f"{PAGE}/sms?{endless}")
    assert "More than 200 packs would have been bought in the last 30 days" in page.text
    assert "And many more." in page.text
    table = next(e for e in page.all("table") if "Left before" in "".join(e.itertext()))
    assert len(list(table.iter("tr"))) == 21


def test_who_may_only_look_sees_all_of_it_and_the_reason(world, visit):
    world.account(role=Role.MEMBER)
    visit.sign_in("owner@account1.test")
    for url in (PAGE, f"{PAGE}/messages", f"{PAGE}/messages/consent?{TYPED}"):
        page = visit.get(url)
        assert "Your role may look but not change it" in page.text
        forms = [f.get("action") for f in page.all("form", method="post")]
        assert {f for f in forms if f.startswith(PAGE)} == set()
        token = page.hidden("csrf_token")
    for act in ("pause", "resume", "off", "consent"):
        visit.post(f"{PAGE}/messages/{act}", {"csrf_token": token}, 403)


def test_a_feature_without_packs_is_not_found(owner, visit):
    visit.get(f"{PAGE}/members", 404)
    visit.get(f"{PAGE}/nothing", 404)


def test_a_pause_by_the_bank_is_said_on_every_page(world, visit):
    actor = world.account(card="pm_card_chargeCustomerFail")
    visit.sign_in("owner@account1.test")
    recharge = Recharge(world)
    recharge.agree(actor)
    recharge.use(actor, 95_000)
    assert "Auto-recharge is paused: Messages" in visit.get("/settings/billing/add-ons").text
    assert "Your bank declined the card" in visit.get(PAGE).text


def test_a_price_that_rose_pauses_it_and_asks_anew_with_both_amounts(world, owner, visit):
    recharge = Recharge(world)
    recharge.agree(owner)
    recharge.work()
    dearer = update(PriceRow).where(PriceRow.lookup_key == "messages_50k_usd")
    world.change(dearer.values(amount="79"))
    recharge.use(owner, 95_000)
    assert "Auto-recharge is paused: Messages" in visit.get("/settings/billing/add-ons").text
    page = visit.get(PAGE)
    assert "50,000 message pack costs $79.00 now; you agreed to $29.00." in page.text
    assert "cost $79.00, more than you agreed to; paused." in page.text
    [again] = [a.get("href") for a in page.all("a") if "See the new price" in "".join(a.itertext())]
    consent = visit.get(again)
    for said in ("$79.00", "Agreed to before for 50,000 message pack", "$29.00"):
        assert said in consent.text
    press(visit, consent, f"{PAGE}/messages/consent")
    recharge.work()
    assert recharge.causes(owner)[-1] == "bought"
    assert "you agreed to $29.00" not in visit.get(PAGE).text


def test_a_pack_that_is_not_sold_any_more_asks_for_another(world, owner, visit):
    recharge = Recharge(world)
    recharge.agree(owner, pack="messages_100k")
    recharge.work()
    gone = update(AddOnRow).where(AddOnRow.lookup_key == "messages_100k")
    world.change(gone.values(status="archived"))
    recharge.use(owner, 95_000)
    page = visit.get(PAGE)
    assert "The pack that you agreed to is not sold any more. Choose another one." in page.text
    assert [f for f in page.all("form") if str(f.get("action")).endswith("/resume")] == []
    assert "10,000 message pack" in visit.get(f"{PAGE}/messages").text


def test_the_owner_sets_a_ceiling_and_it_is_said_where_it_stops(world, owner, visit):
    page = press(visit, visit.get(PAGE), f"{PAGE}/ceiling", 422, mode="stop", amount="no")
    assert "Enter an amount above zero" in page.text
    buy = "/settings/billing/add-ons/messages_100k/purchase"
    shown = visit.get(buy)
    press(visit, page, f"{PAGE}/ceiling", mode="stop", amount="40")
    assert "Ceiling $40.00" in visit.get(PAGE).text
    refused = press(visit, shown, buy, 422, card=shown.hidden("card"))
    assert "This would pass your monthly ceiling of $40.00" in refused.text
    assert world.state(owner).held == ()


@pytest.mark.parametrize(
    ("mode", "said", "may_press"),
    [("stop", "This would pass", False), ("warn", "This passes", True)],
)
@pytest.mark.parametrize("dear", ["add-ons/messages_100k/purchase", "plans/business/monthly"])
def test_what_a_ceiling_stops_cannot_be_pressed(mode, said, may_press, dear, owner, visit):
    press(visit, visit.get(PAGE), f"{PAGE}/ceiling", mode=mode, amount="20")
    page = visit.get(f"/settings/billing/{dear}")
    assert f"{said} your monthly ceiling of $20.00" in page.text
    assert page.all("a", href=f"{PAGE}#recharge-ceiling")
    assert bool([e for e in page.all("input") if e.get("name") == "token"]) is may_press


def test_an_admin_sees_the_ceiling_and_cannot_set_it(world, visit):
    world.account(role=Role.ADMIN)
    visit.sign_in("owner@account1.test")
    page = visit.get(PAGE)
    assert "Only an owner of your account can set the ceiling" in page.text
    token = page.hidden("csrf_token")
    data = {"csrf_token": token, "mode": "stop", "amount": "5"}
    visit.post(f"{PAGE}/ceiling", data, 403)
