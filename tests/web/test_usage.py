"""The usage page: what each feature says, what it suggests, its refresh and its file."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from decimal import Decimal

import pytest

from portal.domain.access import Role
from portal.models.accounts import SessionRow
from portal.web.csv_files import cell
from tests.services.trending import use_daily
from tests.services.using import correction, give, of_plan, report, used
from tests.web.reading import HTMX, Visitor

USAGE = "/settings/billing/usage"


@pytest.fixture
def owner(world, visit):
    actor = world.account()
    world.pass_time(hours=12)
    visit.sign_in("owner@account1.test")
    return actor


@pytest.fixture
def see(app, world):
    """The page as an account's member sees it, signed in anew: time may have passed."""

    def see(actor):
        visitor = Visitor(app.test_client())
        visitor.sign_in(f"owner@account{world.key_of(actor)}.test")
        return visitor.get(USAGE)

    return see


def card(page, name: str):
    """The words of one feature's card."""
    heading = next(e for e in page.all("h2") if page.words(e) == name)
    section = next(e for e in page.all("section", aria_labelledby=heading.get("id")))
    return " ".join(" ".join(section.itertext()).split())


def course(page, name: str):
    return card(page, f"{name} over time")


def meter(page, name: str):
    return next(e for e in page.all("meter") if e.get("aria-label") == name)


def test_the_whole_of_a_feature_that_runs_out(owner, world, see):
    use_daily(world, owner, 12_300, channel="chat")
    page = see(owner)
    said = card(page, "Messages")
    assert "Runs out within 7 days" in said
    assert "86,100 of 100,000 messages used, 13,900 left" in said
    assert "Resets on 1 May 2026" in said
    assert "Pace, last 7 days 12,300 a day" in said
    assert "Used by 1 May 2026 325,950" in said
    assert "Runs out 12 Apr 2026" in said
    assert "225,950 more messages would last until 1 May 2026 at this pace" in said
    assert "meter-orange" in meter(page, "Messages").get("class")
    behind = course(page, "Messages")
    assert "Nothing is left from 12 Apr 2026 on." in behind
    assert "This window by channel" in behind
    assert "Apr 2026 86,100" in behind
    rows = [" ".join(" ".join(row.itertext()).split()) for row in page.all("tr")]
    assert "10 Apr 86,100" in rows
    assert "11 Apr 86,100 92,250" in rows
    assert "30 Apr 325,950" in rows


def test_a_suggestion_leads_to_its_filled_in_confirm_page(owner, world, visit):
    use_daily(world, owner, 12_300)
    page = visit.get(USAGE)
    links = {page.words(e): e.get("href") for e in page.all("a") if "/purchase?" in e.get("href")}
    assert links
    for said, url in links.items():
        there = visit.get(url)
        amount = said.rsplit(" for ", 1)[1]
        assert f"Pay {amount} now" in there.text, "what is due on that page is what was said"
    assert any("auto_renew=off" in url for url in links.values())
    assert "Auto-renew is off unless you turn it on" in page.text


def test_a_member_who_may_only_look_sees_the_suggestion_too(world, visit):
    actor = world.account(role=Role.MEMBER)
    use_daily(world, actor, 12_300)
    visit.sign_in("owner@account1.test")
    page = visit.get(USAGE)
    link = next(e.get("href") for e in page.all("a") if "/purchase?" in e.get("href"))
    assert "Your role may look but not buy" in visit.get(link).text


def test_enough_means_nothing_to_buy(owner, world, see):
    use_daily(world, owner, 1_000)
    page = see(owner)
    said = card(page, "Messages")
    assert "Enough until it resets" in said
    assert "Runs out Not before it resets" in said
    assert "Nothing to buy: at this pace it lasts until 1 May 2026." in said
    assert "meter-green" in meter(page, "Messages").get("class")


def test_the_colour_is_the_forecasts_and_the_bar_the_percents(owner, world, see):
    use_daily(world, owner, 90_000, days=1)
    world.pass_time(days=12)
    page = see(owner)
    assert "meter-green" in meter(page, "Messages").get("class"), "no use for a week"
    assert (meter(page, "Messages").get("value"), meter(page, "Messages").get("max")) == (
        "90000.00000000",
        "100000.00000000",
    )
    assert "Pace, last 7 days 0 a day" in card(page, "Messages")


def test_used_up(owner, world, see):
    use_daily(world, owner, 15_000)
    said = card(see(owner), "Messages")
    assert "Used up" in said
    assert "Runs out Nothing is left" in said
    assert "Above the allowance 5,000" in said


def test_nothing_used_yet_and_the_first_day(owner, world, see):
    page = see(owner)
    assert "Plenty left" in card(page, "Messages")
    assert "No use has been reported yet" in course(page, "Messages")
    assert "CSV" not in page.text
    report(world, owner, used("messages", 200, world.now))
    said = card(see(owner), "Messages")
    assert "Pace" not in said
    world.pass_time(days=1)
    assert "Pace, one day so far 200 a day" in card(see(owner), "Messages")


def test_a_new_window_says_so(owner, world, see):
    world.now = world.now.replace(month=4, day=30)
    use_daily(world, owner, 700)
    report(world, owner, used("messages", 700, world.now))
    world.pass_time(hours=12)
    page = see(owner)
    assert "0 of 100,000 messages used" in card(page, "Messages")
    assert "Used by 1 Jun 2026 21,700" in card(page, "Messages")


def test_no_limit_and_not_included(owner, world, see):
    use_daily(world, owner, 12_300)
    world.change(of_plan("growth", usage_limit=None))
    said = card(see(owner), "Messages")
    assert "No limit" in said
    assert "12,300 a day" in said
    assert "Runs out" not in said
    assert "would last" not in said
    fresh = world.account()
    world.change(of_plan("growth", usage_limit=0))
    assert "Not included" in card(see(fresh), "Messages")


def test_a_level_has_a_chart_and_no_forecast(owner, world, see):
    for ago, level in ((9, 3), (2, 8)):
        report(world, owner, used("members", level, world.now - timedelta(days=ago)))
    page = see(owner)
    assert "Running low" in card(page, "Members")
    assert "Pace" not in card(page, "Members")
    assert "Members, 2 Apr – 11 Apr" in course(page, "Members")
    assert "Highest level" in course(page, "Members")


def test_credits_that_do_not_refill(owner, world, see):
    give(world, owner, "sms", ("pack", 100, None))
    report(world, owner, *(used("sms", "0.7", world.now - timedelta(days=n)) for n in range(0, 4)))
    world.pass_time(hours=12)
    said = card(see(owner), "SMS credits")
    assert "Pace, last 4 days 0.7 a day" in said
    assert "Use counted since 1 Apr 2026" in said
    assert "Enough for 7 days and more" in said


def test_a_refresh_is_the_meters_alone_and_keeps_no_session_alive(owner, world, visit):
    part = visit.get(USAGE)
    (place,) = [e for e in part.document.iter("div") if e.get("id") == "usage-meters"]
    assert place.get("data-hx-trigger") == "every 60s"
    assert not [e for e in place.iter() if e.get("aria-live") or e.get("role") == "status"]
    url = place.get("data-hx-get")
    again = visit.get(url, **HTMX)
    assert 'id="usage-meters"' in again.html
    assert "usage-trends" not in again.html
    for _ in range(4):
        world.pass_time(minutes=9)
        reply = visit.get(url, 200 if _ < 3 else 401, **HTMX)
    assert reply.headers["HX-Redirect"].startswith("/sign-in?next="), "nobody was there"


def test_a_visit_keeps_the_session_alive(owner, world, visit):
    for _ in range(4):
        world.pass_time(minutes=9)
        visit.get(f"{USAGE}?refresh=1")
    assert world.rows(SessionRow) == 1


def test_the_file_has_every_day_and_no_formula(owner, world, visit):
    report(world, owner, used("messages", 7, world.now - timedelta(days=1), team='=HYPERLINK("x")'),
           used("messages", "2.5", world.now, team="@sum"))  # fmt: skip
    reply = visit.client.get(f"{USAGE}/messages.csv")
    assert reply.mimetype == "text/csv"
    assert reply.headers["Content-Disposition"] == 'attachment; filename="usage-messages.csv"'
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    head, *rows = csv.reader(io.StringIO(reply.get_data().decode("utf-8-sig")))
    assert head == ["Day", "Broken down by", "Value", "messages"]
    assert rows == [
        ["2026-04-10", "", "", "7"],
        ["2026-04-10", "team", '\'=HYPERLINK("x")', "7"],
        ["2026-04-11", "", "", "2.5"],
        ["2026-04-11", "team", "'@sum", "2.5"],
    ]


def test_a_correction_without_dimensions_is_a_line_of_its_own(owner, world, see, visit):
    report(world, owner, used("messages", 100, world.now, team="a"),
           used("messages", 5, world.now))  # fmt: skip
    report(world, owner, correction("messages", 40, world.now))
    assert "Not broken down -35" in see(owner).text
    said = visit.client.get(f"{USAGE}/messages.csv").get_data(as_text=True)
    assert [row.split(",")[1:] for row in said.splitlines()[1:]] == [
        ["", "", "65"], ["team", "a", "100"], ["team", "Not broken down", "-35"],
    ]  # fmt: skip


@pytest.mark.parametrize("key", ["nothing", "salesforce"])
def test_there_is_no_file_of_what_is_not_counted(key, owner, visit):
    visit.get(f"{USAGE}/{key}.csv", 404)


def test_another_accounts_days_are_not_in_the_file(owner, world, visit):
    use_daily(world, world.account(), 5)
    rows = visit.client.get(f"{USAGE}/messages.csv").get_data(as_text=True).splitlines()
    assert len(rows) == 1


BEGINNINGS = ("=1", "+1", "-1", "@a", "\t=1", "\r=1", " =1", "＝1", "＋1", "－1", "＠a", "\u3000=1")


@pytest.mark.parametrize("text", BEGINNINGS)
def test_no_cell_begins_a_formula(text):
    assert cell(text) == f"'{text}"
    assert cell(f"a{text}") == f"a{text}"


@pytest.mark.parametrize(
    ("number", "written"),
    [(Decimal("-1.50"), "-1.5"), (Decimal("-0.0"), "0"), (Decimal("1E+3"), "1000"), (-7, "-7")],
)
def test_a_number_stays_a_number(number, written):
    assert cell(number) == written
