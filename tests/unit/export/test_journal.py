from __future__ import annotations

from pathlib import Path

import cv2
import pytest

from export.errors import TrainingError
from export.journal import Entry, Journal, read_log
from export.loss_plot import plot_log


def log(folder: Path, start: int, *steps: int) -> Path:
    with Journal(folder, start) as journal:
        for step in steps:
            journal.write(step, step / 10, 64 * step, {"l1": 1 / step, "val_ssim_b": 0.5})
    return folder / "log.csv"


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = log(tmp_path, 0, 1, 3)
    assert path.read_text().splitlines()[0] == "step,seconds,images,name,value"
    assert read_log(path) == [
        Entry(1, 0.1, 64, "l1", 1.0),
        Entry(1, 0.1, 64, "val_ssim_b", 0.5),
        Entry(3, 0.3, 192, "l1", 0.333333),
        Entry(3, 0.3, 192, "val_ssim_b", 0.5),
    ]


def test_rows_can_be_read_while_the_training_runs(tmp_path: Path) -> None:
    with Journal(tmp_path, 0) as journal:
        journal.write(1, 1.0, 64, {"l1": 0.5})
        assert [entry.step for entry in read_log(tmp_path / "log.csv")] == [1]


def test_a_resumed_training_drops_what_it_will_repeat(tmp_path: Path) -> None:
    log(tmp_path, 0, 1, 2, 3)
    path = log(tmp_path, 2, 3, 4)
    assert [entry.step for entry in read_log(path) if entry.name == "l1"] == [1, 2, 3, 4]


def test_a_new_training_begins_a_new_log(tmp_path: Path) -> None:
    log(tmp_path, 0, 1, 2)
    assert {entry.step for entry in read_log(log(tmp_path, 0, 7))} == {7}


def test_a_cut_off_last_row_is_left_out(tmp_path: Path) -> None:
    path = log(tmp_path, 0, 1, 2)
    path.write_bytes(path.read_bytes()[:-12])
    assert [(entry.step, entry.name) for entry in read_log(path)][-1] == (2, "l1")


def test_what_is_no_log_is_named(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(TrainingError, match=r"log.csv begins with 'a,b', expected 'step,seconds"):
        Journal(tmp_path, 5)
    path.write_text("step,seconds,images,name,value\none,2,3,l1,4\n1,2,3,l1,4\n")
    with pytest.raises(TrainingError, match=r"log\.csv, line 2: "):
        read_log(path)
    assert read_log(tmp_path / "missing.csv") == []


def test_the_plot_has_a_panel_for_each_kind_of_value(tmp_path: Path) -> None:
    entries = read_log(log(tmp_path, 0, 1, 2, 3))
    plot_log([], tmp_path / "none.png")
    plot_log(entries, tmp_path / "loss.png")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log.csv", "loss.png"]
    both = cv2.imread(str(tmp_path / "loss.png"))
    plot_log([entry for entry in entries if entry.name == "l1"], tmp_path / "loss.png")
    one = cv2.imread(str(tmp_path / "loss.png"))
    assert both is not None
    assert one is not None
    assert both.shape == (one.shape[0], 2 * one.shape[1], 3)
