"""The pictures of all options, and the page that explains them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from benchmarks.quality import gallery as module
from benchmarks.quality.gallery import Family, cost_table, families
from stream.config import load
from stream.frame import Frame

PAGE = Path(__file__).parents[4] / "docs" / "blending.md"


@pytest.mark.parametrize("family", families(), ids=lambda family: family.name)
def test_every_option_is_explained_with_a_picture(family: Family) -> None:
    page = PAGE.read_text(encoding="utf-8")
    missing = [option for option in family.options if f"`{option}`" not in page]
    assert not missing, f"docs/blending.md does not explain {missing}"
    assert f"(images/blend_{family.name}.jpg)" in page


@pytest.mark.parametrize("family", families(), ids=lambda family: family.name)
def test_every_option_is_one_that_can_be_set(family: Family) -> None:
    for option in family.options:
        load(None, [], {**family.beside, family.key: option})


def test_the_table_of_costs() -> None:
    table = cost_table({"mask": {"hull": 1.24, "skin": 2.0}})
    assert table.splitlines()[-1] == "| `mask` | `hull` 1.2, `skin` 2.0 |"


def test_json_is_what_the_last_line_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    frame = Frame(np.zeros((4, 4, 3), np.uint8), 0, 0, 0)
    monkeypatch.setattr(module, "_clip", lambda _: iter([frame]))
    monkeypatch.setattr(module, "families", tuple)
    file = tmp_path / "gallery.json"
    arguments = ["--out", str(tmp_path), "--json", str(file)]
    result = CliRunner().invoke(module.gallery, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    written = json.loads(file.read_text(encoding="utf-8"))
    assert written == json.loads(result.output.splitlines()[-1])
    assert {"question", "machine", "costs_ms"} <= written.keys()
