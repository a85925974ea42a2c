"""Video files: H.264 in MP4, MOV or Matroska, with the source's sound."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import numpy as np
from av.audio.stream import AudioStream
from av.bitstream import BitStreamFilterContext
from av.container import OutputContainer
from av.video.stream import VideoStream

from stream.errors import SinkError
from stream.frame import AudioPacket, Frame, SourceInfo
from stream.marking.synthetic import COMMENT, SOURCE_TYPE, TITLE
from stream.sinks import h264
from stream.sinks.file_sound import FileSound
from stream.sinks.file_writer import FileWriter
from stream.sinks.settings import SinkSettings
from stream.sinks.target import check_target
from stream.sinks.yuv import color_tags, to_yuv
from stream.timebase import to_ticks

SUFFIXES = (".mp4", ".mov", ".m4v", ".mkv")
"""Names that are taken for video files, in lower case."""

_FRAGMENT_MS = 500  # A crash loses this, and the few pictures that the encoder has in hand.
_MKV_OPTIONS = {"cluster_time_limit": str(_FRAGMENT_MS)}
_MP4_OPTIONS = {
    # Fragments while writing, a common index when finished. `delay_moov` is what lets it write
    # edit lists, and so exact times.
    "movflags": "hybrid_fragmented+frag_keyframe+delay_moov+use_metadata_tags",
    "frag_duration": str(_FRAGMENT_MS * 1000),
}
_MAX_TIMESCALE = 2**31 - 1
_FLUSH = {"flush_packets": "1"}  # or up to 32 KB wait in FFmpeg's buffer for a crash
_KEYFRAME_S = 2
_DEFAULT_RATE = 30
_METADATA = {"title": TITLE, "comment": COMMENT, "digital_source_type": SOURCE_TYPE}


class VideoFile:
    """Encodes frames into a file that stays playable if the program dies.

    Times are the source's own, tick for tick (Matroska rounds to milliseconds). Sound
    packets are copied byte for byte; what the file cannot hold becomes AAC. A file that exists
    stays as it is until the first frame. The first size stays: later frames of another size are
    letterboxed; odd sizes get one more row or column.
    """

    leaky = False

    def __init__(self, path: Path, info: SourceInfo, settings: SinkSettings) -> None:
        """Keeps what is needed to open; does no I/O.

        Args:
            path: ends in one of `SUFFIXES`; replaced by the first frame if it exists.
            info: size, time base, rate and sound of what is to come.
            settings: encoder settings.
        """
        self._path = path
        self._info = info
        self._settings = settings
        self._file = FileWriter(path)
        self._container: OutputContainer | None = None
        self._sound: FileSound | None = None
        self._origin = to_ticks(info.origin_ns, info.time_base)
        self._tags = color_tags(info.width, info.height)
        self._last_ticks: int | None = None
        self._to_container: BitStreamFilterContext | None = None

    def __enter__(self) -> Self:
        check_target(self._path, self._info)
        kind = _MKV_OPTIONS if self._path.suffix.lower() == ".mkv" else _MP4_OPTIONS
        options = _FLUSH | kind
        audio = self._info.audio
        if audio is not None and self._settings.audio:
            self._sound = FileSound(audio, self._path, options)
        if kind is _MP4_OPTIONS:
            options["movie_timescale"] = str(self._timescale())
        container = av.open(self._file, "w", options=options)
        try:
            self._video = h264.opened(
                self._settings.encoder, auto=("libx264",), open_=partial(self._add_video, container)
            )
            self._audio = self._add_audio(container)
            container.metadata.update(_METADATA)
            self._file.claim()
            container.start_encoding()
        except (av.error.FFmpegError, OSError, ValueError) as error:
            self._closed(container)
            raise self._failure("cannot be written", error) from error
        except BaseException:
            self._closed(container)
            raise
        self._container = container
        # Loads the compiled loops before anybody takes the time.
        to_yuv(np.zeros((2, 2, 3), np.uint8), 2, 2, self._tags)
        return self

    def write(self, frame: Frame) -> None:
        """Encodes one frame and copies the sound that rides with it.

        Raises:
            SinkError: the disk is full or the encoder failed.
        """
        assert self._container is not None, "written outside of its with block"
        try:
            self._file.begin()
            if self._sound is not None:
                self._mux_sound(self._container, self._sound, self._sound.convert(frame.audio))
            picture = to_yuv(frame.image, self._info.width, self._info.height, self._tags)
            picture.pts = self._ticks(frame.pts_ns)
            picture.time_base = self._info.time_base
            self._container.mux(self._video.encode(picture))
        except (av.error.FFmpegError, OSError) as error:
            raise self._failure("cannot be written", error) from error

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        container, self._container = self._container, None
        if container is None:
            return
        failure: Exception | None = None
        try:
            container.mux(self._video.encode(None))
            if self._last_ticks is not None and self._sound is not None:
                self._mux_sound(container, self._sound, self._sound.rest())
        except (av.error.FFmpegError, OSError) as flush_failure:
            failure = flush_failure
        failure = self._closed(container) or failure
        # A full disk has been reported by the write that hit it: its fragments are playable.
        if failure is not None and error is None:
            raise self._failure("cannot be finished", failure) from failure

    def _timescale(self) -> int:
        # Where a track begins is written in this unit; FFmpeg's 1 ms would round it.
        video = self._info.time_base.denominator
        audio = 1 if self._sound is None else self._sound.form.time_base.denominator
        both = math.lcm(video, audio)
        return both if both <= _MAX_TIMESCALE else min(video, _MAX_TIMESCALE)

    def _add_video(self, container: OutputContainer, encoder: str) -> VideoStream:
        rate = self._info.rate or _DEFAULT_RATE
        options = h264.constant_quality(encoder, self._settings.crf, self._settings.preset)
        options["g"] = str(max(1, round(_KEYFRAME_S * rate)))
        if self._info.live or self._info.rate is None:
            # FFmpeg's edit list ends one picture early where an uneven pause meets B-frames.
            options["bf"] = "0"
        video = container.add_stream(encoder, rate=rate, options=options)
        assert isinstance(video, VideoStream)
        context = video.codec_context
        size = (self._info.width, self._info.height)
        h264.describe(context, size, self._tags, self._info.sample_aspect)
        context.thread_count = self._settings.threads
        context.time_base = video.time_base = self._info.time_base
        context.open()  # Before the file is touched, which may be one that exists.
        return video

    def _add_audio(self, container: OutputContainer) -> AudioStream | None:
        if self._sound is None:
            return None
        with av.open(io.BytesIO(self._sound.form.header)) as header:
            template = header.streams.audio[0]
            stream = container.add_stream_from_template(template)
            codec = template.codec_context
            if codec.name == "aac" and not codec.extradata:
                # Transport streams repeat the decoder's parameters in each packet (ADTS);
                # these containers want them once.
                self._to_container = BitStreamFilterContext("aac_adtstoasc", template)
        stream.time_base = self._sound.form.time_base
        return stream

    def _mux_sound(
        self, container: OutputContainer, sound: FileSound, packets: Iterable[AudioPacket]
    ) -> None:
        for packet in packets:
            copy = av.Packet(packet.data)
            copy.pts, copy.dts, copy.duration = packet.pts, packet.dts, packet.duration
            copy.time_base = sound.form.time_base
            copy.is_keyframe = True
            copies = self._to_container.filter(copy) if self._to_container else [copy]
            for converted in copies:
                converted.stream = self._audio
                container.mux(converted)

    def _ticks(self, pts_ns: int) -> int:
        ticks = self._origin + to_ticks(pts_ns, self._info.time_base)
        if self._last_ticks is not None:
            ticks = max(ticks, self._last_ticks + 1)  # two live frames within one tick
        self._last_ticks = ticks
        return ticks

    def _failure(self, what: str, error: Exception) -> SinkError:
        words = getattr(error, "strerror", None) or str(error)
        return SinkError(f"{self._path}: {what}: {words}")

    def _closed(self, container: OutputContainer) -> Exception | None:
        failure: Exception | None = None
        if self._sound is not None:
            self._sound.close()
        for part in (container, self._file):
            try:
                part.close()
            except (av.error.FFmpegError, OSError) as error:
                failure = failure or error
        return failure
