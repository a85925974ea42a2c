from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from benchmarks.table import markdown, table

README = Path(__file__).parents[3] / "README.md"
RESULTS = Path(__file__).parents[3] / "benchmarks" / "results"


def spread(middle: float) -> dict[str, float]:
    return {"min": middle - 1, "median": middle, "max": middle + 1}


def stages() -> dict[str, Any]:
    stage = {"ms": spread(4.0), "bound_ms": 0.25}
    return {
        "roof": {"bytes_per_s": 14e9, "macs_per_s": 80e9},
        "scenes": {"720p, 1 face": {"stages": {"capture": stage, "swap": stage}}},
    }


def test_every_figure_stands_beside_its_bound() -> None:
    text = markdown({"stages": stages()})
    assert "| ms alone (bound) | capture | swap |" in text
    assert "| 720p, 1 face | 4.0 (0.25) | 4.0 (0.25) |" in text
    assert "14 GB/s" in text


def test_a_missing_gpu_is_said_and_a_measured_one_shown() -> None:
    assert "No figure here is of a GPU" in markdown({})
    goals = [{"goal": "one face", "measured": "0.4", "verdict": "reached"}]
    text = markdown({"gpu": {"goals": goals}})
    assert "| one face | 0.4 | reached |" in text
    assert "No figure" not in text


def test_readme_is_what_the_committed_results_say() -> None:
    text = README.read_text(encoding="utf-8")
    block = text.partition("<!-- performance -->\n")[2].partition("\n<!-- /performance -->")[0]
    measured = {
        name: json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
        for name in ("pipeline", "stages", "gpu")
        if (RESULTS / f"{name}.json").exists()
    }
    assert block == markdown(measured), "run `make docs`"


def test_only_the_block_is_replaced(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("a\n<!-- performance -->\nold\n<!-- /performance -->\nb\n")
    (tmp_path / "stages.json").write_text(json.dumps(stages()))
    done = CliRunner().invoke(table, [str(tmp_path), "--readme", str(readme)])
    assert done.exit_code == 0, done.output
    text = readme.read_text()
    assert text.startswith("a\n<!-- performance -->\n")
    assert text.endswith("\n<!-- /performance -->\nb\n")
    assert "old" not in text
