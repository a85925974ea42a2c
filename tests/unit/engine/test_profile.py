from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine import profile
from engine.errors import ModelError
from engine.profile import Share
from engine.session import DEVICES, PROVIDERS, Runtime, Session
from tests.tiny_models import write_model


def node(provider: str, micros: float) -> dict[str, object]:
    return {"cat": "Node", "dur": micros, "args": {"provider": provider, "op_name": "Conv"}}


def test_nodes_are_counted_by_provider_most_first() -> None:
    events = [
        {"cat": "Session", "dur": 9000, "args": {}},
        node("CPUExecutionProvider", 500),
        node("CUDAExecutionProvider", 1000),
        node("CUDAExecutionProvider", 250),
        {"cat": "Node", "dur": 3, "args": {}},
        {"cat": "Node", "args": {"provider": "CPUExecutionProvider"}},
        node("CUDAExecutionProvider", 250),
    ]
    assert profile.shares(events) == {
        "CUDAExecutionProvider": Share(3, 1.5),
        "CPUExecutionProvider": Share(2, 0.5),
    }
    assert next(iter(profile.shares(events))) == "CUDAExecutionProvider"


def test_a_session_tells_who_executed_its_nodes(tmp_path: Path) -> None:
    folder = tmp_path / "record"
    folder.mkdir()
    session = Session(write_model(tmp_path / "m.onnx"), "cpu", profile_prefix=folder / "profile")
    session.run(["swapped"], {"face": np.zeros((1, 3, 64, 64), np.float32)})
    executed = session.executed()
    assert set(executed) == {"CPUExecutionProvider"}
    assert executed["CPUExecutionProvider"].nodes == 2
    assert not list(folder.iterdir())


@pytest.mark.parametrize("content", [None, "[{"])
def test_a_record_that_cannot_be_read(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "p.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ModelError, match="cannot be read"):
        profile.read(path)


def test_devices_are_those_that_the_build_has_a_provider_for() -> None:
    runtime = Runtime("1", "onnxruntime", "", ("CPUExecutionProvider", "AzureExecutionProvider"))
    assert runtime.devices == ("cpu",)
    everything = Runtime("1", "onnxruntime-gpu", "13.0", tuple(reversed(PROVIDERS.values())))
    assert everything.devices == DEVICES[1:]
    assert "CPUExecutionProvider" in Runtime.installed().providers
