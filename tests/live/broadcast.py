"""A live stream of bar codes into real receivers, and those who watch it there."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import numpy as np

from stream.frame import Frame, SourceInfo
from stream.health import Health
from stream.pipeline import Pipeline
from stream.report import Report
from stream.sinks import Sink, SinkSettings, open_sink
from stream.sinks.publish import Publisher, PublishSettings
from stream.sources.interruption import Interruption
from stream.sources.pacing import paced
from tests import barcode

RATE_HZ = 25
SIZE = (160, 96)
PATIENCE_S = 30.0  # For what takes a second or two on a machine with nothing else to do.
_LOW_DELAY = {"fflags": "nobuffer", "analyzeduration": "100000", "probesize": "50000"}


class BarCodes:
    """Numbered pictures in real time, until it is stopped; noisy ones cannot be compressed."""

    def __init__(self, *, noisy: bool = False, rate_hz: int = RATE_HZ) -> None:
        self._interruption = Interruption()
        self._rate_hz = rate_hz
        self._noise = None
        if noisy:
            chance = np.random.default_rng(1)
            self._noise = chance.integers(0, 256, (16, SIZE[1] // 2, SIZE[0], 3), np.uint8)

    def stop(self) -> None:
        self._interruption.stop()

    def __iter__(self) -> Iterator[Frame]:
        return paced(self._frames(), self._interruption)

    def _frames(self) -> Iterator[Frame]:
        seq = 0
        while not self._interruption.stopped:
            image = barcode.picture(seq % 4096, *SIZE)
            if self._noise is not None:
                image[SIZE[1] // 2 :] = self._noise[seq % len(self._noise)]
            yield Frame(image, seq * 1_000_000_000 // self._rate_hz, seq, time.monotonic_ns())
            seq += 1


class Broadcast:
    """A pipeline that publishes bar codes, and writes them into a file, in a thread of its own."""

    def __init__(
        self,
        urls: list[str],
        settings: PublishSettings,
        file: Path | None = None,
        *,
        noisy: bool = False,
        fails: str = "",
    ) -> None:
        """Make it; `fails` is what it will complain about at the end."""
        info = SourceInfo("barcode:", *SIZE, rate=Fraction(RATE_HZ), live=True)
        self._source = BarCodes(noisy=noisy)
        self._publisher = Publisher(urls, info, settings)
        sinks: dict[str, Sink] = {"publish": self._publisher}
        if file is not None:
            sinks["file"] = open_sink(str(file), info, SinkSettings(preset="ultrafast"))
        self._pipeline = Pipeline(self._source, {}, sinks, live=True)
        self._thread = threading.Thread(target=self._run)
        self._fails = fails
        self.failure: BaseException | None = None

    def _run(self) -> None:
        try:
            self._pipeline.run()
        except BaseException as error:  # noqa: BLE001 - told to the test
            self.failure = error

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pipeline.stop()
        self._thread.join()
        if error is None:
            assert (self.failure is not None) == bool(self._fails), self.failure
            assert self._fails in str(self.failure or "")

    @property
    def report(self) -> Report:
        """What the pipeline tells of itself."""
        return self._pipeline.report()

    @property
    def frames(self) -> int:
        """How many the source has given."""
        return self.report.frames_in

    def health(self) -> dict[str, Health]:
        return dict(self._publisher.health())

    def wait(self, state: str, *, detail: str = "") -> Health:
        """Until the first receiver is in a state, with these words in its detail."""
        deadline_s = time.monotonic() + PATIENCE_S
        health = None
        while time.monotonic() < deadline_s:
            health = next(iter(self.health().values()), None)
            if health is not None and health.state == state and detail in health.detail:
                return health
            assert self.failure is None, self.failure
            time.sleep(0.02)
        raise AssertionError(f"never {state}: {health}")


def watch(url: str, count: int, options: dict[str, str] | None = None) -> list[int]:
    """Numbers of the first pictures that a player gets."""
    numbers: list[int] = []
    with av.open(url, options=_LOW_DELAY | (options or {}), timeout=PATIENCE_S) as player:
        for frame in player.decode(video=0):
            numbers.append(barcode.read(frame.to_ndarray(format="bgr24")))
            if len(numbers) == count:
                break
    return numbers


def in_order(numbers: list[int]) -> bool:
    """Whether no picture is missing, doubled or out of place."""
    return numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def offspring(pid: int) -> set[int]:
    """Processes that a process has started, and those that they have."""
    children: set[int] = set()
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        children |= {int(child) for child in task.read_text(encoding="ascii").split()}
    return children.union(*(offspring(child) for child in children))


def lives(pid: int) -> bool:
    """Whether a process runs; one that only waits to be buried does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in {"Z", "X"}


def open_files() -> int:
    """How many files, pipes and sockets this process has open."""
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - links that may be gone
