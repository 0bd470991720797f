"""Judges recorded traffic by the shared checker; where that is missing, nothing is judged."""

from __future__ import annotations

import importlib.util
import json
import warnings
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

SHARED = Path(__file__).parents[3] / "shared" / "stripe"


@cache
def tool() -> ModuleType | None:
    path = SHARED / "conformance.py"
    if not path.exists():
        return None
    spec = importlib.util.spec_from_file_location("stripe_conformance", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def _checker() -> Any:
    module = tool()
    assert module is not None
    return module.Checker()


def findings(exchanges: list[dict[str, Any]], secret: str | None = None) -> list[Any]:
    """Every finding about these exchanges, of any level and side."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # it leaves the files it reads unclosed
        checker = _checker()
        checker.findings.clear()
        checker._idem.clear()
        checker._replay_first.clear()
        checker.webhook_secret = secret
        for number, exchange in enumerate(exchanges):
            checker.exchange(exchange, str(number))
    return list(checker.findings)


def errors(exchanges: list[dict[str, Any]], secret: str | None = None) -> list[Any]:
    """What breaks Stripe's contract, and null keys left out, which the library cannot read."""
    found = findings(exchanges, secret)
    return [f for f in found if f.level == "ERROR" or f.kind == "absent_keys"]


def read(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
