"""Real programs that tests talk to: skipped where they are missing, unless nothing may be."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import pytest

NO_SKIPS = "FACESTREAM_NO_SKIPS"
"""Set to 1, a missing program is a failure: nobody notices a test that never runs."""


def _gst_rtsp_server() -> bool:
    # GObject bindings belong to the system's Python.
    script = "import gi; gi.require_version('GstRtspServer', '1.0')"
    return (
        Path("/usr/bin/python3").exists()
        and subprocess.run(
            ["/usr/bin/python3", "-c", script], capture_output=True, check=False
        ).returncode
        == 0
    )


def _nginx_rtmp() -> bool:
    module = Path("/usr/lib/nginx/modules/ngx_rtmp_module.so")
    return shutil.which("nginx", path="/usr/sbin:/usr/bin") is not None and module.exists()


_FOUND: Mapping[str, Callable[[], bool]] = MappingProxyType(
    {
        "gst-rtsp-server": _gst_rtsp_server,
        "nginx-rtmp": _nginx_rtmp,
        "ffmpeg": lambda: shutil.which("ffmpeg") is not None,
        "chromium": lambda: shutil.which("chromium") is not None,
        "strace": lambda: shutil.which("strace") is not None,
        "xvfb": lambda: shutil.which("Xvfb") is not None,
        "qemu": lambda: shutil.which("qemu-system-x86_64") is not None,
    }
)


def needs(*programs: str) -> pytest.MarkDecorator:
    """Skip a test where a program is missing, or fail if nothing may be skipped."""
    missing = [name for name in programs if not _FOUND[name]()]
    if missing and os.environ.get(NO_SKIPS) == "1":
        raise RuntimeError(f"{', '.join(missing)} is missing, and {NO_SKIPS} is set")
    return pytest.mark.skipif(bool(missing), reason=f"{', '.join(missing)} is not installed")
