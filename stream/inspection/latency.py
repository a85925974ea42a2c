"""How long one run of a model takes, and who executed it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from engine.errors import DeviceError, EngineError
from engine.profile import Share
from engine.session import Device, Session

_WARM_UPS = 3
_MOST_RUNS = 200


@dataclass(frozen=True, slots=True)
class Latency:
    """Time of one run in milliseconds: half of the runs took less than the median."""

    median_ms: float
    p95_ms: float
    runs: int


@dataclass(frozen=True, slots=True)
class Trial:
    """A model tried on one device.

    Attributes:
        device: that was asked for.
        problem: why it does not run there, empty if it does.
        executed: ONNX Runtime's provider name to what it did in one run.
        latency: by number of processor threads; of one thread alone on a GPU.
        outputs: of the one run, by name.
    """

    device: Device
    problem: str
    executed: Mapping[str, Share]
    latency: Mapping[int, Latency]
    outputs: Mapping[str, NDArray[np.floating]]


def try_device(
    path: Path,
    device: Device,
    feeds: Mapping[str, NDArray[np.floating]],
    threads: tuple[int, ...],
    budget_s: float,
) -> Trial:
    """Run a model once with ONNX Runtime's record on, and then against the clock.

    Args:
        path: the model.
        device: where to run; no other one is taken in its place.
        feeds: input name to array.
        threads: numbers of processor threads to measure with; on a GPU only the first counts.
        budget_s: measure about this long for each number of threads.

    Returns:
        The trial; a device that cannot be had is a problem in it, no error.
    """
    try:
        with TemporaryDirectory(prefix="facestream-") as folder:
            session = Session(path, device, profile_prefix=Path(folder) / "profile")
            names = list(session.outputs)
            answer = dict(zip(names, session.run(names, feeds), strict=True))
            executed = session.executed()
        counts = threads if device == "cpu" else threads[:1]
        latency = {
            count: measure(Session(path, device, count), feeds, budget_s) for count in counts
        }
    except DeviceError as error:
        return Trial(device, error.reason.removeprefix(f"{device}: "), {}, {}, {})
    except EngineError as error:
        return Trial(device, str(error), {}, {}, {})
    return Trial(device, "", executed, latency, answer)


def measure(
    session: Session, feeds: Mapping[str, NDArray[np.floating]], budget_s: float
) -> Latency:
    """Time single runs, after warming up.

    Args:
        session: the model, loaded.
        feeds: input name to array.
        budget_s: begin no further run after this time; there are at least three.

    Raises:
        ModelError: the model failed.
    """
    names = list(session.outputs)
    for _ in range(_WARM_UPS):
        session.run(names, feeds)
    took: list[int] = []
    began = time.perf_counter_ns()
    while len(took) < _MOST_RUNS and (
        len(took) < _WARM_UPS or time.perf_counter_ns() - began < budget_s * 1e9
    ):
        before = time.perf_counter_ns()
        session.run(names, feeds)
        took.append(time.perf_counter_ns() - before)
    median, p95 = np.percentile(np.array(took) / 1e6, (50, 95))
    return Latency(float(median), float(p95), len(took))
