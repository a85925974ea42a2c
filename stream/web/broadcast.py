"""The newest picture, from one pipeline thread to any number of browsers."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Literal, NamedTuple, TypeAlias

import cv2

from engine.face import Image
from stream.frame import AudioFormat, AudioPacket, Frame
from stream.timebase import NS_PER_S
from stream.web import messages

Which: TypeAlias = Literal["swapped", "original"]

_FRESH_NS = 5 * NS_PER_S


class TooManyViewersError(Exception):
    """As many browsers watch as may."""


class Heard(NamedTuple):
    """The sound that came with a picture.

    Attributes:
        pts_ns: presentation time of the picture.
        at_ns: when it was shown, by the monotonic clock.
        packets: often none.
    """

    pts_ns: int
    at_ns: int
    packets: tuple[AudioPacket, ...]


class Picture:
    """One frame as browsers get it; each encoding is made once, whoever asks first."""

    def __init__(self, number: int, frame: Frame, quality: int) -> None:
        """Keeps the frame; encodes nothing.

        Args:
            number: counts the pictures shown, from 1.
            frame: shared, not changed.
            quality: of JPEG, 1 to 100.
        """
        self.number = number
        self.frame = frame
        self._quality = quality
        self._lock = threading.Lock()
        self._jpegs: dict[Which, bytes] = {}
        self._messages: dict[bool, bytes] = {}

    def jpeg(self, which: Which) -> bytes | None:
        """The picture as JPEG; None if there is no original. Takes milliseconds, once."""
        image = self.frame.image if which == "swapped" else self.frame.original
        if image is None:
            return None
        with self._lock:
            return self._jpeg(which, image)

    def message(self, *, original: bool) -> bytes:
        """The picture as a message of `/ws/view`; takes milliseconds, once.

        Args:
            original: put the original in, if there is one.
        """
        frame = self.frame
        original = original and frame.original is not None
        with self._lock:
            if original not in self._messages:
                self._messages[original] = messages.pack_view(
                    frame.seq,
                    frame.captured_ns / 1e6,
                    self._jpeg("swapped", frame.image),
                    self._jpeg("original", frame.original)
                    if original and frame.original is not None
                    else b"",
                    held=frame.held,
                )
            return self._messages[original]

    def ready(self, *, original: bool) -> bytes | None:
        """The message if it is there already; never waits for an encoder."""
        return self._messages.get(original and self.frame.original is not None)

    def _jpeg(self, which: Which, image: Image) -> bytes:
        if which not in self._jpegs:
            options = [cv2.IMWRITE_JPEG_QUALITY, self._quality]
            _, encoded = cv2.imencode(".jpg", image, options)
            self._jpegs[which] = encoded.tobytes()
        return self._jpegs[which]


class Broadcast:
    """Shows frames to whoever watches; slow ones miss pictures and nobody waits for them.

    `show` belongs to the pipeline's thread. All else belongs to the thread of the event loop
    that `open` was called in, besides the properties, which any thread may read.

    Attributes:
        sent: pictures sent, to all viewers together.
        audio: format of the sound that comes with the pictures, None without.
        hear: called in the event loop with the sound of each picture; None while nobody listens.
    """

    def __init__(self, quality: int, max_viewers: int) -> None:
        """Nothing is shown yet.

        Args:
            quality: of JPEG, 1 to 100.
            max_viewers: how many may watch at the same time.
        """
        self._quality = quality
        self._max_viewers = max_viewers
        self._loop: asyncio.AbstractEventLoop | None = None
        self._shown = asyncio.Event()
        self._newest: Picture | None = None
        self._fresh_ns: int | None = None
        self._count = 0
        self._viewers = self._wanting_original = 0
        self._waiting = {False: 0, True: 0}
        self.sent = 0
        self.audio: AudioFormat | None = None
        self.hear: Callable[[Heard], None] | None = None

    def open(self) -> None:
        """Begin, in a running event loop."""
        self._loop = asyncio.get_running_loop()

    def close(self) -> None:
        """End every `after`; called in the event loop."""
        self._loop = None
        self._shown.set()

    @property
    def newest(self) -> Picture | None:
        """The last picture shown."""
        return self._newest

    @property
    def viewers(self) -> int:
        """How many watch."""
        return self._viewers

    @property
    def wants_original(self) -> bool:
        """Whether anybody would like to see the picture before blending."""
        return self._wanting_original > 0

    @property
    def shown(self) -> int:
        """How many pictures came."""
        return self._count

    @property
    def fresh(self) -> bool:
        """Whether a new picture, and no repeated one, came within the last five seconds."""
        return self._fresh_ns is not None and time.monotonic_ns() - self._fresh_ns < _FRESH_NS

    def show(self, frame: Frame) -> None:
        """Make this the newest picture; encodes it if a browser waits for it right now."""
        self._count += 1
        picture = Picture(self._count, frame, self._quality)
        if not frame.held:
            self._fresh_ns = time.monotonic_ns()
        for original, waiting in self._waiting.items():
            if waiting:
                # Here and not in the event loop: that has all the browsers to serve.
                picture.message(original=original)
        self._newest = picture
        loop, hear = self._loop, self.hear
        if loop is not None and self._viewers + self._wanting_original:
            with suppress(RuntimeError):  # The server is just closing.
                loop.call_soon_threadsafe(self._wake)
                if hear is not None:
                    heard = Heard(frame.pts_ns, time.monotonic_ns(), frame.audio)
                    loop.call_soon_threadsafe(hear, heard)

    def _wake(self) -> None:
        shown, self._shown = self._shown, asyncio.Event()
        shown.set()

    def check_room(self) -> None:
        """Raises TooManyViewersError if nobody else may watch now."""
        if self._viewers >= self._max_viewers:
            raise TooManyViewersError(
                f"{self._viewers} browsers watch already; raise web.max_clients to allow more"
            )

    @contextmanager
    def watching(self, *, original: bool = False) -> Iterator[None]:
        """Be one of the viewers.

        Args:
            original: want the picture before blending, too.

        Raises:
            TooManyViewersError: try again when somebody has left.
        """
        self.check_room()
        self._viewers += 1
        self._wanting_original += original
        try:
            yield
        finally:
            self._viewers -= 1
            self._wanting_original -= original

    async def snapshot(self, which: Which, timeout_s: float) -> bytes | None:
        """One JPEG; waits for an original if pictures come without.

        Returns:
            None if there is none within `timeout_s`.
        """
        self._wanting_original += which == "original"
        try:
            async with asyncio.timeout(timeout_s):
                number = 0
                while (picture := await self.after(number)) is not None:
                    jpeg = await asyncio.to_thread(picture.jpeg, which)
                    if jpeg is not None:
                        return jpeg
                    number = picture.number
        except TimeoutError:
            pass
        finally:
            self._wanting_original -= which == "original"
        return None

    async def after(self, number: int) -> Picture | None:
        """The newest picture, as soon as it is later than `number`; None once closed."""
        while self._loop is not None:
            shown, newest = self._shown, self._newest
            if newest is not None and newest.number > number:
                return newest
            await shown.wait()
        return None

    async def message_after(self, number: int, *, original: bool) -> tuple[int, bytes] | None:
        """The newest picture's number and message for `/ws/view`; None once closed."""
        self._waiting[original] += 1
        try:
            picture = await self.after(number)
        finally:
            self._waiting[original] -= 1
        if picture is None:
            return None
        message = picture.ready(original=original)
        if message is None:  # It came while nobody waited.
            message = await asyncio.to_thread(picture.message, original=original)
        return picture.number, message
