"""Video files and streams: whatever PyAV opens."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from fractions import Fraction
from typing import Self, TypeAlias

import av
from av.codec.hwaccel import HWAccel
from av.container import InputContainer

from stream.errors import SourceError
from stream.frame import AudioPacket, Frame, SourceInfo
from stream.sources import nvdec
from stream.sources.failures import reason, without_credentials
from stream.sources.interruption import Interruption
from stream.sources.pacing import paced
from stream.sources.picture import lies_on_its_side, to_bgr
from stream.sources.reader import Picture, Reader
from stream.sources.settings import SourceSettings
from stream.sources.streams import is_still, video_stream
from stream.timebase import NS_PER_S, fraction, to_ns

Connect: TypeAlias = Callable[[HWAccel | None], InputContainer]
"""Opens an input, its decoders too; raises SourceError."""

_SEGMENTED = frozenset({"hls", "dash"})
"""Live, but in files of seconds each: their pictures come all at once."""


class ContainerSource:
    """Frames of one PyAV input.

    The first picture is decoded on entry, so that `info` tells its true size and a file that
    cannot be decoded is refused before anything is written.
    """

    info: SourceInfo

    def __init__(  # noqa: PLR0913 - what kinds of inputs differ in, by keyword
        self,
        url: str,
        settings: SourceSettings,
        connect: Connect,
        *,
        live: bool | None = None,
        reopens: bool = False,
        descriptor: Callable[[], int | None] | None = None,
    ) -> None:
        """Keeps what is needed to open; opens nothing.

        Args:
            url: for `info` and messages; credentials are left out.
            settings: start, duration of what is not live, pace, decoder, threads, timeouts.
            connect: opens the input, for decoding by hardware if that is given.
            live: frames cannot wait; None: live if the input does not tell how much it is.
            reopens: nothing is lost by opening it again: a decoder may be chosen by a look at it.
            descriptor: finds that of an opened device whose reading cannot be interrupted.
        """
        self._name = without_credentials(url)
        self._settings = settings
        self._connect = connect
        self._live = live
        self._reopens = reopens
        self._descriptor = descriptor
        self._opened = ExitStack()
        self._interruption = Interruption()

    def __enter__(self) -> Self:
        try:
            self._interruption.on_a_thread(self._open)
        except av.error.FFmpegError as error:
            self._opened.close()
            raise SourceError(f"{self._name}: cannot be read: {reason(error)}") from error
        except BaseException:
            self._opened.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def stop(self) -> None:
        """Let opening and iterating end soon; from any thread, safe in signal handlers."""
        self._interruption.stop()

    def __iter__(self) -> Iterator[Frame]:
        frames = self._live_frames() if self._stream_live else self._file_frames()
        with closing(self._pictures):
            # What is live paces itself, and its first frame may have waited already.
            if self._by_segments or (self._settings.paced and not self._stream_live):
                frames = paced(frames, self._interruption, patient=self._by_segments)
            yield from frames

    def _open(self) -> None:
        wanted = self._settings.decoder
        if wanted == "nvdec":
            nvdec.check_device(self._name)
            self._prepare_for_nvdec()
            return
        container = self._connected()
        if wanted == "auto" and self._reopens and nvdec.pays(video_stream(container, self._name)):
            self._opened.close()
            with suppress(SourceError, av.error.FFmpegError):
                self._prepare_for_nvdec()
                return
            self._opened.close()
            container = self._connected()
        self._prepare(container)

    def _connected(self, accelerator: HWAccel | None = None) -> InputContainer:
        # PyAV's own timeout begins anew with each of its two steps.
        with self._interruption.within(self._settings.open_timeout_s):
            container = self._connect(accelerator)
        self._opened.callback(container.close)
        if self._descriptor is not None:
            self._interruption.descriptor = self._descriptor()
        return container

    def _prepare_for_nvdec(self) -> None:
        self._prepare(self._connected(nvdec.accelerator()))
        nvdec.check_decoded(self._reader.video, self._name)

    def _prepare(self, container: InputContainer) -> None:
        settings = self._settings
        self._still = is_still(container)
        if self._live is None:
            # A picture tells no duration, and is over when the server has sent all of it.
            sized = self._still and container.size > 0
            live = container.duration is None and not sized
        else:
            live = self._live
        self._stream_live = live
        self._by_segments = live and container.format.name in _SEGMENTED
        self._reader = Reader(
            container,
            self._name,
            settings,
            live=live,
            interruption=self._interruption,
        )
        self._opened.callback(self._reader.close)
        start_ns = None if settings.start_s == 0 else round(settings.start_s * NS_PER_S)
        end_ns = None
        if settings.duration_s is not None and not live:
            end_ns = (start_ns or 0) + round(settings.duration_s * NS_PER_S)
        if start_ns is not None:
            if live:
                raise SourceError(f"{self._name}: a live stream cannot start later; drop --start")
            container.seek((self._reader.zero_ns + start_ns) // 1000)
        self._whole = end_ns is None
        newest = live and not self._by_segments
        self._pictures = self._reader.pictures(start_ns, end_ns, newest=newest)
        first = next(self._pictures, None)
        if first is None:
            raise SourceError(self._no_picture())
        to_bgr(first.frame)  # loads the compiled loops before anybody takes the time
        self._first = first
        self._zero_ns = self._reader.zero_ns + (start_ns or 0)
        self.info = self._describe(container, first, start_ns, end_ns)

    def _describe(
        self, container: InputContainer, first: Picture, start_ns: int | None, end_ns: int | None
    ) -> SourceInfo:
        reader = self._reader
        width, height = first.frame.width, first.frame.height
        aspect = fraction(reader.video.sample_aspect_ratio or Fraction(1))
        if lies_on_its_side(first.frame):
            width, height, aspect = height, width, 1 / aspect
        total = reader.video.frames if start_ns is None and end_ns is None else 0
        if not total and reader.rate is not None and container.duration is not None:
            whole_ns = container.duration * 1000
            last_ns = whole_ns if end_ns is None else min(end_ns, whole_ns)
            total = max(1, round((last_ns - (start_ns or 0)) * reader.rate / NS_PER_S))
        return SourceInfo(
            url=self._name,
            width=width,
            height=height,
            rate=reader.rate,
            time_base=reader.time_base,
            frames=total or None,
            origin_ns=to_ns(first.ticks, reader.time_base) - self._zero_ns,
            live=self._stream_live or self._settings.paced,
            endless=self._stream_live and not self._still,
            audio=reader.audio,
            sample_aspect=aspect,
        )

    def _file_frames(self) -> Iterator[Frame]:
        # One picture is held back: sound that follows the last one has to ride with it.
        seq, held = 0, self._first
        for picture in self._pictures:
            yield self._frame(held, seq, time.monotonic_ns(), held.audio)
            seq, held = seq + 1, picture
        if self._interruption.stopped:
            return
        audio = held.audio + self._reader.trailing_audio()
        yield self._frame(held, seq, time.monotonic_ns(), audio)
        damage = self._reader.damage(whole=self._whole)
        if damage is not None:
            raise SourceError(damage)

    def _live_frames(self) -> Iterator[Frame]:
        yield self._frame(self._first, 0, self._first.arrived_ns, self._first.audio)
        for seq, picture in enumerate(self._pictures, 1):
            yield self._frame(picture, seq, picture.arrived_ns, picture.audio)

    def _frame(
        self, picture: Picture, seq: int, captured_ns: int, audio: tuple[AudioPacket, ...]
    ) -> Frame:
        if self._settings.decoder == "nvdec":  # What a stream changes to may be beyond it.
            nvdec.check_decoded(self._reader.video, self._name)
        pts_ns = to_ns(picture.ticks - self._first.ticks, self._reader.time_base)
        return Frame(to_bgr(picture.frame), pts_ns, seq, captured_ns, audio=audio)

    def _no_picture(self) -> str:
        damage = self._reader.damage(whole=False)
        if damage is not None:
            return f"{self._name}: no picture could be decoded: {damage}"
        if self._settings.start_s > 0:
            return (
                f"{self._name}: nothing left after {self._settings.start_s:g} s; choose an "
                "earlier start"
            )
        return f"{self._name}: no picture in it"
