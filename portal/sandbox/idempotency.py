"""One answer per Idempotency-Key: 409 while it is being made, the same one ever after."""

from __future__ import annotations

import hashlib
import sqlite3
import threading
from dataclasses import dataclass

from portal.sandbox.errors import ApiError
from portal.sandbox.store import Store

KEPT_FOR = 24 * 3600
LONGEST_KEY = 255


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back, and kept for the key."""

    status: int
    body: str
    request_id: str
    replayed: bool = False


class Keys:
    """The keys in use and the answers stored for the used ones."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._in_flight: set[str] = set()
        self._lock = threading.Lock()

    def begin(self, key: str, fingerprint: str, now: int) -> Answer | None:
        """The stored answer, or None: then do the work, `keep` its answer, and `end`.

        Raises ApiError 409 while another request holds the key, 400 if its parameters differ.
        """
        if len(key) > LONGEST_KEY:
            raise ApiError(f"Idempotency-Key is longer than {LONGEST_KEY} characters.")
        with self._lock:
            if key in self._in_flight:
                raise ApiError(
                    "There is currently another in-progress request using this Stripe "
                    "Idempotent Key (that probably means you submitted twice, and the other "
                    f"request is still going through): {key}. Please try again later.",
                    409,
                    "idempotency_error",
                    code="idempotency_key_in_use",
                )
            answer = self._stored(key, fingerprint, now)
            if answer is None:
                self._in_flight.add(key)
            return answer

    def keep(
        self, db: sqlite3.Connection, key: str, fingerprint: str, now: int, answer: Answer
    ) -> None:
        """Store the answer; `db` is the transaction that did the work."""
        db.execute(
            "INSERT INTO answers (key, fingerprint, created, request_id, status, body) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (key, fingerprint, now, answer.request_id, answer.status, answer.body),
        )

    def end(self, key: str) -> None:
        with self._lock:
            self._in_flight.discard(key)

    def _stored(self, key: str, fingerprint: str, now: int) -> Answer | None:
        with self._store.transaction() as db:
            db.execute("DELETE FROM answers WHERE created < ?", (now - KEPT_FOR,))
            row = db.execute(
                "SELECT fingerprint, status, body, request_id FROM answers WHERE key = ?", (key,)
            ).fetchone()
        if row is None:
            return None
        if row[0] != fingerprint:
            raise ApiError(
                "Keys for idempotent requests can only be used with the same parameters they were "
                f"first used with. Try using a key other than '{key}' if you meant to execute a "
                "different request.",
                400,
                "idempotency_error",
            )
        return Answer(row[1], row[2], row[3], replayed=True)


def fingerprint(method: str, path: str, body: str) -> str:
    """What must be the same when a key comes again: every byte of it."""
    return hashlib.sha256(f"{method} {path}\n{body}".encode()).hexdigest()
