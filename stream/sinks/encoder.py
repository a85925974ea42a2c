"""Live H.264: a picture in, its packet out, and a key frame whenever a receiver needs one."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, TypeAlias

import av
from av.codec.context import Flags
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType
from av.video.stream import VideoStream

from engine.face import Image
from stream.errors import ConfigError, SinkError
from stream.sinks import h264
from stream.sinks.h264 import Encoder
from stream.sinks.settings import PRESETS
from stream.sinks.yuv import color_tags, to_yuv
from stream.timebase import NS_PER_S, to_ticks

Profile: TypeAlias = Literal["baseline", "main", "high"]

TIME_BASE = Fraction(1, 90_000)
"""Of all packets: what MPEG-TS, RTSP and WebRTC count in."""

_DEFAULT_RATE = Fraction(30)
_BITS_PER_PIXEL = 0.1
_LEAST_KBPS = 300
_NEVER = 1_000_000  # Key frames come by the clock; the encoder's own count stays out of it.


@dataclass(frozen=True, slots=True)
class EncoderSettings:
    """How live pictures are compressed.

    Attributes:
        encoder: `auto` takes NVIDIA's where it works, else x264.
        bitrate_kbps: what it keeps to, 0 for a tenth of a bit for each pixel.
        keyframe_s: who joins waits so long at most.
        preset: of x264, one of `stream.sinks.settings.PRESETS`.
        profile: `baseline` for receivers that know no other.
        slices: parts of a picture that are encoded at the same time, a thread each. Some
            relays lose all but the first.
    """

    encoder: Encoder = "auto"
    bitrate_kbps: int = 0
    keyframe_s: float = 2.0
    preset: str = "superfast"
    profile: Profile = "high"
    slices: int = 1

    def __post_init__(self) -> None:
        if self.bitrate_kbps < 0:
            raise ConfigError(
                f"bitrate_kbps is {self.bitrate_kbps}; expected 1 or more, or 0 to let the "
                "size of the picture decide"
            )
        if not self.keyframe_s > 0:
            raise ConfigError(f"keyframe_s is {self.keyframe_s:g}; expected more than 0")
        if self.preset not in PRESETS:
            raise ConfigError(f"preset is '{self.preset}'; expected one of {', '.join(PRESETS)}")
        if not 1 <= self.slices <= 16:
            raise ConfigError(f"slices is {self.slices}; expected 1 to 16")


@dataclass(frozen=True, slots=True)
class EncodedPicture:
    """One compressed picture.

    Attributes:
        data: an access unit in Annex B form; that of a key frame begins with the parameter
            sets, so that a decoder or a muxer can begin there and knows everything.
        pts: presentation and decoding time in ticks of `TIME_BASE`.
        is_key: nothing before it is needed to decode it and what follows.
    """

    data: bytes
    pts: int
    is_key: bool


class H264Encoder:
    """Compresses pictures one by one without holding any of them back.

    One thread encodes; any thread may ask for a key frame.

    Attributes:
        name: FFmpeg's name of the encoder in use.
        width, height: of the coded pictures; even.
        header: sequence and picture parameter sets in Annex B form.
    """

    def __init__(
        self,
        width: int,
        height: int,
        settings: EncoderSettings,
        *,
        rate: Fraction | None = None,
        sample_aspect: Fraction = Fraction(1),
    ) -> None:
        """Opens the encoder.

        Args:
            width: of the pictures in pixels; those of another size are letterboxed.
            height: likewise; an odd size gets one more row or column.
            settings: encoder, bit rate, key frames.
            rate: nominal pictures per second, for the bit rate; None if unknown.
            sample_aspect: width of a pixel over its height.

        Raises:
            SinkError: the encoder that was asked for does not work here.
        """
        self._size = (width, height)
        self.width, self.height = width + width % 2, height + height % 2
        self._settings = settings
        self._rate = rate or _DEFAULT_RATE
        self._sample_aspect = sample_aspect
        self._tags = color_tags(width, height)
        self._context = h264.opened(
            settings.encoder, auto=("h264_nvenc", "libx264"), open_=self._opened
        )
        self.name = self._context.name
        self.header = bytes(self._context.extradata or b"")
        self._key_wanted = True
        self._key_ns = self._last_ticks = 0
        self._encoded = 0

    def request_keyframe(self) -> None:
        """Makes the next picture a key frame."""
        self._key_wanted = True

    def encode(self, image: Image, pts_ns: int) -> list[EncodedPicture]:
        """Compresses one picture.

        Args:
            image: (H, W, 3) uint8 BGR; not changed, and free again after the call.
            pts_ns: presentation time; grows from call to call.

        Returns:
            The picture. None, or more than one, from encoders that hold pictures back in
            spite of being told not to.

        Raises:
            SinkError: the encoder failed.
        """
        picture = to_yuv(image, *self._size, self._tags)
        ticks = to_ticks(pts_ns, TIME_BASE)
        if self._encoded:
            ticks = max(ticks, self._last_ticks + 1)
        self._last_ticks = ticks
        picture.pts, picture.time_base = ticks, TIME_BASE
        overdue = pts_ns - self._key_ns >= self._settings.keyframe_s * NS_PER_S
        if self._key_wanted or overdue or not self._encoded:
            self._key_wanted = False
            picture.pict_type = PictureType.I
            self._key_ns = pts_ns
        self._encoded += 1
        try:
            packets = self._context.encode(picture)
        except (av.error.FFmpegError, OSError) as error:
            raise SinkError(f"{self.name}: cannot encode: {error.strerror}") from error
        return [self._whole(packet) for packet in packets]

    def _whole(self, packet: av.Packet[VideoStream]) -> EncodedPicture:
        assert packet.pts is not None, "an encoder times its packets"
        data = bytes(packet)
        if packet.is_keyframe:
            data = self.header + data
        return EncodedPicture(data, packet.pts, packet.is_keyframe)

    def _opened(self, name: str) -> VideoCodecContext:
        context = av.CodecContext.create(name, "w")
        assert isinstance(context, VideoCodecContext)
        h264.describe(context, self._size, self._tags, self._sample_aspect)
        context.time_base, context.framerate = TIME_BASE, self._rate
        context.bit_rate = self._kbps() * 1000
        # The parameter sets come once, beside the packets, and `_whole` puts them before each
        # key frame: encoders disagree about repeating them.
        context.flags |= Flags.global_header
        context.thread_count = self._settings.slices
        context.options = h264.low_delay(name, self._settings.preset) | {
            "profile": self._settings.profile,
            "g": str(_NEVER),
            "bf": "0",
            "maxrate": str(context.bit_rate),
            "bufsize": str(context.bit_rate),
            "forced-idr": "1",
        }
        context.open()
        return context

    def _kbps(self) -> int:
        if self._settings.bitrate_kbps:
            return self._settings.bitrate_kbps
        pixels_per_s = self.width * self.height * self._rate
        return max(_LEAST_KBPS, round(float(pixels_per_s) * _BITS_PER_PIXEL / 1000))
