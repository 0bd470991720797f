"""What stops a local start, said to the person at the terminal."""

from __future__ import annotations


class LocalError(Exception):
    """A start that cannot go on; its text says what to do."""
