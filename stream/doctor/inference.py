"""The default model on each device, and who really did the work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.models import model_path
from engine.profile import Share
from engine.session import PROVIDERS, Runtime
from stream.config import Config
from stream.findings import Finding, listed
from stream.inspection.latency import Trial, try_device

_MOST_DIFFERENCE = 0.02
"""Of a range of 0 to 1: more than half-precision arithmetic explains."""
_MOST_ON_CPU = 0.25
"""Share of nodes: a few that only compute shapes belong there."""
_BUDGET_S = 0.2


@dataclass(frozen=True, slots=True)
class Facts:
    """How the default model ran.

    Attributes:
        runtime: the installed ONNX Runtime.
        trials: one for each device that it has a provider for, the processor first.
    """

    runtime: Runtime
    trials: tuple[Trial, ...]


def examine() -> list[Finding]:
    """Run the default model on every device."""
    return judge(facts())


def facts() -> Facts:
    """Run the default model on every device that this ONNX Runtime was built for."""
    runtime = Runtime.installed()
    model = model_path(Config().model)
    noise = np.random.default_rng(0).random((1, 3, 64, 64), dtype=np.float32)
    feeds = {"face": noise}
    return Facts(
        runtime,
        tuple(try_device(model, device, feeds, (1,), _BUDGET_S) for device in runtime.devices),
    )


def judge(facts: Facts) -> list[Finding]:
    """Turn facts into lines; only the processor has to work."""
    runtime = facts.runtime
    built_for = f", built for CUDA {runtime.cuda}" if runtime.cuda else ""
    lines = [Finding("ONNX Runtime", "ok", f"{runtime.package} {runtime.version}{built_for}")]
    reference = next((trial.outputs for trial in facts.trials if trial.device == "cpu"), {})
    lines += [_trial(trial, reference) for trial in facts.trials]
    unused = [name for name in runtime.providers if name not in PROVIDERS.values()]
    if unused:
        says = f"{listed(unused)}: in this build, but not used by facestream"
        lines.append(Finding("other providers", "note", says))
    return lines


def _trial(trial: Trial, reference: Mapping[str, NDArray[np.floating]]) -> Finding:
    subject = f"model on {trial.device}"
    on_cpu = trial.device == "cpu"
    if trial.problem:
        if not on_cpu:
            return Finding(subject, "note", trial.problem)
        fix = "pip install --force-reinstall --no-cache-dir -e ."
        return Finding(subject, "fail", trial.problem, fix)
    total = sum(share.nodes for share in trial.executed.values())
    proof = listed(
        f"{share.nodes} of {total} nodes executed by {name}"
        for name, share in trial.executed.items()
    )
    median = next(iter(trial.latency.values())).median_ms
    says = f"{proof}; {median:.2f} ms a face"
    if not all(np.isfinite(value).all() for value in trial.outputs.values()):
        fix = "export the model as fp32, or choose another --device"
        says += "; its answer has values that are no numbers"
        return Finding(subject, "fail" if on_cpu else "warn", says, fix)
    by_cpu = trial.executed.get(PROVIDERS["cpu"], Share(0, 0)).nodes
    if not on_cpu and by_cpu > _MOST_ON_CPU * total:
        what = "all of it" if by_cpu == total else f"{by_cpu / total:.0%} of it"
        says += f": the device was granted, but the processor did {what}"
        return Finding(subject, "warn", says, "mend what the section GPU says, then run this again")
    difference = max(
        (float(np.abs(trial.outputs[name] - value).max()) for name, value in reference.items()),
        default=0.0,
    )
    if difference > _MOST_DIFFERENCE:
        says += f"; differs from the processor's answer by up to {difference:.2g}"
        return Finding(subject, "warn", says, "update the driver, or choose another --device")
    return Finding(subject, "ok", says)
