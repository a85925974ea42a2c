"""Operating system, Python, processor, system libraries."""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import dataclass
from pathlib import Path

from engine import libraries
from stream.doctor.programs import answer
from stream.findings import Finding, listed

OLDEST_PYTHON = (3, 11)

_X86 = ("x86_64", "amd64")
_FEATURES = dict(
    (
        *(("avx2", "AVX2"), ("avx512f", "AVX-512"), ("avx512_vnni", "AVX-512 VNNI")),
        *(("avx_vnni", "AVX VNNI"), ("avx512_bf16", "BF16"), ("avx512_fp16", "FP16")),
        *(("amx_int8", "AMX int8"), ("amx_bf16", "AMX BF16"), ("asimd", "NEON")),
        *(("asimddp", "dot product"), ("i8mm", "I8MM"), ("bf16", "BF16"), ("sve", "SVE")),
    )
)
"""What inference profits from: name in /proc/cpuinfo to the usual one."""
_GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class Facts:
    """The machine.

    Attributes:
        system: 'Linux', 'Darwin' or 'Windows', and its release.
        machine: instruction set that Python was built for.
        python: version.
        bits: of a pointer.
        translated: an x86-64 Python runs on an Arm processor through an emulator.
        processor: model name.
        features: see `_FEATURES`, usual names; None if they cannot be told here.
        threads: processors that this process may run on.
        quota: processors' worth of time that a container grants, None without limit.
        memory_gib: physical memory, 0 if unknown.
        missing: system libraries that cannot be loaded, to their Debian package.
    """

    system: str
    machine: str
    python: tuple[int, int, int]
    bits: int
    translated: bool
    processor: str
    features: tuple[str, ...] | None
    threads: int
    quota: float | None
    memory_gib: float
    missing: dict[str, str]


def examine() -> list[Finding]:
    """Look at this machine."""
    return judge(facts())


def facts() -> Facts:
    """Ask the operating system."""
    cpuinfo = _read(Path("/proc/cpuinfo"))
    return Facts(
        system=f"{platform.system()} {platform.release()}",
        machine=platform.machine(),
        python=sys.version_info[:3],
        bits=64 if sys.maxsize > 2**32 else 32,
        translated=_translated(),
        processor=_field(cpuinfo, "model name") or platform.processor() or platform.machine(),
        features=features(cpuinfo) if cpuinfo else None,
        threads=_threads(),
        quota=quota(_read(Path("/sys/fs/cgroup/cpu.max"))),
        memory_gib=_memory_gib(),
        missing=libraries.missing(),
    )


def judge(facts: Facts) -> list[Finding]:
    """Turn facts into lines."""
    return [
        Finding("system", "ok", f"{facts.system}, {facts.machine}"),
        *_python(facts),
        *_processor(facts),
        *_libraries(facts.missing),
    ]


def _python(facts: Facts) -> list[Finding]:
    version = ".".join(map(str, facts.python))
    oldest = ".".join(map(str, OLDEST_PYTHON))
    if facts.python[:2] < OLDEST_PYTHON:
        fix = f"install Python {oldest} or later and make the environment again"
        return [Finding("python", "fail", f"{version}, {oldest} or later is needed", fix)]
    if facts.bits == 32:
        fix = "install the 64-bit Python and make the environment again"
        return [Finding("python", "fail", f"{version}, 32 bits: no wheels exist for it", fix)]
    if facts.translated:
        says = f"{version} for {facts.machine}, emulated on an Arm processor: several times slower"
        fix = "install the arm64 Python and make the environment again"
        return [Finding("python", "warn", says, fix)]
    return [Finding("python", "ok", f"{version}, {facts.bits} bits")]


def _processor(facts: Facts) -> list[Finding]:
    lines = [
        Finding(
            "processor",
            "ok",
            f"{facts.processor}, {facts.threads} threads, {facts.memory_gib:.0f} GiB of memory",
        )
    ]
    if facts.features is None:
        lines.append(Finding("instructions", "note", "cannot be told on this system"))
    elif facts.machine.lower() in _X86 and "AVX2" not in facts.features:
        says = "no AVX2: inference and pictures are several times slower, some wheels do not start"
        fix = "in a virtual machine, pass the host's processor on (QEMU: -cpu host)"
        lines.append(Finding("instructions", "warn", says, fix))
    else:
        lines.append(Finding("instructions", "ok", listed(facts.features)))
    if facts.quota is not None and facts.quota < facts.threads:
        says = (
            f"this container may use {facts.quota:.3g} of {facts.threads} processors: threads "
            "beyond that are stopped in the middle of a frame"
        )
        fix = f"python run_stream.py --threads {max(1, int(facts.quota))} ..."
        lines.append(Finding("processor quota", "warn", says, fix))
    return lines


def _libraries(missing: dict[str, str]) -> list[Finding]:
    if not missing:
        return [Finding("system libraries", "ok", "all that OpenCV and MediaPipe load are there")]
    packages = " ".join(sorted(set(missing.values())))
    return [
        Finding(
            "system libraries",
            "fail",
            f"missing: {listed(sorted(missing))}; OpenCV and MediaPipe cannot be loaded",
            f"sudo apt-get install -y {packages}",
        )
    ]


def features(cpuinfo: str) -> tuple[str, ...]:
    """Names of `_FEATURES` that the text of /proc/cpuinfo lists."""
    flags = set((_field(cpuinfo, "flags") or _field(cpuinfo, "Features")).split())
    return tuple(dict.fromkeys(name for flag, name in _FEATURES.items() if flag in flags))


def quota(cpu_max: str) -> float | None:
    """Processors from the text of cgroup's cpu.max, '150000 100000'; None for no limit."""
    limit, _, period = cpu_max.strip().partition(" ")
    if not limit.isdecimal() or not period.isdecimal():
        return None
    return int(limit) / int(period)


def _translated() -> bool:
    if sys.platform == "darwin":
        return answer("sysctl", "-n", "sysctl.proc_translated") == "1"
    # Windows on Arm tells an emulated process the real processor here.
    return "ARM" in os.environ.get("PROCESSOR_IDENTIFIER", "") and platform.machine() == "AMD64"


def _memory_gib() -> float:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / _GIB
    except (AttributeError, ValueError, OSError):
        return 0.0


def _threads() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""


def _field(cpuinfo: str, name: str) -> str:
    for line in cpuinfo.splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return ""
