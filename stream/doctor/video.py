"""Cameras, virtual cameras, and what FFmpeg can read and write."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from stream.errors import SinkError
from stream.findings import Finding, listed
from stream.sinks import video
from stream.sinks.trial import try_encoder, try_video_file
from stream.sources import abilities, v4l2
from stream.sources.v4l2 import VideoDevice

LOOPBACK = "v4l2loopback"

_MODULE = Path("/sys/module") / LOOPBACK
_SUFFIXES = (".mp4", ".mkv")
_ENCODERS = {"aac": "sound", "h264_nvenc": "video on an NVIDIA GPU"}
_LOAD = f'sudo modprobe {LOOPBACK} exclusive_caps=1 card_label="facestream"'


@dataclass(frozen=True, slots=True)
class Loopback:
    """State of the kernel module that makes virtual cameras on Linux.

    Attributes:
        installed: the module exists for the running kernel.
        loaded: it is loaded.
        exclusive: for each of its devices, whether it shows only one of its two sides at a time;
            browsers and conference programs list no others.
        secure_boot: the firmware lets signed modules only be loaded.
        modules: the kernel can load modules at all.
    """

    installed: bool = False
    loaded: bool = False
    exclusive: tuple[bool, ...] = ()
    secure_boot: bool = False
    modules: bool = True


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
    """

    system: str
    devices: tuple[VideoDevice, ...] = ()
    names: tuple[str, ...] | None = None
    loopback: Loopback = Loopback()
    wsl: bool = False
    ffmpeg: str = ""
    no_decoders: tuple[str, ...] = ()
    no_protocols: tuple[str, ...] = ()
    files: tuple[tuple[str, str], ...] = ()
    encoders: tuple[tuple[str, str], ...] = ()


def examine() -> list[Finding]:
    """Look at cameras and codecs."""
    return judge(facts())


def facts() -> Facts:
    """Ask the kernel and FFmpeg; files are written to a temporary folder."""
    names = abilities.cameras() if sys.platform != "linux" else None
    return Facts(
        system=sys.platform,
        devices=tuple(v4l2.devices()),
        names=None if names is None else tuple(names),
        loopback=_loopback(),
        wsl="microsoft" in platform.release().lower(),
        ffmpeg=abilities.ffmpeg(),
        no_decoders=tuple(abilities.missing_decoders()),
        no_protocols=tuple(abilities.missing_protocols()),
        files=tuple(_files()),
        encoders=tuple((name, try_encoder(name)) for name in _ENCODERS),
    )


def judge(facts: Facts) -> list[Finding]:
    """Turn facts into lines; only files have to work."""
    return [*_codecs(facts), *_cameras(facts), *_virtual_camera(facts)]


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
    for name, problem in facts.encoders:
        says = f"{name}, {_ENCODERS[name]}"
        if problem:
            yield Finding("encoder", "note", f"{says}: not available ({problem})")
        else:
            yield Finding("encoder", "ok", f"{says}: opens")


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


def _virtual_camera(facts: Facts) -> Iterable[Finding]:
    subject, loopback = "virtual camera", facts.loopback
    if facts.system != "linux":
        says = "comes with OBS Studio 30 or later, after its button was pressed once"
        yield Finding(subject, "note", says)
        return
    if not loopback.loaded:
        yield _not_loaded(subject, loopback)
        return
    if not all(loopback.exclusive):
        says = "loaded without exclusive_caps: Chrome, Zoom and others do not list it"
        yield Finding(subject, "warn", says, f"sudo modprobe -r {LOOPBACK} && {_LOAD}")
    ours = [device for device in facts.devices if "loopback" in device.driver.replace(" ", "")]
    for device in ours:
        if not device.outputs:
            says = f"{device.name}: another program writes to it"
            yield Finding(
                device.path, "warn", says, "end that program: sudo fuser -v " + device.path
            )
        else:
            yield Finding(device.path, "ok", f"{device.name}: takes pictures")
    if not ours and not any(device.problem for device in facts.devices):
        says = f"{LOOPBACK} is loaded, but no device of it is here"
        yield Finding(subject, "warn", says, f"sudo modprobe -r {LOOPBACK} && {_LOAD}")


def _not_loaded(subject: str, loopback: Loopback) -> Finding:
    if not loopback.modules:
        says = "this kernel loads no modules (a container or a small virtual machine)"
        return Finding(subject, "note", says, f"on the host: {_LOAD}")
    if not loopback.installed:
        fix = f"sudo apt-get install -y {LOOPBACK}-dkms && {_LOAD}"
        return Finding(subject, "note", f"{LOOPBACK} is not installed", fix)
    if loopback.secure_boot:
        says = f"{LOOPBACK} is not loaded; Secure Boot refuses modules without a key that it knows"
        fix = f"sudo mokutil --import /var/lib/dkms/mok.pub && sudo reboot, then {_LOAD}"
        return Finding(subject, "note", says, fix)
    return Finding(subject, "note", f"{LOOPBACK} is not loaded", _LOAD)


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


def _loopback() -> Loopback:
    release = platform.release()
    listing = _read(Path("/lib/modules") / release / "modules.dep")
    caps = _read(_MODULE / "parameters" / "exclusive_caps").strip()
    secure = next(Path("/sys/firmware/efi/efivars").glob("SecureBoot-*"), None)
    return Loopback(
        installed=LOOPBACK in listing,
        loaded=_MODULE.exists(),
        # Eight values whatever the number of devices; those of devices come first.
        exclusive=tuple(value == "Y" for value in caps.split(",")[: _count()]) if caps else (),
        secure_boot=secure is not None and _last_byte(secure) == 1,
        modules=Path("/proc/modules").exists(),
    )


def _count() -> int:
    devices = Path("/sys/devices/virtual/video4linux")
    return max(1, len(list(devices.glob("video*"))))


def _last_byte(path: Path) -> int:
    with suppress(OSError, IndexError):
        return path.read_bytes()[-1]
    return 0


def _read(path: Path) -> str:
    with suppress(OSError, ValueError):
        return path.read_text(encoding="utf-8")
    return ""


def _user() -> str:
    return os.environ.get("USER") or "$USER"
