"""What a model answers to pictures that bring faults to light."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.session import Session

_SEED = 0
_BATCH = 3
SLACK = 0.05
"""How far beyond 0 to 1 an answer may go, to be cut off without harm."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One output for one test picture.

    Attributes:
        picture: name of the test picture.
        output: name of the tensor.
        low, high, mean: of its finite values, 0 if there are none.
        not_finite: how many values are infinite or no number.
    """

    picture: str
    output: str
    low: float
    high: float
    mean: float
    not_finite: int


def feeds(session: Session, picture: str, batch: int = 1) -> dict[str, NDArray[np.floating]] | None:
    """Inputs for a session.

    Args:
        session: any model.
        picture: `noise`, `gray`, `black`, `white`, or `extreme` (every value 0 or 1).
        batch: size of the first axis where that is free.

    Returns:
        Input name to array, or None if an input is of another kind than floating point or has
        a size that the model leaves open.
    """
    filled: dict[str, NDArray[np.floating]] = {}
    for name, (shape, dtype) in session.inputs.items():
        sizes = [batch if axis == 0 and size is None else size for axis, size in enumerate(shape)]
        known = [size for size in sizes if size is not None]
        if dtype is None or len(known) < len(sizes):
            return None
        filled[name] = _fill(picture, tuple(known)).astype(dtype)
    return filled


def _fill(picture: str, shape: tuple[int, ...]) -> NDArray[np.floating]:
    random = np.random.default_rng(_SEED)
    match picture:
        case "noise":
            return random.random(shape)
        case "extreme":
            return random.integers(0, 2, shape).astype(np.float64)
        case _:
            return np.full(shape, {"gray": 0.5, "black": 0.0, "white": 1.0}[picture])


PICTURES = ("noise", "gray", "black", "white", "extreme")
"""What `feeds` can draw."""


def ask(session: Session) -> tuple[Answer, ...]:
    """Run the model on every test picture that fits its inputs.

    Raises:
        ModelError: the model failed.
    """
    names = list(session.outputs)
    answers = []
    for picture in PICTURES:
        inputs = feeds(session, picture)
        if inputs is None:
            return ()
        for name, value in zip(names, session.run(names, inputs), strict=True):
            answers.append(describe(picture, name, value))
    return tuple(answers)


def describe(picture: str, output: str, value: NDArray[np.floating]) -> Answer:
    """Range of one output."""
    finite = value[np.isfinite(value)].astype(np.float64)
    low, high, mean = (
        (float(finite.min()), float(finite.max()), float(finite.mean()))
        if finite.size
        else (0.0, 0.0, 0.0)
    )
    return Answer(picture, output, low, high, mean, value.size - finite.size)


def batch_difference(session: Session) -> float | None:
    """Whether faces in one batch are swapped as they would be alone.

    Returns:
        Largest difference between a batch and the same pictures one at a time; None if the
        model's batch axis is not free.

    Raises:
        ModelError: the model takes no batch although it says so.
    """
    batch = feeds(session, "noise", _BATCH)
    if batch is None or any(len(value) != _BATCH for value in batch.values()):
        return None
    names = list(session.outputs)
    together = session.run(names, batch)
    worst = 0.0
    for row in range(_BATCH):
        alone = session.run(names, {name: value[row : row + 1] for name, value in batch.items()})
        for whole, part in zip(together, alone, strict=True):
            if len(whole) != _BATCH:
                return None
            known = np.isfinite(whole[row]) & np.isfinite(part[0])
            differences = np.abs(whole[row][known] - part[0][known])
            worst = max(worst, float(np.max(differences, initial=0)))
    return worst


def faults(answers: tuple[Answer, ...], *, pictures_in_range: bool) -> list[str]:
    """What is wrong with the answers, one line for each kind of fault and output.

    Args:
        answers: of `ask`.
        pictures_in_range: the outputs are pictures or masks of 0 to 1.
    """
    lines = []
    for output in dict.fromkeys(answer.output for answer in answers):
        mine = [answer for answer in answers if answer.output == output]
        broken = [answer.picture for answer in mine if answer.not_finite]
        if broken:
            lines.append(
                f"output {output} has values that are no numbers ({', '.join(broken)}); if it "
                "is fp16, that overflows: export it again as fp32"
            )
            continue
        low, high = min(answer.low for answer in mine), max(answer.high for answer in mine)
        if pictures_in_range and not -SLACK <= low <= high <= 1 + SLACK:
            lines.append(
                f"output {output} goes from {low:.3g} to {high:.3g}, expected 0 to 1; it was "
                "exported with another range"
            )
        means = [answer.mean for answer in mine]
        if output == "swapped" and max(means) - min(means) < 1e-3 and high - low < 1e-3:
            lines.append(f"output {output} is {low:.3g} whatever it is shown: it was not trained")
    return lines
