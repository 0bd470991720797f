"""Every event has its words: none can be forgotten, and none says another's."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask import Flask

from portal.domain.activity import Kind, kind_of, shown
from portal.domain.events import EventName
from portal.domain.money import Money
from portal.queries.activity import Act, Someone
from portal.queries.activity_subjects import NOTHING, About
from portal.web.activity_sentences import act_words, doer_words, kind_words
from portal.web.activity_ways import act_way
from tests.support.world import APRIL_11

TENANTS_OWN = {
    "catalog:applied", "key:created", "key:revoked", "key:rotated", "staff:activity_exported",
    "staff:activity_read", "staff:added", "staff:ended", "staff:role_changed",
    "staff:identity_linked", "staff:identity_used", "staff:reset", "staff:set_up",
    "webhook:added", "webhook:changed", "webhook:replayed",
}  # fmt: skip
DETAIL = {
    "amount": 5_000, "mode": "stop", "quantity": "3", "threshold": 75, "cause": "declined",
    "brand": "visa", "last4": "4242", "recipient": "owner@x.test", "status": "succeeded",
    "starts_at": "2026-05-01T00:00:00+00:00", "effective_at": "2026-05-01T00:00:00+00:00",
    "role": "admin", "before": "member", "after": "billing", "email": "ada@x.test", "name": "Pack",
    "cancel_at": "2026-05-01 00:00:00+00:00", "ends_at": "2026-05-01T00:00:00+00:00",
    "answer": "done", "contract": "Growth",
}  # fmt: skip


def act(name: EventName, **changes: object) -> Act:
    plain = Act(
        name, APRIL_11, "person:1", Someone(1, "Kim", "kim@x.test"), None, "192.0.2.1",
        f"{name.partition(':')[0]}:7", About("Thing", 12, Money(4_900, "usd"), "add_on"), "Growth",
        DETAIL,
    )  # fmt: skip
    return replace(plain, **changes)  # type: ignore[arg-type]


@pytest.fixture
def speaking(app: Flask):
    with app.test_request_context("/"):
        yield


def test_every_event_is_of_a_kind_or_the_tenants_own():
    assert {event for event in EventName if kind_of(event) is None} == TENANTS_OWN
    assert shown() == set(EventName) - TENANTS_OWN
    by_kind = [shown(kind) for kind in Kind]
    assert all(by_kind)
    assert sum(map(len, by_kind)) == len(shown())


def test_every_event_that_members_see_has_a_sentence_of_its_own(speaking):
    said = {event: act_words(act(event)) for event in shown()}
    assert len(set(said.values())) == len(said) > 50
    assert all(said.values())


def test_every_event_has_a_sentence_when_nothing_is_known_of_its_subject(speaking):
    for event in shown():
        assert act_words(act(event, about=NOTHING, plan="")), event
        act_way(act(event, about=NOTHING))


@pytest.mark.parametrize("event", sorted(TENANTS_OWN))
def test_what_is_the_tenants_own_has_no_words_for_members(speaking, event):
    with pytest.raises(KeyError):
        act_words(act(EventName(event)))


FIGURES = {
    "purchase:settled": "Thing for $49.00: the purchase went through",
    "invoice:issued": "Invoice 000012 over $49.00 was issued",
    "credit_note:issued": "Credit note CN000012 over $49.00 was issued",
    "refund:answered": "A refund of $49.00 has gone back",
    "instance:cancelled": "Thing was cancelled, to end on 1 May 2026",
    "quantity:agreed": "Thing: the quantity is to be 3 from 1 May 2026 on",
    "plan_change:agreed": "A change to the Growth plan was agreed for 1 May 2026",
    "card:added": "Visa ending 4242 was added",
    "quota:reached": "Thing: 75% of the quota were used",
    "ceiling:set": "A monthly ceiling of $50.00 was set, to stop purchases",
    "recharge:paused": "Thing: auto-recharge paused, as the bank refused the card",
    "mail:failed": "A mail to owner@x.test could not be delivered",
    "invitation:sent": "An invitation to ada@x.test was mailed, as Admin",
    "member:joined": "Thing became a member, as Admin",
    "member:role_changed": "Thing: the role was changed from Member to Billing",
    "session:refused": "A sign-in as Thing failed",
}


@pytest.mark.parametrize(("event", "sentence"), FIGURES.items())
def test_figures_and_dates_are_said(speaking, event, sentence):
    assert act_words(act(EventName(event))) == sentence


def test_nothing_is_charged_where_nothing_was(speaking):
    free = About("Thing", 12, Money(0, "usd"), "plan")
    assert act_words(act(EventName.PURCHASE_RESERVED, about=free)) == (
        "Change to the Thing plan for $0.00: the order was placed"
    )


DOERS = {
    "stripe": "Payment provider", "key:4f9a1c2b7d3e": "Your application", "cli": "Our staff",
    "staff:ann": "ann, our staff", "auto-recharge": "Auto-recharge", "renewal": "Automatic",
    "anonymous": "Somebody not signed in", "person:9": "A former member",
}  # fmt: skip


@pytest.mark.parametrize(("doer", "said"), DOERS.items())
def test_who_is_no_person_is_named_by_what_it_is(speaking, doer, said):
    assert doer_words(act(EventName.CARD_ADDED, doer=doer, who=None)) == said


def test_each_kind_has_a_name(speaking):
    assert len({kind_words(kind) for kind in Kind}) == len(Kind)
