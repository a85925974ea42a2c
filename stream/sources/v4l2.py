"""Video devices of Linux: who they are and what they offer, asked without opening a stream.

Structures and numbers are those of linux/videodev2.h.
"""

from __future__ import annotations

import os
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

Ioctl: TypeAlias = Callable[[int, int, bytearray], object]

_QUERYCAP, _ENUM_FMT, _ENUM_FRAMESIZES = 0x80685600, 0xC0405602, 0xC02C564A
_CAPTURE, _OUTPUT, _DEVICE_CAPS = 0x1, 0x2, 0x80000000
_BUFFER_CAPTURE = 1
_DISCRETE = 1
_MOST = 64
_SYSFS = Path("/sys/class/video4linux")


@dataclass(frozen=True, slots=True)
class VideoDevice:
    """One `/dev/video*`.

    Attributes:
        path: of the device.
        name: what the hardware or its driver calls itself.
        driver: kernel driver, `uvcvideo` for USB cameras; empty if it could not be asked.
        captures: it gives pictures.
        outputs: it takes pictures, as a virtual camera does.
        formats: FourCC to the largest size (width, height) that it is offered in; (0, 0) if the
            driver names no sizes.
        problem: why it could not be asked, empty if it could.
    """

    path: str
    name: str = ""
    driver: str = ""
    captures: bool = False
    outputs: bool = False
    formats: tuple[tuple[str, tuple[int, int]], ...] = ()
    problem: str = ""


def devices(folder: Path = Path("/dev"), sysfs: Path = _SYSFS) -> list[VideoDevice]:
    """All video devices, in the order of their numbers; none on other systems."""
    if sys.platform != "linux":
        return []
    from fcntl import ioctl  # noqa: PLC0415 - does not exist elsewhere

    found = [path for path in folder.glob("video*") if path.name[5:].isdecimal()]
    return [
        _asked(path, sysfs, ioctl) for path in sorted(found, key=lambda path: int(path.name[5:]))
    ]


def _asked(path: Path, sysfs: Path, ioctl: Ioctl) -> VideoDevice:
    try:
        name = (sysfs / path.name / "name").read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        name = ""
    try:
        # Without waiting: a camera that another program uses answers questions all the same.
        descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    except OSError as error:
        return VideoDevice(str(path), name, problem=error.strerror or str(error))
    try:
        return query(descriptor, str(path), name, ioctl)
    except OSError as error:
        return VideoDevice(str(path), name, problem=error.strerror or str(error))
    finally:
        os.close(descriptor)


def query(descriptor: int, path: str, name: str, ioctl: Ioctl) -> VideoDevice:
    """Ask an open device.

    Args:
        descriptor: of the open device.
        path: of the device, for the answer.
        name: as known; if it is empty, the device's own.
        ioctl: as `fcntl.ioctl`: changes the buffer, raises OSError.

    Raises:
        OSError: it is no video device.
    """
    answer = bytearray(104)
    ioctl(descriptor, _QUERYCAP, answer)
    driver, card, _, _, everything, of_this_node = struct.unpack_from("16s32s32s3I", answer)
    capabilities = of_this_node if everything & _DEVICE_CAPS else everything
    return VideoDevice(
        path,
        name or _text(card),
        _text(driver),
        captures=bool(capabilities & _CAPTURE),
        outputs=bool(capabilities & _OUTPUT),
        formats=_formats(descriptor, ioctl) if capabilities & _CAPTURE else (),
    )


def _formats(descriptor: int, ioctl: Ioctl) -> tuple[tuple[str, tuple[int, int]], ...]:
    formats = []
    for index in range(_MOST):
        answer = bytearray(struct.pack("2I56x", index, _BUFFER_CAPTURE))
        try:
            ioctl(descriptor, _ENUM_FMT, answer)
        except OSError:
            break
        (code,) = struct.unpack_from("I", answer, 44)
        formats.append((_fourcc(code), _largest(descriptor, code, ioctl)))
    return tuple(formats)


def _largest(descriptor: int, code: int, ioctl: Ioctl) -> tuple[int, int]:
    largest = (0, 0)
    for index in range(_MOST):
        answer = bytearray(struct.pack("2I36x", index, code))
        try:
            ioctl(descriptor, _ENUM_FRAMESIZES, answer)
        except OSError:
            break
        # One size, or the smallest and largest width, a step, and the same for the height.
        _, _, kind, first, second, _, _, fifth = struct.unpack_from("8I", answer)
        size = (first, second) if kind == _DISCRETE else (second, fifth)
        largest = max(largest, size, key=lambda size: size[0] * size[1])
        if kind != _DISCRETE:
            break
    return largest


def _fourcc(code: int) -> str:
    return struct.pack("I", code & 0x7FFFFFFF).decode("latin-1").strip()


def _text(field: bytes) -> str:
    return field.split(b"\0", 1)[0].decode("utf-8", "replace")
