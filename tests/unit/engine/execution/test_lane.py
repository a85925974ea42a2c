"""What every lane does, whether its numbers lie in the processor's memory or are bound."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from engine.execution.lane import BoundLane, Lane
from tests.tiny_models import write_model

SIZE = 16
SHAPES = {"face": (None, 3, SIZE, SIZE), "swapped": (None, 3, 2 * SIZE, 2 * SIZE)}


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> onnxruntime.InferenceSession:
    path = write_model(tmp_path_factory.mktemp("model") / "tiny.onnx", size=SIZE)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # As ours are: more would take turns with whatever else runs.
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def bound(session: Any, *, graphs: bool = False) -> BoundLane:
    return BoundLane(session, "cpu", SHAPES, graphs=graphs)


LANES: dict[str, Callable[[Any], Lane | BoundLane]] = {
    "plain": Lane,
    "bound": bound,
    "bound, recorded": lambda session: bound(session, graphs=True),
}


@pytest.fixture(params=LANES)
def lane(request: pytest.FixtureRequest, session: Any) -> Lane | BoundLane:
    return LANES[request.param](session)


def faces(rows: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((rows, 3, SIZE, SIZE), dtype=np.float32)


def enlarged(face: np.ndarray) -> np.ndarray:
    return face.repeat(2, axis=2).repeat(2, axis=3)


@pytest.mark.parametrize("rows", [1, 2, 8, 9, 40, 64])
def test_answers_are_the_models_for_every_batch_size(lane: Lane | BoundLane, rows: int) -> None:
    face = faces(rows)
    (answer,) = lane.run(["swapped"], {"face": face})
    np.testing.assert_array_equal(answer, enlarged(face))


def test_answers_stay_when_the_lane_runs_again(lane: Lane | BoundLane) -> None:
    (first,) = lane.run(["swapped"], {"face": faces(2, seed=1)})
    lane.run(["swapped"], {"face": faces(2, seed=2)})
    np.testing.assert_array_equal(first, enlarged(faces(2, seed=1)))


def test_smaller_batch_after_a_larger_one_sees_nothing_of_it(lane: Lane | BoundLane) -> None:
    lane.run(["swapped"], {"face": faces(16, seed=1)})
    (answer,) = lane.run(["swapped"], {"face": faces(10, seed=2)})
    np.testing.assert_array_equal(answer, enlarged(faces(10, seed=2)))


def test_views_are_taken_as_they_are(lane: Lane | BoundLane) -> None:
    face = faces(4)[::2, ::-1]
    (answer,) = lane.run(["swapped"], {"face": face})
    np.testing.assert_array_equal(answer, enlarged(face))


def test_wrong_size_is_an_error(lane: Lane | BoundLane) -> None:
    with pytest.raises(Exception, match=r"9|shape|dimension"):
        lane.run(["swapped"], {"face": np.zeros((1, 3, 9, 9), np.float32)})


def test_buffers_are_made_once_for_each_batch_size(session: Any) -> None:
    lane = bound(session)
    for _ in range(5):
        for rows in (1, 2, 9, 10, 16):
            lane.run(["swapped"], {"face": faces(rows)})
    assert lane.allocations == 3


def test_model_of_a_fixed_batch_gets_no_other(tmp_path: Path) -> None:
    path = write_model(tmp_path / "two.onnx", batch=2, size=SIZE)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    lane = BoundLane(
        session, "cpu", {name: (2, *SHAPES[name][1:]) for name in SHAPES}, graphs=False
    )
    assert len(lane.run(["swapped"], {"face": faces(2)})[0]) == 2
    with pytest.raises(ValueError, match="expected"):
        lane.run(["swapped"], {"face": faces(1)})


class Recorder:
    """A session that keeps which graphs it was asked for, and cannot record any."""

    def __init__(self, session: onnxruntime.InferenceSession, *, fails: bool) -> None:
        self._session = session
        self._fails = fails
        self.graphs: list[int] = []

    def io_binding(self) -> onnxruntime.IOBinding:
        return self._session.io_binding()

    def run_with_iobinding(
        self, binding: onnxruntime.IOBinding, options: onnxruntime.RunOptions
    ) -> None:
        graph = int(options.get_run_config_entry("gpu_graph_id"))
        self.graphs.append(graph)
        if self._fails and graph >= 0:
            raise RuntimeError("CUDA failure 900: operation not permitted when stream is capturing")
        self._session.run_with_iobinding(binding, options)


def test_each_small_batch_size_has_a_graph_of_its_own(session: Any) -> None:
    recorder = Recorder(session, fails=False)
    lane = bound(recorder, graphs=True)
    for rows in (1, 2, 1, 2, 16):
        lane.run(["swapped"], {"face": faces(rows)})
    one, two, *again, large = recorder.graphs
    assert again == [one, two]
    assert one != two
    assert one > 0
    assert two > 0
    assert large == -1


def test_two_lanes_of_one_session_share_no_graph(session: Any) -> None:
    recorder = Recorder(session, fails=False)
    for _ in range(2):
        bound(recorder, graphs=True).run(["swapped"], {"face": faces(1)})
    assert len(set(recorder.graphs)) == 2


def test_failed_recording_costs_no_frame_and_is_not_tried_again(session: Any) -> None:
    recorder = Recorder(session, fails=True)
    lane = bound(recorder, graphs=True)
    for seed in range(3):
        (answer,) = lane.run(["swapped"], {"face": faces(1, seed)})
        np.testing.assert_array_equal(answer, enlarged(faces(1, seed)))
    assert not lane.graphs
    assert recorder.graphs[1:] == [-1, -1, -1]
    assert recorder.graphs[0] > 0
