from __future__ import annotations

from pathlib import Path

import pytest

from export.errors import InputError
from export.extraction.inputs import list_inputs


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("p10.jpg", "p2.png", ".hidden.png", "notes.txt"):
        (folder / name).touch()
    return folder


def test_a_folder_is_its_pictures_in_natural_order(folder: Path, tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"12345")
    inputs = list_inputs([str(folder), str(clip), str(folder / "p2.png")], tmp_path / "out")
    assert [(each.stem, each.still) for each in inputs] == [
        ("p2", True),
        ("p10", True),
        ("clip", False),
    ]
    assert inputs[2].stamp == (5, clip.stat().st_mtime_ns)


@pytest.mark.parametrize(
    ("source", "stem"), [("0", "camera0"), ("/dev/video2", "camera2"), ("rtsp://u:p@h/", "stream")]
)
def test_cameras_and_servers_are_live(tmp_path: Path, source: str, stem: str) -> None:
    (live,) = list_inputs([source], tmp_path)
    assert (live.live, live.stem) == (True, stem)
    assert "u:p" not in live.name


def test_sources_that_make_no_sense_are_named(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for sources, out, message in (
        (["missing.mp4"], tmp_path / "out", r"missing\.mp4: no such file or folder"),
        ([str(tmp_path / "empty")], tmp_path / "out", "empty: no pictures in this folder"),
        ([str(folder)], folder, "lies in the source"),
        ([str(folder)], folder / "out", "lies in the source"),
        ([str(folder)], tmp_path, "where the crops go"),
        ([str(folder / "p2.png")], folder, "where the crops go"),
    ):
        with pytest.raises(InputError, match=message):
            list_inputs(sources, out)
