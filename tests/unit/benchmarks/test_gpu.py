from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.gpu import goals, network, streams
from benchmarks.gpu.memory import growth_mib, used_mib
from tests.tiny_models import write_model

GOOD = {
    "proof": {"share_on_device": 1.0},
    "batches": {
        "batches": {
            "1": {"p50_ms": 0.4, "faces_per_s": 2500},
            "64": {"p50_ms": 8.0, "faces_per_s": 8000},
        }
    },
    "streams": {
        "gathers": True,
        "streams": {"8": {"gathered": {"faces_per_s": 5000}, "apart": {"faces_per_s": 2000}}},
    },
    "pipeline": {"1080p, 1 face, 1 stream, null": {"fps": {"median": 200}}},
    "live": {"dropped": 0, "age_ms": {"p95": 30}},
    "memory": {"growth_mib": 0.5},
}


def verdicts(result: object) -> set[str]:
    return {line["verdict"] for line in goals.judge(result)}  # type: ignore[arg-type]


def test_goals_are_reached_missed_or_unknown() -> None:
    assert verdicts(GOOD) == {"reached"}
    assert verdicts({**GOOD, "memory": {"growth_mib": 300.0}}) == {"reached", "missed"}
    assert verdicts({}) == {"unknown"}
    assert verdicts({**GOOD, "streams": {"gathers": False}}) == {"reached", "unknown"}
    assert verdicts({**GOOD, "live": {"failed": "out of memory"}}) == {"reached", "unknown"}


def test_growth_is_a_slope_and_not_a_peak() -> None:
    assert growth_mib([100, 400, 100, 100, 400, 100]) == pytest.approx(0, abs=50)
    assert growth_mib([10, 11, 12, 13, 14]) == pytest.approx(4)
    assert growth_mib([7]) == 0


def test_memory_of_this_process_is_known() -> None:
    assert used_mib("cpu") > 10


def test_network_is_proven_and_measured(tmp_path: Path) -> None:
    path = write_model(tmp_path / "tiny.onnx")
    proof = network.proof(path, "cpu")
    assert proof["share_on_device"] == 1.0
    assert proof["executed"]["CPUExecutionProvider"]["nodes"] > 0
    measured = network.sweep(path, "cpu", (1, 3), 0.0, graphs=True)
    assert set(measured["batches"]) == {"1", "3"}
    assert measured["batches"]["3"]["faces_per_s"] > 0


def test_streams_are_measured_gathered_and_apart(tmp_path: Path) -> None:
    path = write_model(tmp_path / "tiny.onnx")
    measured = streams.measure(path, "cpu", (1, 3), 0.02)
    assert not measured["gathers"]
    for sides in measured["streams"].values():
        assert all(side["faces_per_s"] > 0 for side in sides.values())
        assert "rows_per_run" not in sides["apart"]


def test_soak_runs_as_often_as_asked_and_loads_once(tmp_path: Path) -> None:
    result = network.soak(write_model(tmp_path / "tiny.onnx"), "cpu", runs=20, limit_s=20.0)
    assert result["runs"] == 20
    assert len(result["mib"]) == 20
    assert result["models_loaded"] == 1
