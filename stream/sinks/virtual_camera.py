"""A camera that other programs can choose: for calls, streams and recordings elsewhere."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import partial
from types import TracebackType
from typing import Protocol, Self, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.face import Image
from stream import yuv420
from stream.frame import Frame, SourceInfo
from stream.health import Health, State
from stream.sinks import obs_output, v4l2_output
from stream.sinks.yuv import letterbox

SCHEME = "virtual-camera"
"""The URL, alone or followed by `:` and a device."""

_log = logging.getLogger(__name__)


class Output(Protocol):
    """An open virtual camera that takes pictures in YUV 4:2:0, BT.601, limited range.

    Attributes:
        name: for people.
        width: in pixels, even.
        height: in pixels, even.
        stride: bytes from row to row of luma, even; half of that in both planes of chroma.
    """

    name: str
    width: int
    height: int
    stride: int

    def send(self, picture: NDArray[np.uint8]) -> bool:
        """Hand over planes Y, U and V; False if it was left out. Raises SinkError."""

    def close(self) -> None:
        """Give the camera back."""


Connect: TypeAlias = Callable[[tuple[int, int], Fraction | None], Output]
"""Opens a camera for a size (width, height) and a rate; raises SinkError."""


class VirtualCamera:
    """Shows every frame in a camera for other programs, and holds none back.

    The size is fixed when it is opened: later frames of another size are letterboxed, odd sizes
    get one more row or column. Between two frames the camera shows the one before.
    """

    leaky = True

    def __init__(self, info: SourceInfo, connect: Connect) -> None:
        """Keeps what is needed to open; opens nothing.

        Args:
            info: gives size and rate.
            connect: opens the camera.
        """
        self._info = info
        self._connect = connect
        self._output: Output | None = None
        self._state: State = "connecting"
        self._name = SCHEME
        self._sent = self._left_out = 0

    def __enter__(self) -> Self:
        width, height = self._info.width, self._info.height
        output = self._connect((width + width % 2, height + height % 2), self._info.rate)
        self._output, self._name, self._state = output, output.name, "running"
        _log.info("virtual camera: %s, %dx%d", output.name, output.width, output.height)
        luma_bytes = output.stride * output.height
        self._picture = np.zeros(luma_bytes * 3 // 2, np.uint8)
        y, u, v = np.split(self._picture, [luma_bytes, luma_bytes * 5 // 4])
        half = (output.height // 2, output.stride // 2)
        self._planes = y.reshape(output.height, output.stride), u.reshape(half), v.reshape(half)
        # Loads the compiled loops before anybody takes the time.
        yuv420.from_bgr(np.zeros((2, 2, 3), np.uint8), yuv420.BT601, self._planes)
        return self

    def write(self, frame: Frame) -> None:
        """Shows one frame; does not change it.

        Raises:
            SinkError: the camera has gone.
        """
        assert self._output is not None, "written outside of its with block"
        image = _fitted(frame.image, self._output.width, self._output.height)
        yuv420.from_bgr(image, yuv420.BT601, self._planes)
        if self._output.send(self._picture):
            self._sent += 1
        else:
            self._left_out += 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        output, self._output = self._output, None
        if output is not None:
            self._state = "failed" if error is not None else "ended"
            output.close()

    def health(self) -> Mapping[str, Health]:
        """The camera by its name, and how many pictures it took and did not take."""
        return {self._name: Health(self._state, sent=self._sent, dropped=self._left_out)}


def virtual_camera(url: str, info: SourceInfo) -> VirtualCamera:
    """Choose the camera for a URL; nothing is opened before it is entered.

    Args:
        url: `virtual-camera`, or `virtual-camera:` and a device: a path on Linux, elsewhere a
            name that pyvirtualcam knows.
        info: of the source.
    """
    device = url.removeprefix(SCHEME).removeprefix(":")
    if sys.platform != "linux":
        return VirtualCamera(info, partial(obs_output.ObsOutput, device))
    if device:
        return VirtualCamera(info, partial(v4l2_output.V4L2Output, device))
    return VirtualCamera(info, v4l2_output.first_free)


def _fitted(image: Image, width: int, height: int) -> Image:
    below, beside = height - image.shape[0], width - image.shape[1]
    if (below, beside) == (0, 0):
        return image
    if below in {0, 1} and beside in {0, 1}:
        padded = cv2.copyMakeBorder(image, 0, below, 0, beside, cv2.BORDER_REPLICATE)
        return np.asarray(padded, np.uint8)
    return letterbox(image, width, height)
