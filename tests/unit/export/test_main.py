from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from engine.errors import EngineError
from export.__main__ import main, run


def invoke(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    return result.exit_code, result.output


def test_help_needs_no_torch() -> None:
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from click.testing import CliRunner; from export.__main__ import main\n"
        "print(CliRunner().invoke(main, ['train', '--help']).output)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "--preview" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "give either --pairs, or both --a and --b"),
        (("--a", "."), "give either --pairs, or both --a and --b"),
        (("--pairs", ".", "--a", ".", "--b", "."), "give either --pairs, or both"),
        (("--pairs", "."), "give --minutes, --steps, --patience or --until-ssim"),
        (("--pairs", "missing", "--steps", "1"), "'missing' does not exist"),
        (("--pairs", ".", "--steps", "0"), "0 is not in the range"),
        (("--pairs", ".", "--steps", "1", "--encoder", "freeze"), "give --from MODEL"),
        (("--pairs", ".", "--steps", "1", "--resume", "--from", "maro"), "leave one out"),
        (("--pairs", ".", "--steps", "1", "--vary-colors"), "is for --a and --b"),
    ],
)
def test_wrong_use_is_explained(tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    code, output = invoke("train", tmp_path / "out", *arguments)
    assert code == 2
    assert message in output


def test_a_checkpoint_is_not_overwritten_by_accident(tmp_path: Path) -> None:
    (tmp_path / "checkpoint.safetensors").touch()
    code, output = invoke("train", tmp_path, "--pairs", tmp_path, "--steps", 1)
    assert code == 2
    assert "holds a checkpoint; give --resume" in output


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (click.ClickException("on the way"), 1, "Error: on the way"),
        (click.UsageError("not so"), 2, "Error: not so"),
        (EngineError("no parity"), 1, "error: no parity"),
        (OSError(28, "No space left", "b.onnx"), 1, "error: [Errno 28] No space left: 'b.onnx'"),
        (ImportError("no torch"), 1, "error: no torch; pip install 'facestream[train]'"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (click.exceptions.Exit(130), 130, None),
        (None, 0, None),
    ],
)
def test_every_end_has_its_exit_code(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException | None,
    code: int,
    line: str | None,
) -> None:
    @click.command("end")
    def end() -> None:
        if error is not None:
            raise error

    monkeypatch.setitem(main.commands, "end", end)
    monkeypatch.setattr(sys, "argv", ["export", "end"])
    assert run() == code
    assert (capsys.readouterr().err.splitlines() or [None])[-1] == line
