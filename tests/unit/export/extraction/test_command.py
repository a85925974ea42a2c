from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from export.__main__ import main


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("missing.mp4", "out"), "missing.mp4: no such file or folder"),
        (("empty", "out"), "no pictures in this folder"),
        (("empty", "empty/faces"), "lies in the source"),
        (("empty", "file"), "is a file"),
        (("empty",), "Missing argument"),
        (("empty", "out", "--size", "63"), "63 is not in the range"),
        (("empty", "out", "--person", "me"), "expected a number, auto or all"),
        (("empty", "out", "--exposure", "0.5"), "requires 2 arguments"),
    ],
)
def test_wrong_use_is_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    Path("file").touch()
    result = CliRunner().invoke(main, ["extract", *arguments])
    assert result.exit_code == 2
    assert message in " ".join(result.output.split())
    assert not Path("out").exists()
