"""Every word of the pages goes through gettext: in a pseudo-language all of them are marked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from xml.etree.ElementTree import Element

import pytest
from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo

from portal.domain.taxes import Tax
from portal.factory import create_app
from portal.local.words import extracted
from portal.models.accounts import PersonRow
from portal.models.base import db
from portal.services import instances
from tests.services.using import give, report, used
from tests.support.world import World
from tests.web.conftest import settings_for
from tests.web.reading import Visitor

OPEN, CLOSE = "⟦", "⟧"


@pytest.fixture(scope="module")
def pseudo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return translations(tmp_path_factory.mktemp("translations"))


def translations(folder: Path) -> Path:
    """Translations into marked English, under the names of French and Arabic."""
    for language in ("fr", "ar"):
        catalog = Catalog(locale=language)
        for each in filter(lambda message: message.id, extracted()):
            catalog.add(each.id, _marked(each.id, catalog.num_plurals))
        target = folder / language / "LC_MESSAGES"
        target.mkdir(parents=True)
        with (target / "messages.mo").open("wb") as file:
            write_mo(file, catalog)
    return folder


def _marked(message: str | tuple[str, ...], plurals: int) -> str | tuple[str, ...]:
    if isinstance(message, tuple):
        return tuple(f"{OPEN}{message[1]}{CLOSE}" for _ in range(plurals))
    return f"{OPEN}{message}{CLOSE}"


@pytest.fixture
def visit(world: World, world_database, pseudo: Path, monkeypatch) -> Iterator[Visitor]:
    app = create_app(settings_for(world_database), world.gateway, lambda: world.wall)
    app.extensions["babel"].translation_directories = [str(pseudo)]
    app.extensions["babel"].default_directories = [str(pseudo)]
    yield Visitor(app.test_client())
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def speak(world: World, language: str) -> None:
    with world.session() as session:
        for person in session.query(PersonRow):
            person.locale = language
        session.commit()


def unmarked(page: Element, data: set[str]) -> list[str]:
    """Words outside the marks that are neither the customer's data nor a figure."""
    skipped = {"script", "style", "code", "title", "template"}
    said: list[str] = []
    named: list[str] = []

    def walk(element: Element) -> None:
        if not isinstance(element.tag, str) or element.tag in skipped:
            return
        named.extend(element.get(name, "") for name in ("aria-label", "placeholder"))
        said.append(element.text or "")
        for child in element:
            walk(child)
            said.append(child.tail or "")

    walk(page)
    whole = " ".join(said)  # a sentence may run through several elements
    return [words for text in (whole, *named) if (words := _bare(text, data))]


def _bare(text: str, data: set[str]) -> str:
    while OPEN in text:
        shorter = re.sub(f"{OPEN}[^{OPEN}{CLOSE}]*{CLOSE}", " ", text)
        if shorter == text:
            break
        text = shorter
    for known in sorted(data, key=len, reverse=True):
        text = text.replace(known, " ")
    text = re.sub(r"\d+ [\w\u0600-\u06ff.]+ \d{4}", " ", text.replace("\N{NO-BREAK SPACE}", " "))
    return " ".join(re.findall(r"[^\W\d_]{2,}", re.sub(r"US|UTC|TU", " ", text)))


PAGES = (
    "add-ons", "add-ons?text=submarine", "add-ons/salesforce/purchase",
    "add-ons/messages_100k/purchase?quantity=3&auto_renew=on", "add-ons/active", "usage",
    "wallet", "notifications", "invoices", "invoices/1", "purchases/1", "payment-methods",
    "payment-methods/1/remove", "security", "security/password", "security/two-step", "members",
    "members/leave",
)  # fmt: skip


def customer_data(world: World) -> set[str]:
    catalog = world.catalog()
    known = {"Billing", "Account1", "owner@account1.test", "VAT", "Visa", "Somebody"}
    known |= {"channel", "Website", *Locale("fr").months["format"]["abbreviated"].values()}
    known |= {"English", "Français", "العربية"}
    for feature in catalog.features:
        known |= {feature.name, feature.unit_plural, feature.unit_singular}
    for add_on in catalog.add_ons:
        known |= {add_on.name, add_on.benefit, add_on.description, add_on.category}
        known |= {e.static_value for e in add_on.entitlements}
    return {word for plan in catalog.plans for word in (plan.name,)} | known - {""}


def test_every_word_of_every_page_is_translated(world, visit):
    actor = world.account(tax=Tax(Decimal(20), False, "VAT"))
    for add_on in ("messages_100k", "salesforce", "members_5", "sms_10k"):
        world.buy(actor, add_on)
    report(world, actor, used("sms", 40, world.now), used("messages", 190_000, world.now))
    give(world, actor, "messages", ("extra", 50, world.now + timedelta(days=31)))
    world.pass_time(days=2)
    held = {i.add_on.lookup_key: i.id for i in world.state(actor).held}
    with world.session() as session:
        instances.cancel(actor, held["members_5"], "", session=session, wall=world.wall)
    for units, feature in ((120_000, "messages"), (4, "members")):
        yesterday = world.now - timedelta(days=1)
        report(world, actor, used(feature, units, yesterday, channel="Website"))
    speak(world, "fr")
    visit.sign_in("owner@account1.test")
    known = customer_data(world)
    paths = [*PAGES, f"add-ons/active/{held['salesforce']}/cancel"]
    for path in paths:
        page = visit.get(f"/settings/billing/{path}")
        assert 'lang="fr"' in page.html
        assert unmarked(page.document, known) == [], path
        assert OPEN in page.text


def test_errors_and_problems_are_translated_too(world, visit):
    world.account(card="pm_card_chargeCustomerFail")
    speak(world, "fr")
    visit.sign_in("owner@account1.test")
    known = customer_data(world)
    assert unmarked(visit.get("/settings/billing/nothing", 404).document, known) == []
    page = visit.get("/settings/billing/add-ons/salesforce/purchase")
    data = {name: page.hidden(name) for name in ("csrf_token", "token")}
    reply = visit.post("/settings/billing/add-ons/salesforce/purchase", data, 303)
    assert unmarked(visit.get(reply.headers["Location"]).document, known) == []
    assert unmarked(visit.get("/settings/billing/add-ons").document, known) == []


def test_a_right_to_left_language_turns_the_page_round(world, visit):
    world.account()
    speak(world, "ar")
    visit.sign_in("owner@account1.test")
    assert 'dir="rtl"' in visit.get("/settings/billing/add-ons").html


def test_the_check_itself_finds_a_bare_word(world, visit):
    world.account()
    page = visit.get("/sign-in")
    assert unmarked(page.document, set()) != [], "English is not marked"
