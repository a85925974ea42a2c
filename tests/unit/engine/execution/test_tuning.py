from __future__ import annotations

from pathlib import Path

import pytest

from engine.execution.tuning import MOST_ROWS, Tuning, buffer_rows, records_graph, tune

ROW = {"face": (3, 64, 64)}


def tuned(device: str, *, graphs: bool = True) -> Tuning:
    return tune(device, 2, graphs=graphs, cache=Path("/cache"), inputs=ROW)


@pytest.mark.parametrize("device", ["cpu", "cuda", "tensorrt", "openvino", "coreml", "directml"])
def test_the_processor_takes_what_a_device_cannot(device: str) -> None:
    names = [name for name, _ in tuned(device).providers]
    assert names[-1] == "CPUExecutionProvider"
    assert len(names) == len(set(names))
    assert len(names) == {"cpu": 1, "tensorrt": 3}.get(device, 2)


def test_planned_buffers_are_for_the_processor_only() -> None:
    assert tuned("cpu").memory_pattern
    for device in ("cuda", "tensorrt", "directml"):
        assert not tuned(device).memory_pattern


def test_waiting_threads_leave_the_processor_to_others() -> None:
    assert not tuned("cpu").spinning


def test_cuda_grows_by_what_is_asked_and_records_if_it_may() -> None:
    _, options = tuned("cuda").providers[0]
    assert options["arena_extend_strategy"] == "kSameAsRequested"
    assert options["enable_cuda_graph"] == "1"
    assert tuned("cuda", graphs=False).providers[0][1]["enable_cuda_graph"] == "0"
    assert dict(tuned("tensorrt").providers)["CUDAExecutionProvider"]["enable_cuda_graph"] == "0"


def test_one_tensorrt_engine_serves_every_batch_that_is_run() -> None:
    _, options = tuned("tensorrt").providers[0]
    assert options["trt_fp16_enable"] == options["trt_engine_cache_enable"] == "1"
    assert options["trt_engine_cache_path"] == str(Path("/cache"))
    assert options["trt_profile_min_shapes"] == "face:1x3x64x64"
    assert options["trt_profile_max_shapes"] == f"face:{MOST_ROWS}x3x64x64"


def test_buffers_hold_the_batch_and_are_few() -> None:
    sizes = [buffer_rows(rows) for rows in range(1, MOST_ROWS + 1)]
    assert all(size >= rows for rows, size in enumerate(sizes, 1))
    assert sizes[:8] == list(range(1, 9))
    assert max(sizes) == MOST_ROWS
    assert sum(set(sizes)) < 6 * MOST_ROWS


def test_only_small_batches_are_recorded() -> None:
    assert records_graph(1)
    assert records_graph(8)
    assert not records_graph(16)
