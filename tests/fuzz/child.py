"""The process that reads inputs: one line of JSON before and after each of them.

`python -m tests.fuzz.child` is told kinds and numbers on its standard input.
"""

from __future__ import annotations

import json
import os
import re
import resource
import sys
import tempfile
import threading
import traceback
from pathlib import Path
from typing import Any

from engine.errors import one_line
from stream.sources.failures import without_credentials
from tests.fuzz.kind import SECRET, Kind, Reader
from tests.fuzz.kinds import kind
from tests.fuzz.mutate import mutated

MOST_MIB = 3000
"""Resident memory at its highest; libraries have a few hundred."""

_ADDRESSES = 24 << 30


def main() -> None:
    """Read each input; whatever is not as promised is a fault, and the next one is read."""
    resource.setrlimit(resource.RLIMIT_AS, (_ADDRESSES, _ADDRESSES))
    wanted: dict[str, list[int]] = json.load(sys.stdin)
    for name, numbers in wanted.items():
        found = kind(name)
        seeds = found.seeds()
        with tempfile.TemporaryDirectory() as folder, found.reading(Path(folder)) as read:
            _say({"ready": name})
            for number in numbers:
                _say({"kind": name, "number": number})
                data = mutated(seeds, found.words, name, number)
                _say(_judged(found, read, data))


def _judged(found: Kind, read: Reader, data: bytes) -> dict[str, Any]:
    threads = threading.active_count()
    try:
        read(data)
        outcome, message = "read", ""
    except found.refusals as error:
        outcome, message = "refused", one_line(without_credentials(str(error)))
        fault = _unfit(message, data)
        if fault:
            return {"outcome": "fault", "message": f"{fault}: {message}"}
    except BaseException as error:  # noqa: BLE001 - all others are faults
        return {"outcome": "fault", "message": _where(error)}
    if threading.active_count() > threads + 4:
        return {"outcome": "fault", "message": f"threads are left: {threading.enumerate()}"}
    peak = peak_mib()
    if peak > MOST_MIB:
        return {"outcome": "fault", "message": f"{peak} MiB", "final": True}
    return {"outcome": outcome, "message": message, "peak_mib": peak}


def peak_mib() -> int:
    """This process's highest resident memory, in MiB."""
    # getrusage() counts from the fork, and so begins with the parent's.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    (kib,) = re.findall(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
    return int(kib) >> 10


def _where(error: BaseException) -> str:
    """What was raised, and the last lines of ours that it passed."""
    passed = [
        f"{Path(each.filename).name}:{each.lineno} {each.name}"
        for each in traceback.extract_tb(error.__traceback__)
        if "site-packages" not in each.filename
    ]
    return f"{type(error).__name__}: {str(error)[:300]} ({' > '.join(passed[-5:])})"


def _unfit(message: str, data: bytes) -> str | None:
    """What is wrong with an error's message."""
    if not message:
        return "no message"
    whole = f"://user:{SECRET}@".encode() in data or f'token = "{SECRET}"'.encode() in data
    return "shows a secret" if whole and SECRET in message else None


def _say(line: dict[str, Any]) -> None:
    print(json.dumps(line), flush=True)  # noqa: T201 - the way to the parent
    if line.get("final"):
        os._exit(0)  # memory that was once taken would be held against those that follow


if __name__ == "__main__":
    main()
