"""A browser as the camera."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Self, TypeAlias, cast

import cv2
import numpy as np

from engine.face import Image
from stream.errors import SourceError
from stream.frame import Frame, SourceInfo
from stream.health import Health
from stream.sources import nvdec
from stream.sources.settings import SourceSettings
from stream.timebase import NS_PER_S, to_ns, to_ticks
from stream.web.messages import jpeg_size

NAME = "browser"

MOST_PIXELS = 3840 * 2160
_LONGEST_SIDE, _SHORTEST_SIDE = 4096, 16
_POLL_S = 0.05  # stop() only sets a flag
_SILENT_NS = 3 * NS_PER_S
_TIME_BASE = Fraction(1, 90_000)

Decode: TypeAlias = Callable[[], Image]
"""Makes the picture, (H, W, 3) uint8 BGR; raises ValueError if it is none."""


@dataclass(frozen=True, slots=True)
class _Arrival:
    decode: Decode
    captured_ns: int
    seq: int


class Seat:
    """The place of the one browser that is the camera now.

    Attributes:
        replaced: called once, when another browser takes the place; in that one's thread.
    """

    def __init__(self, camera: BrowserCamera, replaced: Callable[[], None]) -> None:
        """Used by `BrowserCamera.seat`."""
        self._camera = camera
        self.replaced = replaced

    def offer(self, decode: Decode, captured_ns: int | None = None) -> None:
        """A new picture; the one before it is dropped if nobody has taken it yet.

        Args:
            decode: called on the pipeline's thread.
            captured_ns: on this machine's monotonic clock, None for now.
        """
        now_ns = time.monotonic_ns()
        captured_ns = now_ns if captured_ns is None else min(captured_ns, now_ns)
        self._camera._take(self, decode, captured_ns)  # noqa: SLF001 - the camera's other half

    def leave(self) -> None:
        """The browser is gone; harmless if another one has the place by now."""
        self._camera._vacate(self)  # noqa: SLF001 - the same


class BrowserCamera:
    """A source whose pictures are sent by a browser, one browser at a time.

    Entering waits for the first picture, as long as it takes. When the browser goes, the
    iteration waits for the next one: the last that comes is the camera. Pictures that come
    faster than they are taken are left out undecoded; the newest wins. Time is that of
    arrival, or of capture where the browser's clock could be followed.
    """

    info: SourceInfo

    def __init__(self, settings: SourceSettings) -> None:
        """Waits for nobody yet.

        Args:
            settings: duration; a decoder that is asked for is an error.
        """
        self._settings = settings
        self._changed = threading.Condition()
        self._arrival: _Arrival | None = None
        self._seat: Seat | None = None
        self._last_ns: int | None = None
        self._arrivals = self._losses = self._taken = self._dropped = self._unreadable = 0
        self._first: tuple[Image, _Arrival] | None = None
        self._stopping = False

    def __enter__(self) -> Self:
        nvdec.check_unwanted(NAME, self._settings.decoder)
        if self._settings.start_s > 0:
            raise SourceError(f"{NAME}: a live stream cannot start later; drop --start")
        self._first = self._picture()
        if self._first is None:
            raise SourceError(f"{NAME}: stopped before a browser sent a picture")
        height, width = self._first[0].shape[:2]
        self.info = SourceInfo(url=NAME, width=width, height=height, live=True)
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping = True
        with self._changed:
            self._arrival = self._first = None

    def stop(self) -> None:
        """Makes a waiting iteration, or entry, end soon; safe in signal handlers."""
        self._stopping = True

    def __iter__(self) -> Iterator[Frame]:
        following, self._first = self._first, None
        limit_s = self._settings.duration_s
        zero_ns: int | None = None
        ticks = -1
        while following is not None:
            image, arrival = following
            zero_ns = arrival.captured_ns if zero_ns is None else zero_ns
            ticks = max(to_ticks(arrival.captured_ns - zero_ns, _TIME_BASE), ticks + 1)
            pts_ns = to_ns(ticks, _TIME_BASE)
            if limit_s is not None and pts_ns >= limit_s * NS_PER_S:
                return
            yield Frame(image, pts_ns, arrival.seq, arrival.captured_ns)
            del image, following  # do not keep the last picture alive while waiting
            following = self._picture()

    def seat(self, replaced: Callable[[], None]) -> Seat:
        """Takes the place of the camera; whoever had it is told by its `replaced`.

        Any thread may call it.
        """
        seat = Seat(self, replaced)
        with self._changed:
            before, self._seat = self._seat, seat
            self._losses += before is not None
        if before is not None:
            before.replaced()
        return seat

    def health(self) -> Mapping[str, Health]:
        """One entry: the browser."""
        with self._changed:
            health = Health("running", losses=self._losses, sent=self._taken, dropped=self._dropped)
            return {NAME: self._judged(health)}

    def _judged(self, health: Health) -> Health:
        state, detail = health.state, ""
        if self._unreadable:
            detail = f"{self._unreadable} pictures could not be read"
        if self._stopping:
            state = "ended"
        elif self._last_ns is None:
            state, detail = "connecting", "waiting for a browser that sends its camera"
        elif self._seat is None:
            state, detail = "lost", "the browser has gone; waiting for the next one"
        elif time.monotonic_ns() - self._last_ns > _SILENT_NS:
            state, detail = "lost", "the browser sends no more pictures"
        return Health(state, detail, health.losses, health.sent, health.dropped)

    def _take(self, seat: Seat, decode: Decode, captured_ns: int) -> None:
        with self._changed:
            if seat is not self._seat:
                return
            self._dropped += self._arrival is not None
            self._arrival = _Arrival(decode, captured_ns, self._arrivals)
            self._arrivals += 1
            self._last_ns = time.monotonic_ns()
            self._changed.notify_all()

    def _vacate(self, seat: Seat) -> None:
        with self._changed:
            if seat is self._seat:
                self._seat = None
                self._losses += 1

    def _picture(self) -> tuple[Image, _Arrival] | None:
        """The next picture that can be decoded, and how it came; None once stopped."""
        while (arrival := self._next()) is not None:
            try:
                image = arrival.decode()
            except ValueError:
                self._unreadable += 1
                continue
            self._taken += 1
            return image, arrival
        return None

    def _next(self) -> _Arrival | None:
        with self._changed:
            while self._arrival is None and not self._stopping:
                self._changed.wait(_POLL_S)
            arrival, self._arrival = self._arrival, None
            return None if self._stopping else arrival


def decode_jpeg(jpeg: bytes) -> Image:
    """Decodes a JPEG from outside.

    Returns:
        (H, W, 3) uint8 BGR.

    Raises:
        ValueError: it is damaged, or larger or smaller than a camera's picture.
    """
    check_size(*jpeg_size(jpeg))
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise ValueError("a damaged JPEG")
    return cast("Image", image)


def check_size(width: int, height: int) -> None:
    """Refuses pictures that no camera makes, before memory is spent on them.

    Raises:
        ValueError: with the size.
    """
    if (
        not _SHORTEST_SIDE <= min(width, height) <= max(width, height) <= _LONGEST_SIDE
        or width * height > MOST_PIXELS
    ):
        raise ValueError(
            f"a picture of {width} x {height} px; expected {_SHORTEST_SIDE} to "
            f"{_LONGEST_SIDE} px a side and no more than 3840 x 2160 in all"
        )
