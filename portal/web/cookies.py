"""Cookies of ours: how they are named and kept, which is one way for all of them."""

from __future__ import annotations

from datetime import timedelta

from flask import Response, request

from portal.settings import Settings
from portal.web.wiring import wiring


def named(name: str, settings: Settings) -> str:
    """As the browser has it: over https bound to this very host."""
    return f"__Host-{name}" if settings.is_https else name


def held(name: str) -> str:
    """What the browser shows; empty without it."""
    return request.cookies.get(_here(name), "")


def give(response: Response, name: str, value: str, life: timedelta) -> None:
    response.set_cookie(
        _here(name), value, max_age=life, httponly=True, samesite="Lax", path="/",
        secure=wiring().settings.is_https,
    )  # fmt: skip


def take(response: Response, name: str) -> None:
    response.delete_cookie(
        _here(name), httponly=True, samesite="Lax", path="/", secure=wiring().settings.is_https
    )


def _here(name: str) -> str:
    return named(name, wiring().settings)
