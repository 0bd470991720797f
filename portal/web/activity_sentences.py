"""What an event says on the page of activity: one sentence each, who did it, and where to look."""

from __future__ import annotations

from datetime import datetime

from flask_babel import gettext as _

from portal.domain.activity import Kind, kind_of
from portal.domain.events import EventName
from portal.domain.money import Money
from portal.domain.recharge_decisions import PauseCause
from portal.domain.refunds import RefundStatus
from portal.domain.spending import Mode
from portal.queries.activity import Act
from portal.web.activity_members import member_words
from portal.web.activity_sign_in import sign_in_words
from portal.web.activity_support import support_words
from portal.web.declaration_sentences import declaration_words
from portal.web.language import date, date_time, money, number, percent
from portal.web.proposal_sentences import PROPOSAL_EVENTS, proposal_words
from portal.web.sentences import card_words
from portal.web.support import shown_email


def kind_words(kind: Kind) -> str:
    said: dict[Kind, str] = {
        Kind.MONEY: _("Money"),
        Kind.ADD_ONS: _("Add-ons"),
        Kind.PLAN: _("Plan"),
        Kind.CARDS: _("Cards"),
        Kind.MEMBERS: _("Members"),
        Kind.SIGN_IN: _("Sign-in"),
        Kind.USE: _("Use and recharge"),
        Kind.MAIL: _("Mail"),
        Kind.SUPPORT: _("Support"),
        Kind.API: _("Account and API"),
    }
    return said[kind]


def doer_words(act: Act) -> str:
    """The person's name, else which part of the business or of the portal it was."""
    by, _colon, name = act.doer.partition(":")
    if act.who is not None:
        return act.who.name or shown_email(act.who.email)
    said = {
        "anonymous": _("Somebody not signed in"),
        "person": _("A former member"),
        "stripe": _("Payment provider"),
        "key": _("Your application"),
        "cli": _("Our staff"),
        "staff": _("%(name)s, our staff", name=act.detail.get("staff", name)),
        "auto-recharge": _("Auto-recharge"),
    }
    return said.get(by, _("Automatic"))


def act_words(act: Act) -> str:
    """The sentence. Raises KeyError for an event that is the tenant's own."""
    told = {
        Kind.MONEY: _of_money,
        Kind.ADD_ONS: proposal_words if act.name in PROPOSAL_EVENTS else _of_add_ons,
        Kind.PLAN: _of_plans,
        Kind.CARDS: _of_cards,
        Kind.MEMBERS: member_words,
        Kind.SIGN_IN: sign_in_words,
        Kind.USE: _of_use,
        Kind.MAIL: _of_mail,
        Kind.SUPPORT: support_words,
        Kind.API: _of_the_account,
    }
    kind = kind_of(act.name)
    if kind is None:
        raise KeyError(act.name)
    return told[kind](act)


def _of_money(act: Act) -> str:
    amount = _amount(act)
    paper = f"{act.about.number:06d}"
    match act.name:
        case EventName.INVOICE_ISSUED:
            return _("Invoice %(number)s over %(amount)s was issued", number=paper, amount=amount)
        case EventName.INVOICE_PAID:
            return _("Invoice %(number)s was paid", number=paper)
        case EventName.INVOICE_PAYMENT_FAILED:
            return _("The payment of invoice %(number)s failed", number=paper)
        case EventName.CREDIT_NOTE_ISSUED:
            return _("Credit note CN%(number)s over %(amount)s was issued", number=paper,
                     amount=amount)  # fmt: skip
        case EventName.REFUND_REQUESTED:
            return _("A refund of %(amount)s was ordered", amount=amount)
        case EventName.REFUND_ANSWERED:
            return _refund_words(act, amount)
        case _:
            return _of_purchases(act, amount)


def _refund_words(act: Act, amount: str) -> str:
    said: dict[str, str] = {
        RefundStatus.SUCCEEDED: _("A refund of %(amount)s has gone back", amount=amount),
        RefundStatus.FAILED: _("A refund of %(amount)s failed", amount=amount),
    }
    under_way = _("A refund of %(amount)s is on its way", amount=amount)
    return said.get(str(act.detail.get("status")), under_way)


def _of_purchases(act: Act, amount: str) -> str:
    what = _bought(act)
    match act.name:
        case EventName.PURCHASE_RESERVED:
            return _("%(what)s for %(amount)s: the order was placed", what=what, amount=amount)
        case EventName.PURCHASE_SETTLED:
            return _("%(what)s for %(amount)s: the purchase went through", what=what,
                     amount=amount)  # fmt: skip
        case EventName.PURCHASE_DECLINED:
            return _("%(what)s: the bank declined the payment of %(amount)s", what=what,
                     amount=amount)  # fmt: skip
        case EventName.PURCHASE_ENDED:
            return _("%(what)s: the order was not completed", what=what)
        case EventName.PAYMENT_LATE:
            return _("%(what)s: a payment came too late and is given back", what=what)
        case _:
            raise KeyError(act.name)


def _bought(act: Act) -> str:
    """What a purchase is of."""
    name = act.about.name
    if act.about.kind == "plan":
        return _("Change to the %(plan)s plan", plan=name) if name else _("Change of plan")
    if act.about.kind == "beginning":
        return _("Start of the %(plan)s plan", plan=name)
    if act.about.kind == "quantity":
        return _("More of %(add_on)s", add_on=name)
    return name or _("Add-on")


def _of_add_ons(act: Act) -> str:
    what = act.about.name or _("Add-on")
    match act.name:
        case EventName.INSTANCE_SCHEDULED:
            return _("%(what)s will start on %(date)s", what=what, date=_day(act, "starts_at"))
        case EventName.INSTANCE_STARTED:
            return _("%(what)s started", what=what)
        case EventName.INSTANCE_WITHDRAWN:
            return _("%(what)s was taken back before it started", what=what)
        case EventName.INSTANCE_CANCELLED:
            return _("%(what)s was cancelled, to end on %(date)s", what=what,
                     date=_day(act, "cancel_at"))  # fmt: skip
        case EventName.INSTANCE_KEPT:
            return _("%(what)s was kept: it renews again", what=what)
        case EventName.INSTANCE_ENDED:
            return _("%(what)s ended", what=what)
        case EventName.CONTRACT_WITHDRAWN:
            return _("The contract about %(what)s was withdrawn from", what=act.detail["name"])
        case EventName.QUANTITY_RAISED:
            return _("%(what)s: the quantity is %(quantity)s now", what=what,
                     quantity=number(int(act.detail["quantity"])))  # fmt: skip
        case EventName.QUANTITY_AGREED:
            return _("%(what)s: the quantity is to be %(quantity)s from %(date)s on", what=what,
                     quantity=number(int(act.detail["quantity"])),
                     date=_day(act, "effective_at"))  # fmt: skip
        case _:
            raise KeyError(act.name)


def _of_plans(act: Act) -> str:
    plan = act.plan or _("another")
    match act.name:
        case EventName.SUBSCRIPTION_STARTED:
            return _("The %(plan)s plan began", plan=plan)
        case EventName.PLAN_CHANGED:
            return _("The plan was changed to %(plan)s", plan=plan)
        case EventName.PLAN_CHANGE_AGREED:
            return _("A change to the %(plan)s plan was agreed for %(date)s", plan=plan,
                     date=_day(act, "effective_at"))  # fmt: skip
        case EventName.SUBSCRIPTION_CANCELLED:
            return _("The plan was cancelled, to end on %(date)s", date=_day(act, "ends_at"))
        case EventName.PRICE_CHANGE_ANNOUNCED:
            return _("A new price of %(what)s was announced for %(date)s", what=_priced(act),
                     date=_day(act, "effective_at"))  # fmt: skip
        case EventName.PRICE_CHANGE_APPLIED:
            return _("A new price of %(what)s came into force", what=_priced(act))
        case EventName.PRICE_CHANGE_WITHDRAWN:
            return _("The new price of %(what)s that was announced will not come",
                     what=_priced(act))  # fmt: skip
        case EventName.DECLARATION_RECEIVED | EventName.DECLARATION_MATCHED:
            return declaration_words(act)
        case EventName.DECLARATION_ANSWERED:
            return declaration_words(act)
        case _:
            return _plain_words(act.name)


def _plain_words(name: EventName) -> str:
    """Sentences without a figure."""
    said: dict[EventName, str] = {
        EventName.PLAN_CHANGE_WITHDRAWN: _("The agreed change of plan was taken back"),
        EventName.SUBSCRIPTION_RENEWED: _("The plan was renewed"),
        EventName.SUBSCRIPTION_PAST_DUE: _("The plan is past due: an invoice was not paid"),
        EventName.SUBSCRIPTION_SUSPENDED: _("The plan was suspended: an invoice stayed unpaid"),
        EventName.SUBSCRIPTION_RESTORED: _("The plan is in good standing again"),
        EventName.SUBSCRIPTION_KEPT: _("The plan was kept: it renews again"),
        EventName.SUBSCRIPTION_ENDED: _("The plan ended"),
    }
    return said[name]


def _priced(act: Act) -> str:
    what = act.about.name or _("the plan")
    feature = act.detail.get("feature")
    if not feature:
        return what
    return _("%(feature)s beyond the allowance of %(what)s", feature=feature, what=what)


def _of_cards(act: Act) -> str:
    card = card_words(act.detail.get("brand", ""), act.detail.get("last4", ""))
    said: dict[EventName, str] = {
        EventName.CARD_ENTRY_OPENED: _("The page for adding a card was opened"),
        EventName.CARD_ADDED: _("%(card)s was added", card=card),
        EventName.CARD_UPDATED: _("%(card)s was brought up to date", card=card),
        EventName.CARD_PREFERRED: _("%(card)s became the default card", card=card),
        EventName.CARD_REPLACED: _("%(card)s was replaced by a newer saving of it", card=card),
        EventName.CARD_REMOVED: _("%(card)s was removed", card=card),
        EventName.CARD_DETACHED: _("%(card)s was removed at the payment provider", card=card),
        EventName.CUSTOMER_DELETED: _("All cards were removed at the payment provider"),
    }
    return said[act.name]


def _of_use(act: Act) -> str:
    what = act.about.name
    match act.name:
        case EventName.QUOTA_REACHED:
            return _("%(what)s: %(share)s of the quota were used", what=what,
                     share=percent(act.detail["threshold"]))  # fmt: skip
        case EventName.CEILING_SET:
            return _ceiling_words(act)
        case EventName.RECHARGE_AGREED:
            return _("%(what)s: auto-recharge was agreed to", what=what)
        case EventName.RECHARGE_PAUSED:
            return _paused_words(act, what)
        case EventName.RECHARGE_RESUMED:
            return _("%(what)s: auto-recharge goes on", what=what)
        case EventName.RECHARGE_STOPPED:
            return _("%(what)s: auto-recharge was turned off", what=what)
        case _:
            raise KeyError(act.name)


def _paused_words(act: Act, what: str) -> str:
    said: dict[str, str] = {
        PauseCause.MEMBER: _("%(what)s: auto-recharge was paused", what=what),
        PauseCause.NO_CARD: _("%(what)s: auto-recharge paused for want of a card", what=what),
        PauseCause.PRICE_CHANGED: _("%(what)s: auto-recharge paused, as the price rose", what=what),
        PauseCause.NOT_SOLD: _("%(what)s: auto-recharge paused, as nothing is sold", what=what),
    }
    by_bank = _("%(what)s: auto-recharge paused, as the bank refused the card", what=what)
    return said.get(act.detail["cause"], by_bank)


def _ceiling_words(act: Act) -> str:
    currency = act.about.amount.currency if act.about.amount is not None else ""
    amount = money(Money(act.detail["amount"], currency)) if currency else ""
    said: dict[str, str] = {
        Mode.OFF: _("The monthly ceiling was taken away"),
        Mode.WARN: _("A monthly ceiling of %(amount)s was set, to warn", amount=amount),
        Mode.STOP: _("A monthly ceiling of %(amount)s was set, to stop purchases", amount=amount),
    }
    return said[act.detail["mode"]]


def _of_mail(act: Act) -> str:
    said: dict[EventName, str] = {
        EventName.MAILS_CHOSEN: _("The mails to get were chosen"),
        EventName.MAIL_FAILED: _("A mail to %(to)s could not be delivered",
                                 to=shown_email(act.detail.get("recipient", ""))),
    }  # fmt: skip
    return said[act.name]


def _of_the_account(act: Act) -> str:
    said: dict[EventName, str] = {
        EventName.ACCOUNT_CREATED: _("The account was opened"),
        EventName.ACCOUNT_CHANGED: _("Details of the account were changed"),
        EventName.CLOCK_ADVANCED: _("The test clock was moved to %(at)s", at=date_time(act.at)),
    }
    return said[act.name]


def _amount(act: Act) -> str:
    return "" if act.about.amount is None else money(act.about.amount)


def _day(act: Act, name: str) -> str:
    return date(datetime.fromisoformat(act.detail[name]))
