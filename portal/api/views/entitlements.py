"""Whether an account may use a feature, how much of it, and what would help if not."""

from __future__ import annotations

from decimal import Decimal

from flask import url_for

from portal.api.operations import operation
from portal.api.paging import PageQuery, page_of
from portal.api.requests import account_id_of, database, scope, settings, wall
from portal.api.schemas.entitlements import EntitlementPage, ToldEntitlement, ToldHelp, UnitsQuery
from portal.api.schemas.fields import ACCOUNT_KEY, LOOKUP_KEY
from portal.domain.keys import Access
from portal.domain.quotas import Allowed, Help, RefusedUse
from portal.services.quota import Entitled, all_entitled, entitled_to

KEY = {"key": ACCOUNT_KEY}


@operation(
    "GET",
    "/accounts/<key>/entitlements",
    Access.READ,
    {200: EntitlementPage},
    parameters=KEY,
    query=PageQuery,
    refuses=(404,),
)
def list_entitlements(key: str, query: PageQuery) -> EntitlementPage:
    """How an account stands with every feature; `allowed` is for one unit more."""
    found = all_entitled(database(), scope(), account_id_of(key), wall=wall())
    page = page_of(found, query, lambda each: (each.feature.id, ""))
    data = [_told(each) for each in page.items]
    return EntitlementPage(data=data, next_cursor=page.next_cursor)


@operation(
    "GET",
    "/accounts/<key>/entitlements/<feature>",
    Access.READ,
    {200: ToldEntitlement},
    parameters=KEY | {"feature": LOOKUP_KEY},
    query=UnitsQuery,
    refuses=(404,),
)
def get_entitlement(key: str, feature: str, query: UnitsQuery) -> ToldEntitlement:
    """Whether an account may use so many units more of one feature now.

    It promises nothing: what is reported meanwhile counts. A past due account keeps what it has,
    a suspended one has nothing.
    """
    account_id, units = account_id_of(key), Decimal(query.units)
    return _told(entitled_to(database(), scope(), account_id, feature, units, wall=wall()))


def _told(found: Entitled) -> ToldEntitlement:
    answer, feature = found.answer, found.feature
    standing = answer.standing
    refused = answer if isinstance(answer, RefusedUse) else None
    return ToldEntitlement(
        feature=feature.lookup_key,
        name=feature.name,
        type=feature.type,
        use=feature.use,
        allowed=refused is None,
        reason=refused.reason if refused else None,
        limit=standing.limit,
        used=standing.used,
        remaining=standing.left,
        resets_at=standing.resets_at,
        excess=answer.excess if isinstance(answer, Allowed) else Decimal(0),
        values=list(found.values),
        help=_help(refused.help) if refused and refused.help else None,
        now=found.now,
    )


def _help(found: Help) -> ToldHelp:
    path = url_for("addons.preview", lookup_key=found.add_on)
    return ToldHelp(
        add_on=found.add_on,
        name=found.name,
        price=found.price,
        units=found.units,
        buy_url=settings().public_url + path,
    )
