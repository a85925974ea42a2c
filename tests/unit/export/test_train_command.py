from __future__ import annotations

import dataclasses
import re
import signal
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from click.testing import CliRunner

from export import checkpoint, model, pretrained
from export.__main__ import main
from export.train import Trainer
from tests.unit.export import tiny
from tests.unit.export.tiny_networks import TINY_LIGHT, TINY_ORIGINAL

ANOTHER = dataclasses.replace(TINY_LIGHT, name="another", code=20)


@pytest.fixture(autouse=True)
def plans(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tiny networks, and one more: its plan is all that a network needs."""
    known = {"light": TINY_LIGHT, "original": TINY_ORIGINAL, "another": ANOTHER}
    for module in (checkpoint, model, pretrained):
        monkeypatch.setattr(module, "PLANS", known)


@pytest.fixture
def folders(tmp_path: Path) -> list[str]:
    """The options for two folders of faces."""
    for seed, name in enumerate("ab"):
        (tmp_path / name).mkdir()
        rng = np.random.default_rng(seed)
        for index in range(20):
            picture = tiny.face(rng, 96)
            cv2.imwrite(str(tmp_path / name / f"{index:02}.png"), picture)
    return ["--a", str(tmp_path / "a"), "--b", str(tmp_path / "b"), "--batch", "2"]


def train(*arguments: object) -> str:
    code, output = invoke("train", *arguments, "--threads", 1)
    assert code == 0, output
    return output


def invoke(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


def encoder(folder: Path) -> torch.Tensor:
    return checkpoint.load_network(checkpoint.load(folder), "network").encoder.squeeze.weight


def test_any_plan_trains_and_what_it_exports_is_a_start(tmp_path: Path, folders: list[str]) -> None:
    out, file = tmp_path / "out", tmp_path / "b.onnx"
    said = train(out, *folders, "--network", "another", "--steps", 2, "--preview")
    assert re.fullmatch(
        rf"{out}: ended, the schedule is done; SSIM of held-out faces: A -?0\.\d+, B -?0\.\d+",
        said.splitlines()[-1],
    )
    assert {path.name for path in out.iterdir()} == {
        "best.json",
        "best.safetensors",
        "checkpoint.json",
        "checkpoint.safetensors",
        "log.csv",
        "loss.png",
        "preview.png",
    }
    identity = ("--name", "b", "--persona", "B", "--consent", "drawn by a test")
    assert invoke("onnx", out, file, "--faces", folders[1], *identity)[0] == 0
    tuned = tmp_path / "tuned"
    options = (*folders, "--network", "another", "--encoder", "freeze")
    train(tuned, *options, "--from", file, "--steps", 1)
    torch.testing.assert_close(
        encoder(tuned), pretrained.read_pretrained(str(file)).encoder["squeeze.weight"]
    )
    train(tuned, *options, "--resume", "--steps", 2)
    assert checkpoint.load(tuned).state["step"] == 2


def test_a_large_network_teaches_a_small_one(tmp_path: Path, folders: list[str]) -> None:
    train(tmp_path / "large", *folders, "--network", "original", "--steps", 1)
    train(tmp_path / "alone", *folders, "--steps", 1)
    train(tmp_path / "taught", *folders, "--steps", 1, "--teacher", tmp_path / "large")
    alone, taught = (checkpoint.load(tmp_path / name) for name in ("alone", "taught"))
    # Decoder B has seen A's two faces beside its own two.
    assert (alone.state["images"], taught.state["images"]) == (4, 6)


def test_a_training_ends_when_it_is_good_enough(tmp_path: Path, folders: list[str]) -> None:
    said = train(tmp_path / "out", *folders, "--until-ssim", 0.01, "--validate-every", 1e-9)
    assert "ended, both sides have reached SSIM 0.01; SSIM of held-out faces: A " in said
    assert checkpoint.load(tmp_path / "out").state["step"] == 1


def test_whoever_ends_a_training_is_told_how_to_go_on(
    tmp_path: Path, folders: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    step = Trainer.train_step

    def terminated(one: Trainer, *arguments: Any) -> dict[str, float]:
        if one.step == 1:
            signal.raise_signal(signal.SIGTERM)
        return step(one, *arguments)

    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(Trainer, "train_step", terminated)
    code, output = invoke("train", tmp_path / "out", *folders, "--steps", 9, "--threads", 1)
    assert code == 130
    assert output.splitlines()[-1] == "interrupted; --resume goes on"
    assert checkpoint.load(tmp_path / "out").state["step"] == 2
    assert signal.getsignal(signal.SIGTERM) == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--network", "heavy"), "--network heavy is none of light, original, another"),
        (("--network", "original", "--texture"), "original trains on plain L1"),
        (("--from", "nobody"), "'nobody': no such file and no bundled model"),
        (("--from", "OTHER"), "holds network 'another', expected 'light'"),
        (("--teacher", "EMPTY"), "no checkpoint at"),
        (("--resume",), "no checkpoint at"),
        (("--b", "EMPTY"), "has 0 usable pictures"),
        (("--b", "A"), "expected two folders of two people"),
        (("--device", "cuda:99"), "device 'cuda:99' is not there"),
        (("--device", "gpu"), "device 'gpu' is unknown"),
        (("--device", "meta"), "device 'meta' is unknown"),
        (("--seed", "-1"), "-1 is not in the range"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    tmp_path: Path, folders: list[str], options: tuple[str, ...], message: str
) -> None:
    (tmp_path / "empty").mkdir()
    if "OTHER" in options:
        train(tmp_path / "other", *folders, "--network", "another", "--steps", 1)
    paths = {"EMPTY": tmp_path / "empty", "OTHER": tmp_path / "other", "A": tmp_path / "a"}
    given = [paths.get(option, option) for option in options]
    code, output = invoke("train", tmp_path / "out", *folders, "--steps", 1, *given)
    assert code == 2
    (line,) = [line for line in output.splitlines() if line.startswith("Error: ")]
    assert message in line
    assert not (tmp_path / "out").exists()
