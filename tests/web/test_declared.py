"""The staff's page of cancellations that were declared without signing in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest

from portal.domain.declarations import CancellationKind
from portal.domain.support import RECENT
from portal.models.accounts import PersonRow
from tests.services.declaring import Declarations
from tests.web.conftest import app_where
from tests.web.looking import Looking
from tests.web.reading import HTMX, Visitor
from tests.web.staffing import AtDesk

LIST, CASE = "/staff/cancellations", "/staff/cancellations/1"
WHY = "We ended it by hand."
MAY_1 = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.fixture
def selling(world, world_database) -> Iterator:
    with app_where(world, world_database, german_consumers=True) as app:
        yield app


@pytest.fixture
def desk(world, selling) -> AtDesk:
    return AtDesk(world, Visitor(selling.test_client())).set_up()


@pytest.fixture
def actor(world, desk):
    """The owner of an account with a connector, for which a cancellation was declared."""
    actor = world.account()
    world.buy(actor, "salesforce")
    Declarations(world).declare_and_match()
    return actor


def answer(desk: AtDesk, status: int = 303, **typed: str):
    return desk.send(CASE, CASE, status, **typed)


def choices(page) -> dict[str, str]:
    """What may be done, by what the page calls it."""
    return {
        page.words(label): field.get("value", "")
        for label in page.all("label")
        for field in label.iter("input")
        if field.get("name") == "act"
    }


def test_the_list_the_words_and_the_plan_that_ends(world, desk, actor):
    page = desk.visitor.get(LIST)
    assert "Ada cancels Growth" in page.text
    assert "Fits Account1" in page.text
    assert "Cancellations (1)" in page.text
    page = desk.visitor.get(CASE)
    for words in ("Ada", "owner@account1.test", "“jetzt kündigen”", "an owner has this e-mail"):
        assert words in page.text
    found = choices(page)
    assert list(found) == [
        "Let Growth of Account1 end on 1 May 2026",
        "Let Salesforce connector of Account1 end on 1 May 2026",
        "It is done by other means", "It is not ours, or not valid",
    ]  # fmt: skip
    answer(desk, act=found["Let Growth of Account1 end on 1 May 2026"])
    page = desk.visitor.get(LIST)
    assert "It ends on 1 May 2026" in page.text
    assert "Every cancellation is answered" in page.text
    assert "Carried out · Ann · Account1" in page.text
    assert "Cancellations (" not in page.text
    assert world.state(actor).subscription.cancel_at == MAY_1
    assert "1 May 2026" in desk.visitor.get(CASE).text
    desk.visitor.post(CASE, {"csrf_token": page.hidden("csrf_token"), "act": "done"}, 409)


def test_owner_and_staff_read_of_it(world, desk, actor, selling):
    answer(desk, act=f"{actor.account_id}-plan")
    owner = Visitor(selling.test_client())
    owner.sign_in("owner@account1.test")
    said = owner.get("/settings/billing/activity?kind=plan").text
    for sentence in (
        "Cancellation 1, of Growth, was declared without signing in",
        "Cancellation 1, of Growth, was carried out",
        "Ann, our staff",
        "The plan was cancelled, to end on 1 May 2026",
    ):
        assert sentence in said
    staffs = desk.visitor.get("/staff/activity").text
    assert "Cancellation 1 was declared without signing in" in staffs


def test_an_add_on_may_be_what_ends(world, desk, actor):
    [held] = world.state(actor).held
    answer(desk, act=f"{actor.account_id}-{held.id}")
    assert world.state(actor).held[0].span.cancel_at == MAY_1
    assert world.state(actor).subscription.cancel_at is None


def test_what_is_put_aside_says_why(world, desk, actor):
    for why in ("", "short"):
        assert "Use 10 to 500 characters" in answer(desk, 422, act="not_ours", said=why).text
    assert "Choose what to do" in answer(desk, 422, said=WHY).text
    answer(desk, act="not_ours", said=WHY)
    assert "Not ours" in desk.visitor.get(LIST).text
    assert WHY in desk.visitor.get(CASE).text
    assert world.state(actor).subscription.cancel_at is None


def test_only_what_is_offered_can_be_chosen(world, desk, actor):
    stranger = world.account()
    for act in (f"{stranger.account_id}-plan", f"{actor.account_id}-99", "carried_out", "1-"):
        assert "Not a valid choice" in answer(desk, 422, act=act, said=WHY).text
    assert world.state(stranger).subscription.cancel_at is None


def test_before_the_day_that_was_asked_for_it_waits(world, desk):
    actor = world.account()
    Declarations(world).declare(wanted_on=date(2026, 5, 31))
    page = answer(desk, 422, act=f"{actor.account_id}-plan")
    assert "It would end on 1 May 2026, before the day that was asked for" in page.text
    assert world.state(actor).subscription.cancel_at is None


def test_a_code_is_asked_for_where_the_sign_in_is_old(world, desk, actor):
    world.now += RECENT
    act = {"act": f"{actor.account_id}-plan"}
    assert "Enter a code" in answer(desk, 422, **act).text
    assert "wrong, or has been used" in answer(desk, 422, **act, code="000000").text
    assert world.state(actor).subscription.cancel_at is None
    answer(desk, **act, code=desk.code())
    assert world.state(actor).subscription.cancel_at == MAY_1


def test_a_cause_is_for_the_staff_to_judge_and_what_fits_nothing_is_said(world, desk):
    kind = CancellationKind.FOR_CAUSE
    Declarations(world).declare(kind=kind, reason="You broke it.", identification="Nothing")
    page = desk.visitor.get(CASE)
    assert "You broke it." in page.text
    assert "whether it ends at once is for you to decide" in page.text
    assert "No account fits" in page.text
    assert list(choices(page).values()) == ["done", "not_ours"]
    assert "Not looked for yet" in desk.visitor.get(LIST).text
    Declarations(world).match()
    assert "Fits no account for certain" in desk.visitor.get(LIST).text


def test_a_support_view_answers_nothing(world, desk, actor):
    token = {"csrf_token": desk.visitor.get(CASE).hidden("csrf_token")}
    Looking(desk, actor).start()
    desk.visitor.post(CASE, token | {"act": f"{actor.account_id}-plan"}, 403)
    assert world.state(actor).subscription.cancel_at is None
    assert world.rows(PersonRow) == 1


def test_its_pages_come_as_fragments_and_to_nobody_else(desk, actor, selling):
    for url in (LIST, CASE):
        assert "<html" not in desk.visitor.get(url, **HTMX).html
        Visitor(selling.test_client()).get(url, 303)
    desk.visitor.get(f"{LIST}/99", 404)


def test_the_tab_is_there_only_where_it_has_a_use(app, world):
    other = AtDesk(world, Visitor(app.test_client())).set_up()
    assert not other.visitor.get("/staff/api-keys").all("a", href=LIST)
