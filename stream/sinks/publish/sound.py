"""The source's sound in the forms that receivers can carry."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction

import av
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler

from stream.frame import AudioFormat, AudioPacket
from stream.sinks.publish.target import Target

_log = logging.getLogger(__name__)

_AAC_RATES = (48_000, 44_100, 32_000, 24_000, 22_050, 16_000)
_MAX_CHANNELS = 2  # What every receiver of live streams plays.


@dataclass(frozen=True, slots=True)
class Rendition:
    """One form of the sound.

    Attributes:
        header: a tiny file whose one stream describes it, as in `AudioFormat`.
        time_base: seconds per tick of its packets.
    """

    header: bytes
    time_base: Fraction


class Sound:
    """Passes packets on, and encodes them anew once for all receivers that need it.

    One thread uses it.

    Attributes:
        source: the packets as they are.
        aac: the packets as AAC; None until a target needs it, or when it cannot be made.
    """

    def __init__(self, audio: AudioFormat, kbps: int) -> None:
        """Reads the description of the sound.

        Args:
            audio: of the source.
            kbps: of AAC that has to be made.
        """
        self._audio = audio
        self._kbps = kbps
        self.source = Rendition(audio.header, audio.time_base)
        self.aac: Rendition | None = None
        self._transcoder: _Transcoder | None = None
        with av.open(io.BytesIO(audio.header)) as file:
            self._has_parameters = bool(file.streams.audio[0].codec_context.extradata)

    def for_target(self, target: Target) -> Rendition | None:
        """The form that a target can carry; None if the sound cannot be brought there."""
        codec = self._audio.codec
        bare = codec != "aac" or self._has_parameters or not target.bare_aac
        if codec in target.sound and bare:
            return self.source
        if self._transcoder is None:
            try:
                self._transcoder = _Transcoder(self._audio, self._kbps)
            except (av.error.FFmpegError, OSError, ValueError) as error:
                _log.warning("%s: no sound: %s cannot become AAC (%s)", target.name, codec, error)
                return None
            self.aac = self._transcoder.rendition
        return self.aac

    def convert(self, packets: Iterable[AudioPacket]) -> list[AudioPacket]:
        """The packets as AAC, as far as that goes; what cannot be decoded is left out."""
        if self._transcoder is None:
            return []
        return [made for packet in packets for made in self._transcoder.convert(packet)]

    def close(self) -> None:
        """Gives decoder and encoder back."""
        if self._transcoder is not None:
            self._transcoder.close()


class _Transcoder:
    """Any codec to AAC; times stay the source's, the encoder's priming included."""

    def __init__(self, audio: AudioFormat, kbps: int) -> None:
        self._time_base = audio.time_base
        self._input = av.open(io.BytesIO(audio.header))
        self._decoder = self._input.streams.audio[0].codec_context
        rate = audio.sample_rate if audio.sample_rate in _AAC_RATES else _AAC_RATES[0]
        layout = "mono" if self._decoder.layout.nb_channels < _MAX_CHANNELS else "stereo"
        self._encoder, header = _aac(rate, layout, kbps)
        self.rendition = Rendition(header, Fraction(1, rate))
        self._resampler = AudioResampler("fltp", layout, rate, self._encoder.frame_size)

    def convert(self, packet: AudioPacket) -> Iterator[AudioPacket]:
        compressed = av.Packet(packet.data)
        compressed.pts, compressed.dts = packet.pts, packet.dts
        compressed.time_base = self._time_base
        frames: list[AudioFrame] = []
        with suppress(av.error.InvalidDataError):  # Sound between two losses of a network.
            frames = self._decoder.decode(compressed)
        for frame in frames:
            frame.time_base = self._time_base
            for piece in self._resampler.resample(frame):
                for made in self._encoder.encode(piece):
                    pts = made.pts or 0
                    yield AudioPacket(bytes(made), pts, pts, made.duration or 0)

    def close(self) -> None:
        self._input.close()


def _aac(rate: int, layout: str, kbps: int) -> tuple[AudioCodecContext, bytes]:
    """An encoder, and the header that describes its packets."""
    encoder = av.CodecContext.create("aac", "w")
    assert isinstance(encoder, AudioCodecContext)
    encoder.sample_rate, encoder.layout, encoder.format = rate, layout, "fltp"
    encoder.bit_rate, encoder.time_base = kbps * 1000, Fraction(1, rate)
    encoder.open()
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="nut") as output:
        stream = output.add_stream("aac", rate=rate)
        stream.layout, stream.bit_rate = layout, kbps * 1000
        output.start_encoding()
        silence = AudioFrame("fltp", layout, stream.codec_context.frame_size)
        for plane in silence.planes:
            plane.update(bytes(plane.buffer_size))
        silence.sample_rate, silence.pts = rate, 0
        output.mux(stream.encode(silence))
        output.mux(stream.encode(None))
    return encoder, buffer.getvalue()
