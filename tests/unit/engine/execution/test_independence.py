from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from engine.errors import ModelError
from engine.execution.gathering import Array, Run
from engine.execution.independence import Signature, rows_are_independent

FACE: Mapping[str, Signature] = {"face": ((None, 3, 4, 4), np.float32)}
SWAPPED: Mapping[str, Signature] = {"swapped": ((None, 3, 4, 4), np.float32)}


def answering(change: object) -> Run:
    return lambda _, feeds: [change(feeds["face"])]  # type: ignore[operator]


def test_rows_that_are_worked_on_one_by_one_are_independent() -> None:
    assert rows_are_independent(answering(lambda face: 1 - face), FACE, SWAPPED)


def test_rounding_otherwise_in_larger_batches_is_allowed() -> None:
    assert rows_are_independent(answering(lambda face: face + 0.002 * len(face)), FACE, SWAPPED)


@pytest.mark.parametrize(
    "change",
    [
        lambda face: face - face.mean(axis=0),
        lambda face: face / face.std(),
        lambda face: face[::-1],
        lambda face: face[:1],
        lambda face: np.full_like(face, np.nan),
    ],
    ids=["mean of the batch", "scale of the batch", "swapped rows", "one row", "no numbers"],
)
def test_rows_that_change_each_other_are_found(change: object) -> None:
    assert not rows_are_independent(answering(change), FACE, SWAPPED)


@pytest.mark.parametrize(
    ("inputs", "outputs"),
    [
        ({"face": ((1, 3, 4, 4), np.float32)}, SWAPPED),
        (FACE, {"swapped": ((2, 3, 4, 4), np.float32)}),
        ({"face": ((None, 3, None, 4), np.float32)}, SWAPPED),
        ({"face": ((None, 3, 4, 4), None)}, SWAPPED),
        ({"face": ((), np.float32)}, SWAPPED),
    ],
    ids=["fixed input", "fixed output", "free size", "whole numbers", "one number"],
)
def test_a_model_that_takes_no_batch_is_not_run(
    inputs: Mapping[str, Signature], outputs: Mapping[str, Signature]
) -> None:
    def never(*_: object) -> list[Array]:
        raise AssertionError("was run")

    assert not rows_are_independent(never, inputs, outputs)


def test_a_model_that_fails_in_batches_is_not_gathered() -> None:
    def fails(*_: object) -> list[Array]:
        raise ModelError("no")

    assert not rows_are_independent(fails, FACE, SWAPPED)
