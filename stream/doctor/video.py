"""Cameras, virtual cameras, and what FFmpeg can read and write."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from stream.doctor import virtual_camera
from stream.doctor.virtual_camera import Loopback
from stream.errors import SinkError
from stream.findings import Finding, listed
from stream.sinks import video
from stream.sinks.trial import try_encoder, try_video_file
from stream.sources import abilities, v4l2
from stream.sources.abilities import Nvdec
from stream.sources.v4l2 import VideoDevice

_SUFFIXES = (".mp4", ".mkv")
_ENCODERS = {"aac": "sound", "h264_nvenc": "video on an NVIDIA GPU"}


@dataclass(frozen=True, slots=True)
class Facts:
    """Devices and codecs.

    Attributes:
        system: 'linux', 'darwin' or 'win32'.
        devices: of Linux.
        names: cameras of another system, None if they cannot be listed.
        loopback: of Linux.
        wsl: Linux inside of Windows.
        ffmpeg: version.
        no_decoders, no_protocols: what is missing.
        files: video file suffix to why it cannot be written, empty if it can.
        encoders: other encoder to why it does not work, empty if it does.
        nvdec: decoding on an NVIDIA GPU.
    """

    system: str
    devices: tuple[VideoDevice, ...] = ()
    names: tuple[str, ...] | None = None
    loopback: Loopback = field(default_factory=Loopback)
    wsl: bool = False
    ffmpeg: str = ""
    no_decoders: tuple[str, ...] = ()
    no_protocols: tuple[str, ...] = ()
    files: tuple[tuple[str, str], ...] = ()
    encoders: tuple[tuple[str, str], ...] = ()
    nvdec: Nvdec = field(default_factory=Nvdec)


def examine() -> list[Finding]:
    """Look at cameras and codecs."""
    return judge(facts())


def facts() -> Facts:
    """Ask the kernel and FFmpeg; files are written to a temporary folder."""
    names = abilities.cameras() if sys.platform != "linux" else None
    devices = tuple(v4l2.devices())
    return Facts(
        system=sys.platform,
        devices=devices,
        names=None if names is None else tuple(names),
        loopback=virtual_camera.loopback(devices),
        wsl="microsoft" in platform.release().lower(),
        ffmpeg=abilities.ffmpeg(),
        no_decoders=tuple(abilities.missing_decoders()),
        no_protocols=tuple(abilities.missing_protocols()),
        files=tuple(_files()),
        encoders=tuple((name, try_encoder(name)) for name in _ENCODERS),
        nvdec=abilities.try_nvdec(),
    )


def judge(facts: Facts) -> list[Finding]:
    """Turn facts into lines; only files have to work."""
    return [
        *_codecs(facts),
        *_cameras(facts),
        *virtual_camera.judge(facts.system, facts.devices, facts.loopback),
    ]


def _codecs(facts: Facts) -> Iterable[Finding]:
    reinstall = "pip install --force-reinstall --no-cache-dir --only-binary=av av"
    yield Finding("FFmpeg", "ok", f"{facts.ffmpeg} (inside PyAV)")
    failed = [f"{suffix}: {problem}" for suffix, problem in facts.files if problem]
    if failed:
        yield Finding("video files", "fail", listed(failed), reinstall)
    else:
        suffixes = listed(suffix for suffix, _ in facts.files)
        yield Finding("video files", "ok", f"H.264 written and read back: {suffixes}")
    missing = [*facts.no_decoders, *(f"{scheme}://" for scheme in facts.no_protocols)]
    if missing:
        yield Finding("sources", "warn", f"cannot be read: {listed(missing)}", reinstall)
    else:
        yield Finding("sources", "ok", "the usual codecs, http(s), rtsp, rtmp(s), tcp")
    yield _nvdec(facts.nvdec)
    for name, problem in facts.encoders:
        says = f"{name}, {_ENCODERS[name]}"
        if problem:
            yield Finding("encoder", "note", f"{says}: not available ({problem})")
        else:
            yield Finding("encoder", "ok", f"{says}: opens")


def _nvdec(tried: Nvdec) -> Finding:
    says = "NVDEC, large video on an NVIDIA GPU"
    if tried.device:
        return Finding("decoder", "note", f"{says}: not available ({tried.device})")
    if tried.decodes:
        fix = "docker run --gpus all -e NVIDIA_DRIVER_CAPABILITIES=all ...   (in a container)"
        return Finding("decoder", "warn", f"{says}: {tried.decodes}", fix)
    return Finding("decoder", "ok", f"{says}: decodes H.264")


def _cameras(facts: Facts) -> Iterable[Finding]:
    if facts.system != "linux":
        if facts.names is None:
            says = "cannot be listed on this system; try them by number"
            yield Finding("cameras", "note", says, "python run_stream.py 0 -o null")
        elif facts.names:
            numbered = (f"{index}: {name}" for index, name in enumerate(facts.names))
            yield Finding("cameras", "ok", listed(numbered))
        else:
            yield Finding("cameras", "note", "none")
        return
    for device in facts.devices:
        if device.problem:
            fix = f"sudo usermod -aG video {_user()}   (then log in again)"
            says = f"{device.name or 'unknown'}: {device.problem}"
            yield Finding(device.path, "warn", says, fix if "ermission" in device.problem else "")
        elif device.captures and not device.outputs and device.formats:
            yield Finding(device.path, "ok", f"{device.name}: {_formats(device)}")
    if not any(device.captures or device.problem for device in facts.devices):
        if facts.wsl:
            fix = "usbipd attach --wsl --busid ...   (in Windows; see usbipd list)"
            yield Finding("cameras", "note", "none: Windows keeps them for itself", fix)
        else:
            yield Finding("cameras", "note", "none; a container needs --device /dev/video0")


def _formats(device: VideoDevice) -> str:
    return listed(
        f"{name} up to {width}x{height}" if width else name
        for name, (width, height) in device.formats
    )


def _files() -> Iterable[tuple[str, str]]:
    with tempfile.TemporaryDirectory(prefix="facestream-") as folder:
        for suffix in _SUFFIXES:
            assert suffix in video.SUFFIXES
            try:
                try_video_file(Path(folder) / f"trial{suffix}")
            except SinkError as error:
                yield suffix, str(error)
            else:
                yield suffix, ""


def _user() -> str:
    return os.environ.get("USER") or "$USER"
