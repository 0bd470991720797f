"""What mails say about use: a quota that runs low, units that expire, the week."""

from __future__ import annotations

from decimal import Decimal

from flask_babel import gettext as _
from flask_babel import ngettext

from portal.domain.alerts import Load
from portal.domain.catalog import Price
from portal.domain.use_notices import LotExpiring, Measured, QuotaReached, UsageDigest, WeekOfUse
from portal.web.drafts import Draft, page
from portal.web.language import date, date_time, number, percent
from portal.web.usage_sentences import a_day, use_price_words


def of_use(notice: QuotaReached | LotExpiring | UsageDigest) -> Draft:
    match notice:
        case QuotaReached():
            return _reached(notice)
        case LotExpiring():
            return _expiring(notice)
        case UsageDigest():
            return _digest(notice)


def use_facts(prices: tuple[Price, ...]) -> list[tuple[str, str]]:
    """What use costs that is billed afterwards, one line for each feature."""
    return [
        (_("%(feature)s beyond the allowance", feature=price.feature.name),
         _("%(price)s, billed afterwards", price=use_price_words(price, price.feature)))
        for price in prices
        if price.feature is not None
    ]  # fmt: skip


def _reached(notice: QuotaReached) -> Draft:
    feature = notice.feature
    share = percent(Load(notice.used, notice.allowance).percent)
    subject = _("%(share)s of your %(what)s are used", share=share, what=_what(feature))
    said = [_("%(used)s of %(of)s %(what)s are used, %(left)s are left.",
              used=number(notice.used), of=number(notice.allowance), what=_what(feature),
              left=number(max(notice.allowance - notice.used, Decimal(0))))]  # fmt: skip
    if notice.threshold >= 100:
        subject = _("All of your %(what)s are used", what=_what(feature))
    if notice.resets_at is not None:
        said.append(_("They start anew on %(date)s.", date=date(notice.resets_at)))
    way = (_("Compare the plans"), page("plans.index"))
    if notice.help is not None:
        said.append(_("%(add_on)s brings more.", add_on=notice.help.name))
        add_on = notice.help.add_on
        way = (_("Look at %(add_on)s", add_on=notice.help.name),
               page("addons.preview", lookup_key=add_on))  # fmt: skip
    return Draft(subject, tuple(said), (), way, choice=_choice())


def _expiring(notice: LotExpiring) -> Draft:
    units, day = number(notice.left), date(notice.expires_at)
    subject = ngettext(
        "%(units)s %(what)s expire in %(shown)s day",
        "%(units)s %(what)s expire in %(shown)s days",
        notice.days, units=units, what=_what(notice.feature), shown=number(notice.days),
    )  # fmt: skip
    if notice.days > 1:
        subject = _("%(units)s %(what)s expire on %(date)s",
                    units=units, what=_what(notice.feature), date=day)  # fmt: skip
    return Draft(
        subject,
        (_("What is left of them by then cannot be used any more."),),
        ((_("Left"), units), (_("Expires"), date_time(notice.expires_at))),
        (_("See your wallet"), page("wallet.index")),
        choice=_choice(),
    )


def _digest(notice: UsageDigest) -> Draft:
    return Draft(
        _("Your use in the last week"),
        (_("This is what was used in the seven days before this Monday, and how far it reaches."),),
        tuple((each.feature.name, week_words(each)) for each in notice.weeks),
        (_("See usage and quota"), page("usage.index")),
        choice=_choice(),
    )


def week_words(week: WeekOfUse) -> str:
    """`4,200 messages, 600 a day. 43% of the quota is used. At this pace it lasts until …`."""
    what = _what(week.feature)
    if week.is_level:
        said = [_("%(used)s %(what)s at most", used=number(week.used), what=what)]
    else:
        said = [_("%(used)s %(what)s, %(pace)s", used=number(week.used), what=what,
                  pace=a_day(week.pace, week.used))]  # fmt: skip
    if week.percent is None:
        return _("%(said)s. There is no limit.", said=said[0])
    said.append(_("%(share)s of the quota is used", share=percent(week.percent)))
    forecast = _forecast(week)
    return ". ".join([*said, forecast] if forecast else said) + "."


def _forecast(week: WeekOfUse) -> str:
    if week.is_level or week.left is None:
        return ""
    if not week.left:
        return _("Nothing is left")
    if week.runs_out_at is None:
        return _("At this pace it does not run out")
    if week.resets_at is None or week.runs_out_at < week.resets_at:
        return _("At this pace it runs out on %(date)s", date=date(week.runs_out_at))
    return _("At this pace it lasts until it starts anew on %(date)s", date=date(week.resets_at))


def _what(feature: Measured) -> str:
    return feature.unit or feature.name


def _choice() -> tuple[str, str]:
    return _("Choose which mails you get"), page("notifications.index")
