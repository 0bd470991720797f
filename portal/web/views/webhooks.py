"""Where Stripe delivers its events, one path for each environment."""

from __future__ import annotations

import structlog
from flask import Blueprint, Response, request

from portal.domain.errors import NotFound
from portal.domain.throttle import FORGED, network_of
from portal.gateways.stripe_webhooks import BadEvent, BadSignature, verified_event
from portal.services import inbox
from portal.services.throttling import watched
from portal.web.access import open_to_all
from portal.web.pacing import count
from portal.web.requests import database, scope, wall
from portal.web.security import csrf
from portal.web.wiring import wiring

bp = Blueprint("webhooks", __name__)
log = structlog.get_logger()


@bp.post("/webhooks/stripe/<environment>")
@csrf.exempt
@open_to_all
def stripe(environment: str) -> Response:
    """Verify, store, answer; a repeat is answered like the first."""
    settings = wiring().settings
    if environment != settings.portal_environment:
        raise NotFound("environment")
    signature = request.headers.get("Stripe-Signature")
    tolerance = settings.stripe_webhook_tolerance_s
    try:
        news = verified_event(request.get_data(), signature, settings.webhook_secrets, tolerance)
    except (BadSignature, BadEvent) as error:
        log.warning("webhook_refused", reason=type(error).__name__)
        count(watched(FORGED, network_of(request.remote_addr or "")))
        return Response(str(error), 400, mimetype="text/plain")
    inbox.receive(database(), scope(), news, gateway=wiring().gateway, wall=wall())
    return Response("", 200)
