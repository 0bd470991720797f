"""Where a start puts itself: ports, the data folder, and what the person set in the environment."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from portal.local.errors import LocalError

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
PORT, SANDBOX_PORT = 8420, 8421


@dataclass(frozen=True, slots=True)
class Places:
    """Both ports, free when looked at, and the folder in which everything is kept."""

    port: int
    sandbox_port: int
    folder: Path

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def sandbox_url(self) -> str:
        return f"http://{HOST}:{self.sandbox_port}"


def places(given: Mapping[str, str]) -> Places:
    """Read PORT, SANDBOX_PORT and DATA_DIR.

    Raises LocalError naming the variable when a port is no port, or taken.
    """
    port = _free_port("PORT", given.get("PORT") or str(PORT))
    sandbox_port = _free_port("SANDBOX_PORT", given.get("SANDBOX_PORT") or str(SANDBOX_PORT))
    if port == sandbox_port:
        raise LocalError(f"PORT and SANDBOX_PORT are both {port}; choose two different ones")
    return Places(port, sandbox_port, Path(given.get("DATA_DIR") or ROOT / ".data").resolve())


def _free_port(name: str, wanted: str) -> int:
    """Bind to see whether it is free: the server shares ports, and would start behind another's."""
    if not wanted.isdecimal() or int(wanted) > 65535:
        raise LocalError(f"{name}={wanted} is not a port; choose 0 (any free one) to 65535")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, int(wanted)))
        except PermissionError:
            raise LocalError(f"{name}={wanted} needs root; choose one above 1023") from None
        except OSError:
            raise LocalError(f"port {wanted} is taken; choose another with {name}=…") from None
        port: int = probe.getsockname()[1]
        return port
