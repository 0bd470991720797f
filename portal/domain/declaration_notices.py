"""What is told by mail of a cancellation that was declared without signing in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from portal.domain.declarations import Answer, Declared


@dataclass(frozen=True, slots=True)
class DeclarationReceived:
    """To the address that was typed, whoever's it is."""

    kind: ClassVar[str] = "declaration_received"
    declared: Declared

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.declared.id}"


@dataclass(frozen=True, slots=True)
class DeclarationMatched:
    """To the owners of the account that it seems to be about. account: its name."""

    kind: ClassVar[str] = "declaration_matched"
    declared: Declared
    account: str

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.declared.id}"


@dataclass(frozen=True, slots=True)
class DeclarationAnswered:
    """To the address that was typed. said: what staff add. contract, ends_at: of what was carried
    out; empty and None of anything else."""

    kind: ClassVar[str] = "declaration_answered"
    declared: Declared
    answer: Answer
    said: str
    contract: str = ""
    ends_at: datetime | None = None

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.declared.id}"


@dataclass(frozen=True, slots=True)
class DeclarationWaits:
    """To staff, who have to answer it. contract: as it was typed. account: which it seems to be
    about; empty for none."""

    kind: ClassVar[str] = "declaration_waits"
    declaration_id: int
    contract: str
    account: str

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.declaration_id}"


DeclarationNotice = (
    DeclarationReceived | DeclarationMatched | DeclarationAnswered | DeclarationWaits
)
DECLARATION_KINDS = (DeclarationReceived, DeclarationMatched, DeclarationAnswered)
TYPED = frozenset({DeclarationReceived.kind, DeclarationAnswered.kind})
"""Letters to an address that somebody typed: whose it is, nobody has shown."""
