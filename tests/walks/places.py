"""Where ids in addresses come from: the visitor's own place, and others that are none of theirs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, create_engine, select, text
from werkzeug.routing import Rule

from portal.domain.access import Actor, Role
from portal.domain.keys import Access
from portal.domain.sign_in import Origin
from portal.domain.sign_in_notices import invitation_secret, reset_secret
from portal.models.mails import MailRow
from portal.models.session import open_session
from portal.queries.keys import all_keys
from portal.services import keys, links, resetting, staff
from portal.services.accounts import ensure_environment
from portal.services.inviting import invite
from tests.models.twins import live
from tests.services.declaring import Declarations
from tests.services.entering import FIREFOX, HERE, SAFE
from tests.support.database import Database
from tests.support.world import World

ELSEWHERE = {"another environment": ("default", "staging"), "another tenant": ("rival", "staging")}
ANOTHER_ACCOUNT = "another account"

ROWS = {
    "instance_id": "select id, account_id from instances",
    "purchase_id": "select id, account_id from purchases",
    "card_id": "select id, account_id from payment_methods",
    "membership_id": "select id, account_id from memberships",
    "invitation_id": "select id, account_id from invitations",
    "session_id": "select s.id, m.account_id from sessions s join memberships m"
    " on (m.environment_id, m.id) = (s.environment_id, s.membership_id)",
    "invoices.number": "select number, account_id from invoices",
    "receipts.number": "select number, account_id from invoices where (environment_id, id) in"
    " (select environment_id, invoice_id from collections where status = 'paid')",
    "credit_notes.number": "select number, account_id from credit_notes",
    "view_id": "select id, account_id from support_sessions",
    "window_id": "select id, account_id from support_windows",
    "proposal_id": "select id, account_id from proposals",
    "approval_id": "select id, 0 from support_approvals where answered_at is null",
    "account_id": "select id, 0 from accounts",
    "declaration_id": "select id, 0 from declarations",
    "message_id": "select id, 0 from webhook_messages",
    "endpoint_id": "select id, 0 from webhook_endpoints",
    "prefix": "select prefix, 0 from api_keys where revoked_at is null and not opens_sessions",
    "addons.lookup_key": "select lookup_key, 0 from add_ons where status = 'published'",
    "plans.lookup_key": "select lookup_key, 0 from plans where status = 'published'",
    "usage.lookup_key": "select lookup_key, 0 from features where type = 'metered'",
    "feature": "select lookup_key, 0 from features where lookup_key like 'messages%'",
    "key": "select key, 0 from accounts",
}
"""Value and account, 0 where every account of an environment shares it; a rule names its argument,
or blueprint and argument."""
TEXT = {"cycle": "monthly", "environment": "development"}
"""Arguments that name nobody's row."""
WRITTEN = "written"
RENAMED = (
    ("accounts", "key", "key || '_there'"),
    ("add_ons", "lookup_key", "lookup_key || '_there'"),
    ("plans", "lookup_key", "lookup_key || '_there'"),
    ("features", "lookup_key", "lookup_key || '_there'"),
    ("invoices", "number", "number + 1000"),
    ("credit_notes", "number", "number + 1000"),
)
"""What is alike in every place: table, column, and what it becomes elsewhere."""


@dataclass(frozen=True, slots=True)
class Id:
    """One value of an address's argument, and the account it belongs to; 0 for all of them."""

    value: object
    account_id: int


Places = dict[str, dict[str, list[Id]]]
"""By place, then by kind of id. The visitor's own place is ''."""


def kind_of(rule: Rule, argument: str) -> str:
    """Its row in ROWS. Raises AssertionError, telling what is missing."""
    part = rule.endpoint.partition(".")[0]
    if argument == WRITTEN:
        return f"{part}.{WRITTEN}"
    found = next((k for k in (f"{part}.{argument}", argument) if k in ROWS), None)
    assert found, (
        f"{rule.rule}: say in tests/walks/places.py (ROWS) which rows <{argument}> names, or in"
        " TEXT what it may be where it names none"
    )
    return found


def settle(world: World, database: Database) -> Places:
    """Let the same happen in every place, and read which ids came of it."""
    owner = create_engine(database.owner_url)
    places: Places = {"": tokens(world)}
    scopes = {"": world.scope.environment_id}
    for place, (tenant, environment) in ELSEWHERE.items():
        there = World(database.app_url)
        with open_session(there.engine, None) as session:
            there.scope = ensure_environment(session, tenant, tenant.title(), environment)  # type: ignore[misc]
        there.seed()
        live(there)
        places[place], scopes[place] = tokens(there), there.scope.environment_id
        there.engine.dispose()
    with owner.begin() as connection:
        for place in ELSEWHERE:
            _rename(connection, scopes[place])
        for place, environment_id in scopes.items():
            places[place] |= dict(_read(connection, environment_id))
    owner.dispose()
    return places


def _read(connection: Connection, environment_id: int) -> Iterator[tuple[str, list[Id]]]:
    for kind, query in ROWS.items():
        alias = "s." if " join " in query else ""
        glue = "and" if " where " in query else "where"
        asked = f"{query} {glue} {alias}environment_id = :environment order by 1"
        rows = connection.execute(text(asked), {"environment": environment_id})
        yield kind, [Id(value, account_id) for value, account_id in rows]


def _rename(connection: Connection, environment_id: int) -> None:
    """Let no name and number of another place be one of ours too."""
    for table, column, other in RENAMED:
        renamed = f'update "{table}" set {column} = {other} where environment_id = :there'
        connection.execute(text(renamed), {"there": environment_id})


def tokens(world: World) -> dict[str, list[Id]]:
    """What stands in links that were mailed or shown, one of each kind."""
    actor = world.account()
    mail = f"owner@account{world.key_of(actor)}.test"
    with world.session() as session:
        scope, wall = world.scope, world.wall
        key = all_keys(session, scope)[0]
        keys.create(session, scope, "walked", Access.READ, wall)
        made = links.make(session, scope, actor.account_id, mail, "/", key, wall)
        invite(session, actor, "walked@new.test", Role.ADMIN, wall, SAFE)
        resetting.ask(session, scope, mail, Origin(HERE, FIREFOX), wall)
        resetting.mail_waiting(session, scope, wall, SAFE)
        shown = staff.add(session, scope, "asked@staff.test", "Bea", wall, SAFE)
    assert made is not None
    found = {
        "links": made.written,
        "invitations": invitation_secret(SAFE.master, _nonce(world, "invited")),
        "resets": reset_secret(SAFE.master, _nonce(world, "password_forgotten")),
        "staff": shown,
        "declarations": Declarations(world).declare(email=mail).written,
    }
    return {f"{part}.{WRITTEN}": [Id(each, 0)] for part, each in found.items()}


def _nonce(world: World, kind: str) -> str:
    with world.session() as session:
        mine = select(MailRow).where(MailRow.kind == kind).order_by(MailRow.id.desc())
        mail = session.scalars(mine).first()
    assert mail is not None
    return str(mail.notice["nonce"])


def own(places: Places, actor: Actor, kind: str) -> Id:
    """One that `actor` may see."""
    found = [each for each in places[""][kind] if each.account_id in (0, actor.account_id)]
    assert found, f"nothing happens in tests/walks that makes a {kind} of the visitor's account"
    return found[0]


def foreign(places: Places, actor: Actor, kind: str) -> dict[str, Id]:
    """One for each place that is not the visitor's; no other account has what all of them share."""
    mine = {each.value for each in places[""][kind] if each.account_id in (0, actor.account_id)}
    found = {}
    others = [each for each in places[""][kind] if each.value not in mine]
    if any(each.account_id for each in places[""][kind]):
        assert others, f"nothing happens in tests/walks that makes another account's {kind}"
        found[ANOTHER_ACCOUNT] = others[0]
    for place in ELSEWHERE:
        there = [each for each in places[place][kind] if each.value not in mine]
        assert there, f"nothing happens in {place} that makes a {kind}"
        found[place] = there[-1]
    return found
