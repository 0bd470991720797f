"""Encrypts what the database keeps for somebody, with a key made of the portal's own secret."""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

NONCE_BYTES = 12


@dataclass(frozen=True, slots=True)
class Safe:
    """AES-256-GCM. `owner` is bound to what it holds, which cannot be opened in another's row."""

    master: str = field(repr=False)

    def lock(self, text: str, owner: str) -> str:
        nonce = secrets.token_bytes(NONCE_BYTES)
        closed = AESGCM(self._key()).encrypt(nonce, text.encode(), owner.encode())
        return urlsafe_b64encode(nonce + closed).decode()

    def open(self, encrypted: str, owner: str) -> str | None:
        """None for what was locked up for somebody else, or with another secret."""
        raw = urlsafe_b64decode(encrypted)
        try:
            found = AESGCM(self._key()).decrypt(
                raw[:NONCE_BYTES], raw[NONCE_BYTES:], owner.encode()
            )
        except InvalidTag:
            return None
        return found.decode()

    def _key(self) -> bytes:
        derived = HKDF(SHA256(), length=32, salt=None, info=b"portal second factor")
        return derived.derive(self.master.encode())
