"""NVIDIA GPU: card, driver and the libraries that ONNX Runtime was built for.

The versions that belong together are NVIDIA's: CUDA 13 wants driver 580 and a Turing card
(compute capability 7.5) or later, CUDA 12 wants driver 525 and Maxwell (5.0) or later, and a
Blackwell card (12.0) wants CUDA 12.8.
"""

from __future__ import annotations

import ctypes
import os
import re
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from engine.session import Runtime
from stream.doctor.programs import answer
from stream.findings import Finding, listed

_NVIDIA = "0x10de"
_DISPLAY = "0x03"
_SHORT_MIB = 1024
_OLDEST_DRIVER = {12: 525, 13: 580}
_OLDEST_CARD = {12: 5.0, 13: 7.5}
_BLACKWELL, _BLACKWELL_CUDA = 12.0, (12, 8)
_CUFFT = {12: 11, 13: 12}


@dataclass(frozen=True, slots=True)
class Card:
    """One GPU as the driver describes it; `capability` is NVIDIA's compute capability."""

    name: str
    capability: float
    memory_mib: int
    free_mib: int


@dataclass(frozen=True, slots=True)
class Facts:
    """What there is of NVIDIA's.

    Attributes:
        hardware: a card is on the bus, whether or not it has a driver.
        device: the driver's device node can be reached, or WSL's.
        driver: version such as '580.65.06', empty if no driver answers.
        cards: as the driver lists them.
        container: this process runs in one.
        loads: file name of each library that the CUDA provider needs to whether it can be loaded.
        other_cuda: major versions of CUDA whose runtime can be loaded although another one is
            needed.
        tensorrt: TensorRT's library can be loaded.
    """

    hardware: bool = False
    device: bool = False
    driver: str = ""
    cards: tuple[Card, ...] = ()
    container: bool = False
    loads: tuple[tuple[str, bool], ...] = ()
    other_cuda: tuple[int, ...] = ()
    tensorrt: bool = False


def examine() -> list[Finding]:
    """Look at GPU, driver and libraries."""
    runtime = Runtime.installed()
    return judge(facts(runtime), runtime)


def facts(runtime: Runtime) -> Facts:
    """Ask the bus, the driver and the loader; libraries only where there is a card."""
    driver, cards = parse_smi(
        answer(
            "nvidia-smi",
            "--query-gpu=driver_version,compute_cap,memory.total,memory.free,name",
            "--format=csv,noheader,nounits",
        )
    )
    device = Path("/dev/nvidiactl").exists() or Path("/dev/dxg").exists()
    if sys.platform == "win32":
        device = bool(cards)
    known = Facts(
        hardware=bool(cards) or _on_bus(),
        device=device,
        driver=driver,
        cards=cards,
        container=any(map(os.path.exists, ("/.dockerenv", "/run/.containerenv"))),
    )
    major = cuda_major(runtime)
    if not known.device or major is None:
        return known
    return Facts(
        known.hardware,
        known.device,
        known.driver,
        known.cards,
        known.container,
        loads=tuple((name, _loads(name)) for name in needed(major)),
        other_cuda=tuple(
            other for other in (11, 12, 13, 14) if other != major and _loads(needed(other)[0])
        ),
        tensorrt=_loads("nvinfer_10.dll" if sys.platform == "win32" else "libnvinfer.so.10"),
    )


def judge(facts: Facts, runtime: Runtime) -> list[Finding]:
    """Turn facts into lines. Nothing here fails: without a GPU the processor does the work."""
    if not facts.hardware and not facts.device:
        return [Finding("NVIDIA GPU", "note", "none; models run on the processor")]
    if not facts.device or not facts.driver:
        return [_unreachable(facts)]
    major = cuda_major(runtime)
    if major is None or "CUDAExecutionProvider" not in runtime.providers:
        says = f"{runtime.package} {runtime.version} has no CUDA provider: the GPU is not used"
        fix = f"pip uninstall -y {runtime.package} && pip install --no-cache-dir onnxruntime-gpu"
        names = listed(card.name for card in facts.cards)
        return [
            Finding("NVIDIA GPU", "ok", f"{names}, driver {facts.driver}"),
            Finding("ONNX Runtime", "warn", says, fix),
        ]
    return [
        *(_card(card, runtime.cuda) for card in facts.cards),
        _driver(facts.driver, major),
        *_cuda_libraries(facts, major, runtime),
    ]


def cuda_major(runtime: Runtime) -> int | None:
    """Major version of CUDA that ONNX Runtime was built for, None if for none."""
    digits = runtime.cuda.split(".")[0]
    return int(digits) if digits.isdecimal() else None


def needed(major: int, platform: str = sys.platform) -> list[str]:
    """Libraries that the CUDA provider of that version loads, its runtime first."""
    cufft = _CUFFT.get(major, major - 1)
    if platform == "win32":
        names = (f"cudart64_{major}", f"cublas64_{major}", f"cufft64_{cufft}", "cudnn64_9")
        return [f"{name}.dll" for name in names]
    names = (f"cudart.so.{major}", f"cublas.so.{major}", f"cufft.so.{cufft}", "cudnn.so.9")
    return [f"lib{name}" for name in names]


def parse_smi(answer: str) -> tuple[str, tuple[Card, ...]]:
    """Driver version and cards from what nvidia-smi answered; empty if it is an error."""
    driver, cards = "", []
    for line in answer.splitlines():
        parts = [part.strip() for part in line.split(",", 4)]
        if len(parts) != 5 or not re.fullmatch(r"\d+(\.\d+)+", parts[0]):
            continue
        with suppress(ValueError):
            cards.append(Card(parts[4], float(parts[1]), int(parts[2]), int(parts[3])))
            driver = parts[0]
    return driver, tuple(cards)


def _unreachable(facts: Facts) -> Finding:
    if facts.container:
        says = "the machine has one, but this container cannot reach it"
        fix = "docker run --gpus all ... (needs nvidia-container-toolkit on the host)"
    elif facts.device:
        says = "its driver does not answer: updated without a restart, or another version"
        fix = "restart the machine, then look at nvidia-smi"
    else:
        says = "there is a card, but no driver is loaded"
        fix = "sudo ubuntu-drivers install && sudo reboot   (or your system's NVIDIA driver)"
    return Finding("NVIDIA GPU", "warn", says, fix)


def _card(card: Card, cuda: str) -> Finding:
    major = int(cuda.partition(".")[0])
    says = (
        f"{card.name}, compute capability {card.capability:.1f}, "
        f"{card.free_mib} of {card.memory_mib} MiB free"
    )
    oldest = _OLDEST_CARD.get(major, 0.0)
    if card.capability < oldest:
        says += f": CUDA {major} serves {oldest:.1f} and later, so it cannot be used"
        fix = "python run_stream.py --device cpu ..."
        return Finding("NVIDIA GPU", "warn", says, fix)
    if card.capability >= _BLACKWELL and tuple(map(int, cuda.split("."))) < _BLACKWELL_CUDA:
        says += f": CUDA {cuda} does not know this card"
        return Finding("NVIDIA GPU", "warn", says, "pip install -U onnxruntime-gpu")
    if card.free_mib < _SHORT_MIB:
        fix = "nvidia-smi shows who uses it; end that program"
        return Finding("NVIDIA GPU", "warn", f"{says}: too little is free", fix)
    return Finding("NVIDIA GPU", "ok", says)


def _driver(version: str, major: int) -> Finding:
    oldest = _OLDEST_DRIVER.get(major, 0)
    if int(version.partition(".")[0]) < oldest:
        says = f"{version} is too old for CUDA {major}, which wants {oldest} or later"
        return Finding(
            "driver", "warn", says, f"install NVIDIA driver {oldest} or later and restart"
        )
    return Finding("driver", "ok", f"{version}, enough for CUDA {major}")


def _cuda_libraries(facts: Facts, major: int, runtime: Runtime) -> Iterable[Finding]:
    missing = [name for name, loads in facts.loads if not loads]
    subject = f"CUDA {major}, cuDNN 9"
    if missing:
        says = f"cannot be loaded: {listed(missing)}; the model would run on the processor"
        if facts.other_cuda:
            others = listed(f"CUDA {other}" for other in facts.other_cuda)
            says += f". {others} is there, but this ONNX Runtime was built for {runtime.cuda}"
        # The extras of ONNX Runtime name the versions that it was built with.
        fix = f"pip install '{runtime.package}[cuda,cudnn]=={runtime.version}'"
        yield Finding(subject, "warn", says, fix)
    else:
        yield Finding(subject, "ok", "libraries can be loaded")
    if "TensorrtExecutionProvider" in runtime.providers:
        if facts.tensorrt:
            yield Finding("TensorRT", "ok", "library can be loaded")
        else:
            fix = f"pip install tensorrt-cu{major}   (only for --device tensorrt)"
            yield Finding("TensorRT", "note", "not installed", fix)


def _on_bus() -> bool:
    for device in Path("/sys/bus/pci/devices").glob("*"):
        with suppress(OSError):
            vendor = (device / "vendor").read_text(encoding="ascii").strip()
            kind = (device / "class").read_text(encoding="ascii")
            if vendor == _NVIDIA and kind.startswith(_DISPLAY):
                return True
    return False


def _loads(name: str) -> bool:
    """Whether the loader finds a library, or one of NVIDIA's Python packages has it."""
    places = [name]
    for folder in sys.path:
        places.extend(map(str, Path(folder).glob(f"nvidia/*/lib/{name}")))
        places.extend(map(str, Path(folder).glob(f"nvidia/*/bin/**/{name}")))
        places.extend(map(str, Path(folder).glob(f"tensorrt_libs/{name}")))
    for place in places:
        with suppress(OSError):
            ctypes.CDLL(place)
            return True
    return False
