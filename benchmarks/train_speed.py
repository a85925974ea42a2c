"""Size and speed of the networks as deployed, and what the arithmetic alone would take."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from engine.session import Session
from export.graph import build_graph
from export.model import PLANS, FaceSwapper, count_macs
from export.onnx import store_weights_as_half
from export.quantize import quantize

_GEMM: Final = (256, 1024, 1024)  # large enough for full speed, small enough for the cache


def measure_networks(rounds: int) -> dict[str, Any]:
    """All networks in all dtypes on one CPU thread, one face at a time, taken in turn.

    Weights are random: they change nothing about the arithmetic.

    Returns:
        "peak_gmac_per_s" by element type, and by network its "parameters", "gmac" and by
        dtype "megabytes", "ms" (processor time, median), "best_ms" and "bound_ms", which is
        the network's multiply-accumulates at the peak.
    """
    with tempfile.TemporaryDirectory() as folder:
        files = _export(Path(folder))
        sessions = {key: Session(path, "cpu", threads=1) for key, path in files.items()}
        sizes = {key: path.stat().st_size / 1e6 for key, path in files.items()}
        peaks = _peaks(Path(folder), rounds)
    times = _in_turn(sessions, rounds)
    result: dict[str, Any] = {"peak_gmac_per_s": {k: round(v / 1e9) for k, v in peaks.items()}}
    for name, plan in PLANS.items():
        macs = count_macs(plan)
        result[name] = {
            "parameters": sum(part.numel() for part in FaceSwapper(plan).parameters_of("b")),
            "gmac": round(macs / 1e9, 3),
        }
        for dtype in ("fp32", "fp16", "int8"):
            key = f"{name} {dtype}"
            peak = peaks["int8" if dtype == "int8" else "float32"]
            result[name][dtype] = {
                "megabytes": round(sizes[key], 1),
                "ms": round(statistics.median(times[key]), 2),
                "best_ms": round(min(times[key]), 2),
                "bound_ms": round(macs / peak * 1e3, 2),
            }
    return result


def _export(folder: Path) -> dict[str, Path]:
    files = {}
    for name, plan in PLANS.items():
        torch.manual_seed(0)
        model = build_graph(FaceSwapper(plan), "b")
        halved = onnx.ModelProto()
        halved.CopyFrom(model)
        store_weights_as_half(halved)
        noise = np.random.default_rng(0).random((4, 3, plan.input_size, plan.input_size))
        models = {"fp32": model, "fp16": halved, "int8": quantize(model, noise.astype(np.float32))}
        for dtype, content in models.items():
            files[f"{name} {dtype}"] = path = folder / f"{name}_{dtype}.onnx"
            onnx.save(content, path)
    return files


def _in_turn(sessions: Mapping[str, Session], rounds: int) -> dict[str, list[float]]:
    """Milliseconds of processor time a run; the first round of each only warms up."""
    times: dict[str, list[float]] = {key: [] for key in sessions}
    for number in range(rounds + 1):
        for key, session in sessions.items():
            ((name, (shape, dtype)),) = session.inputs.items()
            feed = {name: np.full([size or 1 for size in shape], 0.5, dtype)}
            began = time.thread_time()
            session.run(list(session.outputs), feed)
            if number:
                times[key].append((time.thread_time() - began) * 1e3)
    return times


def _peaks(folder: Path, rounds: int) -> dict[str, float]:
    """Multiply-accumulates a second of ONNX Runtime's own matrix products, the best round."""
    sessions = {}
    for kind in ("float32", "int8"):
        path = folder / f"gemm_{kind}.onnx"
        onnx.save(_product(kind), path)
        sessions[kind] = Session(path, "cpu", threads=1)
    times = _in_turn(sessions, rounds)
    return {kind: float(np.prod(_GEMM)) / (min(times[kind]) / 1e3) for kind in sessions}


def _product(kind: str) -> onnx.ModelProto:
    """A matrix times a constant one; its bytes are made from floats inside of the graph."""
    rows, inner, columns = _GEMM
    weights = np.random.default_rng(0).integers(-100, 100, (inner, columns))
    if kind == "float32":
        constants = [numpy_helper.from_array(weights.astype(np.float32), "weights")]
        nodes = [helper.make_node("MatMul", ["face", "weights"], ["product"])]
        element = TensorProto.FLOAT
    else:
        constants = [numpy_helper.from_array(weights.astype(np.int8), "weights")]
        nodes = [
            helper.make_node("Cast", ["face"], ["bytes"], to=TensorProto.UINT8),
            helper.make_node("MatMulInteger", ["bytes", "weights"], ["product"]),
        ]
        element = TensorProto.INT32
    graph = helper.make_graph(
        nodes,
        "gemm",
        [helper.make_tensor_value_info("face", TensorProto.FLOAT, [rows, inner])],
        [helper.make_tensor_value_info("product", element, [rows, columns])],
        constants,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
