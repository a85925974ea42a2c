"""What an ONNX file says of itself, read without running or loading any of it.

An ONNX file is one Protocol Buffers message. The few fields that matter here are read from the
wire format itself: no ONNX package is needed at run time, and a file can be judged before ONNX
Runtime opens what it refers to. Field numbers are those of onnx.proto (Apache-2.0).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from engine.errors import ModelError
from engine.wire import DamagedMessageError, fields, integers, text

Shape: TypeAlias = tuple[int | str | None, ...]

DTYPES = (
    *("unknown", "float32", "uint8", "int8", "uint16", "int16"),
    *("int32", "int64", "string", "bool", "float16", "float64"),
    *("uint32", "uint64", "complex64", "complex128", "bfloat16", "float8e4m3fn"),
    *("float8e4m3fnuz", "float8e5m2", "float8e5m2fnuz", "uint4", "int4", "float4e2m1"),
)
"""onnx.proto's TensorProto.DataType, in order."""
STANDARD_DOMAINS = frozenset(
    ("", "ai.onnx", "ai.onnx.ml", "com.microsoft", "com.microsoft.nchwc", "com.ms.internal.nhwc")
)
"""Operators of these need no library but ONNX Runtime's own."""

_FLOATS: Mapping[str, type[np.floating]] = {
    "float16": np.float16,
    "float32": np.float32,
    "float64": np.float64,
}
_DEEPEST = 16
_MOST_BYTES = 2 << 30
"""Protocol Buffers' own limit."""
_MOST_AXES = 16
_MOST_PER_BYTE = 2
"""Weights that a byte can hold: the smallest have four bits."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """An input or output; a free dimension is its name or None."""

    name: str
    dtype: str
    shape: Shape


@dataclass(frozen=True, slots=True)
class Weights:
    """Parameters of one dtype.

    Attributes:
        parameters: how many numbers.
        not_finite: how many of them are infinite or no number.
        largest: greatest finite magnitude.

    The last two are of floating-point numbers inside of the file, as exporters write them
    (`raw_data` or `float_data`); 0 for others.
    """

    parameters: int = 0
    not_finite: int = 0
    largest: float = 0.0


@dataclass(slots=True)
class OnnxFile:
    """What the file holds.

    Attributes:
        path: as given.
        file_bytes: size on disk, without external data.
        ir_version: of the format.
        producer: what wrote it.
        opsets: operator set version by domain; '' is ONNX's own.
        inputs, outputs: of the graph, in order.
        operators: (domain, operator) to how often it occurs, subgraphs included.
        functions: (domain, name) of the operators that the file itself defines.
        weights: by dtype, constants of the graph included.
        external: files that hold weights, as written in the model.
        metadata: key-value pairs.
    """

    path: Path
    file_bytes: int
    ir_version: int = 0
    producer: str = ""
    opsets: dict[str, int] = field(default_factory=dict)
    inputs: list[Tensor] = field(default_factory=list)
    outputs: list[Tensor] = field(default_factory=list)
    operators: Counter[tuple[str, str]] = field(default_factory=Counter)
    functions: set[tuple[str, str]] = field(default_factory=set)
    weights: dict[str, Weights] = field(default_factory=dict)
    external: set[str] = field(default_factory=set)
    metadata: dict[str, str] = field(default_factory=dict)

    @property
    def external_outside(self) -> list[str]:
        """External files that are not in the model's own folder or below it."""
        return sorted(place for place in self.external if not _inside(self.path.parent, place))

    @property
    def external_missing(self) -> list[str]:
        """External files within the model's folder that do not exist."""
        outside = set(self.external_outside)
        return sorted(
            place for place in self.external - outside if not (self.path.parent / place).is_file()
        )

    @property
    def custom_operators(self) -> list[str]:
        """Operators that would need somebody else's code to run, as 'domain:operator'."""
        return sorted(
            f"{domain}:{operator}"
            for domain, operator in self.operators
            # A compiled engine of another program hides behind this standard operator.
            if operator == "EPContext"
            or (domain not in STANDARD_DOMAINS and (domain, operator) not in self.functions)
        )


def read(path: Path) -> OnnxFile:
    """Read an ONNX file; nothing it refers to is opened.

    Raises:
        ModelError: there is no such file, or it is no ONNX file.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ModelError(
                f"model {path}: {path.stat().st_size} bytes; expected 2 GiB at "
                "most, as ONNX files have"
            )
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"model {path}: {error.strerror}; give a path to an .onnx file") from error
    model = OnnxFile(path, len(content))
    try:
        _model(memoryview(content), model)
    except DamagedMessageError as error:
        raise ModelError(
            f"model {path}: not an ONNX file, or cut off ({error}, {len(content)} bytes); "
            "get it again, or export it with `python -m export onnx`"
        ) from error
    if not model.operators or not model.outputs:
        raise ModelError(
            f"model {path}: no ONNX graph in it ({len(content)} bytes); expected a file exported "
            "by `python -m export onnx`"
        )
    return model


def _model(data: memoryview, model: OnnxFile) -> None:
    for number, value in fields(data):
        match number, value:
            case 1, int():
                model.ir_version = value
            case ((2 | 3), memoryview()):
                model.producer = f"{model.producer} {text(value)}".strip()
            case 7, memoryview():
                _graph(value, model, depth=0)
            case 8, memoryview():
                parts = dict(fields(value))
                version = parts.get(2, 0)
                if isinstance(version, int):
                    model.opsets[_name(parts.get(1))] = version
            case 14, memoryview():
                parts = dict(fields(value))
                model.metadata[_name(parts.get(1))] = _name(parts.get(2))
            case 25, memoryview():
                _function(value, model)


def _graph(data: memoryview, model: OnnxFile, depth: int) -> None:
    if depth > _DEEPEST:
        raise DamagedMessageError(f"subgraphs nested deeper than {_DEEPEST}")
    inputs, initialized = [], set()
    for number, value in fields(data):
        if not isinstance(value, memoryview):
            continue
        if number == 1:
            _node(value, model, depth)
        elif number == 5:
            initialized.add(_weights(value, model))
        elif number == 11:
            inputs.append(_tensor(value))
        elif number == 12 and depth == 0:
            model.outputs.append(_tensor(value))
    if depth == 0:
        # Before IR version 4 weights had to be listed among the inputs.
        model.inputs = [tensor for tensor in inputs if tensor.name not in initialized]


def _node(data: memoryview, model: OnnxFile, depth: int) -> None:
    operator = domain = ""
    for number, value in fields(data):
        if not isinstance(value, memoryview):
            continue
        if number == 4:
            operator = text(value)
        elif number == 7:
            domain = text(value)
        elif number == 5:
            for kind, part in fields(value):
                if not isinstance(part, memoryview):
                    continue
                if kind in {6, 11}:
                    _graph(part, model, depth + 1)
                elif kind in {5, 10}:
                    _weights(part, model)
    model.operators[domain, operator] += 1


def _function(data: memoryview, model: OnnxFile) -> None:
    name = domain = ""
    for number, value in fields(data):
        if not isinstance(value, memoryview):
            continue
        if number == 1:
            name = text(value)
        elif number == 10:
            domain = text(value)
        elif number == 7:
            _node(value, model, depth=0)
    model.functions.add((domain, name))


def _tensor(data: memoryview) -> Tensor:
    parts = dict(fields(data))
    name, dtype, shape = _name(parts.get(1)), "unknown", []
    for number, value in _nested(parts.get(2), 1):
        if number == 1 and isinstance(value, int):
            dtype = _dtype(value)
        elif number == 2 and isinstance(value, memoryview):
            for _, dimension in fields(value):
                if isinstance(dimension, memoryview):
                    size = dict(fields(dimension))
                    known = size.get(1)
                    shape.append(known if isinstance(known, int) else _name(size.get(2)) or None)
    return Tensor(name, dtype, tuple(shape))


def _nested(data: int | memoryview | None, number: int) -> Iterator[tuple[int, int | memoryview]]:
    for field_number, value in fields(data) if isinstance(data, memoryview) else ():
        if field_number == number and isinstance(value, memoryview):
            yield from fields(value)


def _weights(data: memoryview, model: OnnxFile) -> str:
    """Count one tensor's numbers; returns its name."""
    parts: dict[int, list[int | memoryview]] = {}
    for number, value in fields(data):
        parts.setdefault(number, []).append(value)
    name = _name(parts.get(8, [None])[-1])
    dtype = parts.get(2, [0])[-1]
    dtype_name = _dtype(dtype)
    shape = _shape(parts.get(1, []))
    for value in parts.get(13, []):
        entry = dict(fields(value)) if isinstance(value, memoryview) else {}
        if _name(entry.get(1)) == "location":
            model.external.add(_name(entry.get(2)))
    within = 13 not in parts
    if within and math.prod(shape) > _MOST_PER_BYTE * model.file_bytes:
        raise DamagedMessageError(f"a tensor of {math.prod(shape)} weights")
    known = model.weights.get(dtype_name, Weights())
    not_finite, largest = known.not_finite, known.largest
    for array in _numbers(parts, _FLOATS.get(dtype_name), math.prod(shape)):
        finite = np.isfinite(array)
        not_finite += int(array.size - np.count_nonzero(finite))
        largest = max(largest, float(np.max(np.abs(array), where=finite, initial=0)))
    parameters = known.parameters + math.prod(shape)
    model.weights[dtype_name] = Weights(parameters, not_finite, largest)
    return name


def _shape(values: Sequence[int | memoryview]) -> list[int]:
    if len(values) > _MOST_AXES or any(
        isinstance(value, memoryview) and len(value) > 10 * _MOST_AXES for value in values
    ):
        raise DamagedMessageError(f"a tensor of more than {_MOST_AXES} axes")
    return [size for value in values for size in integers(value)]


def _numbers(
    parts: Mapping[int, list[int | memoryview]],
    element: type[np.floating] | None,
    count: int,
) -> Iterator[NDArray[np.floating]]:
    """The floating-point numbers of a tensor's `float_data` and `raw_data`."""
    for number, kind in ((4, np.float32), (9, element)):
        for value in parts.get(number, []):
            if kind is None or not isinstance(value, memoryview):
                continue
            if len(value) != count * np.dtype(kind).itemsize:
                raise DamagedMessageError(f"{count} weights in {len(value)} bytes")
            yield np.frombuffer(value, kind)


def _dtype(number: int | memoryview) -> str:
    if isinstance(number, int) and number < len(DTYPES):
        return DTYPES[number]
    return DTYPES[0]


def _name(value: int | memoryview | None) -> str:
    return text(value) if isinstance(value, memoryview) else ""


def _inside(folder: Path, place: str) -> bool:
    """Whether an external file is in the model's folder, links followed."""
    for kind in (PurePosixPath(place), PureWindowsPath(place)):
        if kind.is_absolute() or kind.drive or ".." in kind.parts:
            return False
    return (folder / place).resolve().is_relative_to(folder.resolve())
