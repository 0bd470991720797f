"""Whether a page can be read by everybody and fits every screen."""

from __future__ import annotations

import json
from pathlib import Path

from playwright.sync_api import Locator, Page

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text()
WIDTHS = (320, 390, 1180)


def follow(way: Locator) -> None:
    """Click what leads to another page, and be there."""
    with way.page.expect_navigation():
        way.click()


def sound(page: Page, scripts: bool = True) -> None:
    """Axe holds nothing against the page, and it fits at all three widths; without scripts there
    is nothing to ask it by."""
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        if scripts:
            assert sideways(page) <= 0, (page.url, width)
    if scripts:
        assert axe(page) == [], page.url


def axe(page: Page) -> list[str]:
    """What axe holds against the page as it is shown, once it has come."""
    page.wait_for_load_state()
    found = page.evaluate(f"() => {{ {AXE}; return axe.run(document); }}")
    return [
        f"{v['id']}: {json.dumps([n['html'][:160] for n in v['nodes']][:4])}"
        for v in found["violations"]
    ]


def sideways(page: Page) -> int:
    """How many pixels the page is wider than its window, once it has come."""
    page.wait_for_load_state()
    return page.evaluate("document.documentElement.scrollWidth - innerWidth")
