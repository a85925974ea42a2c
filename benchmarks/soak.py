"""Does anything grow while a stream runs on and on?

The program itself, live on the looped demo (or any source), with the panel and a browser's share of
the work: a client that takes every picture. Memory, threads, open files and the age of frames are
sampled from outside; after the warm-up a line is fitted through each.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Final

import click
import numpy as np
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from benchmarks.machine import describe
from benchmarks.processes import holdings

_PROGRAM: Final = Path(__file__).parents[1] / "run_stream.py"
TOKEN: Final = "soak-soak-soak-soak"  # noqa: S105 - guards nothing: its server listens on loopback
_EVERY_S: Final = 2.0
_START_S: Final = 120.0
_WARM_UP: Final = 0.25

_LIMITS: Final = {"rss_mib": 1.0, "threads": 0.2, "descriptors": 0.2, "age_ms": 5.0}
"""Growth a minute that is a leak, or a queue that fills."""

_STEPS: Final = {"rss_mib": 16.0, "threads": 2.0, "descriptors": 2.0, "age_ms": 40.0}
"""What a library may take once, and never again: counts for less the longer the run."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What the program held at one moment.

    Attributes:
        minute: since the first sample.
        rss_mib: resident memory, child processes included.
        threads, descriptors: of the program alone.
        age_ms: median age of frames at the first sink.
        fps: frames a second so far.
    """

    minute: float
    rss_mib: float
    threads: int
    descriptors: int
    age_ms: float
    fps: float


@click.command()
@click.option("--minutes", type=click.FloatRange(min=0.5), default=30.0, show_default=True)
@click.option("--source", default="demo", show_default=True, help="Looped if it is a file.")
@click.option("--out", multiple=True, help="More outputs; repeatable.")
@click.option("--check", is_flag=True, help="Exit code 1 if anything grows.")
@click.option("--json", "file", type=click.Path(path_type=Path), help="Also write it here.")
def soak(
    minutes: float, source: str, out: tuple[str, ...], *, check: bool, file: Path | None
) -> None:
    """Memory, threads, open files and latency of a long run."""
    live = "://" in source or source.startswith("/dev/") or source.isdecimal()
    outputs = [word for target in ("null", "web", *out) for word in ("--out", target)]
    options = [*([] if live else ["--loop", "--live"]), *outputs]
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        with program(source, options, report) as (process, address):
            samples = _watched(process, address, minutes)
            process.send_signal(signal.SIGINT)
            code = process.wait(30)
        final = json.loads(report.read_text(encoding="utf-8"))
    growth = {name: _slope(samples, name) for name in _LIMITS}
    leaks = [
        name for name, limit in _LIMITS.items() if growth[name] > limit + _STEPS[name] / minutes
    ]
    result = {
        "question": "does anything grow while a stream runs on and on?",
        "machine": describe(),
        "minutes": minutes,
        "source": source,
        "outputs": ["null", "web", *out],
        "growth_per_minute": growth,
        "limits_per_minute": _LIMITS,
        "grows": leaks,
        "exit_code": code,
        "frames_in": final["frames_in"],
        "frames_out": final["frames_out"],
        "dropped": final["dropped"],
        "failed": final["failed"],
        "age_ms": final["age_ms"],
        "samples": [asdict(sample) for sample in samples],
    }
    if file is not None:
        file.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    click.echo(json.dumps({name: value for name, value in result.items() if name != "samples"}))
    if check and (leaks or code != 128 + signal.SIGINT):
        raise SystemExit(1)


@contextmanager
def program(
    source: str, options: list[str], report: Path
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start the program with the panel on any free port; kill it in the end.

    Args:
        source: see `run_stream.py`.
        options: `--out web` among them.
        report: where it writes its report.

    Yields:
        The process and the panel's address, once browsers can connect.
    """
    command = [sys.executable, str(_PROGRAM), source, *options, "--report", str(report)]
    command += ["--port", "0", "--set", f"web.token={TOKEN}"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)  # noqa: S603 - ours
    drain = threading.Thread(target=lambda: [None for _ in process.stderr or ()])
    try:
        assert process.stderr is not None
        address = ""
        for line in process.stderr:
            if line.startswith("panel: "):
                address = line.split()[1].partition("/?")[0]
                break
        if not address:
            raise click.ClickException(f"the program did not start: exit code {process.wait()}")
        drain.start()
        yield process, address
    finally:
        process.kill()
        process.wait()
        if drain.ident is not None:
            drain.join()
        if process.stderr is not None:
            process.stderr.close()


def _watched(process: subprocess.Popen[str], address: str, minutes: float) -> list[Sample]:
    wait_until_running(process, address)
    samples: list[Sample] = []
    ended = threading.Event()
    viewer = threading.Thread(target=_view, args=(address, ended))
    viewer.start()
    began_s = time.monotonic()
    try:
        while (passed_s := time.monotonic() - began_s) < minutes * 60:
            samples.append(_sample(process.pid, address, passed_s / 60))
            time.sleep(_EVERY_S)
    finally:
        ended.set()
        viewer.join()
    return samples


def wait_until_running(process: subprocess.Popen[str], address: str) -> None:
    """Return when frames flow."""
    until_s = time.monotonic() + _START_S
    while time.monotonic() < until_s and process.poll() is None:
        if run_status(address)["state"] == "running":
            return
        time.sleep(0.5)
    raise click.ClickException(f"nothing moved within {_START_S:g} s")


def run_status(address: str) -> dict[str, Any]:
    """What the panel at an address tells of its run."""
    request = urllib.request.Request(  # noqa: S310 - our own server on loopback
        f"{address}/api/status", headers={"Authorization": f"Bearer {TOKEN}"}
    )
    with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310 - the same
        status: dict[str, Any] = json.load(answer)
    return status


def _view(address: str, ended: threading.Event) -> None:
    """Take every picture, as a browser does."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    url = address.replace("http", "ws", 1) + "/ws/view?original=1"
    try:
        with connect(url, additional_headers=headers, max_size=None) as socket:
            while not ended.is_set():
                socket.recv(timeout=10)
                socket.send("ack")
    except (WebSocketException, TimeoutError, OSError) as error:
        click.echo(f"the viewer ended: {error}", err=True)


def _sample(pid: int, address: str, minute: float) -> Sample:
    status = run_status(address)
    report = status["report"]
    return Sample(
        minute=round(minute, 3),
        **asdict(holdings(pid)),
        age_ms=round(report["age_ms"]["p50"], 2),
        fps=round(report["fps"], 2),
    )


def _slope(samples: list[Sample], name: str) -> float:
    """Growth a minute after the warm-up, by least squares."""
    assert name in {field.name for field in fields(Sample)}
    settled = samples[int(len(samples) * _WARM_UP) :]
    minutes = np.array([sample.minute for sample in settled])
    values = np.array([float(getattr(sample, name)) for sample in settled])
    return round(float(np.polyfit(minutes, values, 1)[0]), 3) if len(settled) > 2 else 0.0
