from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from click.testing import CliRunner

from export import checkpoint, pretrained
from export.__main__ import main
from export.model import FaceSwapper
from tests.unit.export import tiny
from tests.unit.export.tiny_networks import TINY_LIGHT

IDENTITY = ("--name", "b", "--persona", "B", "--consent", "drawn by a test")
STATE = {
    "plan": "light",
    "mode": "classic",
    "step": 1,
    "seconds": 1.0,
    "images": 2,
    "data": {},
    "validation": {},
}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a training, a diverged one, faces, too few of them, and damage."""
    for module in (checkpoint, pretrained):
        monkeypatch.setattr(module, "PLANS", {"light": TINY_LIGHT})
    monkeypatch.chdir(tmp_path)
    network = FaceSwapper(TINY_LIGHT)
    save(Path("trained"), network)
    with torch.no_grad():
        network.encoder.squeeze.weight[0, 0] = float("nan")
    save(Path("diverged"), network)
    rng = np.random.default_rng(0)
    for name, count in (("faces", 3), ("one", 1), ("empty", 0)):
        Path(name).mkdir()
        for index in range(count):
            cv2.imwrite(f"{name}/{index}.png", tiny.face(rng, 96))
    whole = Path("trained", checkpoint.NAME).read_bytes()
    Path("cut.safetensors").write_bytes(whole[:-4])
    Path("cut.onnx").write_bytes(b"half a model")
    return tmp_path


def save(folder: Path, network: FaceSwapper) -> None:
    tensors = checkpoint.named("average", network)
    checkpoint.save(folder, checkpoint.Checkpoint(tensors, STATE))


def invoke(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


def test_a_model_is_written_into_a_new_folder(place: Path) -> None:
    code, output = invoke("onnx", "trained", "new/b.onnx", "--faces", "faces", *IDENTITY)
    assert code == 0
    assert output.startswith("new/b.onnx: ")
    assert [path.name for path in (place / "new").iterdir()] == ["b.onnx"]


def test_pictures_that_cannot_be_used_are_named(place: Path) -> None:
    (place / "faces" / "broken.png").write_bytes(b"no picture")
    code, output = invoke("onnx", "trained", "b.onnx", "--faces", "faces", *IDENTITY)
    assert code == 0
    assert output.startswith("faces/broken.png is left out: it cannot be read as a picture\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("onnx", "empty", "b.onnx", "--faces", "faces", *IDENTITY), "no checkpoint at"),
        (("onnx", "cut.safetensors", "b.onnx", "--faces", "faces", *IDENTITY), "may be cut off"),
        (("onnx", "trained", "b.onnx", "--faces", "empty", *IDENTITY), "has 0 usable pictures"),
        (("onnx", "trained", "b.onnx", "--faces", "one", *IDENTITY), "has 1 usable picture,"),
        (
            ("onnx", "trained", "b.onnx", "--faces", "faces", *IDENTITY, "--dtype", "int8"),
            "3 faces, expected at least 16",
        ),
        (
            ("onnx", "trained", "b.onnx", "--faces", "faces", *IDENTITY, "--alignment", "half"),
            "alignment 'half' is unknown",
        ),
        (("report", "cut.onnx", "out", "--faces", "faces"), "cut.onnx"),
        (("report", "empty", "out", "--faces", "faces"), "no checkpoint at"),
        (("report", "trained", "out", "--faces", "empty"), "has 0 usable pictures"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    place: Path, arguments: tuple[str, ...], message: str
) -> None:
    before = sorted(place.iterdir())
    code, output = invoke(*arguments)
    assert code == 2
    (line,) = output.splitlines()
    assert line.startswith("Error: ")
    assert message in line
    assert sorted(place.iterdir()) == before


def test_a_diverged_network_is_a_failure_and_no_bad_input(place: Path) -> None:
    arguments = ("onnx", place / "diverged", "b.onnx", "--faces", "faces", *IDENTITY)
    with pytest.raises(Exception, match="torch and ONNX Runtime differ"):
        invoke(*arguments)
    assert not (place / "b.onnx").exists()
