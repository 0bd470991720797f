"""`make run`: database, demo, Stripe sandbox, portal and worker, started and stopped as one."""

from __future__ import annotations

import os
import shlex
import signal
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from portal.local.children import Child, Children, Stopped
from portal.local.cluster import Cluster
from portal.local.environment import (
    Variables,
    for_children,
    is_development,
    kept_secrets,
    note,
    wants_sandbox,
)
from portal.local.errors import LocalError
from portal.local.places import HOST, ROOT, Places, places
from portal.local.processes import end_with_parent
from portal.local.roles import Urls, prepare, prepare_given, with_driver

FLASK = (sys.executable, "-m", "flask", "--app", "app")
SIGN_INS = """
  Sign in with the password portal-demo as
    owner@northwind.test    owner; card 4242 saved; Growth, monthly, USD
    member@northwind.test   member: reads only
    owner@sakura.test       owner; no card yet; JPY
    owner@alpen.test        owner; annual plan in EUR; a card that declines
  Staff sign in apart, at /staff, where the code of this moment is shown:
    support@portal.test     support staff: finds a customer and looks, read-only
  To be an administrator of the staff, get your link in another terminal by
    cd {root}; set -a; . {noted}; set +a
    .venv/bin/flask staff add you@example.test --name You --role admin
"""


@dataclass(frozen=True, slots=True)
class Commands:
    """What is run, with {port}, {sandbox_port}, {folder} and {webhook_secret} filled in."""

    migrate: tuple[str, ...] = (
        *(sys.executable, "-m", "alembic", "-c", "migrations/alembic.ini", "upgrade", "head"),
    )
    demo: tuple[str, ...] = (*FLASK, "demo", "load")
    sandbox: tuple[str, ...] = (
        *(sys.executable, "-m", "portal.sandbox", "--port", "{sandbox_port}"),
        *("--state", "{folder}/sandbox.sqlite"),
        *("--webhook-url", f"http://{HOST}:{{port}}/webhooks/stripe/development"),
        *("--webhook-secret", "{webhook_secret}"),
    )
    portal: tuple[str, ...] = (
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws"),
        *("--host", HOST, "--port", "{port}", "--workers", "1", "--blocking-threads", "8"),
        *("--workers-kill-timeout", "10", "--log-level", "error", "app:app"),
    )
    worker: tuple[str, ...] = (*FLASK, "jobs", "work")


class Start:
    """One `make run`, from the first check to the last process gone."""

    def __init__(self, given: Variables, commands: Commands) -> None:
        self.given = given
        self.commands = commands
        self.at: Places = places(given)
        self.children = Children()
        self._undo = ExitStack()

    def run(self) -> None:
        """Start everything and stay. Raises LocalError when something fails or ends by itself."""
        self.children.listen()
        _say("Starting the database, the Stripe sandbox and the portal …")
        try:
            self._start()
            self.children.watch()
        except Stopped:
            _say("\nStopping …")
        finally:
            self._stop()

    def _start(self) -> None:
        sandbox = wants_sandbox(self.given)
        self.at.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        urls = self._database()
        kept = kept_secrets(self.at.folder)
        told = for_children(self.given, self.at, urls, kept)
        noted = note(self.at.folder, told, self.given, urls)
        self._undo.callback(noted.unlink, missing_ok=True)
        child = None
        if sandbox:  # it needs no database, and comes up while the migration runs
            child = self._begin("The Stripe sandbox", "sandbox", told, self._log("sandbox"))
        self._finish("The migration", "migrate", told | {"DATABASE_OWNER_URL": urls.owner})
        if child:
            self.children.wait_until_ready(child, self.at.sandbox_port)
        if is_development(self.given):
            self._finish("Loading the demo", "demo", told)
        portal = self._begin("The portal", "portal", told)
        self.children.wait_until_ready(portal, self.at.port)
        self._begin("The worker", "worker", told, self._log("worker"))
        self._announce(sandbox)

    def _database(self) -> Urls:
        """The person's own database, or the embedded one started here."""
        own, owner = self.given.get("DATABASE_URL"), self.given.get("DATABASE_OWNER_URL")
        if own and owner:
            return Urls(owner=with_driver(owner), app=with_driver(own))
        if own:
            return prepare_given(own)
        if not is_development(self.given):
            raise LocalError("The embedded database is for development: set DATABASE_URL")
        cluster = self._undo.enter_context(Cluster(self.at.folder))
        if cluster.process is not None:
            server = Child("PostgreSQL", cluster.process, cluster.log, last=signal.SIGQUIT)
            self.children.running.append(server)
        return prepare(cluster.admin_url, "portal")

    def _fill(self, command: str, told: Variables) -> list[str]:
        known = {
            "port": self.at.port,
            "sandbox_port": self.at.sandbox_port,
            "folder": self.at.folder,
            "webhook_secret": told["STRIPE_WEBHOOK_SECRET"],
        }
        return [part.format(**known) for part in getattr(self.commands, command)]

    def _log(self, name: str) -> Path:
        return self.at.folder / f"{name}.log"

    def _finish(self, name: str, command: str, told: Variables) -> None:
        self.children.finish(name, self._fill(command, told), told, self._log(command))

    def _begin(self, name: str, command: str, told: Variables, log: Path | None = None) -> Child:
        return self.children.start(name, self._fill(command, told), told, log)

    def _announce(self, sandbox: bool) -> None:
        _say(f"\n  The portal is at     {self.at.url}")
        if sandbox:
            _say(f"  Stripe sandbox       {self.at.sandbox_url}")
        _say(f"  Data is kept in      {self.at.folder}")
        if is_development(self.given) and not self.given.get("SMTP_URL"):
            _say(f"  Mail is kept in      {self.at.folder / 'mail'}")
        if is_development(self.given):
            _say(self._sign_ins())
        _say("  Ctrl-C stops everything and keeps the data.\n")

    def _sign_ins(self) -> str:
        noted = shlex.quote(str(self.at.folder / "environment"))
        return SIGN_INS.format(root=shlex.quote(str(ROOT)), noted=noted)

    def _stop(self) -> None:
        """The worker first, then the portal and the sandbox, the database last."""
        self.children.stop()
        self._undo.close()


def _say(text: str) -> None:
    print(text, flush=True)


def _follow_make() -> None:
    """End with the `make` that started us, even when it is killed outright."""
    if Path(f"/proc/{os.getppid()}/comm").read_text().strip() in ("make", "gmake"):
        end_with_parent(signal.SIGTERM)


def main(commands: Commands | None = None) -> int:
    """Run until stopped; 0 when that was asked for, 1 with the reason on stderr otherwise."""
    try:
        _follow_make()
        Start(dict(os.environ), commands or Commands()).run()
    except (LocalError, PermissionError) as reason:
        print(f"make run: {reason}", file=sys.stderr, flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
