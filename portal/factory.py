"""Builds the app: the one place where parts are chosen and joined, and that reads the clock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from flask import Flask
from flask_migrate import Migrate
from jinja2 import StrictUndefined
from sqlalchemy.pool import QueuePool
from werkzeug.middleware.proxy_fix import ProxyFix

from portal import api, cli, jobs, web
from portal.domain.identities import IdentityProvider
from portal.domain.mails import Postman
from portal.domain.payments import PaymentGateway
from portal.domain.periods import WallNow
from portal.gateways.mail import FilePostman, SmtpPostman
from portal.gateways.oidc import Client, OidcProvider
from portal.gateways.pdf import TypstPress
from portal.gateways.queue import JobQueue
from portal.gateways.stripe_payments import StripePayments, stripe_client
from portal.gateways.webhooks_out import HttpCourier
from portal.jobs.means import Means
from portal.models.base import db
from portal.services.documents import Printer
from portal.services.queueing import QUEUE
from portal.services.safekeeping import Safe
from portal.settings import Settings, load_settings
from portal.web.cookies import named
from portal.web.mail import LetterWriter
from portal.web.papers import PaperPrinter
from portal.web.security import ask_no_token_of
from portal.web.wiring import Wiring

ROOT = Path(__file__).parent.parent


def wall_now() -> WallNow:
    return WallNow(datetime.now(UTC))  # the only reading of the clock


def create_app(
    settings: Settings | None = None,
    gateway: PaymentGateway | None = None,
    now: Callable[[], WallNow] = wall_now,
) -> Flask:
    """The portal. Raises BadSettings, naming the variables, when it cannot start."""
    settings = settings or load_settings()
    app = Flask(
        "portal", template_folder=str(ROOT / "templates"), static_folder=str(ROOT / "static")
    )
    app.config.update(_config(settings))
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    safe = Safe(settings.secret_key.get_secret_value())
    wired = Wiring(
        settings, gateway or _stripe(settings), now, _printer(settings), safe,
        _provider(settings, "oidc"), _provider(settings, "staff_oidc"),
    )  # fmt: skip
    app.extensions["portal"] = wired
    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.proxy_hops or 0, x_proto=0)  # type: ignore[method-assign]
    db.init_app(app)
    _give_sessions_a_queue(app)
    Migrate(app, db, directory=str(ROOT / "migrations"))
    web.install(app)
    api.install(app, settings.api_rate_per_minute)
    ask_no_token_of(api.bp)
    cli.install(app)
    jobs.install(app, _means(app, wired))
    return app


def _stripe(settings: Settings) -> PaymentGateway:
    key = settings.stripe_secret_key.get_secret_value()
    return StripePayments(stripe_client(key, settings.stripe_api_base))


def _provider(settings: Settings, start: str) -> IdentityProvider | None:
    """Who vouches for members, or for staff; None when nobody was named."""
    issuer, client_id, secret, label, steps = (
        getattr(settings, f"{start}_{name}")
        for name in ("issuer", "client_id", "client_secret", "label", "second_step")
    )
    if not issuer:
        return None
    words = frozenset(steps.split())
    return OidcProvider(Client(issuer, client_id, secret.get_secret_value(), label, words))


def _printer(settings: Settings) -> Printer:
    press = TypstPress(ROOT / "templates" / "pdf")
    return PaperPrinter(press, settings.product_name, settings.support_email)


def _means(app: Flask, wired: Wiring) -> Means:
    """What the worker works with."""
    return Means(
        settings=wired.settings,
        gateway=wired.gateway,
        now=wired.now,
        writer=LetterWriter(app, wired.settings),
        printer=wired.printer,
        postman=_postman(wired.settings),
        courier=HttpCourier(
            wired.settings.secret_key.get_secret_value(),
            private=wired.settings.webhook_private_addresses,
        ),
        safe=wired.safe,
    )


def _postman(settings: Settings) -> Postman | None:
    """Who carries mail; None when nobody was named, and mail waits."""
    sender = settings.mail_from or f"{settings.product_name} <billing@localhost>"
    if settings.smtp_url is not None:
        return SmtpPostman(settings.smtp_url.get_secret_value(), sender)
    return FilePostman(settings.mail_folder, sender) if settings.mail_folder else None


def _give_sessions_a_queue(app: Flask) -> None:
    """What a service adds to it is there when the service's own transaction commits."""
    with app.app_context():
        db.session.configure(info={QUEUE: JobQueue()})


def _config(settings: Settings) -> dict[str, object]:
    return {
        "SQLALCHEMY_DATABASE_URI": settings.database_url.get_secret_value(),
        "SQLALCHEMY_ENGINE_OPTIONS": {
            "poolclass": QueuePool,
            "pool_size": 10,
            "max_overflow": 10,
            "pool_pre_ping": True,
            "hide_parameters": True,
        },
        "SECRET_KEY": settings.secret_key.get_secret_value(),
        "SESSION_COOKIE_NAME": named("portal", settings),
        "SESSION_COOKIE_SECURE": settings.is_https,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "WTF_CSRF_TIME_LIMIT": None,
        "MAX_CONTENT_LENGTH": 1_000_000,
        "TRUSTED_HOSTS": settings.served_hosts,
        "BABEL_TRANSLATION_DIRECTORIES": str(ROOT / "translations"),
        "BABEL_DEFAULT_LOCALE": "en",
    }
