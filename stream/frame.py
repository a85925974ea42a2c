"""The unit that travels through the pipeline, and what is known of where it came from."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction

from engine.face import Face, Image

MOST_PACKETS = 4096
"""Of sound that wait for a picture: a minute and a half of AAC, or a megabyte and a half."""


@dataclass(frozen=True, slots=True)
class AudioPacket:
    """One compressed audio packet, exactly as demuxed.

    Attributes:
        data: the codec's bytes.
        pts, dts, duration: in units of `AudioFormat.time_base`, on the source's own clock.
    """

    data: bytes
    pts: int
    dts: int
    duration: int

    def moved(self, by: int, scale: Fraction = Fraction(1)) -> AudioPacket:
        """The packet on another clock.

        Args:
            by: how much later, in ticks of that clock.
            scale: ticks of that clock for each tick of this one.
        """
        pts, dts, duration = (round(one * scale) for one in (self.pts, self.dts, self.duration))
        return replace(self, pts=pts + by, dts=dts + by, duration=duration)


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """What a muxer has to know to carry `AudioPacket`s unchanged.

    Attributes:
        codec: FFmpeg's name.
        sample_rate: in Hz.
        layout: FFmpeg's channel layout name.
        time_base: seconds per tick of the packets' timestamps.
        header: every codec parameter, extradata included, as a complete Matroska or NUT
            file that holds this one stream and a dummy packet: the template for a copy.
    """

    codec: str
    sample_rate: int
    layout: str
    time_base: Fraction
    header: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """What a source knows once it is open.

    Attributes:
        url: what was opened, without credentials.
        width, height: in pixels; a source may change size later.
        rate: nominal frames per second, None when unknown or variable.
        time_base: seconds per tick of the source's clock: every `pts_ns` is a multiple of it.
        frames: expected number of frames, None when unknown.
        origin_ns: the first frame's time on the source's own clock, so that
            `origin_ns + frame.pts_ns` is the original timestamp.
        live: frames arrive in real time and cannot wait.
        endless: it has no end of its own, as cameras and live streams: its end is a loss.
        audio: format of `Frame.audio`, None without sound.
        sample_aspect: width of a pixel over its height; not 1 in anamorphic video.
    """

    url: str
    width: int
    height: int
    rate: Fraction | None = None
    time_base: Fraction = Fraction(1, 90_000)
    frames: int | None = None
    origin_ns: int = 0
    live: bool = False
    endless: bool = False
    audio: AudioFormat | None = None
    sample_aspect: Fraction = Fraction(1)


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture on its way; stages return changed copies made by `dataclasses.replace`.

    Attributes:
        image: (H, W, 3) uint8 BGR; whoever holds the frame owns it.
        pts_ns: presentation time, nanoseconds since the source's first frame.
        seq: capture index; a gap means dropped frames.
        captured_ns: `time.monotonic_ns()` at capture, for true end-to-end latency.
        faces: in a stable order, by track.
        original: the picture before blending, None until then or when nobody asked for it.
        audio: packets demuxed since the previous frame; a dropped frame hands them on.
        held: nothing came, so this is an earlier picture again, or a slate.
        name: of the file that is the picture, without its folder; empty for all others.
    """

    image: Image
    pts_ns: int
    seq: int
    captured_ns: int
    faces: tuple[Face, ...] = ()
    original: Image | None = None
    audio: tuple[AudioPacket, ...] = field(default=(), repr=False)
    held: bool = False
    name: str = ""
