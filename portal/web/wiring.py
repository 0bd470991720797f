"""What the app was built with; views read it here and pass it on by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from flask import current_app

from portal.domain.identities import IdentityProvider
from portal.domain.payments import PaymentGateway
from portal.domain.periods import WallNow
from portal.services.documents import Printer
from portal.services.safekeeping import Safe
from portal.settings import Settings


@dataclass(frozen=True, slots=True)
class Wiring:
    """provider, staff_provider: who vouches for members and for staff; None where nobody does."""

    settings: Settings
    gateway: PaymentGateway
    now: Callable[[], WallNow]
    printer: Printer
    safe: Safe
    provider: IdentityProvider | None
    staff_provider: IdentityProvider | None


def wiring() -> Wiring:
    return cast(Wiring, current_app.extensions["portal"])
