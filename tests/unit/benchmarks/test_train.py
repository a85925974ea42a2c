from __future__ import annotations

import pytest
from click.testing import CliRunner

from benchmarks.train import train


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--a", "."], "give --a, --b and --work together"),
        (["--plot", "curves.png"], "--plot needs --a, --b and --work"),
        (["--minutes", "0"], "0.0 is not in the range"),
    ],
)
def test_wrong_use_is_explained(arguments: list[str], message: str) -> None:
    result = CliRunner().invoke(train, arguments)
    assert result.exit_code == 2
    assert message in result.output
