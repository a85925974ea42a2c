"""Model files: judged, loaded and run."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from engine import assets, contracts, onnx_file
from engine.errors import EngineError
from engine.execution.half import computing_in_half
from engine.face import Face
from engine.swap import Swapper
from tests.fuzz.kind import Kind, Reader
from tests.painted_face import landmarks
from tests.tiny_models import METADATA, half_model, write_model


def _tiny_models() -> list[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "m.onnx"
        whole = write_model(path).read_bytes()
        small = write_model(path, size=16, metadata=METADATA | _sizes(16, 32)).read_bytes()
    return [whole, small]


def _sizes(size: int, out: int) -> dict[str, str]:
    return {"input_size": str(size), "output_size": str(out)}


def _odd_models() -> list[bytes]:
    """Such as use what may be used against us: other files, branches, functions, loops."""
    elsewhere = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[4])
    elsewhere.data_location = TensorProto.EXTERNAL
    elsewhere.external_data.add(key="location", value="../../../../etc/passwd")
    branch = helper.make_graph(
        [helper.make_node("Identity", ["w"], ["z"])],
        "branch",
        [],
        [helper.make_tensor_value_info("z", TensorProto.FLOAT, [4])],
    )
    own = helper.make_function(
        "odd",
        "Twice",
        ["a"],
        ["b"],
        [helper.make_node("Add", ["a", "a"], ["b"])],
        [helper.make_opsetid("", 17)],
    )
    nodes = [
        helper.make_node("If", ["c"], ["i"], then_branch=branch, else_branch=branch),
        helper.make_node("Twice", ["i"], ["t"], domain="odd"),
        helper.make_node("Add", ["x", "t"], ["y"]),
    ]
    made = []
    for weights in (elsewhere, numpy_helper.from_array(np.ones(4, np.float32), "w")):
        graph = helper.make_graph(
            nodes,
            "odd",
            [
                helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 4]),
                helper.make_tensor_value_info("c", TensorProto.BOOL, []),
            ],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
            [weights],
        )
        opsets = [helper.make_opsetid("", 17), helper.make_opsetid("odd", 1)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=8, functions=[own])
        made.append(model.SerializeToString())
    return made


def _half_models() -> list[bytes]:
    nodes = [
        helper.make_node("Conv", ["face", "w", "b"], ["between"], pads=[1] * 4),
        helper.make_node("LeakyRelu", ["between"], ["swapped"], alpha=0.1),
    ]
    halves, floats = {"w": np.full((3, 3, 3, 3), 0.1)}, {"b": np.zeros(3)}
    return [half_model(nodes, halves, floats).SerializeToString()]


@contextmanager
def _judging(folder: Path) -> Iterator[Reader]:
    path = folder / "model.onnx"

    def read(data: bytes) -> None:
        path.write_bytes(data)
        model = onnx_file.read(path)
        contracts.recognize(model)
        contracts.missing_keys(model.metadata)
        contracts.refusals(model)

    yield read


@contextmanager
def _halving(folder: Path) -> Iterator[Reader]:
    path = folder / "model.onnx"

    def read(data: bytes) -> None:
        path.write_bytes(data)
        onnx_file.read(path)
        content = computing_in_half(path)
        if content is not None:
            path.write_bytes(content)
            onnx_file.read(path)

    yield read


@contextmanager
def _swapping(folder: Path) -> Iterator[Reader]:
    path = folder / "model.onnx"
    image = np.full((120, 160, 3), 90, np.uint8)
    face = Face(landmarks((80.0, 60.0), 60.0, 8.0), 1)

    def read(data: bytes) -> None:
        path.write_bytes(data)
        Swapper(path, "cpu")(image, (face,))

    yield read


@contextmanager
def _rebuilt(folder: Path) -> Iterator[Reader]:
    """Well-formed files whose graph is nonsense: bytes decide what is changed in a good model."""
    good = onnx.load_from_string(_tiny_models()[1])

    with _swapping(folder) as swap:

        def read(data: bytes) -> None:
            chance = random.Random(data)  # noqa: S311 - no secret
            model = onnx.ModelProto()
            model.CopyFrom(good)
            for _ in range(chance.choice((1, 1, 2, 3))):
                chance.choice(_CHANGES)(model.graph, chance)
            swap(model.SerializeToString())

    yield read


def _another_operator(graph: onnx.GraphProto, chance: random.Random) -> None:
    chance.choice(graph.node).op_type = chance.choice(_OPERATORS)


def _another_input(graph: onnx.GraphProto, chance: random.Random) -> None:
    node = chance.choice(graph.node)
    node.input[chance.randrange(len(node.input))] = chance.choice(_TENSORS)


def _one_more_node(graph: onnx.GraphProto, chance: random.Random) -> None:
    names = chance.sample(_TENSORS, 2)
    node = helper.make_node(chance.choice(_OPERATORS), names, [chance.choice(_TENSORS)])
    graph.node.insert(chance.randrange(len(graph.node) + 1), node)


def _other_numbers(graph: onnx.GraphProto, chance: random.Random) -> None:
    tensor = chance.choice(graph.initializer)
    values = numpy_helper.to_array(tensor).copy()
    values.flat[chance.randrange(values.size)] = chance.choice(_NUMBERS)
    tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))


def _other_sizes(graph: onnx.GraphProto, chance: random.Random) -> None:
    tensor = chance.choice((*graph.input, *graph.output))
    sizes = tensor.type.tensor_type.shape.dim
    chance.choice(sizes).dim_value = chance.choice((0, 1, -1, 16, 1 << 20, (1 << 63) - 1))


def _other_setting(graph: onnx.GraphProto, chance: random.Random) -> None:
    node = chance.choice(graph.node)
    if node.attribute:
        attribute = chance.choice(node.attribute)
        name = chance.choice((attribute.name, "axis", "axes", "mode"))
        value = chance.choice((1, -1, 1 << 40, "cubic", "", [1 << 40], [0] * 9, 1e30))
        attribute.CopyFrom(helper.make_attribute(name, value))


_OPERATORS = (
    *("Resize", "Mul", "Expand", "Tile", "ConstantOfShape", "Range", "Reshape", "Gather", "Pad"),
    *("Conv", "ConvTranspose", "MatMul", "Loop", "If", "Scan", "TopK", "Upsample", "NonZero"),
    *("OneHot", "Slice", "Softmax", "SequenceAt", "RandomNormal", "QuantizeLinear", "Einsum"),
)
_TENSORS = ("face", "swapped", "large", "scales", "gain", "", "nothing")
_NUMBERS = (0, -1, 1e-30, 1e30, float("nan"), float("inf"), 3, 4096, 1 << 24)
_CHANGES: tuple[Callable[[onnx.GraphProto, random.Random], None], ...] = (
    *(_another_operator, _another_input, _one_more_node),
    *(_other_numbers, _other_sizes, _other_setting),
)


def _landmark_seed() -> Sequence[bytes]:
    return [assets.landmark_model().read_bytes()[: 1 << 20]]


@contextmanager
def _landmarks(folder: Path) -> Iterator[Reader]:
    path = folder / "face_landmarker.task"

    def read(data: bytes) -> None:
        path.write_bytes(data)
        assets.landmark_model(path)
        raise AssertionError("a landmark model that is not the one release was taken")

    yield read


_WORDS = [b"Loop", b"Scan", b"com.evil", b"EPContext", b"location", b"../w.bin", b"/dev/zero"]

KINDS = {
    "onnx": Kind(lambda: [*_tiny_models(), *_odd_models()], _judging, (EngineError,), _WORDS),
    "half-model": Kind(_half_models, _halving, (EngineError,), _WORDS),
    "swap-model": Kind(_tiny_models, _swapping, (EngineError,), _WORDS),
    "model-graph": Kind(lambda: [bytes(8)], _rebuilt, (EngineError,)),
    "landmark-model": Kind(_landmark_seed, _landmarks, (EngineError,)),
}
