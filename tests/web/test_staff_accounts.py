"""Staff find an account and see what there is to know of it, and nothing of another environment."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from portal.domain.access import Role
from portal.domain.taxes import NO_TAX
from portal.models.accounts import AccountRow
from portal.queries.staff_accounts import LONGEST_PAGE
from portal.services import accounts
from portal.services.accounts import NewAccount
from tests.web.reading import HTMX
from tests.web.staffing import AtDesk

ACCOUNTS = "/staff/accounts"


@pytest.fixture
def ann(world, visit) -> AtDesk:
    return AtDesk(world, visit).set_up()


def found(ann: AtDesk, text: str) -> list[str]:
    page = ann.visitor.get(f"{ACCOUNTS}?q={text}")
    return [page.words(link) for link in page.all("a") if f"{ACCOUNTS}/" in link.get("href", "")]


def test_an_account_is_found_by_what_a_customer_can_say(ann):
    first, _ = ann.world.account(), ann.world.account()
    ann.world.buy(first, "salesforce")
    assert found(ann, "OUNT1") == ["Account1"]
    assert found(ann, "account2") == ["Account2"], "its key, and part of its name"
    assert found(ann, "OWNER@account2.test") == ["Account2"]
    assert found(ann, "000001") == ["Account1"], "the invoice's number"
    assert found(ann, "account") == ["Account1", "Account2"]


@pytest.mark.parametrize("text", ["owner@account", "%25", "_", "9" * 40, "%E2%80%8B", "²", "'"])
def test_what_is_half_typed_or_odd_finds_nothing(ann, text):
    ann.world.account()
    page = ann.visitor.get(f"{ACCOUNTS}?q={text}")
    assert "No account was found" in page.text or "Which account?" in page.text
    assert found(ann, text) == []


def test_nothing_is_listed_before_it_is_asked_for(ann):
    ann.world.account()
    page = ann.visitor.get(ACCOUNTS)
    assert "Which account?" in page.text
    assert "Account1" not in page.text
    assert "<html" not in ann.visitor.get(f"{ACCOUNTS}?q=account", **HTMX).html


def test_many_are_paged(ann):
    with ann.world.session() as session:
        for number in range(LONGEST_PAGE + 1):
            new = NewAccount(f"many{number:02}", f"Many {number:02}", "usd", "UTC", NO_TAX)
            accounts.create_account(session, ann.world.scope, new, ann.world.wall)
    assert len(found(ann, "many")) == LONGEST_PAGE
    assert "26 accounts" in ann.visitor.get(f"{ACCOUNTS}?q=many").text
    assert found(ann, "many&page=2") == ["Many 25"]
    assert len(found(ann, "many&page=3")) == LONGEST_PAGE, "the first for one that there is not"


def test_its_page_says_plan_standing_and_members_and_masks_addresses(ann):
    actor = ann.world.account()
    ann.world.member(actor.account_id, "reader@account1.test", Role.MEMBER)
    page = ann.visitor.get(f"{ACCOUNTS}/{actor.account_id}")
    assert "Growth" in page.text
    assert "in good standing" in page.text
    assert [e.get("id") for e in page.all("article")] != []
    assert "o…@account1.test" in page.text
    assert "r…@account1.test" in page.text
    assert "owner@account1.test" not in page.html
    assert "<html" not in ann.visitor.get(f"{ACCOUNTS}/{actor.account_id}", **HTMX).html


def test_an_account_without_a_plan_says_so(ann):
    with ann.world.session() as session:
        new = NewAccount("bare", "Bare", "usd", "UTC", NO_TAX)
        id_ = accounts.create_account(session, ann.world.scope, new, ann.world.wall)
    page = ann.visitor.get(f"{ACCOUNTS}/{id_}")
    assert "never had a plan" in page.text
    assert "Nobody is a member yet" in page.text


def test_another_environments_account_is_404_and_not_found(ann):
    ann.world.account()
    other = accounts_elsewhere(ann)
    ann.visitor.get(f"{ACCOUNTS}/{other}", 404)
    ann.visitor.get(f"{ACCOUNTS}/{2**62}", 404)
    assert found(ann, "elsewhere") == []


def accounts_elsewhere(ann: AtDesk) -> int:
    """An account of the same tenant's staging environment."""
    from portal.models.session import open_session

    with open_session(ann.world.engine, None) as session:
        scope = accounts.ensure_environment(session, "default", "Acme", "staging")
    with open_session(ann.world.engine, scope.environment_id) as session:
        new = NewAccount("elsewhere", "Elsewhere", "usd", "UTC", NO_TAX)
        return accounts.create_account(session, scope, new, ann.world.wall)


def test_a_name_of_markup_stays_text(ann):
    actor = ann.world.account()
    ann.world.change(
        update(AccountRow)
        .where(AccountRow.id == actor.account_id)
        .values(name="<script>x</script>")
    )
    for url in (f"{ACCOUNTS}?q=script", f"{ACCOUNTS}/{actor.account_id}"):
        page = ann.visitor.get(url)
        assert "<script>x" not in page.html
        assert "<script>x</script>" in page.text
