"""How fast is a live RTSP source back after its server was killed, and does anything pile up?

The server of the tests is killed as by a power cut, stays away for a moment, and is started again
on the same port; the source has to find it by itself. Time counts from the moment at which the
server listens again until the first picture that came afterwards.
"""

from __future__ import annotations

import json
import os
import random
import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import Self

import click
import numpy as np

from benchmarks.machine import describe
from benchmarks.processes import holdings
from stream.sources import SourceSettings, open_source
from stream.sources.reconnecting import Reconnecting
from tests.live.servers.rtsp import RtspServer, live_picture

_GOP_S = 0.5
_AWAY_S = (0.2, 1.5)
_GIVE_UP_S = 15.0
_WARM_UP = 5


class Viewer:
    """Reads on its own thread, as the pipeline does, and tells when pictures came."""

    def __init__(self, source: Reconnecting) -> None:
        self._source = source
        self._arrived = threading.Condition()
        self._last_ns = 0
        self._pts_ns: list[int] = []
        self._thread = threading.Thread(target=self._view)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._source.stop()
        self._thread.join()

    def _view(self) -> None:
        for frame in self._source:
            with self._arrived:
                self._last_ns = frame.captured_ns
                self._pts_ns.append(frame.pts_ns)
                self._arrived.notify_all()

    def first_after(self, since_ns: int) -> float | None:
        """Seconds until the first picture after a moment, None if none came."""
        with self._arrived:
            came = self._arrived.wait_for(lambda: self._last_ns > since_ns, _GIVE_UP_S)
            return (self._last_ns - since_ns) / 1e9 if came else None

    def times_rise(self) -> bool:
        """Whether every picture was later than the one before."""
        return bool(np.all(np.diff(self._pts_ns) > 0))


@click.command()
@click.option("--times", default=100, show_default=True, help="How often the server is killed.")
@click.option("--json", "file", type=click.Path(path_type=Path), help="Also write it here.")
def reconnect(times: int, file: Path | None) -> None:
    """Kill an RTSP server again and again; a live source has to come back each time."""
    chance = random.Random(1)  # noqa: S311 - no secret
    settings = SourceSettings()
    seconds: list[float | None] = []
    with RtspServer({"/test": live_picture(gop_s=_GOP_S)}) as server:
        source = open_source(server.url(), settings)
        assert isinstance(source, Reconnecting)
        with source, Viewer(source) as viewer:
            viewer.first_after(0)
            for number in range(-_WARM_UP, times):
                if number == 0:
                    before = holdings(os.getpid())
                server.kill()
                time.sleep(chance.uniform(*_AWAY_S))
                server.start()
                first_s = viewer.first_after(time.monotonic_ns())
                if number >= 0:
                    seconds.append(first_s)
            after = holdings(os.getpid())
        rising = viewer.times_rise()
    back = [value for value in seconds if value is not None]
    p50, p95, most = np.percentile(back, (50, 95, 100)).round(3).tolist() if back else [None] * 3
    result = {
        "question": "time to the first picture after a killed RTSP server is back, and leaks",
        "machine": describe(),
        "settings": {
            "picture": "320x240 at 25 Hz, H.264 over TCP",
            "gop_s": _GOP_S,
            "server_away_s": _AWAY_S,
            "retry_first_s": settings.retry_first_s,
            "retry_max_s": settings.retry_max_s,
        },
        "killed": times,
        "recovered": len(back),
        "first_picture_s": {"p50": p50, "p95": p95, "max": most},
        "times_rise": rising,
        "before": asdict(before),
        "after": asdict(after),
    }
    if file is not None:
        file.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(result))
