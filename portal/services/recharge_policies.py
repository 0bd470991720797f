"""Agreeing to auto-recharge, pausing it, letting it go on and turning it off."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.domain.access import Actor, Permission
from portal.domain.catalog import Feature
from portal.domain.errors import NotFound
from portal.domain.events import EventName
from portal.domain.legal import Words
from portal.domain.money import Money
from portal.domain.payments import PaymentGateway
from portal.domain.periods import WallNow
from portal.domain.recharge_decisions import Pack, PauseCause, Trigger, larger_packs
from portal.domain.recharge_notices import RechargeAgreed
from portal.models.recharge import RechargeConsentRow, RechargePolicyRow
from portal.queries.accounts import AccountState, account_state
from portal.queries.recharge import packs_of, rechargeable
from portal.services import mailing
from portal.services.accepting import lock_subscription
from portal.services.consents import keep_consent, said_in
from portal.services.recharge_news import look, pause, resume
from portal.services.recording import record
from portal.services.till import Till, till_of


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a member wants bought by itself. feature, pack: lookup keys; cap: of a month."""

    feature: str
    threshold: int
    pack: str
    cap: Money
    cooldown: timedelta


@dataclass(frozen=True, slots=True)
class Consent:
    """What was shown and agreed to. amount: of one pack then, tax included. agreed: the words of
    the button, where a page was shown. larger: the packs that may be bought instead, as named."""

    wanted: Wanted
    amount: Money
    text: str
    text_version: str
    locale: str
    agreed: Words | None = None
    larger: tuple[Pack, ...] = ()


@dataclass(frozen=True, slots=True)
class AmountChanged:
    """Nothing was saved: the pack costs `amount` now, or is not sold any more; or one that may be
    bought instead is another than was said."""

    amount: Money | None


@dataclass(frozen=True, slots=True)
class Saved:
    policy_id: int


def agree(
    actor: Actor,
    consent: Consent,
    *,
    session: Session,
    gateway: PaymentGateway,
    wall: WallNow,
) -> Saved | AmountChanged:
    """Turn it on with these values and keep what was agreed to; it is looked at at once.

    Raises Forbidden, NotFound for a feature that no pack brings, ValueError for figures below one.
    """
    actor.require(Permission.BILLING_UPDATE)
    till, wanted = till_of(actor, session, gateway, wall), consent.wanted
    lock_subscription(session, actor)
    state = account_state(session, actor.scope, actor.account_id, wall)
    feature = next((f for f in rechargeable(state) if f.lookup_key == wanted.feature), None)
    if feature is None:
        raise NotFound("feature")
    packs = packs_of(state, actor.scope, feature)
    pack = next((p for p in packs if p.add_on == wanted.pack), None)
    if pack is None or pack.amount != consent.amount or _is_otherwise(packs, pack, consent):
        return AmountChanged(pack.amount if pack else None)
    if wanted.threshold < 1 or wanted.cap.minor < pack.amount.minor or not wanted.cap.minor:
        raise ValueError("a threshold below one, or a maximum below one pack")
    row = _written(till, state, feature.id, wanted, pack)
    kept = _keep_all(till, actor, row, consent, state)
    keep_consent(session, actor, f"recharge:{row.id}", consent.agreed, wall)
    _tell(till, actor, kept, (feature.name, pack.name), consent)
    look(till, row, Trigger.SAVE)
    policy_id = row.id
    session.commit()
    return Saved(policy_id)


def stop_for_now(
    actor: Actor, feature: str, *, session: Session, gateway: PaymentGateway, wall: WallNow
) -> None:
    """Pause it; what is being bought already is not called off. Raises Forbidden, NotFound."""
    till = till_of(actor, session, gateway, wall)
    row = _mine(till, actor, feature)
    if row.status == "on":
        pause(till, row, PauseCause.MEMBER)
    session.commit()


def go_on(
    actor: Actor, feature: str, *, session: Session, gateway: PaymentGateway, wall: WallNow
) -> None:
    """Let a paused one go on, with any card, and look at it at once. Raises as `stop_for_now`."""
    till = till_of(actor, session, gateway, wall)
    row = _mine(till, actor, feature)
    if row.status == "paused":
        row.refused_card_id = None
        resume(till, row)
    session.commit()


def turn_off(
    actor: Actor, feature: str, *, session: Session, gateway: PaymentGateway, wall: WallNow
) -> None:
    """For good: to turn it on again is to agree again. Raises as `stop_for_now`."""
    till = till_of(actor, session, gateway, wall)
    _stop(till, _mine(till, actor, feature))
    session.commit()


def turn_off_with(till: Till, account_id: int, features: Iterable[Feature]) -> None:
    """The same for all that buy packs of these features; commit is the caller's, who has the
    subscription's lock."""
    for feature in sorted({each.id for each in features}):
        row = _find(till, account_id, feature)
        if row is not None:
            _stop(till, row)


def _stop(till: Till, row: RechargePolicyRow) -> None:
    if row.status == "off":
        return
    row.status, row.pause_cause, row.look_at, row.look_for = "off", "", None, ""
    stopped, at = EventName.RECHARGE_STOPPED, till.account_now(row.account_id)
    record(till.session, till.scope, till.doer, stopped, f"recharge:{row.id}", at)


def _written(
    till: Till, state: AccountState, feature_id: int, wanted: Wanted, pack: Pack
) -> RechargePolicyRow:
    add_on = state.find_add_on(pack.add_on)
    if add_on is None:
        raise NotFound("add-on")
    row = _find(till, state.account.id, feature_id)
    if row is None:
        row = RechargePolicyRow(
            environment_id=till.environment_id, account_id=state.account.id, feature_id=feature_id
        )
    row.add_on_id, row.threshold = add_on.id, wanted.threshold
    row.cap_minor, row.currency = wanted.cap.minor, wanted.cap.currency
    row.cooldown_s = int(wanted.cooldown.total_seconds())
    row.status, row.pause_cause, row.refused_card_id = "on", "", None
    till.session.add(row)
    till.session.flush()
    return row


def _is_otherwise(packs: Iterable[Pack], pack: Pack, consent: Consent) -> bool:
    """Whether what may be bought instead is not what was shown."""
    now = [(each.add_on, each.amount) for each in larger_packs(packs, pack)]
    return now != [(each.add_on, each.amount) for each in consent.larger]


def _keep_all(
    till: Till, actor: Actor, row: RechargePolicyRow, consent: Consent, state: AccountState
) -> int:
    """A row for each pack that the words name, the chosen one's last: its id."""
    for each in consent.larger:
        add_on = state.find_add_on(each.add_on)
        if add_on is not None:
            _keep(till, actor, row, consent, add_on.id, each.amount)
    kept = _keep(till, actor, row, consent, row.add_on_id, consent.amount)
    agreed, subject = EventName.RECHARGE_AGREED, f"recharge:{row.id}"
    at, version = till.account_now(row.account_id), consent.text_version
    record(till.session, till.scope, till.doer, agreed, subject, at, text=version)
    return kept


def _keep(
    till: Till,
    actor: Actor,
    row: RechargePolicyRow,
    consent: Consent,
    add_on_id: int,
    amount: Money,
) -> int:
    """Add what the words say about one pack; the row's id."""
    kept = RechargeConsentRow(
        environment_id=row.environment_id,
        policy_id=row.id,
        person_id=actor.person_id,
        text_version=consent.text_version,
        locale=consent.locale,
        text=consent.text,
        add_on_id=add_on_id,
        threshold=row.threshold,
        amount_minor=amount.minor,
        cap_minor=row.cap_minor,
        currency=row.currency,
        cooldown_s=row.cooldown_s,
        consented_at=till.wall.astimezone(UTC),
    )
    till.session.add(kept)
    till.session.flush()
    return kept.id


def _tell(till: Till, actor: Actor, consent_id: int, named: tuple[str, str], said: Consent) -> None:
    """named: the feature and the pack."""
    feature, pack = named
    notice = RechargeAgreed(
        consent_id,
        feature,
        pack,
        threshold=said.wanted.threshold,
        amount=said.amount,
        cap=said.wanted.cap,
        agreed=said_in(said.agreed) or (said.text,),
    )
    mailing.post(till.session, till.scope, actor.account_id, notice)


def _mine(till: Till, actor: Actor, feature: str) -> RechargePolicyRow:
    """The account's policy for a feature, under its lock."""
    actor.require(Permission.BILLING_UPDATE)
    state = account_state(till.session, actor.scope, actor.account_id, till.wall)
    found = next((f for f in state.catalog.features if f.lookup_key == feature), None)
    row = _find(till, actor.account_id, found.id) if found else None
    if row is None:
        raise NotFound("auto-recharge")
    return row


def _find(till: Till, account_id: int, feature_id: int) -> RechargePolicyRow | None:
    row = RechargePolicyRow
    return till.session.scalar(
        select(row)
        .where(
            row.environment_id == till.environment_id,
            row.account_id == account_id,
            row.feature_id == feature_id,
        )
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
