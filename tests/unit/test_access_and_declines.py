"""Two tables: who may do what, and what a refused card means to a customer."""

from __future__ import annotations

import pytest

from portal.domain.access import Actor, Permission, Role, Scope
from portal.domain.declines import DeclineReason, may_retry, reason_for
from portal.domain.errors import Forbidden


def actor(role: Role) -> Actor:
    return Actor(person_id=1, account_id=2, scope=Scope(3, 4), role=role)


@pytest.mark.parametrize(
    ("role", "may_update"),
    [(Role.OWNER, True), (Role.ADMIN, True), (Role.BILLING, True), (Role.MEMBER, False)],
)
def test_who_may_do_what(role: Role, may_update: bool) -> None:
    someone = actor(role)
    assert someone.can(Permission.BILLING_READ)
    assert someone.can(Permission.BILLING_UPDATE) is may_update
    someone.require(Permission.BILLING_READ)


def test_only_owners_decide_who_is_a_member() -> None:
    deciders = {role for role in Role if actor(role).can(Permission.MEMBERS_UPDATE)}
    assert deciders == {Role.OWNER}


def test_a_member_may_not_spend() -> None:
    with pytest.raises(Forbidden, match=r"billing\.update"):
        actor(Role.MEMBER).require(Permission.BILLING_UPDATE)


def test_every_role_is_in_the_table() -> None:
    for permission in (Permission.BILLING_READ, Permission.SELF_UPDATE):
        assert all(actor(role).can(permission) for role in Role)


def test_an_actor_belongs_to_one_environment() -> None:
    assert actor(Role.OWNER).environment_id == 4


@pytest.mark.parametrize(
    ("code", "decline_code", "reason"),
    [
        ("card_declined", "insufficient_funds", DeclineReason.INSUFFICIENT_FUNDS),
        ("expired_card", "expired_card", DeclineReason.EXPIRED_CARD),
        ("expired_card", None, DeclineReason.EXPIRED_CARD),
        ("incorrect_cvc", "incorrect_cvc", DeclineReason.INCORRECT_DETAILS),
        ("processing_error", None, DeclineReason.PROCESSING_ERROR),
        ("card_declined", "try_again_later", DeclineReason.PROCESSING_ERROR),
        ("card_declined", "currency_not_supported", DeclineReason.NOT_SUPPORTED),
        ("expired_card", "insufficient_funds", DeclineReason.INSUFFICIENT_FUNDS),
        ("payment_intent_authentication_failure", None, DeclineReason.AUTHENTICATION_FAILED),
        ("setup_intent_authentication_failure", None, DeclineReason.AUTHENTICATION_FAILED),
        ("card_declined", "authentication_failure", DeclineReason.AUTHENTICATION_FAILED),
        ("card_declined", "generic_decline", DeclineReason.REFUSED),
        (None, None, DeclineReason.REFUSED),
    ],
)
def test_decline_reasons(code: str | None, decline_code: str | None, reason: DeclineReason) -> None:
    assert reason_for(code, decline_code) is reason


@pytest.mark.parametrize("secret", ["lost_card", "stolen_card", "fraudulent", "pickup_card"])
def test_nobody_learns_that_a_card_is_suspected(secret: str) -> None:
    assert reason_for("card_declined", secret) is reason_for("card_declined", "generic_decline")


def test_the_network_may_forbid_another_try() -> None:
    assert not may_retry("do_not_try_again")
    assert may_retry("try_again_later")
    assert may_retry(None)
