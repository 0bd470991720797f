"""Recomputing the months of the ceiling and of auto-recharge from purchases and credit notes."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.queries.spending import WHOLE_ACCOUNT

_MONTHS = """
with went_back as (
    select i.purchase_id, sum(n.card_minor) as minor
    from credit_notes n join invoices i
        on i.environment_id = n.environment_id and i.id = n.invoice_id
    where n.environment_id = :environment and i.purchase_id is not null group by 1),
counted as (
    select p.account_id, :whole as policy_id, p.spend_month as month, p.status,
        p.spend_minor as minor, least(coalesce(b.minor, 0), p.spend_minor) as back
    from purchases p left join went_back b on b.purchase_id = p.id
    where p.environment_id = :environment and p.spend_month is not null
    union all
    select account_id, policy_id, spend_month, status, spend_minor + carried_reserved_minor, 0
    from purchases
    where environment_id = :environment and spend_month is not null and policy_id is not null),
ledger as (
    select account_id, policy_id, month,
        coalesce(sum(minor - back) filter (where status = 'settled'), 0) as spent,
        coalesce(sum(minor) filter (where status = 'reserved'), 0) as reserved
    from counted group by 1, 2, 3)
select 'account ' || account_id || case when policy_id = :whole then '' else
    ', auto-recharge ' || policy_id end || ', ' || to_char(month, 'YYYY-MM') || ': the month says '
    || coalesce(m.spent_minor || ' minor units spent and ' || m.reserved_minor || ' reserved',
    'nothing') || ', its purchases ' || coalesce(l.spent || ' and ' || l.reserved, 'nothing')
from ledger l full join (select * from spend_months where environment_id = :environment) m
    using (account_id, policy_id, month)
where (coalesce(l.spent, 0), coalesce(l.reserved, 0))
    <> (coalesce(m.spent_minor, 0), coalesce(m.reserved_minor, 0))
order by account_id, policy_id, month
"""


def verify_months(session: Session, scope: Scope) -> list[str]:
    """One sentence for each month that differs from what its purchases come to.

    Purchases that were made before months were counted are in none.
    """
    given = {"environment": scope.environment_id, "whole": WHOLE_ACCOUNT}
    return list(session.scalars(text(_MONTHS), given))
