"""Libraries that report their use home are kept from it, as the system's own calls show."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from ipaddress import ip_address
from pathlib import Path

import pytest

from engine.reports_home import NOWHERE
from tests.e2e.conftest import PROGRAM
from tests.live.needs import needs


def may_trace() -> bool:
    """Some containers forbid it, whoever asks."""
    command = ["strace", "--seccomp-bpf", "-f", "-o", "/dev/null", "true"]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


pytestmark = [
    needs("strace"),
    pytest.mark.skipif(not may_trace(), reason="the system lets nobody trace"),
]

REPOSITORY = Path(__file__).parents[2]
DNS = 53
ADDRESS = re.compile(
    r'sin6?_port=htons\((?P<port>\d+)\).*?(?:inet_addr\(|inet_pton\(AF_INET6, )"(?P<host>[^"]+)"'
)


def calls(trace: Path) -> list[str]:
    """What the traced processes wanted to connect or send to, a system call a line."""
    lines = trace.read_text(errors="replace").splitlines()
    return [line for line in lines if re.search(r"\b(connect|send\w*)\(", line)]


def is_stranger(call: str) -> bool:
    """Whether another machine was to be reached, or its name was asked for."""
    if "io.systemd.Resolve" in call:
        return True
    to = ADDRESS.search(call)
    return to is not None and (int(to["port"]) == DNS or not ip_address(to["host"]).is_loopback)


def is_report(call: str) -> bool:
    to = ADDRESS.search(call)
    return to is not None and f"http://{to['host']}:{to['port']}" == NOWHERE


def traced(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    trace = ["strace", "-f", "-qq", "--seccomp-bpf", "-e", "trace=%network", "-o", "trace.txt"]
    names = ("https_proxy", "HTTPS_PROXY", "FACESTREAM_USERS_PROXIES", "ORT_DISABLE_TELEMETRY")
    return subprocess.run(
        [*trace, *command],
        cwd=folder,
        env={name: value for name, value in os.environ.items() if name not in names}
        | {"PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=True,
    )


@pytest.mark.parametrize(
    "command",
    [
        [*PROGRAM, "demo", "--duration", "0.2", "-o", "null"],
        [sys.executable, "-m", "export", "extract", "--every", "40", "demo.mp4", "faces"],
    ],
    ids=["stream", "extract"],
)
def test_nobody_else_is_talked_to(tmp_path: Path, command: list[str]) -> None:
    (tmp_path / "demo.mp4").symlink_to(REPOSITORY / "stream" / "bundled" / "demo.mp4")
    traced(tmp_path, *command)
    made = calls(tmp_path / "trace.txt")
    assert [call for call in made if is_stranger(call)] == []
    assert any(map(is_report, made)), "MediaPipe does not report any more: nothing to keep back"


def test_a_name_that_is_looked_up_is_noticed(tmp_path: Path) -> None:
    code = "import socket\ntry: socket.getaddrinfo('example.org', 443)\nexcept OSError: pass"
    traced(tmp_path, sys.executable, "-c", code)
    assert any(map(is_stranger, calls(tmp_path / "trace.txt")))
