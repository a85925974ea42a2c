"""Video devices of Linux: who they are and what they offer, asked without opening a stream.

Structures and numbers are those of linux/videodev2.h.
"""

from __future__ import annotations

import os
import struct
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

Ioctl: TypeAlias = Callable[[int, int, bytearray], object]

_QUERYCAP, _ENUM_FMT = 0x80685600, 0xC0405602
_ENUM_FRAMESIZES, _ENUM_FRAMEINTERVALS = 0xC02C564A, 0xC034564B
_CAPTURE, _OUTPUT, _DEVICE_CAPS = 0x1, 0x2, 0x80000000
_BUFFER_CAPTURE = 1
_DISCRETE = 1
_MOST = 64
_SYSFS = Path("/sys/class/video4linux")


@dataclass(frozen=True, slots=True)
class Mode:
    """One way in which a camera gives pictures.

    Attributes:
        format: FourCC.
        width, height: in pixels; 0 if the driver names no sizes.
        rates_hz: frames per second, the highest first; empty if the driver names none.
        up_to: the size is the largest, and the rates are the highest and lowest, of a range.
    """

    format: str
    width: int
    height: int
    rates_hz: tuple[float, ...] = ()
    up_to: bool = False


@dataclass(frozen=True, slots=True)
class VideoDevice:
    """One `/dev/video*`.

    Attributes:
        path: of the device.
        name: what the hardware or its driver calls itself.
        driver: kernel driver, `uvcvideo` for USB cameras; empty if it could not be asked.
        captures: it gives pictures.
        outputs: it takes pictures, as a virtual camera does.
        modes: formats, sizes and rates of the pictures that it gives.
        problem: why it could not be asked, empty if it could.
    """

    path: str
    name: str = ""
    driver: str = ""
    captures: bool = False
    outputs: bool = False
    modes: tuple[Mode, ...] = ()
    problem: str = ""

    @property
    def formats(self) -> tuple[tuple[str, tuple[int, int]], ...]:
        """FourCC and the largest size in it, (width, height); (0, 0) if the driver names none."""
        largest: dict[str, tuple[int, int]] = {}
        for mode in self.modes:
            size, known = (mode.width, mode.height), largest.get(mode.format, (0, 0))
            largest[mode.format] = max(known, size, key=lambda size: size[0] * size[1])
        return tuple(largest.items())


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
        modes=tuple(_modes(descriptor, ioctl)) if capabilities & _CAPTURE else (),
    )


def _modes(descriptor: int, ioctl: Ioctl) -> Iterator[Mode]:
    for answer in _enumerated(descriptor, ioctl, _ENUM_FMT, "2I56x", _BUFFER_CAPTURE):
        (code,) = struct.unpack_from("I", answer, 44)
        named = False
        for width, height, up_to in _sizes(descriptor, code, ioctl):
            named = True
            rates_hz = _rates_hz(descriptor, (code, width, height), ioctl)
            yield Mode(_fourcc(code), width, height, rates_hz, up_to)
        if not named:
            yield Mode(_fourcc(code), 0, 0)


def _sizes(descriptor: int, code: int, ioctl: Ioctl) -> Iterator[tuple[int, int, bool]]:
    for answer in _enumerated(descriptor, ioctl, _ENUM_FRAMESIZES, "2I36x", code):
        # One size, or the smallest and largest width, a step, and the same for the height.
        _, _, kind, first, second, _, _, fifth = struct.unpack_from("8I", answer)
        if kind != _DISCRETE:
            yield second, fifth, True
            return
        yield first, second, False


def _rates_hz(descriptor: int, wanted: tuple[int, int, int], ioctl: Ioctl) -> tuple[float, ...]:
    rates_hz = set()
    for answer in _enumerated(descriptor, ioctl, _ENUM_FRAMEINTERVALS, "4I36x", *wanted):
        # Seconds as a fraction: one, or the shortest, the longest and a step.
        kind, over, under, most_over, most_under = struct.unpack_from("5I", answer, 16)
        rates_hz.add(_rate_hz(over, under))
        if kind != _DISCRETE:
            rates_hz.add(_rate_hz(most_over, most_under))
            break
    return tuple(sorted(rates_hz - {0.0}, reverse=True))


def _rate_hz(over: int, under: int) -> float:
    return round(under / over, 3) if over else 0.0


def _enumerated(
    descriptor: int, ioctl: Ioctl, request: int, layout: str, *wanted: int
) -> Iterator[bytearray]:
    """Answers to a question with index 0, 1, 2 ..., until the driver knows no more."""
    for index in range(_MOST):
        answer = bytearray(struct.pack(layout, index, *wanted))
        try:
            ioctl(descriptor, request, answer)
        except OSError:
            return
        yield answer


def _fourcc(code: int) -> str:
    return struct.pack("I", code & 0x7FFFFFFF).decode("latin-1").strip()


def _text(field: bytes) -> str:
    return field.split(b"\0", 1)[0].decode("utf-8", "replace")
