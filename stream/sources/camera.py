"""Webcams."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from typing import Self

import av
import cv2
import numpy as np
from av.codec.hwaccel import HWAccel
from av.container import InputContainer

from engine.face import Image
from stream.errors import SourceError
from stream.frame import Frame, SourceInfo
from stream.sources.container import ContainerSource
from stream.sources.failures import reason
from stream.sources.settings import SourceSettings
from stream.timebase import NS_PER_S

_AUTO_FORMATS = ("mjpeg", "yuyv422", None)  # Only MJPEG gets HD at full rate through USB 2.
_NANOSECOND = Fraction(1, NS_PER_S)
_DESCRIPTORS = "/proc/self/fd"
_SAME_RATE_HZ = 0.5  # 29.97 is 30.

_log = logging.getLogger(__name__)


def v4l2_camera(device: str, settings: SourceSettings) -> ContainerSource:
    """A camera on Linux. The driver may choose another size and rate: see `info`.

    Args:
        device: such as `/dev/video0`.
        settings: wanted size, rate, format and decoder.
    """
    return ContainerSource(
        device,
        settings,
        partial(_open_v4l2, device, settings),
        live=True,
        descriptor=partial(_descriptor, device),
    )


def _open_v4l2(
    device: str, settings: SourceSettings, accelerator: HWAccel | None
) -> InputContainer:
    formats: tuple[str | None, ...] = _AUTO_FORMATS
    if settings.camera_format != "auto":
        formats = (settings.camera_format,)
    refused = ""
    for pixel_format in formats:
        options = {
            "video_size": f"{settings.camera_width}x{settings.camera_height}",
            "framerate": f"{settings.camera_rate_hz:g}",
        }
        if pixel_format is not None:
            options["input_format"] = pixel_format
        try:
            container = av.open(
                device,
                format="v4l2",
                container_options=options,
                timeout=settings.open_timeout_s,
                hwaccel=accelerator,
            )
        except FileNotFoundError:
            raise SourceError(
                f"{device}: no such camera; `run_stream.py --list-devices` shows those that exist"
            ) from None
        except PermissionError as error:
            raise SourceError(
                f"{device}: no permission; add your user to the group 'video'"
            ) from error
        except (av.error.FFmpegError, OSError, ValueError) as error:
            refused = reason(error)
        else:
            _compare(container, device, settings)
            return container
    tried = ", ".join(str(name or "the driver's choice") for name in formats)
    raise SourceError(
        f"{device}: the camera gives no picture (tried {tried}): {refused}; is it in use by "
        "another program, or does it lack this format?"
    )


def _compare(container: InputContainer, device: str, settings: SourceSettings) -> None:
    for video in container.streams.video[:1]:
        rate_hz = float(video.average_rate or 0)
        _warn_of_change(device, (video.width, video.height), rate_hz, settings)


def _warn_of_change(
    camera: str, size: tuple[int, int], rate_hz: float, settings: SourceSettings
) -> None:
    """Say what the driver changed without a word; a rate of 0 is unknown."""
    wanted = (settings.camera_width, settings.camera_height)
    other_rate = rate_hz > 0 and abs(rate_hz - settings.camera_rate_hz) > _SAME_RATE_HZ
    if size != wanted or other_rate:
        got_rate = f" at {rate_hz:g}" if rate_hz > 0 else ""
        _log.warning(
            "%s: asked for %dx%d at %g frames per second, the camera gives %dx%d%s; "
            "`run_stream.py --list-devices` shows what it offers",
            camera,
            *wanted,
            settings.camera_rate_hz,
            *size,
            got_rate,
        )


def _descriptor(device: str) -> int | None:
    """That of the device which this process has just opened, None where nobody can tell."""
    target = os.path.realpath(device)
    found = []
    try:
        for name in os.listdir(_DESCRIPTORS):  # noqa: PTH208 - numbers, as strings
            try:
                if os.path.realpath(f"{_DESCRIPTORS}/{name}") == target:
                    found.append(int(name))
            except OSError:  # Closed meanwhile.
                continue
    except OSError:
        return None
    return max(found, default=None)


class OpenCVCamera:
    """A camera on Windows and macOS, where FFmpeg's device layer is not in PyAV's wheel."""

    info: SourceInfo

    def __init__(self, index: int, settings: SourceSettings) -> None:
        """Keeps what is needed to open; opens nothing.

        Args:
            index: 0 is the system's first camera.
            settings: wanted size, rate and format.
        """
        self._index = index
        self._stopped = False
        self._settings = settings
        self._capture: cv2.VideoCapture | None = None

    def __enter__(self) -> Self:
        settings = self._settings
        capture = cv2.VideoCapture(self._index)
        self._capture = capture
        # The order matters: a new codec resets the size on some drivers.
        if settings.camera_format in ("auto", "mjpeg"):
            capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, settings.camera_width)
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, settings.camera_height)
        capture.set(cv2.CAP_PROP_FPS, settings.camera_rate_hz)
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        image = self._read()
        if image is None:
            capture.release()
            raise SourceError(
                f"camera {self._index}: gives no picture; is it connected, allowed for this "
                "program, and not in use by another one?"
            )
        rate_hz = capture.get(cv2.CAP_PROP_FPS)
        self.info = SourceInfo(
            url=str(self._index),
            width=image.shape[1],
            height=image.shape[0],
            rate=Fraction(rate_hz).limit_denominator(1001) if rate_hz > 0 else None,
            time_base=_NANOSECOND,
            live=True,
            endless=True,
        )
        _warn_of_change(
            f"camera {self._index}", (self.info.width, self.info.height), rate_hz, settings
        )
        return self

    def __exit__(self, *_: object) -> None:
        if self._capture is not None:
            self._capture.release()
            self._capture = None

    def stop(self) -> None:
        """End the iteration with the next picture; safe in signal handlers."""
        self._stopped = True

    def __iter__(self) -> Iterator[Frame]:
        began_ns: int | None = None
        seq = 0
        while not self._stopped:
            image, now_ns = self._read(), time.monotonic_ns()
            if image is None:
                break
            began_ns = now_ns if began_ns is None else began_ns
            yield Frame(image, now_ns - began_ns, seq, now_ns)
            seq += 1
        if self._stopped:
            return
        raise SourceError(f"camera {self._index}: source lost: it gives no more pictures")

    def _read(self) -> Image | None:
        assert self._capture is not None, "iterated outside of its with block"
        ok, image = self._capture.read()
        return np.asarray(image, np.uint8) if ok else None
