"""How a source or a receiver is doing while a stream runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias, runtime_checkable

State: TypeAlias = Literal["connecting", "running", "lost", "failed", "ended"]
"""`connecting`: not there yet. `running`. `lost`: it was there, and is looked for. `failed`: it
ended by an error, for good. `ended`: it is done."""


@dataclass(frozen=True, slots=True)
class Health:
    """A snapshot of one source or receiver.

    Attributes:
        state: see `State`.
        detail: one line for people, such as the reason of the last loss; may be empty.
        losses: how often a connection that had worked was lost.
        sent: frames or packets that got through.
        dropped: those that were left out for it.
    """

    state: State
    detail: str = ""
    losses: int = 0
    sent: int = 0
    dropped: int = 0


@runtime_checkable
class Monitored(Protocol):
    """A source or sink whose connections come and go."""

    def health(self) -> Mapping[str, Health]:
        """Every connection by the name that people know it by, without credentials.

        Any thread may call it at any time.
        """
