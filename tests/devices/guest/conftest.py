"""Devices for the tests that run inside of the virtual machine of `make test-devices`."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from engine.face import Image
from stream.frame import Frame, SourceInfo
from stream.sinks import Sink
from tests import barcode

# Elsewhere nobody wants drivers loaded and webcams unplugged.
if os.environ.get("FACESTREAM_GUEST") != "1":
    collect_ignore_glob = ["test_*.py"]

DRIVERS = Path("/run/devices")
FIRST, SECOND, WEBCAM = "/dev/video10", "/dev/video11", "/dev/video20"
_PAUSE_S = 0.02


def info_of(image: Image) -> SourceInfo:
    height, width = image.shape[:2]
    return SourceInfo(url="barcode:", width=width, height=height, rate=None, live=True)


@contextmanager
def loaded(driver: str, *parameters: str) -> Iterator[None]:
    """A driver of the kernel, with its devices."""
    subprocess.run(["insmod", DRIVERS / f"{driver}.ko", *parameters], check=True)
    try:
        yield
    finally:
        subprocess.run(["rmmod", driver], check=True)


@contextmanager
def virtual_cameras(*, exclusive: bool) -> Iterator[None]:
    """Two devices of v4l2loopback, FIRST and SECOND."""
    caps = f"exclusive_caps={int(exclusive)},{int(exclusive)}"
    with loaded("v4l2loopback", "devices=2", "video_nr=10,11", "card_label=One,Two", caps):
        yield


def loopback_version() -> tuple[int, ...]:
    said = subprocess.run(
        ["modinfo", "--field", "version", DRIVERS / "v4l2loopback.ko"],
        capture_output=True,
        text=True,
        check=True,
    )
    # 0.12 does not say which it is.
    return tuple(int(number) for number in (said.stdout.strip() or "0.12").split("."))


@pytest.fixture(params=[False, True], ids=["exclusive_caps=0", "exclusive_caps=1"], scope="module")
def exclusive(request: pytest.FixtureRequest) -> Iterator[bool]:
    """Virtual cameras of both kinds, and whether they show one side at a time."""
    with virtual_cameras(exclusive=request.param):
        yield request.param


@contextmanager
def showing(sink: Sink, pictures: list[Image]) -> Iterator[None]:
    """A thread writes the pictures into an open sink, again and again; the first one is there."""
    stop, begun = threading.Event(), threading.Event()
    failures: list[Exception] = []

    def run() -> None:
        try:
            seq = 0
            while not stop.wait(_PAUSE_S):
                sink.write(Frame(pictures[seq % len(pictures)], seq * 10**7, seq, 0))
                seq += 1
                begun.set()
        except Exception as error:  # noqa: BLE001 - raised below
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        # Generous: loading the compiled loops takes seconds under emulation.
        assert begun.wait(60) or failures
        yield
    finally:
        stop.set()
        thread.join()
    if failures:
        raise failures[0]


def codes(size: tuple[int, int] = (160, 120), count: int = 200) -> list[Image]:
    return [barcode.picture(number, *size) for number in range(count)]


@pytest.fixture(scope="session")
def pictures() -> list[Image]:
    return codes()


def read_numbers(read: Callable[[], Image], count: int = 5) -> list[int]:
    return [barcode.read(read()) for _ in range(count)]
