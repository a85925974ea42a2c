"""Who really executed a model, from ONNX Runtime's own record of a run.

A session that was asked for a GPU may list its provider and still run on the processor. The
profile has one event for each node that was executed, with the provider that did it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.errors import ModelError


@dataclass(frozen=True, slots=True)
class Share:
    """What one provider did.

    Attributes:
        nodes: executions of nodes, fused ones counted once.
        ms: time inside them, in milliseconds.
    """

    nodes: int
    ms: float


def read(path: Path) -> dict[str, Share]:
    """Read a profile file and remove it.

    Returns:
        ONNX Runtime's provider name to what it did, most nodes first.

    Raises:
        ModelError: the file is missing or not a profile.
    """
    try:
        events = json.loads(path.read_text(encoding="utf-8"))
        path.unlink()
    except (OSError, ValueError) as error:
        raise ModelError(f"profile {path}: cannot be read ({error}); is the disk full?") from error
    return shares(events)


def shares(events: list[Mapping[str, object]]) -> dict[str, Share]:
    """Add up the events of a profile by provider.

    Args:
        events: trace events; those of category 'Node' have `args.provider` and a duration
            `dur` in microseconds. All others are left out.
    """
    nodes: dict[str, int] = {}
    micros: dict[str, float] = {}
    for event in events:
        arguments = event.get("args")
        provider = arguments.get("provider") if isinstance(arguments, Mapping) else None
        if event.get("cat") != "Node" or not isinstance(provider, str) or not provider:
            continue
        duration = event.get("dur", 0)
        nodes[provider] = nodes.get(provider, 0) + 1
        micros[provider] = micros.get(provider, 0.0) + (
            duration if isinstance(duration, (int, float)) else 0.0
        )
    return {
        provider: Share(count, micros[provider] / 1000)
        for provider, count in sorted(nodes.items(), key=lambda item: -item[1])
    }
