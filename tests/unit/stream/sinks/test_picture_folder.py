from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from stream.errors import SinkError
from stream.frame import Frame, SourceInfo
from stream.sinks.picture_folder import FolderSink
from stream.sinks.settings import SinkSettings


def written(path: Path, names: list[str], source: str = "nowhere/") -> list[str]:
    """What lies in the folder after frames with these names; each has its own gray."""
    info = SourceInfo(url=source, width=8, height=8)
    with FolderSink(path, info, SinkSettings()) as sink:
        for seq, name in enumerate(names):
            sink.write(Frame(np.full((8, 8, 3), 20 * seq, np.uint8), 0, seq, 0, name=name))
    folder = path.parent if "%" in path.name else path
    return sorted(entry.name for entry in folder.iterdir())


def gray(path: Path) -> int:
    image = cv2.imread(str(path))
    assert image is not None
    return round(float(image.mean()))


def test_pictures_keep_their_names_and_kinds(tmp_path: Path) -> None:
    names = ["a.png", "b.JPG", "c.webp", "d.tiff"]
    assert written(tmp_path, names) == ["a.png", "b.JPG", "c.webp", "d.png"]
    assert [gray(tmp_path / name) for name in ("a.png", "d.png")] == [0, 60]


def test_frames_without_names_are_numbered(tmp_path: Path) -> None:
    assert written(tmp_path, ["", ""]) == ["000000.png", "000001.png"]


def test_pattern_numbers_all(tmp_path: Path) -> None:
    assert written(tmp_path / "p%02d.jpg", ["a.png", "b.png"]) == ["p00.jpg", "p01.jpg"]


def test_no_picture_takes_the_name_of_another(tmp_path: Path) -> None:
    source, out = tmp_path / "photos", tmp_path / "out"
    source.mkdir()
    names = ["a.bmp", "a.jpg", "a.png", "b.bmp", "b.tif"]
    for name in names:
        (source / name).touch()
    found = written(out, names, str(source))
    assert found == ["a.bmp.png", "a.jpg", "a.png", "b.png", "b.tif.png"]
    assert [gray(out / name) for name in found] == [0, 20, 40, 60, 80]


def test_a_picture_that_comes_again_keeps_its_name(tmp_path: Path) -> None:
    assert written(tmp_path, ["a.png", "b.bmp", "a.png", "b.bmp"]) == ["a.png", "b.png"]


def test_the_pictures_of_an_earlier_run_are_replaced(tmp_path: Path) -> None:
    names = ["a.png", "b.jpg", "c.webp"]
    (tmp_path / ".hidden").touch()
    assert written(tmp_path, names) == [".hidden", *names]
    assert written(tmp_path, names) == [".hidden", *names]


@pytest.mark.parametrize("name", ["beach.jpg", "000000.png", "notes.txt", "folder.png/"])
def test_what_others_have_made_is_not_mixed_with(name: str, tmp_path: Path) -> None:
    if name.endswith("/"):
        (tmp_path / name).mkdir()
    elif name == "notes.txt":
        (tmp_path / name).touch()
    else:
        cv2.imwrite(str(tmp_path / name), np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(SinkError, match=r"/: \S+ is there, which is no picture.*pattern such as"):
        written(tmp_path, ["", ""])
    assert len(list(tmp_path.iterdir())) == 1
    assert len(written(tmp_path / "swapped_%06d.png", ["", ""])) == 3
