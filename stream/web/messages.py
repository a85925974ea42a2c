"""Binary messages between panel and browser; all numbers are little endian."""

from __future__ import annotations

import math
import struct
from typing import NamedTuple

_VIEW = struct.Struct("<IIdII")
_ORIGINAL, _HELD = 1, 2
_CAMERA = struct.Struct("<d")
_START_OF_IMAGE, _END_OF_IMAGE = b"\xff\xd8", b"\xff\xd9"
_FRAME_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_LONE_MARKERS = frozenset(range(0xD0, 0xD8)) | {0x01, 0xFF}


def pack_view(
    seq: int, captured_ms: float, swapped: bytes, original: bytes = b"", *, held: bool = False
) -> bytes:
    """A picture for `/ws/view`.

    Header of 24 bytes: sequence number (u32, wraps around), flags (u32; 1: with original, 2:
    held), capture time on the server's monotonic clock in ms (f64), bytes of the swapped and
    of the original JPEG (u32 each); then these two.

    Args:
        seq: capture index.
        captured_ms: see above.
        swapped: JPEG.
        original: JPEG, or nothing.
        held: an earlier picture again, or a slate.
    """
    flags = (_ORIGINAL if original else 0) | (_HELD if held else 0)
    header = _VIEW.pack(seq & 0xFFFFFFFF, flags, captured_ms, len(swapped), len(original))
    return b"".join((header, swapped, original))


class CameraPicture(NamedTuple):
    """What a browser sends to `/ws/camera`.

    Attributes:
        sent_ms: the browser's own monotonic clock at capture.
        jpeg: a whole JPEG by its first and last bytes; the rest is not judged yet.
    """

    sent_ms: float
    jpeg: bytes


def unpack_camera(message: bytes) -> CameraPicture:
    """Takes a message of `/ws/camera` apart: f64 clock in ms, then a JPEG.

    Raises:
        ValueError: it is something else.
    """
    if len(message) <= _CAMERA.size:
        raise ValueError("a picture is 8 bytes of time and a JPEG")
    (sent_ms,) = _CAMERA.unpack_from(message)
    if not math.isfinite(sent_ms):
        raise ValueError("the time of a picture is a finite number of milliseconds")
    jpeg = message[_CAMERA.size :]
    if not (jpeg.startswith(_START_OF_IMAGE) and jpeg.endswith(_END_OF_IMAGE)):
        raise ValueError("a picture is a whole JPEG")
    return CameraPicture(sent_ms, jpeg)


def jpeg_size(jpeg: bytes) -> tuple[int, int]:
    """Width and height that a JPEG announces, read before anything is decoded.

    Source: ITU-T T.81, B.1 and B.2.

    Raises:
        ValueError: there is no frame header.
    """
    at = 2
    while at + 9 <= len(jpeg) and jpeg[at] == 0xFF:
        marker = jpeg[at + 1]
        if marker in _FRAME_MARKERS:
            height, width = struct.unpack_from(">HH", jpeg, at + 5)
            return width, height
        at += 1 if marker == 0xFF else 2
        if marker not in _LONE_MARKERS:
            at += struct.unpack_from(">H", jpeg, at)[0]
    raise ValueError("a JPEG has a frame header")
