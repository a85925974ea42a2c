"""The default job itself, for a moment: the bundled clip into nothing."""

from __future__ import annotations

from dataclasses import dataclass

from engine.errors import EngineError
from stream.config import Config
from stream.errors import StreamError
from stream.findings import Finding
from stream.run import Run
from stream.sources import SourceSettings

_DURATION_S = 0.2


@dataclass(frozen=True, slots=True)
class Facts:
    """How the job went; `problem` is empty if it ended well."""

    frames: int = 0
    faces_swapped: int = 0
    wall_s: float = 0.0
    device: str = ""
    problem: str = ""


def examine() -> list[Finding]:
    """Run the job."""
    return judge(facts())


def facts() -> Facts:
    """Swap the faces of a few frames with the settings that nobody changed."""
    config = Config(out=("null",), input=SourceSettings(duration_s=_DURATION_S))
    try:
        with Run(config) as run:
            run.pipeline.run()
            report = run.pipeline.report()
            return Facts(report.frames_out, report.faces_swapped, report.wall_s, run.device)
    except (EngineError, StreamError) as error:
        return Facts(problem=str(error))


def judge(facts: Facts) -> list[Finding]:
    """Turn facts into a line."""
    subject = "default job"
    if facts.problem:
        return [Finding(subject, "fail", facts.problem, "mend what fails above, first to last")]
    if facts.faces_swapped == 0:
        says = f"{facts.frames} frames of the demo, and no face was found in them"
        return [Finding(subject, "fail", says, "mend what fails above, first to last")]
    says = (
        f"{facts.frames} frames of the demo, {facts.faces_swapped} faces swapped on "
        f"{facts.device} in {facts.wall_s:.2f} s"
    )
    return [Finding(subject, "ok", says)]
