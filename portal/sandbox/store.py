"""Stripe's objects in SQLite: one writer at a time, each request one transaction."""

from __future__ import annotations

import json
import secrets
import sqlite3
import string
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Object = dict[str, Any]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    customer TEXT,
    created INTEGER NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS objects_newest ON objects (kind, created, seq);
CREATE INDEX IF NOT EXISTS objects_customer ON objects (kind, customer, created, seq);
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    created INTEGER NOT NULL,
    request_id TEXT NOT NULL,
    status INTEGER NOT NULL,
    body TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS deliveries (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    event TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    due_at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS agenda (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    due_at INTEGER NOT NULL,
    deed TEXT NOT NULL,
    object TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS agenda_due ON agenda (due_at, n);
CREATE INDEX IF NOT EXISTS answers_age ON answers (created);
CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (state, due_at);
"""
_TABLES = ("objects", "answers", "deliveries", "agenda")
_ALPHABET = string.ascii_letters + string.digits


def new_id(prefix: str, length: int = 24) -> str:
    return prefix + "".join(secrets.choice(_ALPHABET) for _ in range(length))


def public(thing: Object) -> Object:
    """An object as Stripe shows it: without the keys the sandbox keeps for itself."""
    return {k: v for k, v in thing.items() if not k.startswith("_")}


class Store:
    """All state of one sandbox. Use it only inside `transaction()`."""

    def __init__(self, path: Path | None = None) -> None:
        self._lock = threading.RLock()
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(
            path or ":memory:", isolation_level=None, check_same_thread=False
        )
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        with self._lock:
            self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Alone in the store until the block ends; an exception undoes what it wrote."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def insert(self, thing: Object) -> Object:
        self._db.execute(
            "INSERT INTO objects (id, kind, customer, created, body) VALUES (?, ?, ?, ?, ?)",
            (thing["id"], thing["object"], _customer(thing), thing["created"], json.dumps(thing)),
        )
        return thing

    def save(self, thing: Object) -> Object:
        """Write back a changed object."""
        self._db.execute(
            "UPDATE objects SET customer = ?, body = ? WHERE id = ?",
            (_customer(thing), json.dumps(thing), thing["id"]),
        )
        return thing

    def find(self, kind: str, identifier: str) -> Object | None:
        row = self._db.execute(
            "SELECT body FROM objects WHERE id = ? AND kind = ?", (identifier, kind)
        ).fetchone()
        return dict(json.loads(row[0])) if row else None

    def select(self, where: str, values: list[Any], order: str, limit: int) -> list[Object]:
        """Objects for one page; `where` and `order` are SQL written in this package."""
        rows = self._db.execute(
            f"SELECT body FROM objects WHERE {where} ORDER BY {order} LIMIT ?",  # noqa: S608
            [*values, limit],
        )
        return [json.loads(row[0]) for row in rows]

    def position(self, kind: str, identifier: str) -> tuple[int, int] | None:
        """Where an object stands in its list: (created, sequence)."""
        row = self._db.execute(
            "SELECT created, seq FROM objects WHERE id = ? AND kind = ?", (identifier, kind)
        ).fetchone()
        return (row[0], row[1]) if row else None

    def counts(self) -> dict[str, int]:
        """How many objects of each kind and status there are, e.g. `charge.succeeded`."""
        rows = self._db.execute(
            "SELECT kind, json_extract(body, '$.status') AS status, count(*) FROM objects "
            "GROUP BY kind, status ORDER BY kind, status"
        )
        return {f"{kind}.{status}" if status else kind: count for kind, status, count in rows}

    def plan(self, due_at: int, deed: str, identifier: str) -> None:
        """Note what is to happen to an object by itself."""
        self._db.execute(
            "INSERT INTO agenda (due_at, deed, object) VALUES (?, ?, ?)", (due_at, deed, identifier)
        )

    def take_due(self, now: int) -> list[tuple[str, str]]:
        """What is to happen by now, earliest first: (deed, object); it is noted no longer."""
        rows = self._db.execute(
            "SELECT n, deed, object FROM agenda WHERE due_at <= ? ORDER BY due_at, n", (now,)
        ).fetchall()
        self._db.executemany("DELETE FROM agenda WHERE n = ?", [(row[0],) for row in rows])
        return [(row[1], row[2]) for row in rows]

    def clear(self) -> None:
        for table in _TABLES:
            self._db.execute(f"DELETE FROM {table}")  # noqa: S608


def _customer(thing: Object) -> str | None:
    owner = thing.get("customer")
    return owner if isinstance(owner, str) else None
