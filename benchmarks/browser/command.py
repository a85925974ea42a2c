"""How old is a browser's own picture when it comes back to the browser?

Chromium paints the time into a 640x480 camera, sends it as the panel's page does, by WebSocket
or by WebRTC, and reads the time from what the panel shows: one clock, no other machine. In
between lies a real pipeline: browser camera, one stage, panel. The stage does nothing, or takes
60 ms, which is twice the time there is; a delay that grows with the run would show then.

Server, pipeline and browser share the processors of one machine.
"""

from __future__ import annotations

import base64
import importlib.metadata
import json
import math
import shutil
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import click
import cv2
import numpy as np

from benchmarks.machine import describe
from stream.frame import Frame
from stream.pipeline import Pipeline
from stream.report import Report
from stream.sources.settings import SourceSettings
from stream.web.server import WebServer
from stream.web.settings import WebSettings

if TYPE_CHECKING:
    from playwright.sync_api import Browser

WIDTH, HEIGHT, RATE = 640, 480, 30
SETTLE_S = 3.0
SLOW_S = 0.06

GOALS_MS = {"websocket": 60.0, "webrtc": 150.0}
GROWTH_GOAL_MS = 20.0
"""Of the second half over the first one, behind the slow stage."""

_PACKAGES = ("aiortc", "fastapi", "uvicorn", "websockets")
_SCRIPT = Path(__file__).with_name("page.js")
_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--mute-audio",
    "--autoplay-policy=no-user-gesture-required",
]


@click.command()
@click.option("--seconds", default=8.0, show_default=True, help="Of each of the four ways.")
@click.option("--json", "file", type=click.Path(path_type=Path), help="Also write it here.")
def browser(seconds: float, file: Path | None) -> None:
    """Round trip of a browser's camera by WebSocket and WebRTC; needs Chromium."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - of the dev extra, and slow

    chromium = shutil.which("chromium")
    if chromium is None:
        raise click.ClickException("chromium is not installed; `apt-get install chromium`")
    ways: dict[str, Any] = {}
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=_FLAGS)
        version = opened.version
        try:
            for stage_s in (0.0, SLOW_S):
                for way in GOALS_MS:
                    name = f"{way}, {'a stage of 60 ms' if stage_s else 'no work'}"
                    ways[name] = measure(opened, way, stage_s, seconds)
                    click.echo(line(name, ways[name]), err=True)
        finally:
            opened.close()
    result = {
        "question": "age of a browser's own picture when it is shown in the browser again, ms",
        "machine": describe(),
        "browser": f"Chromium {version}",
        "packages": {name: importlib.metadata.version(name) for name in _PACKAGES},
        "camera": {"width": WIDTH, "height": HEIGHT, "rate": RATE},
        "goals": goals(ways),
        "ways": ways,
    }
    if file is not None:
        file.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    click.echo(json.dumps(result))


def measure(opened: Browser, way: str, stage_s: float, seconds: float) -> dict[str, Any]:
    """One way there and back.

    Args:
        opened: a running Chromium.
        way: `websocket` or `webrtc`.
        stage_s: how long the pipeline's stage takes for a frame.
        seconds: how long to look, after it has settled.

    Returns:
        What `summary` makes of it.
    """
    context = opened.new_context()
    page = context.new_page()
    arguments = {
        "way": way,
        "backdrop": backdrop(),
        "width": WIDTH,
        "height": HEIGHT,
        "rate": RATE,
        "seconds": seconds,
        "settleSeconds": SETTLE_S,
    }
    with streaming(stage_s) as (server, pipeline):
        page.goto(server.url)
        # A page of the same origin that shows no pictures of its own.
        page.goto(f"{server.url.partition('?')[0]}docs")
        began_s, began_cpu_s = time.monotonic(), time.process_time()
        seen = page.evaluate(_SCRIPT.read_text(encoding="utf-8").partition("\n\n")[2], arguments)
        cpu_s = time.process_time() - began_cpu_s
        cores = cpu_s / (time.monotonic() - began_s)
        report = pipeline.report()
    context.close()
    return summary(seen, seconds, report) | {"server_cores": cores}


@contextmanager
def streaming(stage_s: float) -> Iterator[tuple[WebServer, Pipeline]]:
    """A pipeline from a browser's camera to the panel."""

    def stage(frame: Frame) -> Frame:
        time.sleep(stage_s)
        return frame

    with WebServer(WebSettings(port=0)) as server:
        camera = server.camera(SourceSettings())
        pipeline = Pipeline(camera, {"stage": stage}, {"web": server.sink()}, live=True)

        def run() -> None:
            with camera:
                pipeline.run()

        running = threading.Thread(target=run, name="benchmark-pipeline")
        running.start()
        try:
            yield server, pipeline
        finally:
            pipeline.stop()
            camera.stop()
            running.join()


def summary(seen: Mapping[str, Any], seconds: float, report: Report) -> dict[str, Any]:
    """Ages in milliseconds, and how much older the second half's pictures are."""
    ages = np.array([one["age"] for one in seen["seen"]])
    if ages.size < 2:
        raise click.ClickException(f"only {ages.size} pictures came back")
    p50, p95, p99 = (float(value) for value in np.percentile(ages, [50, 95, 99]))
    first, second = np.array_split(ages, 2)
    return {
        "age_ms": {"p50": p50, "p95": p95, "p99": p99},
        "growth_ms": float(np.median(second) - np.median(first)),
        "pictures_per_s": ages.size / seconds,
        "pictures": int(ages.size),
        "unreadable": seen["unreadable"],
        "dropped": report.dropped,
    }


def goals(ways: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each goal with what was reached."""
    judged = []
    for name, result in ways.items():
        if "no work" in name:
            limit, value = GOALS_MS[name.partition(",")[0]], result["age_ms"]["p50"]
            judged.append(
                {"goal": f"{name}: p50 <= {limit:g} ms", "value": value, "met": value <= limit}
            )
        else:
            value = result["growth_ms"]
            goal = f"{name}: second half no more than {GROWTH_GOAL_MS:g} ms older"
            judged.append({"goal": goal, "value": value, "met": value <= GROWTH_GOAL_MS})
    return judged


def line(name: str, result: Mapping[str, Any]) -> str:
    """One result for people."""
    age = result["age_ms"]
    return (
        f"{name}: p50 {age['p50']:.0f} ms, p95 {age['p95']:.0f} ms, growth "
        f"{result['growth_ms']:+.0f} ms, {result['pictures_per_s']:.1f} pictures/s, "
        f"{result['unreadable']} unreadable, {result['server_cores']:.2f} cores"
    )


def backdrop() -> str:
    """A picture of the demo clip in the camera's size, as JPEG in base64."""
    clip = resources.files("stream") / "bundled" / "demo.mp4"
    with av.open(str(clip)) as container:
        image = np.asarray(next(container.decode(video=0)).to_ndarray(format="bgr24"), np.uint8)
    scale = max(WIDTH / image.shape[1], HEIGHT / image.shape[0])
    size = [math.ceil(side * scale) for side in (image.shape[1], image.shape[0])]
    image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    left, top = (size[0] - WIDTH) // 2, (size[1] - HEIGHT) // 2
    _, jpeg = cv2.imencode(".jpg", image[top : top + HEIGHT, left : left + WIDTH])
    return base64.b64encode(jpeg.tobytes()).decode()
