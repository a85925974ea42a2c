from __future__ import annotations

import io
from fractions import Fraction
from typing import Any

import av
import numpy as np
import pytest

from stream.errors import ConfigError, SinkError
from stream.sinks.encoder import TIME_BASE, EncodedPicture, EncoderSettings, H264Encoder
from tests import barcode

SETTINGS = EncoderSettings(encoder="libx264", preset="ultrafast", keyframe_s=1.0)
FRAME_NS = 40_000_000
PARAMETER_SETS = {7, 8}
KEY_SLICE, SLICE = 5, 1


def encoded(
    encoder: H264Encoder, numbers: range, size: tuple[int, int] = (96, 64)
) -> list[EncodedPicture]:
    return [
        packet
        for number in numbers
        for packet in encoder.encode(barcode.picture(number, *size), number * FRAME_NS)
    ]


def units(data: bytes) -> list[int]:
    """Kinds of the NAL units in an access unit."""
    return [part[0] & 31 for part in data.split(b"\0\0\1")[1:]]


def decoded(packets: list[EncodedPicture]) -> list[av.VideoFrame]:
    stream = b"".join(packet.data for packet in packets)
    with av.open(io.BytesIO(stream), format="h264") as container:
        return list(container.decode(video=0))


def test_each_picture_comes_out_at_once_and_in_order() -> None:
    encoder = H264Encoder(96, 64, SETTINGS, rate=Fraction(25))
    for number in range(10):
        (packet,) = encoded(encoder, range(number, number + 1))
        assert packet.pts * TIME_BASE == Fraction(number, 25)


def test_a_stream_can_be_joined_at_every_key_frame() -> None:
    encoder = H264Encoder(96, 64, SETTINGS, rate=Fraction(25))
    packets = encoded(encoder, range(60))
    keys = [number for number, packet in enumerate(packets) if packet.is_key]
    assert keys == [0, 25, 50], "by the clock: one each second"
    for number in keys:
        kinds = units(packets[number].data)
        assert set(kinds[:2]) == PARAMETER_SETS
        assert packets[number].data.startswith(encoder.header)
        pictures = decoded(packets[number:])
        read = [barcode.read(picture.to_ndarray(format="bgr24")) for picture in pictures]
        assert read == list(range(number, 60))


def test_a_key_frame_is_made_when_asked_for() -> None:
    encoder = H264Encoder(96, 64, SETTINGS)
    encoded(encoder, range(5))
    encoder.request_keyframe()
    assert [packet.is_key for packet in encoded(encoder, range(5, 8))] == [True, False, False]


def test_a_picture_is_one_slice_unless_more_are_asked_for() -> None:
    for slices in (1, 2):
        settings = EncoderSettings(encoder="libx264", slices=slices)
        encoder = H264Encoder(128, 128, settings)
        packets = encoded(encoder, range(2), (128, 128))
        assert units(packets[0].data).count(KEY_SLICE) == slices
        assert units(packets[1].data).count(SLICE) == slices


def test_pictures_of_another_size_are_letterboxed_and_odd_sizes_are_filled() -> None:
    encoder = H264Encoder(95, 63, SETTINGS)
    assert (encoder.width, encoder.height) == (96, 64)
    packets = encoder.encode(np.full((63, 95, 3), 200, np.uint8), 0)
    packets += encoder.encode(np.full((200, 100, 3), 200, np.uint8), FRAME_NS)
    first, second = (picture.to_ndarray(format="gray") for picture in decoded(packets))
    assert first.min() > 150
    assert second[:, :20].max() < 40, "black beside it"
    assert second[:, 40:50].min() > 150


def test_colors_survive_and_are_tagged() -> None:
    for size, tag in (((96, 64), 6), ((1280, 720), 1)):
        encoder = H264Encoder(*size, SETTINGS)
        image = np.empty((size[1], size[0], 3), np.uint8)
        image[:] = (40, 60, 220)
        (picture,) = decoded(encoder.encode(image, 0))
        assert (picture.colorspace, picture.color_primaries, picture.color_trc) == (tag,) * 3
        assert picture.color_range == 1
        shown = picture.to_ndarray(format="bgr24")[20, 20].astype(int)
        assert np.abs(shown - (40, 60, 220)).max() <= 4


def test_two_pictures_within_a_tick_keep_their_order() -> None:
    encoder = H264Encoder(96, 64, SETTINGS)
    image = barcode.picture(0)
    times = [packet.pts for ns in (0, 1, 2) for packet in encoder.encode(image, ns)]
    assert times == [0, 1, 2]


def test_an_encoder_that_is_not_there_is_told_with_what_to_do() -> None:
    try:
        av.CodecContext.create("h264_nvenc", "w")
        H264Encoder(256, 256, EncoderSettings(encoder="h264_nvenc"))
    except SinkError as error:
        assert "choose libx264 or auto" in str(error)  # noqa: PT017 - some machines have it
        assert H264Encoder(256, 256, EncoderSettings(encoder="auto")).name == "libx264"


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("bitrate_kbps", -1, "bitrate_kbps is -1; expected 1 or more, or 0"),
        ("keyframe_s", 0.0, "keyframe_s is 0; expected more than 0"),
        ("preset", "quick", "preset is 'quick'; expected one of ultrafast"),
        ("slices", 0, "slices is 0; expected 1 to 16"),
    ],
)
def test_senseless_values_are_refused(name: str, value: Any, expected: str) -> None:
    with pytest.raises(ConfigError, match=expected):
        EncoderSettings(**{name: value})
