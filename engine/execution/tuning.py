"""How ONNX Runtime is set up for each device: plain values, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from engine.execution.devices import NVIDIA, PROVIDERS

MOST_ROWS: Final = 64
"""Faces in one run at most: bounds the memory, and TensorRT's engine is built for so many."""
_EXACT_ROWS: Final = 8
"""Up to so many faces every number has buffers, and on CUDA a graph, of its own."""

ProviderList = list[tuple[str, dict[str, str]]]


@dataclass(frozen=True, slots=True)
class Tuning:
    """Settings of one ONNX Runtime session.

    Attributes:
        threads: processor threads inside one run.
        spinning: its threads look for work actively while they have none.
        memory_pattern: it plans one large buffer ahead for each shape.
        providers: ONNX Runtime's providers with their options, the best first.
    """

    threads: int
    spinning: bool
    memory_pattern: bool
    providers: ProviderList


def tune(
    device: str, threads: int, *, graphs: bool, cache: Path, inputs: Mapping[str, tuple[int, ...]]
) -> Tuning:
    """Settings for a device.

    Args:
        device: any but 'auto'.
        threads: processor threads inside one run.
        graphs: record the run of each batch size as a CUDA graph.
        cache: folder where TensorRT keeps what it builds for this model.
        inputs: shape of one row of each input.
    """
    options: ProviderList = []
    if device == "tensorrt":
        options.append((PROVIDERS["tensorrt"], _tensorrt(cache, inputs)))
    if device in NVIDIA:
        options.append((PROVIDERS["cuda"], _cuda(graphs=graphs and device == "cuda")))
    elif device != "cpu":
        options.append((PROVIDERS[device], {}))
    options.append((PROVIDERS["cpu"], {}))
    return Tuning(
        threads=threads,
        # A thread that spins takes the processor from decoding and blending.
        spinning=False,
        # Planned buffers are kept for each thread that ever ran: GPU memory grows by them when
        # threads change (onnxruntime issue 29351). DirectML does not work with them at all.
        memory_pattern=device == "cpu",
        providers=options,
    )


def _cuda(*, graphs: bool) -> dict[str, str]:
    return {
        # The default doubles the arena with every extension; what is asked for here is always
        # one of a few sizes.
        "arena_extend_strategy": "kSameAsRequested",
        # An exhaustive search would stop the stream for a second at each new number of faces.
        "cudnn_conv_algo_search": "HEURISTIC",
        "enable_cuda_graph": "1" if graphs else "0",
    }


def _tensorrt(cache: Path, inputs: Mapping[str, tuple[int, ...]]) -> dict[str, str]:
    def shapes(rows: int) -> str:
        return ",".join(
            f"{name}:{'x'.join(map(str, (rows, *row)))}" for name, row in inputs.items()
        )

    return {
        "trt_fp16_enable": "1",
        "trt_engine_cache_enable": "1",
        "trt_engine_cache_path": str(cache),
        "trt_timing_cache_enable": "1",
        "trt_timing_cache_path": str(cache),
        # Without them an engine is built again for each new number of faces.
        "trt_profile_min_shapes": shapes(1),
        "trt_profile_opt_shapes": shapes(4),
        "trt_profile_max_shapes": shapes(MOST_ROWS),
    }


def buffer_rows(rows: int) -> int:
    """How many rows the buffers have that a batch is put into; the rest of them is not looked at.

    Args:
        rows: 1 to `MOST_ROWS`.
    """
    return rows if rows <= _EXACT_ROWS else -(-rows // _EXACT_ROWS) * _EXACT_ROWS


def records_graph(rows: int) -> bool:
    """Whether a batch is small enough for launching its kernels to take longer than they do."""
    return rows <= _EXACT_ROWS
