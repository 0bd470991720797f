"""An invoice as a file, the way a member gets it."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.portal_pages import Portal
from tests.gateways.test_pdf import is_accessible, text_of


@pytest.mark.parametrize("scripts", [True, False], ids=["js", "nojs"])
def test_an_invoice_comes_as_a_file_named_after_it(scripts, stack, open_page):
    actor = stack.world.account()
    stack.world.buy(actor, "salesforce")
    page = open_page(scripts=scripts)
    portal = Portal(page, stack.url)
    portal.sign_in(f"owner@account{stack.world.key_of(actor)}.test")
    portal.open("invoices")
    with page.expect_download() as from_list:
        page.get_by_role("link", name="Download PDF").click()
    number = from_list.value.suggested_filename.removeprefix("invoice-").removesuffix(".pdf")
    page.get_by_role("link", name=number, exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Invoice {number}")
    with page.expect_download() as from_page:
        page.get_by_role("link", name="Download PDF").click()
    assert from_page.value.suggested_filename == f"invoice-{number}.pdf"
    files = [Path(found.value.path()).read_bytes() for found in (from_list, from_page)]
    assert files[0] == files[1]
    assert is_accessible(files[0])
    assert f"Invoice {number}" in text_of(files[0])
    assert "$33.33" in text_of(files[0])
