"""A source's compressed sound, brought into the form that all browsers play."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import NamedTuple

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler

from stream.errors import SinkError
from stream.frame import AudioFormat, AudioPacket
from stream.web.broadcast import Heard
from stream.web.sound_line import RATE, Samples, SoundLine

TIME_BASE = Fraction(1, RATE)
_BITS_PER_S = 96_000


class EncodedSound(NamedTuple):
    """One packet of Opus.

    Attributes:
        data: 20 ms of it.
        pts: in samples at 48 kHz on the source's clock.
    """

    data: bytes
    pts: int


class SoundCoder:
    """Decodes any codec and encodes Opus, in step with pictures. One thread at a time."""

    def __init__(self, audio: AudioFormat) -> None:
        """Opens decoder and encoder.

        Args:
            audio: describes the packets.

        Raises:
            SinkError: they cannot be decoded.
        """
        self._decoder = _Decoder(audio)
        self._line = SoundLine()
        self._encoder = _opus()
        self._lead: int | None = None

    def step(self, heard: Iterable[Heard], now_ns: int) -> list[EncodedSound]:
        """What is to be sent now.

        Args:
            heard: what came since the last call.
            now_ns: the monotonic clock.
        """
        for one in heard:
            self._line.shown(one.pts_ns, one.at_ns)
            for packet in one.packets:
                for position, samples in self._decoder.decode(packet):
                    self._line.write(position, samples, one.at_ns)
        return [self._encoded(*block) for block in self._line.take(now_ns)]

    def _encoded(self, position: int, samples: Samples) -> EncodedSound:
        frame = AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = RATE, position, TIME_BASE
        (packet,) = self._encoder.encode(frame)
        if self._lead is None:
            # Opus looks ahead. The encoder's own times say so, but jump late where sound does.
            self._lead = position - (packet.pts or 0)
        return EncodedSound(bytes(packet), position - self._lead)


class _Decoder:
    def __init__(self, audio: AudioFormat) -> None:
        self._time_base = audio.time_base
        try:
            self._input = av.open(io.BytesIO(audio.header))
            self._decoder = self._input.streams.audio[0].codec_context
            self._decoder.open(strict=False)
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise SinkError(f"sound of codec {audio.codec} cannot be decoded: {error}") from error
        self._resampler = _resampler()

    def decode(self, packet: AudioPacket) -> Iterator[tuple[int, Samples]]:
        """Pieces with their positions; none of what is damaged."""
        compressed = av.Packet(packet.data)
        compressed.pts, compressed.dts = packet.pts, packet.dts
        compressed.time_base = self._time_base
        try:
            frames = self._decoder.decode(compressed)
        except av.error.FFmpegError:
            return  # Sound between two losses of a network.
        for frame in frames:
            if frame.pts is None:
                continue
            frame.time_base = self._time_base
            for piece in self._resampled(frame):
                yield piece.pts or 0, np.asarray(piece.to_ndarray(), np.int16).reshape(-1, 2)

    def _resampled(self, frame: AudioFrame) -> list[AudioFrame]:
        try:
            return self._resampler.resample(frame)
        except ValueError:  # Another rate or layout than before.
            self._resampler = _resampler()
            return self._resampler.resample(frame)


def _resampler() -> AudioResampler:
    return AudioResampler("s16", "stereo", RATE)


def _opus() -> AudioCodecContext:
    encoder = av.CodecContext.create("libopus", "w")
    assert isinstance(encoder, AudioCodecContext)
    encoder.sample_rate, encoder.layout, encoder.format = RATE, "stereo", "s16"
    encoder.bit_rate, encoder.time_base = _BITS_PER_S, TIME_BASE
    encoder.options = {"application": "audio", "frame_duration": "20"}
    encoder.open()
    return encoder
