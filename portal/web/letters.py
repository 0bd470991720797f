"""What each mail says, in the member's words; how it looks is the templates'."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import ngettext

from portal.domain.credit_notices import AddOnEnded, Credited
from portal.domain.declaration_notices import DeclarationNotice
from portal.domain.ending_notices import (
    AddOnCancelled,
    ContractWithdrawn,
    PlanCancelled,
    PlanEnded,
    PurchaseLapsed,
)
from portal.domain.keeping_notices import AddOnKept, PlanKept
from portal.domain.member_notices import MemberNotice
from portal.domain.money import Money
from portal.domain.notices import (
    CardExpiring,
    Notice,
    PaymentDeclined,
    PaymentFailed,
    PlanChanged,
    Purchased,
    Refunded,
    Renewed,
    Restored,
    Sold,
    Suspended,
    TrialEnding,
)
from portal.domain.payments import Declined
from portal.domain.price_notices import (
    PriceChanging,
    PriceStays,
    UsePriceChanging,
    UsePriceStays,
)
from portal.domain.proposals import Proposed
from portal.domain.recharge_notices import RechargeNotice
from portal.domain.renewal_notices import RenewalAhead, StillRenewing
from portal.domain.sign_in_notices import SignInNotice
from portal.domain.support_notices import SupportNotice
from portal.domain.use_notices import LotExpiring, QuotaReached, UsageDigest
from portal.queries.purchases import Refunding
from portal.web.coming_letters import of_what_comes
from portal.web.credit_letters import of_credit
from portal.web.declaration_letters import of_declaration
from portal.web.drafts import (
    Draft,
    add_on_until_cancelled,
    add_ons,
    agreed_words,
    counted,
    page,
    plan_until_cancelled,
)
from portal.web.ending_letters import of_ending
from portal.web.keeping_letters import of_keeping
from portal.web.language import date, date_time, money, number
from portal.web.member_letters import of_members
from portal.web.recharge_letters import of_recharge
from portal.web.sign_in_letters import of_sign_in
from portal.web.steps import decline_words, refund_words
from portal.web.support_letters import of_support
from portal.web.use_letters import of_use, use_facts


def draft_of(notice: Notice) -> Draft:  # noqa: C901  (one case for each kind)
    match notice:
        case Purchased() | PaymentDeclined():
            return _purchased(notice) if isinstance(notice, Purchased) else _declined(notice)
        case Refunded():
            return _refunded(notice)
        case Renewed() | PaymentFailed():
            return _renewed(notice) if isinstance(notice, Renewed) else _failed(notice)
        case Suspended() | Restored():
            return _suspended(notice) if isinstance(notice, Suspended) else _restored(notice)
        case PlanChanged():
            return _plan_changed(notice)
        case CardExpiring() | TrialEnding() | RenewalAhead() | StillRenewing():
            return of_what_comes(notice)
        case PriceChanging() | PriceStays() | UsePriceChanging() | UsePriceStays():
            return of_what_comes(notice)
        case AddOnCancelled() | PlanCancelled() | PlanEnded():
            return of_ending(notice)
        case PurchaseLapsed() | ContractWithdrawn():
            return of_ending(notice)
        case AddOnKept() | PlanKept():
            return of_keeping(notice)
        case Credited() | AddOnEnded():
            return of_credit(notice)
        case QuotaReached() | LotExpiring() | UsageDigest():
            return of_use(notice)
        case _:
            return _of_more(notice)


def _of_more(
    notice: RechargeNotice
    | SupportNotice
    | Proposed
    | MemberNotice
    | DeclarationNotice
    | SignInNotice,
) -> Draft:
    if isinstance(notice, RechargeNotice):
        return of_recharge(notice)
    if isinstance(notice, DeclarationNotice):
        return of_declaration(notice)
    if isinstance(notice, MemberNotice):
        return of_members(notice)
    if isinstance(notice, SupportNotice | Proposed):
        return of_support(notice)
    return of_sign_in(notice)


def _purchased(notice: Purchased) -> Draft:
    what = _names(notice.sold)
    if notice.begins:
        return _begun(notice, what)
    said = _("Thank you. This was added to your plan: %(what)s.", what=what)
    if notice.starts_at is not None:
        said = _("Thank you. %(what)s starts on %(date)s. Until then you can take it back.",
                 what=what, date=date(notice.starts_at))  # fmt: skip
    free = () if any(each.amount for each in notice.sold) else (_("There was nothing to pay."),)
    return Draft(
        _("You bought %(what)s", what=what),
        (said, *free),
        (*_lines(notice.sold), *_sums(notice.charged, notice.carried), *use_facts(notice.uses)),
        (_("See the receipt"), page("purchases.show", purchase_id=notice.purchase_id)),
        (_lasts(notice), *agreed_words(notice.agreed)),
    )


def _begun(notice: Purchased, plan: str) -> Draft:
    free = () if notice.charged or notice.carried else (_("Nothing was charged."),)
    return Draft(
        _("Your %(plan)s plan has begun", plan=plan),
        (_("Thank you. From now on your plan is %(plan)s.", plan=plan), *free),
        (*_lines(notice.sold), *_sums(notice.charged, notice.carried), *use_facts(notice.uses)),
        (_("See the receipt"), page("purchases.show", purchase_id=notice.purchase_id)),
        (_lasts(notice), *agreed_words(notice.agreed)),
    )


def _lasts(notice: Purchased) -> str:
    """Until when; and, for what renews, how to stop it."""
    if notice.begins and notice.renews_at is not None:
        return plan_until_cancelled(notice.renews_at)
    if notice.renews_at is not None and notice.renews_at == notice.starts_at:
        return _("It is charged when it starts, and renews until you cancel it. To take it back or"
                 " to cancel, open %(page)s.", page=page("active.index"))  # fmt: skip
    if notice.renews_at is not None:
        return add_on_until_cancelled(notice.renews_at)
    if notice.ends_at is not None:
        return _("It is charged once and lasts until %(date)s. There is nothing to cancel.",
                 date=date(notice.ends_at))  # fmt: skip
    return _("It is charged once and never expires. There is nothing to cancel.")


def _declined(notice: PaymentDeclined) -> Draft:
    declined = Declined(notice.reason, notice.may_retry)
    return Draft(
        _("Your payment for %(what)s did not go through", what=notice.name),
        (decline_words(declined),),
        ((_("Amount"), money(notice.amount)),
         (_("The price is kept until"), date_time(notice.held_until))),
        (_("Pay another way"), page("purchases.show", purchase_id=notice.purchase_id)),
    )  # fmt: skip


def _refunded(notice: Refunded) -> Draft:
    back = Refunding(
        notice.amount, notice.reason, not notice.failed, notice.failed, notice.at, notice.kept
    )
    subject = _("We returned %(amount)s to you", amount=money(notice.amount))
    if notice.failed:
        subject = _("We could not return %(amount)s to your card", amount=money(notice.amount))
    invoices = (_("See your invoices"), page("invoices.index"))
    return Draft(subject, (refund_words(back),), (), invoices)


def _renewed(notice: Renewed) -> Draft:
    if notice.recovered:
        return _received(notice)
    title = _("Your invoice is settled")
    said = _("Thank you. This is what it was for. Your plan does not renew.")
    if notice.next_at is not None:
        title = _("Your plan was renewed")
        said = _("This is what the new period costs. The next renewal is on %(date)s.",
                 date=date(notice.next_at))  # fmt: skip
    return Draft(
        title,
        (said,),
        (*_lines(notice.sold), *_sums(notice.charged, notice.carried)),
        (_("See the invoice"), page("invoices.show", number=notice.invoice.number)),
    )  # fmt: skip


def _received(notice: Renewed) -> Draft:
    invoice = f"{notice.invoice.number:06d}"
    return Draft(
        _("We received your payment"),
        (_("Thank you. Invoice %(number)s is paid, and nothing of it is left to pay. You find its"
           " receipt there.", number=invoice),),
        (*_lines(notice.sold), (_("Paid"), money(notice.charged))),
        (_("See the invoice"), page("invoices.show", number=notice.invoice.number)),
    )  # fmt: skip


def _failed(notice: PaymentFailed) -> Draft:
    said = [_("We could not charge %(amount)s for your plan.", amount=money(notice.amount))]
    if notice.reason is None:
        said.append(_("There is no card to charge."))
    else:
        said.append(decline_words(Declined(notice.reason, may_retry=True)))
    if notice.retry_at is not None:
        said.append(_("We try again on %(date)s.", date=date(notice.retry_at)))
    else:
        said.append(_("We do not try again by ourselves, unless another card becomes the default."))
    if notice.ends_at is not None:
        said.append(_("Everything keeps working until your plan ends on %(date)s. The invoice stays"
                      " to be paid.", date=date(notice.ends_at)))  # fmt: skip
    else:
        said.append(_("Everything keeps working until %(date)s; unpaid by then, your plan is"
                      " suspended.", date=date(notice.suspends_at)))  # fmt: skip
    pay = (_("Pay now"), page("invoices.show", number=notice.invoice.number))
    return Draft(_("Your payment did not go through"), tuple(said), (), pay)


def _suspended(notice: Suspended) -> Draft:
    return Draft(
        _("Your plan is suspended"),
        (_("An invoice stayed unpaid, so your plan stopped on %(date)s.", date=date(notice.at)),
         _("It starts again as soon as everything is paid.")),
        ((_("Open"), money(notice.owed)),),
        (_("See your invoices"), page("invoices.index")),
    )  # fmt: skip


def _restored(notice: Restored) -> Draft:
    said = _("Thank you. Everything is paid, and your plan works again since %(at)s.",
             at=date_time(notice.at))  # fmt: skip
    return Draft(_("Your plan works again"), (said,), (), add_ons())


def _plan_changed(notice: PlanChanged) -> Draft:
    changes = {"before": notice.before, "after": notice.after, "date": date(notice.effective_at)}
    closing = agreed_words(notice.agreed)
    if notice.scheduled:
        said = _("Your plan changes from %(before)s to %(after)s on %(date)s. Nothing is charged"
                 " for the change.", **changes)  # fmt: skip
        return Draft(_("Your plan will change"), (said,), (), add_ons(), closing)
    said = _("Your plan changed from %(before)s to %(after)s on %(date)s.", **changes)
    facts = ((_("Charged"), money(notice.charged)),) if notice.charged is not None else ()
    return Draft(_("Your plan has changed"), (said,), facts, add_ons(), closing)


def _names(sold: tuple[Sold, ...]) -> str:
    """The first by name, and how many more."""
    first = _what(sold[0]) if sold else ""
    more = len(sold) - 1
    if more < 1:
        return first
    shown = number(more)
    return str(
        ngettext("%(what)s and %(shown)s more", "%(what)s and %(shown)s more", more,
                 what=first, shown=shown)
    )  # fmt: skip


def _lines(sold: tuple[Sold, ...]) -> tuple[tuple[str, str], ...]:
    return tuple((_what(line), money(line.amount)) for line in sold)


def _what(line: Sold) -> str:
    if line.beyond:
        return _("%(what)s beyond the allowance", what=line.name)
    return counted(line.name, line.quantity)


def _sums(charged: Money, carried: Money) -> tuple[tuple[str, str], ...]:
    """What was charged, and what waits for the next invoice where something does."""
    sums = [(_("Charged"), money(charged))]
    if carried:
        sums.append((_("On your next invoice"), money(carried)))
    return tuple(sums)
