"""What a screen shows, as a live source."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Self, TypeAlias

import cv2
import mss
import numpy as np

from engine.face import Image
from stream.errors import SourceError
from stream.frame import Frame, SourceInfo
from stream.sources.settings import SourceSettings
from stream.timebase import NS_PER_S

Region: TypeAlias = dict[str, int]
"""`left`, `top`, `width`, `height` in the desktop's coordinates."""

_REGION = re.compile(r"(-?\d+),(-?\d+),(\d+)x(\d+)")
_NANOSECOND = Fraction(1, NS_PER_S)
_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class Screen:
    """One monitor.

    Attributes:
        number: as in `screen:NUMBER`.
        name: what the system calls it; may be empty.
        left, top: of its upper left corner on the desktop, in pixels.
        width, height: in pixels.
        primary: what `screen` without a number shows.
    """

    number: int
    name: str
    left: int
    top: int
    width: int
    height: int
    primary: bool

    @property
    def region(self) -> Region:
        """All of it."""
        return {"left": self.left, "top": self.top, "width": self.width, "height": self.height}


def screens() -> list[Screen]:
    """All monitors.

    Raises:
        SourceError: there is no desktop, or it does not let itself be captured.
    """
    try:
        with mss.MSS() as desktop:
            primary = desktop.primary_monitor
            return [
                Screen(
                    number,
                    str(monitor.get("name") or monitor.get("output") or ""),
                    left=int(monitor["left"]),
                    top=int(monitor["top"]),
                    width=int(monitor["width"]),
                    height=int(monitor["height"]),
                    primary=monitor is primary,
                )
                for number, monitor in enumerate(desktop.monitors)
                if number  # The first one is all of them together.
            ]
    except (mss.ScreenShotError, OSError) as error:
        raise SourceError(
            f"screen: no desktop to capture ({error}); run it inside of a session of X11, Windows "
            "or macOS, and allow screen recording there"
        ) from error


class ScreenSource:
    """A monitor or a part of the desktop, captured at a steady rate."""

    info: SourceInfo

    def __init__(self, url: str, settings: SourceSettings) -> None:
        """Read what is wanted; nothing is captured yet.

        Args:
            url: `screen` for the primary monitor, `screen:2` for the second one,
                `screen:X,Y,WIDTHxHEIGHT` for a part of the desktop.
            settings: pictures per second.

        Raises:
            SourceError: not one of these.
        """
        self._url = url
        self._rate_hz = settings.screen_rate_hz
        self._number: int | None = None
        self._part: Region | None = None
        self._stopped = False
        what = url.partition(":")[2]
        found = _REGION.fullmatch(what)
        if what.isdecimal() and int(what):
            self._number = int(what)
        elif found is not None and int(found[3]) and int(found[4]):
            values = map(int, found.groups())
            self._part = dict(zip(("left", "top", "width", "height"), values, strict=True))
        elif url != "screen":
            raise SourceError(
                f"{url}: expected screen, screen:2 for the second monitor, or "
                "screen:X,Y,WIDTHxHEIGHT such as screen:0,0,1280x720"
            )

    def __enter__(self) -> Self:
        self._region = self._chosen()
        height, width = self._first().shape[:2]
        self.info = SourceInfo(
            url=self._url,
            width=width,
            height=height,
            rate=Fraction(self._rate_hz).limit_denominator(1001),
            time_base=_NANOSECOND,
            live=True,
            endless=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing stays open between two blocks: some systems bind it to the thread."""

    def stop(self) -> None:
        """End the iteration with the next picture; safe in signal handlers."""
        self._stopped = True

    def __iter__(self) -> Iterator[Frame]:
        period_ns = round(NS_PER_S / self._rate_hz)
        began_ns = due_ns = time.monotonic_ns()
        seq = 0
        try:
            with mss.MSS() as desktop:
                while not self._stopped:
                    captured_ns = time.monotonic_ns()
                    image = _grabbed(desktop, self._region)
                    yield Frame(image, captured_ns - began_ns, seq, captured_ns)
                    seq += 1
                    # The next time that is still to come: who is slow does not have to hurry.
                    late = max((time.monotonic_ns() - due_ns) // period_ns, 0)
                    due_ns += (late + 1) * period_ns
                    self._wait_until(due_ns)
        except (mss.ScreenShotError, OSError) as error:
            raise SourceError(f"{self._url}: source lost: {error}") from error

    def _wait_until(self, due_ns: int) -> None:
        while not self._stopped and (wait_ns := due_ns - time.monotonic_ns()) > 0:
            time.sleep(min(wait_ns / NS_PER_S, _POLL_S))

    def _chosen(self) -> Region:
        found = screens()
        if self._part is not None:
            return self._part
        for screen in found:
            if screen.number == self._number or (self._number is None and screen.primary):
                return screen.region
        raise SourceError(
            f"{self._url}: no such monitor; there are {len(found)}, see "
            "`run_stream.py --list-devices`"
        )

    def _first(self) -> Image:
        try:
            with mss.MSS() as desktop:
                return _grabbed(desktop, self._region)
        except (mss.ScreenShotError, OSError) as error:
            raise SourceError(
                f"{self._url}: cannot be captured: {error}; is all of it on the desktop, and may "
                "this program record the screen?"
            ) from error


def _grabbed(desktop: mss.MSS, region: Region) -> Image:
    shot = desktop.grab(region)
    pixels = np.frombuffer(shot.raw, np.uint8).reshape(shot.height, shot.width, 4)
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGRA2BGR), np.uint8)
