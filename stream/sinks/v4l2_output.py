"""The writing side of virtual cameras on Linux, made for v4l2loopback 0.12 to 0.15.

Structures and numbers are those of linux/videodev2.h, on 64-bit systems.
"""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Sequence
from contextlib import suppress
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from stream.errors import SinkError
from stream.sources import v4l2
from stream.sources.v4l2 import Ioctl, VideoDevice

LOAD_MODULE = 'sudo modprobe v4l2loopback exclusive_caps=1 card_label="facestream"'
"""Makes one virtual camera that browsers and conference programs list."""

_S_FMT, _S_PARM, _STREAMON, _STREAMOFF = 0xC0D05605, 0xC0CC5616, 0x40045612, 0x40045613
_BUFFER_OUTPUT = 2
_FORMAT_BYTES, _PARAMETER_BYTES = 208, 204
_YUV420 = b"YU12"
_PROGRESSIVE = 1
_SRGB = 8  # what webcams say; for YUV it implies the matrix of BT.601 and limited range


class V4L2Output:
    """One virtual camera, open for writing; its readers see the pictures as a webcam's.

    Attributes:
        name: path and label, for people.
        width: in pixels, even; what the driver gives, which may differ from what was asked.
        height: as the width.
        stride: bytes from row to row of luma, even; half of that in both planes of chroma.
    """

    def __init__(
        self,
        path: str,
        size: tuple[int, int],
        rate: Fraction | None = None,
        *,
        ioctl: Ioctl | None = None,
    ) -> None:
        """Open the device and fix its format.

        Args:
            path: such as `/dev/video10`.
            size: wanted width and height in pixels, even. While programs read the device, it
                keeps the size that it had.
            rate: frames per second that are announced, None if they are not known.
            ioctl: as `fcntl.ioctl`, the default: changes the buffer, raises OSError.

        Raises:
            SinkError: it takes no pictures, or somebody else's.
        """
        self._path = path
        self._ioctl = ioctl or _system_ioctl()
        self._descriptor = self._claimed()
        try:
            self._set_format(size)
            if rate is not None:
                self._announce(rate)
            self._start()
        except OSError as error:
            os.close(self._descriptor)
            raise self._failure(error) from error
        except BaseException:
            os.close(self._descriptor)
            raise

    def send(self, picture: NDArray[np.uint8]) -> bool:
        """Hand one picture over; the driver copies it, and the GIL is free meanwhile.

        Args:
            picture: planes Y, U and V, one after the other, as one contiguous array.

        Returns:
            False if the device was not ready, and the picture is left out.

        Raises:
            SinkError: the device is gone, or another program writes to it.
        """
        try:
            os.write(self._descriptor, picture.data)
        except BlockingIOError:
            return False
        except OSError as error:
            raise self._failure(error) from error
        return True

    def close(self) -> None:
        """Give the device back; programs that read it keep seeing its last picture."""
        with suppress(OSError):  # it may be gone
            self._ioctl(self._descriptor, _STREAMOFF, _number(_BUFFER_OUTPUT))
        os.close(self._descriptor)

    def _claimed(self) -> int:
        descriptor, device = self._opened()
        if not device.outputs and not device.captures:
            # v4l2loopback 0.12 waits for ever for a writer that went without having said
            # STREAMON, as FFmpeg and pyvirtualcam do. Saying it makes us that writer, even if
            # it fails for want of a format, and closing sets the device free.
            with suppress(OSError):
                self._ioctl(descriptor, _STREAMON, _number(_BUFFER_OUTPUT))
            os.close(descriptor)
            descriptor, device = self._opened()
        if device.outputs:
            self.name = f"{self._path} ({device.name})"
            return descriptor
        os.close(descriptor)
        if is_loopback(device):
            raise SinkError(self._busy())
        raise SinkError(
            f"{self._path}: {device.name} is a camera that gives pictures and takes none; "
            "name a virtual camera, or load one: " + LOAD_MODULE
        )

    def _opened(self) -> tuple[int, VideoDevice]:
        try:
            # Without waiting: writing must not block for longer than a picture takes.
            descriptor = os.open(self._path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise self._failure(error) from error
        try:
            # The driver lets two programs write if exclusive_caps is 0: ours keep out of each
            # other's way.
            _lock(descriptor)
            return descriptor, v4l2.query(descriptor, self._path, "", self._ioctl)
        except OSError as error:
            os.close(descriptor)
            raise self._failure(error) from error

    def _set_format(self, size: tuple[int, int]) -> None:
        width, height = size
        form = bytearray(_FORMAT_BYTES)
        struct.pack_into("=I", form, 0, _BUFFER_OUTPUT)
        picture_bytes = width * height * 3 // 2
        struct.pack_into(
            "=II4s5I", form, 8, width, height, _YUV420, _PROGRESSIVE, width, picture_bytes, _SRGB, 0
        )
        self._ioctl(self._descriptor, _S_FMT, form)
        width, height, pixels, _, stride = struct.unpack_from("=II4sII", form, 8)
        if pixels != _YUV420 or width % 2 or height % 2 or stride % 2:
            raise SinkError(
                f"{self._path}: programs that read it hold it at {width}x{height} "
                f"{pixels.decode('latin-1')}, expected an even size in YU12; close them first"
            )
        self.width, self.height, self.stride = width, height, max(stride, width)

    def _announce(self, rate: Fraction) -> None:
        parameters = bytearray(_PARAMETER_BYTES)
        rate = rate.limit_denominator(1001)
        struct.pack_into(
            "=5I", parameters, 0, _BUFFER_OUTPUT, 0, 0, rate.denominator, rate.numerator
        )
        with suppress(OSError):  # for information only
            self._ioctl(self._descriptor, _S_PARM, parameters)

    def _start(self) -> None:
        try:
            self._ioctl(self._descriptor, _STREAMON, _number(_BUFFER_OUTPUT))
        except OSError as error:
            # From 0.14 on the first picture starts the stream, and nothing else does. Before,
            # pictures without a start made the device unusable after closing.
            if error.errno != errno.EINVAL:
                raise

    def _failure(self, error: OSError) -> SinkError:
        path = self._path
        if isinstance(error, FileNotFoundError):
            return SinkError(f"{path}: no such device; load a virtual camera: {LOAD_MODULE}")
        if isinstance(error, PermissionError):
            return SinkError(f"{path}: no permission; add your user to the group 'video'")
        if error.errno in {errno.EBUSY, errno.EAGAIN}:
            return SinkError(self._busy())
        if error.errno in {errno.ENOTTY, errno.EINVAL}:
            return SinkError(f"{path}: not a video device, or one that takes no YUV 4:2:0")
        return SinkError(f"{path}: cannot be written: {error.strerror}")

    def _busy(self) -> str:
        return (
            f"{self._path}: another program writes to it; end that one (sudo fuser -v "
            f"{self._path} names it), or use another device"
        )


def first_free(
    size: tuple[int, int],
    rate: Fraction | None = None,
    *,
    devices: Sequence[VideoDevice] | None = None,
    ioctl: Ioctl | None = None,
) -> V4L2Output:
    """Open the first virtual camera that nobody writes to.

    Args:
        size: as for `V4L2Output`.
        rate: as for `V4L2Output`.
        devices: what there is, asked for if it is None.
        ioctl: as for `V4L2Output`.

    Raises:
        SinkError: there is none, or none is free.
    """
    found = v4l2.devices() if devices is None else devices
    refused = [
        f"{device.path}: no permission; add your user to the group 'video'"
        for device in found
        if "ermission" in device.problem
    ]
    for device in found:
        if is_loopback(device):
            try:
                return V4L2Output(device.path, size, rate, ioctl=ioctl)
            except SinkError as error:
                refused.append(str(error))
    if refused:
        raise SinkError("virtual-camera: none is free: " + "; ".join(refused))
    raise SinkError(
        f"virtual-camera: there is none; load one: {LOAD_MODULE} (`run_stream.py doctor` tells "
        "what is missing for that)"
    )


def is_loopback(device: VideoDevice) -> bool:
    """Whether a device is v4l2loopback's, by the name of its driver."""
    return "loopback" in device.driver


def _system_ioctl() -> Ioctl:
    from fcntl import ioctl  # noqa: PLC0415 - does not exist on Windows

    return ioctl


def _lock(descriptor: int) -> None:
    import fcntl  # noqa: PLC0415 - does not exist on Windows

    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _number(value: int) -> bytearray:
    return bytearray(struct.pack("=i", value))
