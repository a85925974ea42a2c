from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks.__main__ import main
from benchmarks.against import compare, figures, markdown


def spread(low: float, middle: float, high: float) -> dict[str, float]:
    return {"min": low, "median": middle, "max": high}


def only(old: object, new: object, name: str = "fps") -> tuple[str, float | None]:
    (change,) = compare({name: old}, {name: new})
    return change.verdict, change.ratio


def test_figures_whose_spreads_overlap_are_the_same() -> None:
    assert only(spread(50, 55, 60), spread(58, 61, 64))[0] == "same"
    assert only(spread(50, 55, 60), spread(61, 62, 64)) == ("better", pytest.approx(62 / 55))


def test_a_figure_measured_once_gets_a_spread() -> None:
    assert only(100.0, 104.0)[0] == "same"
    assert only(100.0, 130.0)[0] == "better"
    assert compare({"fps": 100.0}, {"fps": 104.0}, noise=0.001)[0].verdict == "better"


@pytest.mark.parametrize(
    ("name", "verdict"),
    [
        ("fps", "better"),
        ("faces_per_s", "better"),
        ("bytes_per_s", "better"),
        ("efficiency", "better"),
        ("p50_ms", "worse"),
        ("wall_s", "worse"),
        ("dropped", "worse"),
        ("frames", "changed"),
    ],
)
def test_units_tell_which_way_is_better(name: str, verdict: str) -> None:
    assert only(100.0, 200.0, name)[0] == verdict


def test_the_innermost_unit_decides() -> None:
    old, new = {"age_ms": {"p50": 10.0}}, {"age_ms": {"p50": 20.0}}
    assert [(c.name, c.verdict) for c in compare(old, new)] == [("age_ms.p50", "worse")]


def test_machine_settings_words_and_flags_are_no_figures() -> None:
    result = {
        "machine": {"threads": 2},
        "settings": {"repeats": 5},
        "question": "?",
        "ok": True,
        "list": [1, 2],
        "runs": 3,
    }
    assert list(figures(result)) == ["runs"]


def test_nothing_is_divided_by_zero() -> None:
    assert only(0, 3, "dropped") == ("worse", None)
    assert only(0, 0, "dropped") == ("same", None)


def test_table_names_the_change_and_the_other_machine() -> None:
    old = {"machine": {"threads": 2}, "fps": 10.0, "ms": 1.0}
    new = {"machine": {"threads": 8}, "fps": 20.0, "ms": 1.0}
    text = markdown(compare(old, new), old, new)
    assert "1 of 2 figures are the same" in text
    assert "| fps | 10 | 20 | 2.00 | better |" in text
    assert "threads was 2, is 8" in text


def test_any_benchmark_can_be_compared_with_an_earlier_result(tmp_path: Path) -> None:
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    old.write_text(json.dumps({"fps": 10.0}))
    new.write_text(json.dumps({"fps": 20.0}))
    table = CliRunner().invoke(main, ["against", str(old), str(new)])
    assert table.exit_code == 0
    assert "better" in table.output


def test_against_reads_the_last_line_that_a_benchmark_prints(tmp_path: Path) -> None:
    import click  # noqa: PLC0415 - a benchmark of this test alone

    @click.command()
    def shouting() -> None:
        click.echo("round 1: 20 fps")
        click.echo(json.dumps({"fps": 20.0}))

    old = tmp_path / "old.json"
    old.write_text(json.dumps({"fps": 10.0}))
    main.add_command(shouting)
    try:
        done = CliRunner().invoke(main, ["--against", str(old), "shouting"])
    finally:
        del main.commands["shouting"]
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[-1] == '{"fps": 20.0}'
    assert "| fps | 10 | 20 | 2.00 | better |" in done.stderr


def test_a_file_that_is_no_result_is_one_line(tmp_path: Path) -> None:
    file = tmp_path / "old.json"
    file.write_text("[1")
    done = CliRunner().invoke(main, ["against", str(file), str(file)])
    assert done.exit_code == 1
    assert "no result of a benchmark" in done.output
