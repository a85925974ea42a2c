"""Python packages: versions, and pairs that overwrite each other."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata

from packaging.requirements import InvalidRequirement, Requirement

from stream.findings import Finding, listed

PROJECT = "facestream"

_INSTALL = "pip install -e ."
_ONNX_RUNTIMES = ("onnxruntime", "onnxruntime-gpu", "onnxruntime-directml", "onnxruntime-openvino")
_OPENCVS = (
    *("opencv-python", "opencv-contrib-python"),
    *("opencv-python-headless", "opencv-contrib-python-headless"),
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What pip has installed.

    Attributes:
        required: requirements of the project that apply here, such as 'numpy>=2.3'; empty if the
            project is not installed.
        installed: version by distribution, of all that matter and are there.
        opencv_loaded: version that `import cv2` gives, empty if it cannot be imported.
        opencv_problem: why not.
        opencv_built_with: how OpenCV was built to read video, such as 'FFMPEG'.
        virtual_environment: Python runs in one.
    """

    required: tuple[str, ...]
    installed: Mapping[str, str]
    opencv_loaded: str
    opencv_problem: str
    opencv_built_with: tuple[str, ...]
    virtual_environment: bool


def examine() -> list[Finding]:
    """Look at the installed packages."""
    return judge(facts())


def facts() -> Facts:
    """Ask the packages' metadata, and OpenCV itself."""
    required = _required()
    names = {Requirement(text).name for text in required} | {*_ONNX_RUNTIMES, *_OPENCVS}
    loaded, problem, built_with = _opencv()
    return Facts(
        required=required,
        installed={name: version for name in sorted(names) if (version := _version(name))},
        opencv_loaded=loaded,
        opencv_problem=problem,
        opencv_built_with=built_with,
        virtual_environment=sys.prefix != sys.base_prefix,
    )


def judge(facts: Facts) -> list[Finding]:
    """Turn facts into lines."""
    return [*_requirements(facts), *_onnx_runtime(facts.installed), *_one_opencv(facts)]


def _requirements(facts: Facts) -> list[Finding]:
    if not facts.required:
        says = "not installed as a package: versions are not checked"
        return [Finding(PROJECT, "warn", says, _INSTALL)]
    lines = []
    for text in facts.required:
        wanted = Requirement(text)
        version = facts.installed.get(wanted.name)
        name = f"{wanted.name}{wanted.specifier}"
        if version is None:
            lines.append(Finding(wanted.name, "fail", f"missing, {name} is needed", _INSTALL))
        elif not wanted.specifier.contains(version, prereleases=True):
            fix = f"pip install '{name}'"
            lines.append(Finding(wanted.name, "fail", f"{version}, {name} is needed", fix))
    if not lines:
        names = [Requirement(text).name for text in facts.required]
        says = listed(f"{name} {facts.installed[name]}" for name in names)
        lines.append(Finding("packages", "ok", says))
    if not facts.virtual_environment:
        says = "Python is the system's: other programs change these packages too"
        fix = "python3 -m venv .venv && .venv/bin/pip install -e ."
        lines.append(Finding("environment", "note", says, fix))
    return lines


def _onnx_runtime(installed: Mapping[str, str]) -> list[Finding]:
    present = [name for name in _ONNX_RUNTIMES if name in installed]
    if len(present) < 2:
        return []
    says = (
        f"{' and '.join(present)} are both installed into the same folder: the one that was "
        "installed last hides the providers of the other"
    )
    keep = next((name for name in present if name != "onnxruntime"), present[0])
    fix = (
        f"pip uninstall -y {' '.join(present)} && "
        f"pip install --no-cache-dir {keep}=={installed[keep]}"
    )
    return [Finding("ONNX Runtime", "warn", says, fix)]


def _one_opencv(facts: Facts) -> list[Finding]:
    present = {name: facts.installed[name] for name in _OPENCVS if name in facts.installed}
    again = [
        requirement.replace(" ", "")
        for requirement in facts.required
        if Requirement(requirement).name in _OPENCVS
    ]
    fix = (
        f"pip uninstall -y {' '.join(present)} && "
        f"pip install --no-cache-dir {' '.join(again) or 'opencv-python'}"
    )
    if not facts.opencv_loaded:
        return [Finding("OpenCV", "fail", f"cannot be imported: {facts.opencv_problem}", fix)]
    says = f"{facts.opencv_loaded}, video by {listed(facts.opencv_built_with, 'nothing')}"
    if not present:
        return [Finding("OpenCV", "ok", f"{says}, not installed by pip")]
    names = listed(f"{name} {version}" for name, version in present.items())
    if len(set(present.values())) > 1 or any("headless" in name for name in present):
        both = f"{names} share the folder cv2 but are not the same build: half of each is there"
        return [Finding("OpenCV", "fail" if _differs(facts, present) else "warn", both, fix)]
    if _differs(facts, present):
        half = f"version {facts.opencv_loaded} is loaded, {names} is installed: half overwritten"
        return [Finding("OpenCV", "fail", half, fix)]
    return [Finding("OpenCV", "ok", says)]


def _differs(facts: Facts, present: Mapping[str, str]) -> bool:
    # Wheels have a fourth number of their own.
    return not any(version.startswith(facts.opencv_loaded) for version in present.values())


def _required() -> tuple[str, ...]:
    try:
        texts = metadata.requires(PROJECT) or []
    except metadata.PackageNotFoundError:
        return ()
    kept = []
    for text in texts:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            kept.append(f"{requirement.name}{requirement.specifier}")
    return tuple(kept)


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _opencv() -> tuple[str, str, tuple[str, ...]]:
    if importlib.util.find_spec("cv2") is None:
        return "", "not installed", ()
    try:
        import cv2  # noqa: PLC0415 - a broken one is what is looked for
    except (ImportError, OSError, AttributeError) as error:
        return "", " ".join(str(error).split()), ()
    version = getattr(cv2, "__version__", "")
    if not version:
        return "", "the folder cv2 holds no OpenCV", ()
    backends = cv2.videoio_registry.getCameraBackends()
    return version, "", tuple(cv2.videoio_registry.getBackendName(item) for item in backends)
