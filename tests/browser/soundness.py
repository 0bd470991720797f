"""Whether a page can be read by everybody and fits every screen."""

from __future__ import annotations

import json
from pathlib import Path

from playwright.sync_api import Locator, Page

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text()
WEAR = """theme => {
    const still = new CSSStyleSheet()
    still.replaceSync("*, ::before, ::after { transition: none !important }")
    document.adoptedStyleSheets.push(still)
    document.documentElement.dataset.bsTheme = theme
}"""
"""Change the theme at once: no colour is on its way when axe looks."""
OTHER_THEME = "matchMedia('(prefers-color-scheme: dark)').matches ? 'light' : 'dark'"
WIDTHS = (320, 390, 1180)


def follow(way: Locator) -> None:
    """Click what leads to another page, and be there."""
    with way.page.expect_navigation():
        way.click()


def sound(page: Page, scripts: bool = True) -> None:
    """It fits at all three widths, and axe holds nothing against it, nor against the colours of
    the other theme; without scripts there is nothing to ask it by."""
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        if scripts:
            assert sideways(page) <= 0, (page.url, width)
    if scripts:
        found = axe(page)
        assert found == [], (page.url, found)
        shown = page.evaluate("document.documentElement.dataset.bsTheme")
        page.evaluate(WEAR, page.evaluate(OTHER_THEME))
        other = axe(page, "color-contrast")
        assert other == [], (page.url, "in the other theme", other)
        page.evaluate(WEAR, shown)


def axe(page: Page, *rules: str) -> list[str]:
    """What axe holds against the page as it is shown, once it has come; by all rules, or these."""
    page.wait_for_load_state()
    options: dict[str, object] = {"resultTypes": ["violations"]}
    if rules:
        options["runOnly"] = rules
    found = page.evaluate(
        f"options => {{ if (!window.axe) {{ {AXE} }} return axe.run(document, options); }}", options
    )
    return [
        f"{v['id']}: {json.dumps([n['html'][:160] for n in v['nodes']][:4])}"
        for v in found["violations"]
    ]


def sideways(page: Page) -> int:
    """How many pixels the page is wider than its window, once it has come."""
    page.wait_for_load_state()
    return page.evaluate("document.documentElement.scrollWidth - innerWidth")
