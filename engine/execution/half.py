"""Computing in float16 what is stored as float16, on devices that are faster at it.

The exporter stores weights as float16 with a Cast back to float32 each: a processor computes in
float32 at full speed. A GPU multiplies float16 at least twice as fast, so for it the graph is
written anew: the weights are used as they are, the few float32 biases are rounded, and only what
goes in and comes out is cast. ONNX Runtime has no option for that, other than TensorRT.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np

from engine import onnx_file
from engine.errors import ModelError
from engine.execution.gathering import Run
from engine.execution.independence import MOST_DIFFERENCE, Signature, noise
from engine.wire import DamagedMessageError, fields, integers, message, text

Part: TypeAlias = tuple[int, int | bytes | memoryview]

# Of onnx.proto: data types, and numbers of fields.
_FLOAT32, _INT32, _INT64, _FLOAT16 = 1, 6, 7, 10
_GRAPH, _NODE, _INITIALIZER, _ATTRIBUTE = 7, 1, 5, 5

_INDIFFERENT: Final = frozenset(
    (
        *("Add", "Concat", "Conv", "DepthToSpace", "Flatten", "Gemm", "LeakyRelu", "MatMul"),
        *("Mul", "Relu", "Reshape", "Sigmoid", "Split", "Sub", "Tanh", "Transpose"),
    )
)
"""Operators that compute in the type they are given, and have no attribute that names one."""


class _OtherGraphError(Exception):
    """Not a graph that can be written anew."""


@dataclass(slots=True)
class _Node:
    operator: str
    inputs: list[str]
    outputs: list[str]
    rest: list[Part]

    def to_part(self) -> Part:
        names = [*((1, name.encode()) for name in self.inputs)]
        names += [(2, name.encode()) for name in self.outputs]
        return _NODE, message((*names, (4, self.operator.encode()), *self.rest))


@dataclass(slots=True)
class _Graph:
    nodes: list[_Node] = field(default_factory=list)
    initializers: dict[str, memoryview] = field(default_factory=dict)
    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    rest: list[Part] = field(default_factory=list)


def computing_in_half(path: Path) -> bytes | None:
    """A model's graph, written anew to compute in float16.

    Args:
        path: an ONNX file that `engine.onnx_file.read` could read.

    Returns:
        The content of an ONNX file with the same inputs and outputs, all float32; None if its
        weights are not stored as float16, or if it has operators that may need another type.
    """
    described = onnx_file.read(path)
    border = (*described.inputs, *described.outputs)
    if described.external or any(tensor.dtype != "float32" for tensor in border):
        return None
    try:
        return message(_model(memoryview(path.read_bytes())))
    except (_OtherGraphError, DamagedMessageError):
        return None


def answers_alike(
    half: Run, stored: Run, inputs: Mapping[str, Signature], outputs: Mapping[str, Signature]
) -> bool:
    """Whether rounding on the way changes no answer to noise by more than two and a half levels.

    Float16 ends at 65504 and at 6e-8, which weights alone do not show.

    Args:
        half: runs the graph that was written anew.
        stored: runs the graph as it is in the file.
        inputs: names and signatures of what both take.
        outputs: of what both give.
    """
    if any(None in shape[1:] for shape, _ in inputs.values()):
        return False
    feeds = {name: noise(shape, dtype) for name, (shape, dtype) in inputs.items()}
    names = list(outputs)
    try:
        answers = zip(half(names, feeds), stored(names, feeds), strict=True)
        # A value that is no number is not within any distance.
        return all(np.all(np.abs(one - other) <= MOST_DIFFERENCE) for one, other in answers)
    except ModelError:
        return False


def _model(content: memoryview) -> Iterator[Part]:
    for number, value in fields(content):
        if number == _GRAPH and isinstance(value, memoryview):
            yield number, message(_rewritten(_read(value)))
        else:
            yield number, value


def _rewritten(graph: _Graph) -> Iterator[Part]:
    stored = {node.outputs[0]: node.inputs[0] for node in graph.nodes if _loads(node, graph)}
    border = (*graph.inputs, *graph.outputs)
    # The names at the border stay; what has them inside of the graph is something else now.
    renamed = stored | {name: f"{name}.as_half" for name in border}
    known = {*graph.initializers, *(name for node in graph.nodes for name in node.outputs)}
    if (
        not stored
        or len(set(border)) < len(border)
        or not {*stored, *graph.initializers}.isdisjoint(border)
        or not known.isdisjoint(f"{name}.as_half" for name in border)
    ):
        raise _OtherGraphError
    for name in graph.inputs:
        yield _cast(name, renamed[name], _FLOAT16).to_part()
    for node in graph.nodes:
        if not stored.keys().isdisjoint(node.outputs):
            continue
        if node.operator not in _INDIFFERENT:
            raise _OtherGraphError
        node.inputs = [renamed.get(name, name) for name in node.inputs]
        node.outputs = [renamed.get(name, name) for name in node.outputs]
        yield node.to_part()
    for name in graph.outputs:
        yield _cast(renamed[name], name, _FLOAT32).to_part()
    for tensor in graph.initializers.values():
        yield _INITIALIZER, _halved(tensor)
    yield from graph.rest


def _loads(node: _Node, graph: _Graph) -> bool:
    """Whether a node does nothing but widen stored weights."""
    if node.operator != "Cast" or len(node.inputs) != 1 or len(node.outputs) != 1:
        return False
    attributes = [
        dict(fields(value))
        for number, value in node.rest
        if number == _ATTRIBUTE and isinstance(value, memoryview)
    ]
    if [attribute.get(3) for attribute in attributes] != [_FLOAT32]:
        return False
    tensor = graph.initializers.get(node.inputs[0])
    return tensor is not None and dict(fields(tensor)).get(2) == _FLOAT16


def _read(content: memoryview) -> _Graph:
    graph = _Graph()
    for number, value in fields(content):
        if not isinstance(value, memoryview):
            raise _OtherGraphError
        match number:
            case 1:
                graph.nodes.append(_node(value))
            case 5:
                graph.initializers[_name(value, 8)] = value
            case 11:
                graph.inputs.append(_name(value, 1))
                graph.rest.append((number, value))
            case 12:
                graph.outputs.append(_name(value, 1))
                graph.rest.append((number, value))
            case 13:
                pass  # Types of what lies between: they are others now.
            case 2 | 10:
                graph.rest.append((number, value))
            case _:
                raise _OtherGraphError
    return graph


def _node(content: memoryview) -> _Node:
    node = _Node("", [], [], [])
    for number, value in fields(content):
        if not isinstance(value, memoryview):
            raise _OtherGraphError
        match number:
            case 1:
                node.inputs.append(text(value))
            case 2:
                node.outputs.append(text(value))
            case 4:
                node.operator = text(value)
            case 7 if len(value):
                raise _OtherGraphError  # Not ONNX's own operator.
            case _:
                node.rest.append((number, value))
    return node


def _cast(source: str, target: str, dtype: int) -> _Node:
    # Of AttributeProto: name, i, type INT.
    to = message(((1, b"to"), (3, dtype), (20, 2)))
    return _Node("Cast", [source], [target], [(_ATTRIBUTE, to)])


def _halved(tensor: memoryview) -> memoryview | bytes:
    parts: dict[int, int | memoryview] = dict(fields(tensor))
    dtype, numbers = parts.get(2), parts.get(9, parts.get(4))
    if dtype in {_FLOAT16, _INT32, _INT64}:
        return tensor
    if dtype != _FLOAT32 or not isinstance(numbers, memoryview) or len(numbers) % 4:
        raise _OtherGraphError
    values = np.frombuffer(numbers, np.float32)
    with np.errstate(over="ignore"):
        rounded = values.astype(np.float16)
    if not np.array_equal(np.isfinite(values), np.isfinite(rounded)):
        raise _OtherGraphError  # Beyond float16's range.
    sizes = [size for number, value in fields(tensor) if number == 1 for size in integers(value)]
    shape = [(1, size) for size in sizes]
    return message((*shape, (2, _FLOAT16), (8, _name(tensor, 8).encode()), (9, rounded.tobytes())))


def _name(content: memoryview, number: int) -> str:
    value = dict(fields(content)).get(number)
    if not isinstance(value, memoryview):
        raise _OtherGraphError
    return text(value)
