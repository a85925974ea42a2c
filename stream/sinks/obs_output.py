"""The writing side of virtual cameras on Windows and macOS: OBS Studio's, through pyvirtualcam."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from stream.errors import SinkError

_DEFAULT_RATE = Fraction(30)
_INSTALL = (
    "install OBS Studio 30 or later, press its button Start Virtual Camera once, then Stop, and "
    "close it"
)


class ObsOutput:
    """A virtual camera of OBS Studio, or another one that pyvirtualcam knows.

    Attributes:
        name: of the camera.
        width: in pixels, even.
        height: in pixels, even.
        stride: bytes from row to row of luma: the width.
    """

    def __init__(self, device: str, size: tuple[int, int], rate: Fraction | None) -> None:
        """Open the camera.

        Args:
            device: its name, empty for the first that is there.
            size: width and height in pixels, even.
            rate: frames per second that are announced, None if they are not known.

        Raises:
            SinkError: OBS Studio is not installed, or its camera is in use.
        """
        try:
            import pyvirtualcam  # noqa: PLC0415 - not installed on Linux
        except ImportError as error:
            raise SinkError(
                "virtual-camera: the package pyvirtualcam is missing; pip install pyvirtualcam"
            ) from error
        self.width, self.height = size
        self.stride = self.width
        try:
            self._camera = pyvirtualcam.Camera(
                self.width,
                self.height,
                float(rate or _DEFAULT_RATE),
                fmt=pyvirtualcam.PixelFormat.I420,
                device=device or None,
            )
        except RuntimeError as error:
            raise SinkError(_failure(str(error))) from error
        self.name = str(self._camera.device)

    def send(self, picture: NDArray[np.uint8]) -> bool:
        """Hand one picture over; it is copied.

        Args:
            picture: planes Y, U and V, one after the other, as one contiguous array.

        Returns:
            True.

        Raises:
            SinkError: the camera has gone.
        """
        try:
            self._camera.send(picture)
        except RuntimeError as error:
            raise SinkError(f"{self.name}: cannot be written: {error}") from error
        return True

    def close(self) -> None:
        """Give the camera back."""
        self._camera.close()


def _failure(text: str) -> str:
    reasons = "; ".join(text.splitlines())
    # OBS answers for itself on both systems; other cameras are only tried beside it.
    if "OBS Virtual Camera device not found" in text or "not installed" in text:
        return f"virtual-camera: there is none; {_INSTALL} ({reasons})"
    return f"virtual-camera: it does not open ({reasons}); is OBS or another program using it?"
