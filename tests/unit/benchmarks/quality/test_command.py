"""What the command says to wrong input."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from benchmarks.quality.command import quality


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["no-such-clip.mp4"], "no-such-clip.mp4"),
        (["--mask", "triangle"], "triangle"),
        (["--set", "blend.fether=1"], "fether"),
        (["--frames", "0"], "frames"),
    ],
)
def test_bad_input_ends_with_one_clear_line_and_code_2(arguments: list[str], said: str) -> None:
    result = CliRunner().invoke(quality, arguments)
    assert result.exit_code == 2
    assert said in result.output
    assert "Traceback" not in result.output
