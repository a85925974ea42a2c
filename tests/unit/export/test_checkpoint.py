from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from export import checkpoint
from export.checkpoint import BEST, NAME, Checkpoint, load, load_best, load_network, save
from export.errors import CheckpointError
from export.model import LIGHT, FaceSwapper


def some(step: int = 3) -> Checkpoint:
    tensors = {"network.weight": torch.arange(6.0).view(2, 3).T, "average.weight": torch.ones(2)}
    return Checkpoint(tensors, {"plan": "light", "step": step})


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    path = save(tmp_path / "new", some())
    for source in (path, path.parent):
        loaded = load(source)
        assert loaded.state["step"] == 3
        assert loaded.tensors.keys() == some().tensors.keys()
        assert torch.equal(loaded.part("network")["weight"], some().tensors["network.weight"])
    beside = json.loads(path.with_suffix(".json").read_text())
    assert beside == dict(load(path).state)
    assert path.stat().st_mode == path.with_suffix(".json").stat().st_mode


def test_an_interrupted_save_keeps_the_previous_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(tmp_path, some(step=1))

    def interrupted(_: object, path: Path, **__: object) -> None:
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(checkpoint, "save_file", interrupted)
    with pytest.raises(KeyboardInterrupt):
        save(tmp_path, some(step=2))
    assert load(tmp_path).state["step"] == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint.json", NAME]


def test_a_full_disk_keeps_the_previous_checkpoint(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    save(tmp_path, some(step=1))
    written = sum(path.stat().st_size for path in tmp_path.iterdir())
    large = Checkpoint({"network.weight": torch.zeros(10 * written)}, {"step": 2})
    # The system refuses larger files as it refuses any on a full disk.
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5 * written, before[1]))
    try:
        with pytest.raises(CheckpointError, match=r"could not be written .*previous one is kept"):
            save(tmp_path, large)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert load(tmp_path).state["step"] == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint.json", NAME]


def test_the_best_weights_are_those_to_deploy(tmp_path: Path) -> None:
    last = save(tmp_path, some(step=5))
    assert load_best(tmp_path).state["step"] == 5
    save(tmp_path, some(step=3), BEST)
    assert load_best(tmp_path).state["step"] == 3
    assert load_best(last).state["step"] == load(tmp_path).state["step"] == 5


def test_a_missing_or_cut_off_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no checkpoint at"):
        load(tmp_path)
    path = save(tmp_path, some())
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(CheckpointError, match="cannot be read"):
        load(tmp_path)


def test_another_version_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "VERSION", 99)
    save(tmp_path, some())
    monkeypatch.undo()
    with pytest.raises(CheckpointError, match="version 99, expected 1"):
        load(tmp_path)


def test_tensors_must_fit_the_network() -> None:
    with pytest.raises(CheckpointError, match="does not fit"):
        load_network(some())
    with pytest.raises(CheckpointError, match="'other', expected one of"):
        load_network(Checkpoint({}, {"plan": "other"}))
    network = FaceSwapper(LIGHT)
    tensors = {f"average.{name}": tensor for name, tensor in network.state_dict().items()}
    loaded = load_network(Checkpoint(tensors, {"plan": "light"}))
    assert torch.equal(loaded.encoder.squeeze.weight, network.encoder.squeeze.weight)
