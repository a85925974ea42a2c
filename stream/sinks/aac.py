"""Sound of any codec made into AAC, which every container and receiver can carry."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction

import av
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream

from stream.frame import AudioFormat, AudioPacket

_RATES = (48_000, 44_100, 32_000, 24_000, 22_050, 16_000)
_MAX_CHANNELS = 2  # What everything plays.


@dataclass(frozen=True, slots=True)
class Rendition:
    """One form of the sound.

    Attributes:
        header: a tiny file whose one stream describes it, as in `AudioFormat`.
        time_base: seconds per tick of its packets.
    """

    header: bytes
    time_base: Fraction


class AacTranscoder:
    """Any codec to AAC, mono or stereo; times stay the source's, the encoder's priming included.

    One thread uses it.

    Attributes:
        rendition: what it makes.
    """

    def __init__(self, audio: AudioFormat, kbps: int) -> None:
        """Opens decoder and encoder.

        Args:
            audio: what comes in.
            kbps: of what goes out.

        Raises:
            av.error.FFmpegError, OSError, ValueError: the sound cannot be decoded here.
        """
        self._time_base = audio.time_base
        self._input = av.open(io.BytesIO(audio.header))
        self._decoder = self._input.streams.audio[0].codec_context
        rate = audio.sample_rate if audio.sample_rate in _RATES else _RATES[0]
        layout = "mono" if self._decoder.layout.nb_channels < _MAX_CHANNELS else "stereo"
        self._encoder, header = _aac(rate, layout, kbps)
        self.rendition = Rendition(header, Fraction(1, rate))
        self._resampler = AudioResampler("fltp", layout, rate, self._encoder.frame_size)

    def convert(self, packet: AudioPacket) -> Iterator[AudioPacket]:
        """What is finished after one more packet; one that cannot be decoded is left out."""
        compressed = av.Packet(packet.data)
        compressed.pts, compressed.dts = packet.pts, packet.dts
        compressed.time_base = self._time_base
        frames: list[AudioFrame] = []
        with suppress(av.error.InvalidDataError):  # Sound between two losses of a network.
            frames = self._decoder.decode(compressed)
        yield from self._encoded(frames)

    def rest(self) -> Iterator[AudioPacket]:
        """What is still in hand; nothing can be converted afterwards."""
        frames: list[AudioFrame] = []
        with suppress(av.error.InvalidDataError):
            frames = self._decoder.decode(None)
        yield from self._encoded(frames)
        for piece in self._resampler.resample(None):
            yield from map(_packet, self._encoder.encode(piece))
        yield from map(_packet, self._encoder.encode(None))

    def close(self) -> None:
        """Gives the decoder back."""
        self._input.close()

    def _encoded(self, frames: Iterable[AudioFrame]) -> Iterator[AudioPacket]:
        for frame in frames:
            frame.time_base = self._time_base
            for piece in self._resampler.resample(frame):
                yield from map(_packet, self._encoder.encode(piece))


def _packet(made: av.Packet[AudioStream]) -> AudioPacket:
    pts = made.pts or 0
    return AudioPacket(bytes(made), pts, pts, made.duration or 0)


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
