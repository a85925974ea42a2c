"""Virtual cameras: the kernel module of Linux and its devices, OBS Studio elsewhere."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from stream.findings import Finding
from stream.sinks.trial import try_virtual_camera
from stream.sinks.v4l2_output import LOAD_MODULE, is_loopback
from stream.sources.v4l2 import VideoDevice

MODULE = "v4l2loopback"

_LOADED = Path("/sys/module") / MODULE
_SUBJECT = "virtual camera"
_RELOAD = f"sudo modprobe -r {MODULE} && {LOAD_MODULE}"


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
        trials: path of each device to why it takes no pictures, empty if it does.
    """

    installed: bool = False
    loaded: bool = False
    exclusive: tuple[bool, ...] = ()
    secure_boot: bool = False
    modules: bool = True
    trials: tuple[tuple[str, str], ...] = ()


def loopback(devices: Sequence[VideoDevice]) -> Loopback:
    """Ask the kernel, and open each device as a run would; no picture is written."""
    release = platform.release()
    listing = _read(Path("/lib/modules") / release / "modules.dep")
    caps = _read(_LOADED / "parameters" / "exclusive_caps").strip()
    secure = next(Path("/sys/firmware/efi/efivars").glob("SecureBoot-*"), None)
    return Loopback(
        installed=MODULE in listing,
        loaded=_LOADED.exists(),
        # Eight values whatever the number of devices; those of devices come first.
        exclusive=tuple(value == "Y" for value in caps.split(",")[: _count()]) if caps else (),
        secure_boot=secure is not None and _last_byte(secure) == 1,
        modules=Path("/proc/modules").exists(),
        trials=tuple(
            (device.path, try_virtual_camera(device.path))
            for device in devices
            if is_loopback(device)
        ),
    )


def judge(system: str, devices: Sequence[VideoDevice], loopback: Loopback) -> Iterable[Finding]:
    """Turn facts into lines.

    Args:
        system: 'linux', 'darwin' or 'win32'.
        devices: of Linux.
        loopback: of Linux.
    """
    if system != "linux":
        says = "comes with OBS Studio 30 or later, after its button was pressed once"
        yield Finding(_SUBJECT, "note", says)
        return
    if not loopback.loaded:
        yield _not_loaded(loopback)
        return
    if not all(loopback.exclusive):
        says = "loaded without exclusive_caps: Chrome, Zoom and others do not list it"
        yield Finding(_SUBJECT, "warn", says, _RELOAD)
    names = {device.path: device.name for device in devices}
    for path, problem in loopback.trials:
        if problem:
            says, _, fix = problem.removeprefix(f"{path}: ").partition("; ")
            yield Finding(path, "warn", f"{names.get(path, path)}: {says}", fix)
        else:
            yield Finding(path, "ok", f"{names.get(path, path)}: takes pictures")
    if not loopback.trials and not any(device.problem for device in devices):
        says = f"{MODULE} is loaded, but no device of it is here"
        yield Finding(_SUBJECT, "warn", says, _RELOAD)


def _not_loaded(loopback: Loopback) -> Finding:
    if not loopback.modules:
        says = "this kernel loads no modules (a container or a small virtual machine)"
        return Finding(_SUBJECT, "note", says, f"on the host: {LOAD_MODULE}")
    if not loopback.installed:
        fix = f"sudo apt-get install -y {MODULE}-dkms && {LOAD_MODULE}"
        return Finding(_SUBJECT, "note", f"{MODULE} is not installed", fix)
    if loopback.secure_boot:
        says = f"{MODULE} is not loaded; Secure Boot refuses modules without a key that it knows"
        fix = f"sudo mokutil --import /var/lib/dkms/mok.pub && sudo reboot, then {LOAD_MODULE}"
        return Finding(_SUBJECT, "note", says, fix)
    return Finding(_SUBJECT, "note", f"{MODULE} is not loaded", LOAD_MODULE)


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
