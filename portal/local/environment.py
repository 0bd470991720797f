"""What the portal is told through its environment, and the secrets kept between starts."""

from __future__ import annotations

import json
import os
import secrets
import shlex
from collections.abc import Mapping
from pathlib import Path

from portal.local.errors import LocalError
from portal.local.places import Places
from portal.local.roles import Urls

Variables = dict[str, str]


def is_development(given: Mapping[str, str]) -> bool:
    return given.get("PORTAL_ENVIRONMENT", "development") == "development"


def wants_sandbox(given: Mapping[str, str]) -> bool:
    """False when the person brings a Stripe test account, or a sandbox already running.

    Raises LocalError for a key that moves real money.
    """
    key = given.get("STRIPE_SECRET_KEY")
    if key and not key.startswith(("sk_test_", "rk_test_")):
        raise LocalError("STRIPE_SECRET_KEY is not a test key (sk_test_…): make run never uses one")
    return not key and not given.get("STRIPE_API_BASE")


def kept_secrets(folder: Path) -> Variables:
    """Made at random at the first start, readable by their owner alone, the same ever after."""
    file = folder / "secrets.json"
    made = {
        "SECRET_KEY": secrets.token_urlsafe(48),
        "STRIPE_SECRET_KEY": f"sk_test_{secrets.token_hex(16)}",
        "STRIPE_WEBHOOK_SECRET": f"whsec_{secrets.token_hex(16)}",
    }
    if file.exists():
        made |= json.loads(file.read_text())
    write_private(file, json.dumps(made, indent=2))
    return made


def for_children(given: Mapping[str, str], at: Places, urls: Urls, kept: Variables) -> Variables:
    """The environment of the portal's processes: ours, except where the person has said otherwise.

    The database is the exception: they reach it as the app, whoever DATABASE_URL names.
    """
    ours = kept | {
        "PORTAL_ENVIRONMENT": "development",
        "PUBLIC_URL": at.url,
    }
    if is_development(given):
        ours |= {"PORTAL_DEMO": "1", "SUPPORT_EMAIL": "help@portal.test"}
        ours["WEBHOOK_PRIVATE_ADDRESSES"] = "1"
        ours["MAIL_FOLDER"] = str(at.folder / "mail")
    if wants_sandbox(given):
        ours["STRIPE_API_BASE"] = at.sandbox_url
    told = ours | {name: value for name, value in given.items() if value or name not in ours}
    told["DATABASE_URL"] = urls.app
    told.pop("DATABASE_OWNER_URL", None)
    return told


def note(folder: Path, told: Mapping[str, str], given: Mapping[str, str], urls: Urls) -> Path:
    """Write what was set, for `flask` in another terminal: `set -a; . .data/environment`."""
    lines = [f"DATABASE_OWNER_URL={shlex.quote(urls.owner)}"]
    for name, value in sorted(told.items()):
        if given.get(name) != value:
            lines.append(f"{name}={shlex.quote(value)}")
    file = folder / "environment"
    write_private(file, "\n".join(lines) + "\n")
    return file


def write_private(file: Path, text: str) -> None:
    """Replace `file` as a whole, with mode 0600 from its first byte."""
    draft = file.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as opened:
        opened.write(text)
    draft.replace(file)
