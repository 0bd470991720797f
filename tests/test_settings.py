"""Settings: a bad one stops the start, by its name and without its value."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from portal.settings import BadSettings, Settings, load_settings

ROOT = Path(__file__).parents[1]
GOOD = {
    "DATABASE_URL": "postgresql+psycopg://portal_app:hush-database@db.test/portal",
    "SECRET_KEY": "hush-secret-key-of-more-than-32-signs",
    "STRIPE_SECRET_KEY": "sk_test_hush",
    "STRIPE_WEBHOOK_SECRET": "whsec_hush",
}
PRODUCTION = GOOD | {
    "PORTAL_ENVIRONMENT": "production",
    "PUBLIC_URL": "https://billing.example.test",
    "STRIPE_SECRET_KEY": "sk_live_hush",
    "PROXY_HOPS": "1",
}
PROVIDERS = {
    "OIDC_ISSUER": "https://hush.test/realm",
    "OIDC_CLIENT_ID": "hush-members",
    "OIDC_CLIENT_SECRET": "hush-client-secret",
    "STAFF_OIDC_ISSUER": "https://hush.test/realm",
    "STAFF_OIDC_CLIENT_ID": "hush-staff",
}
SANDBOX = "http://127.0.0.1:8421"
EMBEDDED = "postgresql+psycopg://portal_app@/portal?host=/tmp/hush-socket"
NAMES = [name.upper() for name in Settings.model_fields]


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch):
    """Set exactly these variables, then read them."""

    def read(variables: dict[str, str]) -> Settings:
        for name in NAMES:
            monkeypatch.delenv(name, raising=False)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return load_settings()

    return read


def without(variables: dict[str, str], name: str) -> dict[str, str]:
    return {key: value for key, value in variables.items() if key != name}


def test_four_variables_are_enough(given):
    found = given(GOOD)
    assert found.portal_environment == "development"
    assert (found.uses_sandbox, found.is_https, found.portal_demo) == (False, False, False)
    assert found.webhook_secrets == ["whsec_hush"]


def test_production_with_a_live_key_over_https_starts(given):
    assert given(PRODUCTION).is_https
    assert given(PRODUCTION | {"STRIPE_SECRET_KEY": "rk_live_hush"}).is_https


def test_mail_goes_to_a_server_with_a_sender_or_to_a_folder(given):
    server = {"SMTP_URL": "smtps://me:hush@mail.test", "MAIL_FROM": "Billing <b@mail.test>"}
    assert given(GOOD | server).smtp_url is not None
    assert given(GOOD | {"SMTP_URL": "", "MAIL_FOLDER": "there"}).mail_folder == Path("there")
    assert given(GOOD).smtp_url is None


def test_identity_providers_are_known_by_https_or_on_this_machine(given):
    found = given(PRODUCTION | PROVIDERS)
    assert found.oidc_client_secret.get_secret_value() == "hush-client-secret"
    assert "hush-client-secret" not in repr(found)
    assert given(GOOD | {"OIDC_ISSUER": "http://127.0.0.1:9", "OIDC_CLIENT_ID": "a"}).oidc_issuer
    assert given(GOOD | {"OIDC_ISSUER": "", "OIDC_CLIENT_ID": ""}).oidc_issuer == ""


def test_the_old_webhook_secret_holds_beside_the_new_one(given):
    found = given(GOOD | {"STRIPE_WEBHOOK_SECRET_PREVIOUS": "whsec_old"})
    assert found.webhook_secrets == ["whsec_hush", "whsec_old"]


BAD = {
    "an environment there is none": (
        GOOD | {"PORTAL_ENVIRONMENT": "hush-qa"},
        "PORTAL_ENVIRONMENT",
    ),
    "an empty webhook secret": (GOOD | {"STRIPE_WEBHOOK_SECRET": ""}, "STRIPE_WEBHOOK_SECRET"),
    "another database": (GOOD | {"DATABASE_URL": "mysql://hush@h/d"}, "DATABASE_URL"),
    "a short secret": (GOOD | {"SECRET_KEY": "hush-too-short"}, "SECRET_KEY"),
    "a URL with a path": (GOOD | {"PUBLIC_URL": "https://hush.test/billing"}, "PUBLIC_URL"),
    "a URL of no web page": (GOOD | {"PUBLIC_URL": "ftp://hush.test"}, "PUBLIC_URL"),
    "a sandbox without a scheme": (GOOD | {"STRIPE_API_BASE": "hush.test:12"}, "STRIPE_API_BASE"),
    "a mail server without a scheme": (GOOD | {"SMTP_URL": "hush.test:25"}, "SMTP_URL"),
    "mail from nobody": (GOOD | {"SMTP_URL": "smtp://me:hush@mail.test"}, "MAIL_FROM"),
    "mail from two lines": (GOOD | {"MAIL_FROM": "a@b.test\nBcc: hush@b.test"}, "MAIL_FROM"),
    "mail from no address": (GOOD | {"MAIL_FROM": "hush"}, "MAIL_FROM"),
    "an identity provider in the clear": (
        GOOD | {"OIDC_ISSUER": "http://hush.test", "OIDC_CLIENT_ID": "a"},
        "OIDC_ISSUER",
    ),
    "an identity provider with a query": (
        GOOD | {"STAFF_OIDC_ISSUER": "https://hush.test/?a", "STAFF_OIDC_CLIENT_ID": "a"},
        "STAFF_OIDC_ISSUER",
    ),
    "an identity provider that does not know us": (
        GOOD | {"OIDC_ISSUER": "https://hush.test"},
        "OIDC_CLIENT_ID",
    ),
    "a client of no identity provider": (
        GOOD | {"STAFF_OIDC_CLIENT_ID": "hush"},
        "STAFF_OIDC_ISSUER",
    ),
    "production with an identity provider in the clear": (
        PRODUCTION | {"OIDC_ISSUER": "http://127.0.0.1:9/hush", "OIDC_CLIENT_ID": "a"},
        "OIDC_ISSUER",
    ),
    "one client for members and staff": (
        GOOD | PROVIDERS | {"STAFF_OIDC_CLIENT_ID": PROVIDERS["OIDC_CLIENT_ID"]},
        "STAFF_OIDC_CLIENT_ID",
    ),
    "a button that says nothing": (GOOD | PROVIDERS | {"OIDC_LABEL": ""}, "OIDC_LABEL"),
    "a truth that is none": (GOOD | {"PORTAL_DEMO": "hush-perhaps"}, "PORTAL_DEMO"),
    "no tolerance": (GOOD | {"STRIPE_WEBHOOK_TOLERANCE_S": "0"}, "STRIPE_WEBHOOK_TOLERANCE_S"),
    "a publishable key": (GOOD | {"STRIPE_SECRET_KEY": "pk_test_hush"}, "STRIPE_SECRET_KEY"),
    "a live key at the sandbox": (
        GOOD | {"STRIPE_API_BASE": SANDBOX, "STRIPE_SECRET_KEY": "sk_live_hush"},
        "STRIPE_API_BASE",
    ),
    "a restricted live key at the sandbox": (
        GOOD | {"STRIPE_API_BASE": SANDBOX, "STRIPE_SECRET_KEY": "rk_live_hush"},
        "STRIPE_API_BASE",
    ),
    "production in the sandbox": (
        PRODUCTION | {"STRIPE_API_BASE": SANDBOX, "STRIPE_SECRET_KEY": "sk_test_hush"},
        "STRIPE_API_BASE",
    ),
    "production with demo data": (PRODUCTION | {"PORTAL_DEMO": "1"}, "PORTAL_DEMO"),
    "production in the clear": (
        PRODUCTION | {"PUBLIC_URL": "http://billing.example.test"},
        "PUBLIC_URL",
    ),
    "production on an embedded database": (PRODUCTION | {"DATABASE_URL": EMBEDDED}, "DATABASE_URL"),
    "production on an embedded database, escaped": (
        PRODUCTION | {"DATABASE_URL": EMBEDDED.replace("=/", "=%2F")},
        "DATABASE_URL",
    ),
    "production that does not say whether there is a proxy": (
        without(PRODUCTION, "PROXY_HOPS"),
        "PROXY_HOPS",
    ),
    "fewer proxies than none": (GOOD | {"PROXY_HOPS": "-1"}, "PROXY_HOPS"),
    **{f"no {name}": (without(GOOD, name), name) for name in GOOD},
}


@pytest.mark.parametrize(("variables", "named"), BAD.values(), ids=BAD)
def test_a_bad_variable_is_named_and_its_value_is_not(given, variables, named):
    with pytest.raises(BadSettings) as refused:
        given(variables)
    told = str(refused.value.code)
    assert told.startswith("The portal cannot start:\n")
    assert named in told
    assert "hush" not in told


def test_every_bad_variable_is_named_at_once(given):
    with pytest.raises(BadSettings) as refused:
        given({"PUBLIC_URL": "nowhere", "PORTAL_ENVIRONMENT": "qa"})
    told = str(refused.value.code)
    assert {name for name in NAMES if f"  {name}: " in told} == {
        *GOOD,
        "PUBLIC_URL",
        "PORTAL_ENVIRONMENT",
    }


def test_settings_cannot_be_changed_and_do_not_print_their_secrets(given):
    found = given(GOOD)
    with pytest.raises(ValidationError):
        found.portal_demo = True  # type: ignore[misc]
    assert "hush" not in repr(found)


def start(variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """`import app`, as a server does, with these settings and no others."""
    environment = {k: v for k, v in os.environ.items() if k.upper() not in NAMES} | variables
    return subprocess.run(
        [sys.executable, "-c", "import app"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )


def test_the_process_does_not_start_on_bad_settings():
    told = start(without(GOOD, "SECRET_KEY") | {"PUBLIC_URL": "hush"})
    assert told.returncode == 1
    assert told.stderr.startswith("The portal cannot start:\n")
    assert "SECRET_KEY: " in told.stderr
    assert "PUBLIC_URL: " in told.stderr
    assert "hush" not in told.stderr


def test_the_process_starts_on_good_ones_before_the_database_answers():
    told = start(PRODUCTION)
    assert (told.returncode, told.stdout, told.stderr) == (0, "", "")
