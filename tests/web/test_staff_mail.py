"""What mails say to staff: of each other's wishes, owners' answers, and what waits for theirs."""

from __future__ import annotations

from dataclasses import replace

from portal.domain.mails import Reader
from tests.support.notices import APPROVAL_ASKED, APPROVED, LET_IN, WAITS
from tests.web.test_mail import app, settings, writer  # noqa: F401  (fixtures)

# ruff: noqa: F811


def test_staff_are_asked_with_all_that_they_need_and_told_what_came_of_it(writer):
    asked = writer.write(APPROVAL_ASKED, Reader(""))
    assert asked.subject == "Ann asks to look at Northwind"
    for said in (
        "No owner of Northwind lets staff look now", "Reason: A figure is wrong.", "Ticket: T-1",
        "Waits until: 1 May 2026, 03:30 UTC",
        "Approve or refuse: https://billing.example.com/staff/approvals\n",
    ):  # fmt: skip
        assert said in asked.text
    approved = writer.write(APPROVED, Reader(""))
    assert approved.subject == "Ann approved that you look at Northwind"
    assert "Begin by 1 May 2026, 03:30 UTC, once." in approved.text
    assert "https://billing.example.com/staff/accounts/1\n" in approved.text
    refused = writer.write(replace(APPROVED, is_approved=False), Reader(""))
    assert refused.subject == "Ann refused to let you look at Northwind"
    assert "Begin" not in refused.text


def test_who_asked_the_owners_hears_their_answer(writer):
    allowed = writer.write(LET_IN, Reader(""))
    assert allowed.subject == "The owners of Northwind let you look"
    assert "Staff may look until 1 May 2026, 03:30 UTC" in " ".join(allowed.text.split())
    assert "https://billing.example.com/staff/accounts/1\n" in allowed.text
    refused = writer.write(replace(LET_IN, ends_at=None), Reader(""))
    assert refused.subject == "The owners of Northwind refused to let you look"
    assert "until" not in refused.text


def test_staff_hear_of_a_declared_cancellation_and_where_to_answer(writer):
    letter = writer.write(WAITS, Reader(""))
    assert letter.subject == "Cancellation 7 waits for an answer"
    for said in ("Contract: Growth", "Account: Northwind", "/staff/cancellations/7\n"):
        assert said in letter.text
    unknown = writer.write(replace(WAITS, account=""), Reader(""))
    assert "Account: Not found by itself: look for it" in unknown.text
