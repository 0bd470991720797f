"""The database roles, on every PostgreSQL found: who may do what, and what inherits nothing."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from psycopg import errors

from portal.local.binaries import WHEEL, Binaries, installed
from portal.local.cluster import Cluster
from portal.local.errors import LocalError
from portal.local.roles import Urls, connect, prepare, prepare_given, with_database, with_driver


def _one_of_each_origin() -> list[Binaries]:
    """The newest of each origin: what people will have, and the span that SQL must be valid on."""
    found: dict[bool, Binaries] = {}
    for each in installed():
        found.setdefault(WHEEL in str(each.folder), each)
    return list(found.values())


@pytest.fixture(scope="module", params=_one_of_each_origin(), ids=lambda each: f"{each.major}")
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("roles")
    with Cluster(folder, durable=False, using=request.param) as running:
        yield running


@pytest.fixture(scope="module")
def urls(server: Cluster) -> Urls:
    """Prepared by four starts at once, each of which must come through with the same answer."""
    with ThreadPoolExecutor(4) as starts:
        answers = starts.map(lambda _: prepare(server.admin_url, "portal"), range(4))
        (only,) = set(answers)
    return only


@pytest.fixture(scope="module")
def secret_rows(urls: Urls) -> str:
    """A table that row security opens to portal_system only."""
    with connect(urls.owner) as owner:
        owner.execute("CREATE TABLE secret (id bigint GENERATED ALWAYS AS IDENTITY, word text)")
        owner.execute("ALTER TABLE secret ENABLE ROW LEVEL SECURITY")
        owner.execute("CREATE POLICY sweeps ON secret TO portal_system USING (true)")
        owner.execute("INSERT INTO secret (word) VALUES ('hidden')")
    return "secret"


def test_prepare_twice_changes_nothing(server: Cluster, urls: Urls) -> None:
    with connect(urls.owner) as owner:
        owner.execute("CREATE TABLE stays ()")
    assert prepare(server.admin_url, "portal") == urls
    with connect(urls.owner) as owner:
        assert owner.execute("SELECT to_regclass('stays')::text").fetchone() == ("stays",)


def test_each_url_signs_in_as_its_role(urls: Urls) -> None:
    for url, role in ((urls.owner, "portal_owner"), (urls.app, "portal_app")):
        with connect(url) as connection:
            who = connection.execute("SELECT session_user::text, current_user::text").fetchone()
        assert who == (role, role)


def test_the_app_does_not_inherit_what_the_system_role_sees(urls: Urls, secret_rows: str) -> None:
    with connect(urls.app) as app:
        assert app.execute(f"SELECT word FROM {secret_rows}").fetchall() == []
        with app.transaction():
            app.execute("SET LOCAL ROLE portal_system")
            assert app.execute(f"SELECT word FROM {secret_rows}").fetchall() == [("hidden",)]
        assert app.execute(f"SELECT word FROM {secret_rows}").fetchall() == []


def test_the_app_reads_and_writes_what_the_owner_makes(urls: Urls) -> None:
    with connect(urls.owner) as owner:
        owner.execute("CREATE TABLE open (id bigserial, word text)")
    for setting in ("portal_app", "portal_system"):
        with connect(urls.app) as app:
            app.execute(f"SET ROLE {setting}")
            app.execute("INSERT INTO open (word) VALUES ('a')")
            app.execute("UPDATE open SET word = 'b'")
            assert app.execute("SELECT word FROM open").fetchall() == [("b",)]
            app.execute("DELETE FROM open")


@pytest.mark.parametrize(
    "statement", ["CREATE TABLE mine ()", "DROP TABLE secret", "TRUNCATE secret", "CREATE ROLE x"]
)
def test_the_app_cannot_change_the_schema(urls: Urls, secret_rows: str, statement: str) -> None:
    with connect(urls.app) as app, pytest.raises(errors.InsufficientPrivilege):
        app.execute(statement)


def test_nobody_else_creates_in_the_schema(server: Cluster, urls: Urls) -> None:
    admin_url = with_database(server.admin_url, "portal")
    with connect(admin_url) as admin:
        admin.execute("CREATE ROLE stranger LOGIN")
    with (
        connect(admin_url.replace("postgres@", "stranger@")) as stranger,
        pytest.raises(errors.InsufficientPrivilege),
    ):
        stranger.execute("CREATE TABLE mine ()")


@pytest.fixture
def operator_url(server: Cluster, urls: Urls, tmp_path: Path) -> Iterator[str]:
    """A fresh server's own database of an operator who is no superuser but may create roles."""
    with Cluster(tmp_path, durable=False, using=server.using) as fresh:
        with connect(fresh.admin_url) as admin:
            admin.execute('CREATE ROLE "Op-1" LOGIN CREATEROLE')
            admin.execute('CREATE DATABASE theirs OWNER "Op-1"')
        yield with_database(fresh.admin_url, "theirs").replace("postgres@", "Op-1@")


def test_a_given_database_is_prepared_and_reached_by_switching_roles(operator_url: str) -> None:
    urls = prepare_given(operator_url.replace("+psycopg", ""))
    assert prepare_given(operator_url) == urls
    with connect(urls.owner) as owner:
        owner.execute("CREATE TABLE made (word text)")
        owner.execute("ALTER TABLE made ENABLE ROW LEVEL SECURITY")
        owner.execute("CREATE POLICY sweeps ON made TO portal_system USING (true)")
        owner.execute("INSERT INTO made VALUES ('hidden')")
    with connect(urls.app) as app:
        who = app.execute("SELECT session_user::text, current_user::text").fetchone()
        assert who == ("Op-1", "portal_app")
        assert app.execute("SELECT word FROM made").fetchall() == []
        app.execute("SET ROLE portal_system")
        assert app.execute("SELECT word FROM made").fetchall() == [("hidden",)]


def test_a_role_that_may_not_create_roles_is_told_what_to_do(operator_url: str) -> None:
    with connect(operator_url) as operator:
        operator.execute("CREATE ROLE plain LOGIN")
    with pytest.raises(LocalError, match=r"CREATEROLE.*DATABASE_OWNER_URL"):
        prepare_given(operator_url.replace("Op-1@", "plain@"))


def test_a_database_that_does_not_answer_is_named() -> None:
    with pytest.raises(LocalError, match="DATABASE_URL does not answer"):
        prepare_given("postgresql://nobody@127.0.0.1:1/none?connect_timeout=2")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("postgres://u:p@h/d", "postgresql+psycopg://u:p@h/d"),
        ("postgresql://u@/d?host=/s", "postgresql+psycopg://u@/d?host=/s"),
        ("postgresql+psycopg2://u@h/d", "postgresql+psycopg://u@h/d"),
    ],
)
def test_every_way_to_write_postgresql_is_understood(given: str, expected: str) -> None:
    assert with_driver(given) == expected


@pytest.mark.parametrize("given", ["sqlite:///x", "mysql://u@h/d", "portal"])
def test_another_database_is_refused(given: str) -> None:
    with pytest.raises(LocalError, match="postgresql://"):
        with_driver(given)
