"""What a customer can see and do, by the names that the pages promise."""

from __future__ import annotations

from decimal import Decimal

from playwright.sync_api import Locator, Page

from tests.support.world import PASSWORD


class Portal:
    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url

    def sign_in(self, mail: str, password: str = PASSWORD) -> Portal:
        self.page.goto(f"{self.url}/sign-in")
        self.page.get_by_label("E-mail").fill(mail)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_url("**/settings/billing/**")
        return self

    def open(self, path: str) -> Portal:
        self.page.goto(f"{self.url}/settings/billing/{path}")
        return self

    def card(self, add_on: str) -> Locator:
        return self.page.get_by_role("article", name=add_on, exact=True)

    def row(self, add_on: str) -> Locator:
        return self.page.get_by_role("article", name=add_on, exact=True)

    def choose(self, add_on: str) -> Locator:
        """From the grid to the confirm page; the paying button."""
        self.open("add-ons")
        self.card(add_on).get_by_role("link", name="Add to plan").click()
        return self.paying_button

    @property
    def paying_button(self) -> Locator:
        return self.page.get_by_role("button", name="Pay ").or_(
            self.page.get_by_role("button", name="Add to plan")
        )

    @property
    def heading(self) -> Locator:
        return self.page.get_by_role("heading", level=1)

    def meter(self, feature: str) -> Decimal:
        """The limit that the meter of a feature shows."""
        meter = self.page.get_by_role("meter", name=feature, exact=True)
        return Decimal(meter.get_attribute("max") or "0")
