"""Still pictures as FFmpeg's demuxers meet them, with what stands beside their pixels."""

from __future__ import annotations

import struct
import zlib
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from engine.face import Image

_HEADER = 33
"""Bytes of a PNG up to the end of its IHDR."""
_ORIENTATION = 0x0112


def png_chunk(kind: bytes, data: bytes) -> bytes:
    """One chunk of a PNG with its length and checksum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(image: Image, *, profile: bool = True, orientation: int = 0) -> bytes:
    """A PNG with a color profile (nobody looks into it), and turned by EXIF unless 0."""
    data = _encoded(".png", image)
    beside = png_chunk(b"iCCP", b"named\0\0" + zlib.compress(bytes(512))) if profile else b""
    if orientation:
        beside += png_chunk(b"eXIf", _exif(orientation))
    return data[:_HEADER] + beside + data[_HEADER:]


def jpeg(image: Image, orientation: int) -> bytes:
    """A JPEG turned by EXIF, as phones write them."""
    data, exif = _encoded(".jpg", image), b"Exif\0\0" + _exif(orientation)
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + data[2:]


def write_mov_of_png(path: Path, data: bytes, turn: int = 0) -> Path:
    """A QuickTime movie of two pictures, coded as these bytes."""
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    with av.open(str(path), "w") as output:
        video = output.add_stream("png", rate=25)
        video.width, video.height, video.pix_fmt = image.shape[1], image.shape[0], "rgb24"
        if turn:
            video.set_display_rotation(turn)
        for tick in range(2):
            packet = av.Packet(data)
            packet.stream, packet.time_base = video, Fraction(1, 25)
            packet.pts = packet.dts = tick
            packet.is_keyframe = True
            output.mux(packet)
    return path


def _encoded(suffix: str, image: Image) -> bytes:
    ok, data = cv2.imencode(suffix, image)
    assert ok
    return bytes(data)


def _exif(orientation: int) -> bytes:
    """One entry: tag, type 3 (16 bits), count, value."""
    entry = struct.pack("<HHIHH", _ORIENTATION, 3, 1, orientation, 0)
    return b"II*\0" + struct.pack("<IH", 8, 1) + entry + bytes(4)
