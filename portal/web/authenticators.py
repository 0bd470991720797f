"""What an authenticator is told: a picture to scan, and the same to type."""

from __future__ import annotations

from dataclasses import dataclass

import pyotp
import segno

from portal.web.wiring import wiring

QUIET_ZONE = 4
GROUP = 4


@dataclass(frozen=True, slots=True)
class Offer:
    """picture: an SVG in an address, dark on white in both themes. secret: in groups of four."""

    picture: str
    secret: str


def offer(secret: str, email: str) -> Offer:
    issuer = wiring().settings.product_name
    address = pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=issuer)
    picture = segno.make(address, error="m").svg_data_uri(
        dark="#000", light="#fff", border=QUIET_ZONE, scale=4
    )
    groups = (secret[start : start + GROUP] for start in range(0, len(secret), GROUP))
    return Offer(picture, " ".join(groups))
