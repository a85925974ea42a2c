"""One model file, from its bytes to its speed."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.contracts import Contract, missing_keys, recognize, refusals
from engine.errors import EngineError
from engine.onnx_file import OnnxFile, read
from engine.session import Runtime, Session
from engine.swap import Swapper
from stream.inspection.answers import Answer, ask, batch_difference, faults, feeds
from stream.inspection.latency import Trial, try_device

_MOST_BATCH_DIFFERENCE = 0.01


@dataclass(frozen=True, slots=True)
class Inspection:
    """All that was found.

    Attributes:
        model: what the file says.
        contract: what it looks like.
        answers: to the test pictures; empty if it was not run.
        batch_difference: see `stream.inspection.answers`; None if not known.
        trials: one for each device of this ONNX Runtime.
        busy: other programs wanted the processors too, before anything was measured.
        problems: what is wrong, one line each; empty if a run can use the model.
    """

    model: OnnxFile
    contract: Contract
    answers: tuple[Answer, ...]
    batch_difference: float | None
    trials: tuple[Trial, ...]
    busy: bool
    problems: tuple[str, ...]


def inspect(path: Path, threads: tuple[int, ...], budget_s: float) -> Inspection:
    """Look into a model.

    It is run only if it needs no code but ONNX Runtime's, and no file outside of its folder.

    Args:
        path: an ONNX file.
        threads: numbers of processor threads to measure with.
        budget_s: how long to measure with each of them.

    Raises:
        ModelError: there is no such file, or it is no ONNX file.
    """
    model = read(path)
    busy = _busy(max(threads))
    contract = recognize(model)
    problems = [*_of_contract(model, contract), *_of_weights(model)]
    reasons = [f"not run: {reason}" for reason in refusals(model)]
    if reasons:
        return Inspection(model, contract, (), None, (), busy, (*problems, *reasons))
    try:
        session = Session(path, "cpu")
        answers = ask(session)
        difference = batch_difference(session) if contract.supported else None
    except EngineError as error:
        return Inspection(model, contract, (), None, (), busy, (*problems, str(error)))
    problems += faults(answers, pictures_in_range=contract.supported)
    if difference is not None and difference > _MOST_BATCH_DIFFERENCE:
        problems.append(
            f"faces of one frame change each other: up to {difference:.2g} between a batch and "
            "one at a time; export it again without normalization over the batch"
        )
    inputs = feeds(session, "extreme")
    trials = (
        ()
        if inputs is None
        else tuple(
            try_device(path, device, inputs, threads, budget_s)
            for device in Runtime.installed().devices
        )
    )
    problems += _of_trials(trials)
    if not problems:
        problems += _of_a_run(path)
    return Inspection(model, contract, answers, difference, trials, busy, tuple(problems))


def _of_contract(model: OnnxFile, contract: Contract) -> Iterable[str]:
    if not contract.supported:
        yield (
            f"not supported: it looks like {contract.title}; facestream runs models that "
            "`python -m export onnx` wrote"
        )
        return
    missing = missing_keys(model.metadata)
    if missing:
        yield f"metadata is missing: {', '.join(missing)}; export it again"


def _of_a_run(path: Path) -> Iterable[str]:
    """What a run would say when it loads the model."""
    try:
        Swapper(path, "cpu")
    except EngineError as error:
        yield str(error)


def _of_weights(model: OnnxFile) -> Iterable[str]:
    for dtype, weights in model.weights.items():
        if weights.not_finite:
            yield (
                f"{weights.not_finite} of {weights.parameters} {dtype} weights are infinite or no "
                "numbers; export it again, as fp32 if this is fp16"
            )


def _of_trials(trials: Iterable[Trial]) -> Iterable[str]:
    # The processor computes half precision in single precision, so only a GPU overflows.
    for trial in trials:
        if trial.device != "cpu" and not all(
            np.isfinite(value).all() for value in trial.outputs.values()
        ):
            yield (
                f"its answer on {trial.device} has values that are no numbers; export it again "
                "as fp32, or use --device cpu"
            )


def _busy(processors: int) -> bool:
    # The load of the last minute; half a processor is what a desktop takes.
    return hasattr(os, "getloadavg") and os.getloadavg()[0] > processors / 2
