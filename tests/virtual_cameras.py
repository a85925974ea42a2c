"""Virtual cameras made of Python, for the sides of the sink that talk to real ones."""

from __future__ import annotations

import errno
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from engine.face import Image
from stream import yuv420

CAPTURE, OUTPUT = 1, 2
_QUERYCAP, _ENUM_FMT = 0x80685600, 0xC0405602
_S_FMT, _S_PARM, _STREAMON, _STREAMOFF = 0xC0D05605, 0xC0CC5616, 0x40045612, 0x40045613
_DEVICE_CAPS = 0x80000000


@dataclass
class LoopbackDriver:
    """Answers as v4l2loopback does; the pictures end up in a plain file.

    Attributes:
        path: of that file.
        sides: CAPTURE and OUTPUT as the device shows them.
        driver: its name.
        held: size and pixels that readers keep it at.
        padding: bytes that it wants after each row.
        streams: it knows STREAMON of a device that is written by write(), as 0.12 does.
        refusals: errno by request.
        said: requests in their order.
    """

    path: Path
    sides: int = OUTPUT
    driver: bytes = b"v4l2 loopback"
    held: tuple[int, int, bytes] | None = None
    padding: int = 0
    streams: bool = True
    refusals: dict[str, int] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    asked: tuple[object, ...] = ()
    rate: tuple[int, int] = (0, 0)

    def __post_init__(self) -> None:
        self.path.touch()

    def ioctl(self, _descriptor: int, request: int, buffer: bytearray) -> int:
        names = {_S_FMT: "format", _S_PARM: "rate", _STREAMON: "on", _STREAMOFF: "off"}
        if request == _ENUM_FMT:
            raise OSError(errno.EINVAL, "Invalid argument")
        name = names.get(request, "ask")
        self.said.append(name)
        if name in self.refusals:
            raise OSError(self.refusals[name], "refused")
        if name == "ask":
            assert request == _QUERYCAP
            card = self.driver, b"A camera", b"platform:1"
            struct.pack_into("16s32s32s3I", buffer, 0, *card, 0, _DEVICE_CAPS, self.sides)
        elif name == "format":
            self._format(buffer)
        elif name == "rate":
            assert len(buffer) == 204
            kind, _, _, *interval = struct.unpack_from("=5I", buffer)
            assert kind == OUTPUT
            self.rate = interval[0], interval[1]
        else:
            assert struct.unpack("=i", buffer) == (OUTPUT,)
            self._stream(name)
        return 0

    def _format(self, buffer: bytearray) -> None:
        assert len(buffer) == 208
        assert struct.unpack_from("=I", buffer) == (OUTPUT,)
        self.asked = struct.unpack_from("=II4s5I", buffer, 8)
        width, height, pixels, progressive, *_ = self.asked
        width, height, pixels = self.held or (width, height, pixels)
        stride = width + self.padding
        size = stride * height * 3 // 2
        struct.pack_into("=II4s3I", buffer, 8, width, height, pixels, progressive, stride, size)

    def _stream(self, name: str) -> None:
        if name == "on" and self.sides == 0:
            self.sides = OUTPUT  # after closing
            raise OSError(errno.EINVAL, "no format yet")
        if name == "on" and not self.streams:
            raise OSError(errno.EINVAL, "no buffers")

    def shown(self, width: int, height: int) -> list[Image]:
        """Every picture that was written, without the padding."""
        data = np.frombuffer(self.path.read_bytes(), np.uint8)
        stride = width + self.padding
        return [
            bgr(picture, width, height, stride)
            for picture in data.reshape(-1, stride * height * 3 // 2)
        ]


class ObsBackend:
    """A backend of pyvirtualcam, to be registered; keeps what it is given."""

    opened: ClassVar[list[ObsBackend]] = []
    failure = ""

    def __init__(
        self, *, width: int, height: int, fps: float, fourcc: int, device: str | None
    ) -> None:
        if self.failure:
            raise RuntimeError(self.failure)
        self.size, self.fps, self.wanted = (width, height), fps, device
        self.fourcc = fourcc.to_bytes(4, "little")
        self.pictures: list[NDArray[np.uint8]] = []
        self.closed = False
        self.opened.append(self)

    def send(self, frame: NDArray[np.uint8]) -> None:
        if self.failure:
            raise RuntimeError(self.failure)
        self.pictures.append(frame.copy())

    def close(self) -> None:
        self.closed = True

    def device(self) -> str:
        return self.wanted or "OBS Virtual Camera"

    def native_fourcc(self) -> int | None:
        return None

    def shown(self) -> list[Image]:
        width, height = self.size
        return [bgr(picture, width, height, width) for picture in self.pictures]


def bgr(picture: NDArray[np.uint8], width: int, height: int, stride: int) -> Image:
    """A picture in YUV 4:2:0, BT.601, limited range, as its reader sees it."""
    luma = stride * height
    y, u, v = np.split(picture, [luma, luma * 5 // 4])
    planes = y.reshape(height, stride), *(c.reshape(height // 2, stride // 2) for c in (u, v))
    return yuv420.to_bgr(planes, (width, height), yuv420.BT601, full_range=False)
