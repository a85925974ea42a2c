"""One measured relay: publisher -> server -> what is measured -> server -> reader.

A second reader sits at the first server. Both see the same stamps, so what lies between the
servers is known for every single picture: nothing has to be subtracted from means.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.latency.child import running, wait_for_line
from benchmarks.latency.seen import Seen
from benchmarks.processes import cpu_s, resident_bytes
from tests.live.servers.rtsp import RtspServer

_ROOT = Path(__file__).parents[2]
_SETTLE_S = 5.0
_TAIL_S = 1.0  # Pictures of the last moment are still on their way.

Bridge = Callable[[str, str, Path], Sequence[str | Path]]
"""Command that reads the first URL and publishes to the second; a folder for its report."""


def passing(way: str) -> Bridge:
    """Nothing but a pass-through, see `benchmarks.latency.passing`."""
    return lambda source, target, _: [*_module("passing"), way, source, target]


def facestream(*options: str) -> Bridge:
    """The real program."""
    return lambda source, target, folder: [
        sys.executable,
        _ROOT / "run_stream.py",
        source,
        "--out",
        target,
        "--live",
        "--report",
        folder / "report.json",
        *options,
    ]


def slowed(stage: str, ms: float) -> Bridge:
    """The real pipeline with one stage that takes longer, see `benchmarks.latency.slowed`."""
    return lambda source, target, folder: [
        *_module("slowed"),
        source,
        target,
        folder / "report.json",
        stage,
        str(ms),
    ]


@dataclass
class Measured:
    """What one relay showed.

    Attributes:
        near: seen at the first server, by stamp.
        far: seen behind what is measured.
        began_ns, ended_ns: the measured time; pictures captured outside of it do not count.
        memory: (seconds since `began_ns`, MB) of what is measured.
        cores: processors that it kept busy on average.
        report: what facestream reported of itself, empty for others.
    """

    near: Seen
    far: Seen
    began_ns: int
    ended_ns: int
    memory: list[tuple[float, float]] = field(default_factory=list)
    cores: float = 0.0
    report: dict[str, Any] = field(default_factory=dict)


def measure(
    bridge: Bridge, seconds: float, *, width: int = 1280, height: int = 720, rate: int = 30
) -> Measured:
    """Run a relay until it has settled and then for some seconds.

    Raises:
        RuntimeError: one of its parts does not work.
    """
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        first = stack.enter_context(RtspServer())
        second = stack.enter_context(RtspServer())
        near, far = folder / "near.txt", folder / "far.txt"

        def start(part: str, *command: str | Path, until: Path | None = None) -> Any:
            log = folder / f"{part}.log"
            process = stack.enter_context(running(command, log))
            if until is not None:
                wait_for_line(until, process, log)
            return process

        size = (str(width), str(height), str(rate))
        start("publisher", *_module("publisher"), first.url("/publish"), *size)
        start("near", *_module("reader"), first.url("/play"), near, until=near)
        with running(
            bridge(first.url("/play"), second.url("/publish"), folder), folder / "bridge.log"
        ) as process:
            start("far", *_module("reader"), second.url("/play"), far, until=far)
            time.sleep(_SETTLE_S)
            used_s, began_ns = cpu_s(process.pid), time.monotonic_ns()
            memory = []
            while (passed_s := (time.monotonic_ns() - began_ns) / 1e9) < seconds:
                memory.append((passed_s, resident_bytes(process.pid) / 1e6))
                time.sleep(min(1.0, seconds - passed_s))
            ended_ns = time.monotonic_ns()
            cores = (cpu_s(process.pid) - used_s) / (ended_ns - began_ns) * 1e9
            time.sleep(_TAIL_S)
            if process.poll() is not None:
                raise RuntimeError(f"it ended: {(folder / 'bridge.log').read_text()[-2000:]}")
        report = folder / "report.json"
        return Measured(
            near=Seen.load(near),
            far=Seen.load(far),
            began_ns=began_ns,
            ended_ns=ended_ns,
            memory=memory,
            cores=cores,
            report=json.loads(report.read_text(encoding="utf-8")) if report.exists() else {},
        )


def _module(name: str) -> list[str]:
    return [sys.executable, "-m", f"benchmarks.latency.{name}"]
