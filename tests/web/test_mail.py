"""Mails as members read them: their language, zone and currency; safe whatever a name holds."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import html5lib
import pytest
from flask import Flask, g, has_request_context

from portal.domain.declaration_notices import TYPED
from portal.domain.mails import Letter, Reader
from portal.domain.money import Money
from portal.domain.notices import STAFF_KINDS
from portal.domain.periods import WallNow
from portal.domain.sign_in_notices import PasswordChanged
from portal.domain.use_notices import TOPICS
from portal.factory import create_app
from portal.gateways.fake_payments import FakePayments
from portal.settings import Settings
from portal.web.mail import LetterWriter
from tests.support.ending_notices import ADD_ON_CANCELLED, PLAN_CANCELLED, RENEWING
from tests.support.notices import (
    AT,
    BEGUN,
    BOUGHT,
    DEARER,
    DIGEST,
    EXPIRING,
    FAILED,
    IN_TIERS,
    NOTICES,
    PLACE,
    REACHED,
    RETURNED,
    usd,
)
from tests.web.test_language import CLOSE, OPEN, translations, unmarked

READER = Reader("en", "America/New_York", "Northwind")
OPENED_BY_LINK = {"password_forgotten": "sign-in/reset", "invited": "sign-in/invitation"}
IDS = [f"{number}-{notice.kind}" for number, notice in enumerate(NOTICES)]


@pytest.fixture(scope="module")
def settings() -> Settings:
    return Settings(
        database_url="postgresql+psycopg://nobody@127.0.0.1:9/none",
        secret_key="a secret for tests that is long enough",
        stripe_secret_key="sk_test_nothing",
        stripe_webhook_secret="whsec_test",
        public_url="https://billing.example.com",
        product_name="Acme Billing",
        oidc_issuer="https://acme.test",
        oidc_client_id="portal",
        oidc_label="Continue with Acme",
        support_email="help@portal.test",
    )


@pytest.fixture(scope="module")
def app(settings: Settings) -> Flask:
    return create_app(settings, FakePayments(), lambda: WallNow(AT))


@pytest.fixture
def writer(app: Flask, settings: Settings) -> LetterWriter:
    return LetterWriter(app, settings)


@pytest.fixture(scope="module")
def pseudo_writer(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> LetterWriter:
    app = create_app(settings, FakePayments(), lambda: WallNow(AT))
    folder: Path = translations(tmp_path_factory.mktemp("mail"))
    app.extensions["babel"].translation_directories = [str(folder)]
    app.extensions["babel"].default_directories = [str(folder)]
    return LetterWriter(app, settings)


def words(letter: Letter) -> list[str]:
    return re.sub(r"<[^>]+>|\s+", " ", letter.html).split()


@pytest.mark.parametrize("notice", NOTICES, ids=IDS)
def test_every_kind_is_whole_in_text_and_html(writer, notice):
    letter = writer.write(notice, READER)
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    document = parser.parse(letter.html)
    assert document.get("lang") == "en"
    assert letter.subject
    assert "\n" not in letter.subject
    assert "style=" not in letter.html
    assert "  " not in letter.text
    assert "\n\n\n" not in letter.text
    assert "None" not in letter.text + letter.html
    assert "%(" not in letter.text + letter.subject
    assert ("your address was typed" in letter.text) is (notice.kind in TYPED)
    for said in ("Hello,", "Northwind", "Acme Billing"):
        assert said in letter.text
        assert said in letter.html
    for_staff = notice.kind in {each.kind for each in STAFF_KINDS}
    assert ("help@portal.test" in letter.text) is not for_staff
    assert ("as one of the staff" in letter.text) is for_staff
    links = re.findall(r'href="([^"]+)"', letter.html)
    choice = "https://billing.example.com/settings/billing/notifications"
    assert links[1:] == ([choice] if notice.kind in TOPICS else [])
    assert (choice in letter.text) is (notice.kind in TOPICS)
    place = "staff/" if for_staff else OPENED_BY_LINK.get(notice.kind, "settings/billing")
    assert links[0].startswith(f"https://billing.example.com/{place}")
    assert links[0].replace("&amp;", "&") in letter.text


@pytest.mark.parametrize("notice", NOTICES, ids=IDS)
def test_both_say_the_same(writer, notice):
    letter = writer.write(notice, READER)
    plain = [w for w in letter.text.split() if w != "--" and not w.startswith("https://")]
    shown = " ".join(words(letter)).replace("&#39;", "'")
    missing = [w for w in plain if w.rstrip(":,") not in shown]
    assert missing == []


@pytest.mark.parametrize("notice", NOTICES, ids=IDS)
def test_every_word_is_translated(pseudo_writer, notice):
    letter = pseudo_writer.write(notice, replace(READER, locale="fr", zone="UTC"))
    known = {
        "Salesforce connector", "Extra members", "SMS pack", "Growth", "Business", "Visa",
        "Northwind", "Acme Billing", "help@portal.test", "It did not work for a week",
        "You asked us to", "A figure is wrong", "Ann", "T-1", "Messages", "Members",
        "SMS credits", "messages", "credits", "members",
        "100,000 message pack", "Firefox", "Windows", "Ada",
        "Bo", "ada@new.test", "jetzt kündigen", "Message pack",
    }  # fmt: skip
    known |= set(re.findall(r"https://[^\s<]+", letter.html))
    page = html5lib.parse(letter.html, namespaceHTMLElements=False)
    assert page.get("lang") == "fr"
    assert unmarked(page, known) == []
    assert OPEN in letter.subject
    assert letter.text.count(OPEN) == letter.text.count(CLOSE) > 2


def test_a_cancellation_says_what_keeping_costs_now_and_then(writer):
    """As the button does that keeps it."""
    for cancelled, amount in ((ADD_ON_CANCELLED, "$225.00"), (PLAN_CANCELLED, "$99.00")):
        said = writer.write(cancelled, READER).text
        assert "that costs nothing." in said
        renewing = replace(RENEWING, amount=usd(9900 if cancelled is PLAN_CANCELLED else 22500))
        said = writer.write(replace(cancelled, renewing=renewing), READER).text
        assert "that costs nothing now." in said
        assert f"It then renews on 30 Apr 2026 for {amount} / month, all taxes included." in said


def test_figures_are_the_accounts_and_the_members(writer, pseudo_writer):
    english = writer.write(BOUGHT, READER)
    assert "Charged: $274.00" in english.text
    assert "On your next invoice: $0.32" in english.text
    assert "renews on 30 Apr 2026" in english.text, "still April in New York"
    assert "renews on 1 May 2026" in writer.write(BOUGHT, replace(READER, zone="UTC")).text
    yen = replace(BOUGHT, charged=Money(14900, "jpy"))
    assert "¥14,900" in writer.write(yen, READER).text
    french = pseudo_writer.write(BOUGHT, replace(READER, locale="fr"))
    assert "274,00\N{NO-BREAK SPACE}$US" in french.text
    assert 'dir="rtl"' in pseudo_writer.write(BOUGHT, replace(READER, locale="ar")).html


def test_an_unknown_language_is_english(writer):
    assert writer.write(BOUGHT, replace(READER, locale="tlh")) == writer.write(BOUGHT, READER)


def test_what_is_bought_says_how_it_is_cancelled(writer):
    page = "https://billing.example.com/settings/billing/add-ons/active"
    renews, once, forever = (writer.write(notice, READER).text for notice in NOTICES[:3])
    assert f"To cancel, open {page}, choose Cancel and confirm" in renews
    assert "lasts until 30 Apr 2026. There is nothing to cancel." in once
    assert "never expires. There is nothing to cancel." in forever
    assert "You bought Salesforce connector and 1 more" in writer.write(BOUGHT, READER).subject


def test_a_plan_that_begins_says_so_and_how_it_is_cancelled(writer):
    letter = writer.write(BEGUN, READER)
    assert letter.subject == "Your Growth plan has begun"
    page = "https://billing.example.com/settings/billing/plans"
    assert f"It renews on 30 Apr 2026 until you cancel it. To cancel, open {page}" in letter.text
    assert "Charged: $99.00" in letter.text


def test_what_failed_says_when_it_is_tried_again_and_where_to_pay(writer):
    first = writer.write(FAILED, READER)
    assert "We try again on 30 Apr 2026." in first.text
    assert "There is not enough money on the card." in first.text
    assert "Pay now: https://billing.example.com/settings/billing/invoices/12" in first.text
    last = writer.write(replace(FAILED, reason=None, retry_at=None), READER)
    assert "We do not try again by ourselves, unless another card becomes the default." in last.text
    assert "There is no card to charge." in last.text


def test_money_that_could_not_go_back_says_so(writer):
    assert "was returned to your card" in writer.write(RETURNED, READER).text
    assert "could not return" in writer.write(replace(RETURNED, failed=True), READER).subject


def test_whoever_writes_keeps_their_own_context(app, writer):
    with app.app_context():
        g.mine = "kept"
        writer.write(BOUGHT, READER)
        assert g.mine == "kept"
        assert "zone" not in g
        assert not has_request_context()


def test_a_quota_that_runs_low_says_how_far_and_leads_to_what_helps(writer):
    letter = writer.write(REACHED, READER)
    assert letter.subject == "90% of your messages are used"
    assert "180,000 of 200,000 messages are used, 20,000 are left." in letter.text
    said = " ".join(letter.text.split())
    assert "They start anew on 30 Apr 2026. 100,000 message pack brings more." in said
    assert "Look at 100,000 message pack: https://billing.example.com/settings" in letter.text
    full = writer.write(replace(REACHED, threshold=100, used=REACHED.allowance, help=None), READER)
    assert full.subject == "All of your messages are used"
    assert "Compare the plans: " in full.text


def test_units_that_expire_are_named_with_their_day(writer):
    assert writer.write(EXPIRING, READER).subject == "400.5 credits expire on 30 Apr 2026"
    last = writer.write(replace(EXPIRING, days=1), READER)
    assert last.subject == "400.5 credits expire in 1 day"
    assert "Expires: 30 Apr 2026, 23:30 EDT" in last.text


def test_the_digest_says_how_long_each_quota_lasts(writer):
    said = writer.write(DIGEST, READER).text
    week = "Messages: 4,200 messages, 600 a day. "
    assert f"{week}9% of the quota is used. At this pace it lasts until it starts anew on" in said
    assert f"{week}9% of the quota is used. At this pace it runs out on 28 Apr 2026." in said
    assert f"{week}9% of the quota is used. At this pace it does not run out." in said
    assert f"{week}100% of the quota is used. Nothing is left." in said
    assert f"{week}There is no limit." in said
    assert "Members: 8 members at most. 80% of the quota is used." in said


def test_a_new_price_for_use_is_said_for_one_unit_with_what_holds_until_then(writer):
    letter = writer.write(DEARER, READER)
    what = "Messages beyond the allowance of Messages by use"
    assert letter.subject == f"The price of {what} changes on 30 Apr 2026"
    for said in ("$0.0008 a message", "$0.001 a message", "is billed at the price of now"):
        assert said in letter.text
    assert "/settings/billing/add-ons/active/4/cancel" in letter.text
    plan = writer.write(replace(DEARER, instance_id=None, before=IN_TIERS), READER).text
    assert "choose another plan" in plan
    tiers = "$5.00 and $0.001 a message up to 1,000, then $0.0008 a message, for all of them"
    assert tiers in plan


def test_a_plan_that_was_withdrawn_from_says_what_is_not_charged_and_what_is_still_open(writer):
    withdrawn = [notice for notice in NOTICES if notice.kind == "contract_withdrawn"]
    pack, _, plan, _ = (" ".join(writer.write(n, READER).text.split()) for n in withdrawn)
    assert "Use beyond the allowance that is not billed yet, $8.00, is not charged." in plan
    assert "Something is still open." in plan
    assert "Open: $4.00" in plan
    assert "not charged" not in pack
    assert "still open" not in pack


def test_a_new_password_by_a_link_says_which_provider_signs_in_as_well(writer):
    changed = PasswordChanged(5, PLACE, by_link=True, issuers=("https://acme.test",))
    letter = writer.write(changed, READER)
    said = "“Continue with Acme” on the sign-in page signs you in as well. If it was not you who"
    assert f"{said} linked it, unlink it under Security." in " ".join(letter.text.split())
    for issuers in ((), ("https://elsewhere.test",)):
        other = writer.write(replace(changed, issuers=issuers), READER)
        assert "signs you in as well" not in other.text, "it opens nothing here"
