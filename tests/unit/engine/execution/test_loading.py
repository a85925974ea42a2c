"""Devices that are not here: ONNX Runtime is told to have them, and the CPU does their work."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

from engine.errors import DeviceError, ModelError
from engine.execution import loading, tensorrt
from engine.execution.half import computing_in_half
from engine.execution.lane import BoundLane, Lane
from engine.execution.tuning import MOST_ROWS
from engine.models import model_path
from engine.session import PROVIDERS, Session
from tests.tiny_models import half_model, write_model

REAL = onnxruntime.InferenceSession


class Pretender:
    """ONNX Runtime with every provider; `fails` says which loading does not work."""

    def __init__(self) -> None:
        self.created: list[dict[str, dict[str, str]]] = []
        self.given: list[str | bytes] = []
        self.fails: set[str] = set()
        self.refuses_graphs = False
        self.obtains: str | None = None

    def __call__(self, model: str | bytes, options: Any, providers: Any, **other: object) -> Any:
        self.created.append(dict(providers))
        self.given.append(model)
        first, settings = providers[0]
        if first in self.fails:
            raise RuntimeError(f"{first} failed")
        if self.refuses_graphs and settings.get("enable_cuda_graph") == "1":
            raise RuntimeError("not all nodes are CUDA's")
        session = REAL(model, options, providers=["CPUExecutionProvider"], **other)
        return Obtained(session, self.obtains or first)


class Obtained:
    def __init__(self, session: Any, provider: str) -> None:
        self._session = session
        self._provider = provider

    def get_providers(self) -> list[str]:
        return [self._provider, "CPUExecutionProvider"]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)


@pytest.fixture
def pretender(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Pretender:
    pretender = Pretender()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(onnxruntime, "InferenceSession", pretender)
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [*PROVIDERS.values()])
    monkeypatch.setattr("engine.execution.devices.missing_gpu", lambda: None)
    monkeypatch.setattr("engine.execution.tensorrt.load_tensorrt", lambda: 101303)

    def in_processor_memory(session: Any, _: str, shapes: Any, *, graphs: bool) -> BoundLane:
        return BoundLane(session, "cpu", shapes, graphs=graphs)

    monkeypatch.setattr("engine.session.BoundLane", in_processor_memory)
    return pretender


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_model(tmp_path / "tiny.onnx")


@pytest.fixture
def half(tmp_path: Path) -> Path:
    path = tmp_path / "half.onnx"
    node = helper.make_node("Mul", ["face", "gain"], ["swapped"])
    onnx.save(half_model([node], {"gain": np.ones((1, 3, 1, 1))}), path)
    return path


def run(session: Session, rows: int = 1) -> np.ndarray:
    face = np.full((rows, 3, 64, 64), 0.25, np.float32)
    return session.run(["swapped"], {"face": face})[0]


@pytest.mark.parametrize("device", PROVIDERS)
def test_the_device_that_was_asked_for_is_the_one_that_runs(
    pretender: Pretender, model: Path, device: Any
) -> None:
    session = Session(model, device)
    assert session.device == device
    assert next(iter(pretender.created[-1])) == PROVIDERS[device]
    assert run(session, MOST_ROWS + 3).shape == (MOST_ROWS + 3, 3, 128, 128)
    assert session.loads == 1


@pytest.mark.parametrize("device", PROVIDERS)
def test_stored_halves_are_computed_as_halves_on_cuda_only(
    pretender: Pretender, half: Path, device: Any
) -> None:
    Session(half, device)
    Session(half, device, half=False)
    assert pretender.given[0] == (computing_in_half(half) if device == "cuda" else str(half))
    assert pretender.given[-1] == str(half)


def test_halves_that_cannot_be_loaded_are_widened(
    pretender: Pretender, half: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "computing_in_half", lambda _: b"no model")
    session = Session(half, "cuda")
    assert session.device == "cuda"
    assert pretender.given[-1] == str(half)
    assert not session.half
    assert session.run(["swapped"], {"face": np.ones((1, 3, 4, 4), np.float32)})[0].all()


def test_halves_that_answer_otherwise_are_widened(pretender: Pretender, tmp_path: Path) -> None:
    # Too small for float16, though each weight that is stored so fits.
    nodes = [
        helper.make_node("Mul", ["face", "small"], ["between"]),
        helper.make_node("Mul", ["between", "large"], ["larger"]),
        helper.make_node("Mul", ["larger", "large"], ["swapped"]),
    ]
    path = tmp_path / "m.onnx"
    weights = {"large": np.array([1e4])}, {"small": np.array([1e-8])}
    onnx.save(half_model(nodes, *weights), path)
    session = Session(path, "cuda")
    assert [isinstance(model, bytes) for model in pretender.given] == [True, False, False]
    faces = np.ones((1, 3, 4, 4), np.float32)
    assert session.run(["swapped"], {"face": faces})[0] == pytest.approx(1, rel=1e-3)


@pytest.mark.usefixtures("pretender")
@pytest.mark.parametrize(("device", "lane"), [("cpu", Lane), ("cuda", BoundLane)])
def test_a_crowd_goes_through_in_parts_that_bound_the_memory(
    model: Path, device: Any, lane: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows: list[int] = []
    run_lane = lane.run

    def counted(self: Any, outputs: Any, feeds: Any) -> Any:
        rows.append(len(feeds["face"]))
        return run_lane(self, outputs, feeds)

    monkeypatch.setattr(lane, "run", counted)
    assert len(run(Session(model, device), 2 * MOST_ROWS + 3)) == 2 * MOST_ROWS + 3
    assert rows == [MOST_ROWS, MOST_ROWS, 3]


@pytest.mark.parametrize("device", [name for name in PROVIDERS if name != "cpu"])
def test_a_device_that_fell_back_is_an_error(
    pretender: Pretender, model: Path, device: Any
) -> None:
    pretender.obtains = "CPUExecutionProvider"
    with pytest.raises(DeviceError, match=f"device {device} is not available"):
        Session(model, device)
    assert Session(model, "auto").device == "cpu"


def test_auto_goes_on_when_a_device_cannot_load_the_model(
    pretender: Pretender, model: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pretender.fails = {PROVIDERS["cuda"], PROVIDERS["directml"]}
    assert Session(model, "auto").device == "openvino"
    assert "not running on cuda" in caplog.text
    with pytest.raises(ModelError, match="CUDAExecutionProvider failed"):
        Session(model, "cuda")


def test_model_that_cannot_be_recorded_runs_without_graphs(
    pretender: Pretender, model: Path
) -> None:
    pretender.refuses_graphs = True
    session = Session(model, "cuda")
    assert [made[PROVIDERS["cuda"]]["enable_cuda_graph"] for made in pretender.created] == [
        "1",
        "0",
    ]
    assert session.device == "cuda"
    assert run(session).shape == (1, 3, 128, 128)


def test_tensorrt_that_is_not_installed_is_an_error_with_the_command(
    pretender: Pretender, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.execution.tensorrt.load_tensorrt", lambda: None)
    with pytest.raises(DeviceError, match="pip install tensorrt-cu"):
        Session(model, "tensorrt")
    assert Session(model, "auto").device == "cuda"


def test_auto_takes_tensorrt_from_the_second_time_on(pretender: Pretender, model: Path) -> None:
    assert Session(model, "auto").device == "cuda"
    assert Session(model, "tensorrt").device == "tensorrt"
    folder = Path(pretender.created[-1][PROVIDERS["tensorrt"]]["trt_engine_cache_path"])
    assert not tensorrt.is_built(folder)
    (folder / "of_this_gpu.engine").touch()
    assert Session(model, "auto").device == "tensorrt"


def test_engines_of_another_model_or_version_are_not_used(
    pretender: Pretender, model: Path, tmp_path: Path
) -> None:
    other = write_model(tmp_path / "other.onnx", gain=(1, 0, 0))
    runtime = loading.Runtime.installed()
    folders = {
        tensorrt.engine_folder(model, runtime, 101303),
        tensorrt.engine_folder(other, runtime, 101303),
        tensorrt.engine_folder(model, runtime, 101400),
    }
    assert len(folders) == 3


def in_threads(session: Session, count: int) -> list[np.ndarray]:
    """Run in as many threads at a time, each of which is inside the model when the next begins."""
    inside = threading.Barrier(count, timeout=10)
    answers: list[np.ndarray] = []
    lanes = session._idle
    taken = [lanes.pop() if lanes else session._another_lane() for _ in range(count)]
    lanes.extend(taken)

    def work() -> None:
        inside.wait()
        answers.append(run(session))

    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


@pytest.mark.parametrize(("device", "loads"), [("cpu", 1), ("cuda", 4), ("directml", 4)])
def test_threads_share_the_model_where_that_is_allowed(
    pretender: Pretender, model: Path, device: Any, loads: int
) -> None:
    session = Session(model, device)
    answers = in_threads(session, 4)
    assert all(np.all(answer == 0.25) for answer in answers)
    assert session.loads == loads


def test_without_graphs_threads_share_the_model_on_cuda_too(
    pretender: Pretender, model: Path
) -> None:
    session = Session(model, "cuda", graphs=False)
    assert len(in_threads(session, 4)) == 4
    assert session.loads == 1
    assert len(pretender.created) == 1


@pytest.mark.parametrize("device", PROVIDERS)
@pytest.mark.parametrize("shared", [True, False])
def test_threads_are_gathered_where_the_device_has_one_queue(
    pretender: Pretender, model: Path, device: Any, *, shared: bool
) -> None:
    session = Session(model, device, graphs=not shared)
    gathers = shared and device in {"cuda", "tensorrt", "directml"}
    assert (session.gathering is not None) == gathers
    assert Session(model, device, graphs=not shared, gather=False).gathering is None


def test_a_model_of_fixed_rows_is_not_gathered(pretender: Pretender, tmp_path: Path) -> None:
    path = write_model(tmp_path / "two.onnx", batch=2)
    session = Session(path, "cuda", graphs=False)
    assert session.gathering is None
    assert run(session, 2).shape == (2, 3, 128, 128)


def test_a_model_whose_rows_change_each_other_is_not_gathered(
    pretender: Pretender, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    shape: list[str | int | None] = ["n", 3, 8, 8]
    graph = helper.make_graph(
        [
            helper.make_node("ReduceMean", ["face"], ["mean"], axes=[0], keepdims=1),
            helper.make_node("Sub", ["face", "mean"], ["swapped"]),
        ],
        "normalized over the batch",
        [helper.make_tensor_value_info("face", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("swapped", TensorProto.FLOAT, shape)],
    )
    path = tmp_path / "normalized.onnx"
    opsets = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)
    assert Session(path, "cuda", graphs=False).gathering is None
    assert "not run together" in caplog.text


@pytest.mark.usefixtures("switch_interval")
def test_bundled_model_answers_many_threads_as_it_answers_one(pretender: Pretender) -> None:
    """To the bit on a processor; a GPU may round otherwise for other batch sizes."""
    session = Session(model_path("maro"), "cuda", graphs=False)
    assert session.gathering is not None
    names = list(session.outputs)
    dice = np.random.default_rng(0)
    asked = [dice.random((count, 3, 64, 64), dtype=np.float32) for count in (1, 2, 1)]
    alone = [session._run(names, {"face": faces}) for faces in asked]
    begin = threading.Barrier(len(asked), timeout=20)

    def work(faces: np.ndarray) -> list[np.ndarray]:
        begin.wait()
        return session.run(names, {"face": faces})

    with ThreadPoolExecutor(len(asked)) as pool:
        for expected, answer in zip(alone, pool.map(work, asked), strict=True):
            for one, other in zip(expected, answer, strict=True):
                np.testing.assert_array_equal(one, other)
    assert session.loads == 1
    assert len(session._idle) == 1
    assert session.gathering.rows == sum(map(len, asked))


def test_an_error_of_a_gathered_model_is_explained(pretender: Pretender, model: Path) -> None:
    session = Session(model, "cuda", graphs=False)
    with pytest.raises(ModelError, match="failed while running on cuda"):
        session.run(["swapped"], {"face": np.zeros((1, 3, 9, 9), np.float32)})
    assert run(session).shape == (1, 3, 128, 128)


def test_one_thread_never_loads_twice(pretender: Pretender, model: Path) -> None:
    session = Session(model, "cuda")
    for _ in range(10):
        run(session)
    assert session.loads == 1


def test_a_failure_leaves_standard_output_alone(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    graph = helper.make_graph(
        [helper.make_node("NoSuchOperator", ["face"], ["swapped"])],
        "unknown",
        [helper.make_tensor_value_info("face", TensorProto.FLOAT, ["n", 3, 64, 64])],
        [helper.make_tensor_value_info("swapped", TensorProto.FLOAT, ["n", 3, 64, 64])],
    )
    path = tmp_path / "unknown.onnx"
    opsets = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)
    with pytest.raises(ModelError, match="NoSuchOperator"):
        Session(path, "cpu")
    assert not capfd.readouterr().out
