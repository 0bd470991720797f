"""The three database roles, and the two URLs that follow from them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import psycopg
from psycopg import errors, sql

from portal.local.errors import LocalError

OWNER, APP, SYSTEM = "portal_owner", "portal_app", "portal_system"
LOCK = 0x706F7274  # any number: two starts at once take turns

ROLES = {OWNER: "LOGIN", APP: "LOGIN NOINHERIT", SYSTEM: "NOLOGIN"}

Connection = psycopg.Connection[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Urls:
    """SQLAlchemy URLs of one database: its owner migrates, the app does everything else."""

    owner: str
    app: str


def prepare(admin_url: str, database: str) -> Urls:
    """Make roles and `database` where missing, on a server that trusts whoever reaches it."""
    with _turn(admin_url) as admin:
        _make_roles(admin)
        make_database(admin, database)
    url = with_database(admin_url, database)
    with _turn(url) as admin:
        _grant_in_database(admin)
    return urls_of(url, trusted=True)


def prepare_given(url: str) -> Urls:
    """Make the roles in somebody's own database, reached as its role and switched to ours.

    Raises LocalError when `url` does not answer, or its role may not do that.
    """
    url = with_driver(url)
    try:
        with _turn(url) as admin:
            _make_roles(admin)
            _let_me_become_them(admin)
            _grant_in_database(admin)
    except psycopg.OperationalError as reason:
        raise LocalError(f"The database of DATABASE_URL does not answer: {reason}") from None
    except errors.InsufficientPrivilege as reason:
        raise LocalError(f"{_REFUSED} ({reason.diag.message_primary})") from None
    return urls_of(url, trusted=False)


def urls_of(url: str, *, trusted: bool) -> Urls:
    """Both roles' URLs of a prepared database: by name where the server trusts, else by switching.

    `url` is one that the server lets in.
    """
    become = _with_user if trusted else _with_role
    return Urls(owner=become(url, OWNER), app=become(url, APP))


_REFUSED = (
    "The role in DATABASE_URL may not prepare the database. Either allow it (ALTER ROLE … "
    "CREATEROLE, and let it own the database), or create the roles yourself and set both "
    "DATABASE_URL (as portal_app) and DATABASE_OWNER_URL (as portal_owner), used as given."
)


def make_database(
    admin: Connection, name: str, template: str = "template0", owner: str | None = OWNER
) -> None:
    """Create a database; one that is there already stays as it is. `owner` None: our own role."""
    command = sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {} STRATEGY FILE_COPY").format(
        sql.Identifier(name),
        sql.Identifier(template),
        sql.Identifier(owner or admin.info.user),
    )
    with suppress(errors.DuplicateDatabase, errors.UniqueViolation):
        admin.execute(command)


def connect(url: str) -> Connection:
    """A connection of the driver's own, in autocommit, to a SQLAlchemy URL."""
    return psycopg.connect(with_driver(url).replace("+psycopg", "", 1), autocommit=True)


@contextmanager
def _turn(url: str) -> Iterator[Connection]:
    with connect(url) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", (LOCK,))
        yield connection


def _make_roles(admin: Connection) -> None:
    for name, attributes in ROLES.items():
        if not _exists(admin, name):
            with suppress(errors.DuplicateObject, errors.UniqueViolation):
                admin.execute(f"CREATE ROLE {name} {attributes}")
    _grant_role(admin, SYSTEM, APP)


def _exists(admin: Connection, role: str) -> bool:
    found = admin.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,))
    return found.fetchone() is not None


def _let_me_become_them(admin: Connection) -> None:
    me = admin.execute("SELECT current_user, rolsuper FROM pg_roles WHERE rolname = current_user")
    match me.fetchone():
        case (str(name), False):
            for role in ROLES:
                _grant_role(admin, role, name)


def _grant_role(admin: Connection, role: str, member: str) -> None:
    """Let `member` switch to `role` without inheriting from it.

    Since 16 the grant says so, before only the member's own NOINHERIT: were
    portal_system inherited by the app, it would see every row.
    """
    each = admin.info.server_version >= 160000
    granted = (
        "SELECT 1 FROM pg_auth_members a JOIN pg_roles r ON r.oid = a.roleid "
        "JOIN pg_roles m ON m.oid = a.member WHERE r.rolname = %s AND m.rolname = %s"
    )
    if each:
        granted += " AND set_option AND NOT inherit_option"
    if admin.execute(granted, (role, member)).fetchone() is None:
        command = f"GRANT {role} TO {{}}" + (" WITH INHERIT FALSE" if each else "")
        admin.execute(sql.SQL(command).format(sql.Identifier(member)))


def _grant_in_database(admin: Connection) -> None:
    """The owner may create, the others read and write what it creates, and nobody else creates."""
    admin.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    admin.execute(f"GRANT USAGE, CREATE ON SCHEMA public TO {OWNER}")
    admin.execute(f"GRANT USAGE ON SCHEMA public TO {APP}, {SYSTEM}")
    admin.execute(f"SET ROLE {OWNER}")
    for right, kind in (
        ("SELECT, INSERT, UPDATE, DELETE", "TABLES"),
        ("USAGE, SELECT", "SEQUENCES"),
    ):
        admin.execute(
            f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT {right} ON {kind} TO {APP}, {SYSTEM}"
        )
    admin.execute("RESET ROLE")


def with_driver(url: str) -> str:
    """The URL with the driver named: postgres:// and postgresql:// are the same to people."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.split("+")[0] not in ("postgres", "postgresql"):
        raise LocalError("DATABASE_URL must start with postgresql://: PostgreSQL is the only one")
    return f"postgresql+psycopg://{rest}"


def with_database(url: str, database: str) -> str:
    """The same server and role, another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{quote(database)}"))


def _with_role(url: str, role: str) -> str:
    """The same sign-in, switched to `role` at once."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    query["options"] = f"{query.get('options', '')} -c role={role}".strip()
    return urlunsplit(parts._replace(query=urlencode(query, quote_via=quote)))


def _with_user(url: str, user: str) -> str:
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{user}@{host}"))
