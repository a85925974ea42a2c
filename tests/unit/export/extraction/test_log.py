from __future__ import annotations

import errno
import json
from pathlib import Path

import numpy as np
import pytest

from export.errors import ExtractionError
from export.extraction.log import DetectionLog
from tests.unit.export.extraction.faked import found

STAMP = (10, 20)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    log = DetectionLog(tmp_path / "log")
    entry = log.entry("/clip.mp4", "clip", STAMP, 2)
    log.add(entry, [found(0), found(2)], 2)
    log.add(entry, [found(4, 1)], 6)
    log.finish(entry, "cut short")
    return tmp_path / "log"


def test_what_was_found_is_known_again(path: Path) -> None:
    entry = DetectionLog(path).entry("/clip.mp4", "clip", STAMP, 4)
    assert (entry.label, entry.through, entry.done, entry.damage) == ("clip", 6, True, "cut short")
    assert [(face.seq, face.track) for face in entry.faces] == [(0, 0), (2, 0), (4, 1)]
    expected = found(4, 1)
    np.testing.assert_allclose(entry.faces[2].landmarks, expected.landmarks, atol=0.006)
    np.testing.assert_array_equal(entry.faces[2].thumbnail, expected.thumbnail)
    assert entry.faces[2].scores == expected.scores
    assert entry.faces[2].pts_ns == expected.pts_ns


@pytest.mark.parametrize(("stamp", "every"), [((11, 20), 2), ((10, 21), 2), (STAMP, 3)])
def test_other_content_or_other_frames_are_looked_for_anew(
    path: Path, stamp: tuple[int, int], every: int
) -> None:
    entry = DetectionLog(path).entry("/clip.mp4", "clip", stamp, every)
    assert (entry.label, entry.through, entry.done, entry.faces) == ("clip", -1, False, [])
    again = DetectionLog(path).entry("/clip.mp4", "clip", stamp, every)
    assert (again.through, again.faces) == (-1, [])


def test_clips_of_the_same_name_get_labels_of_their_own(path: Path) -> None:
    log = DetectionLog(path)
    assert log.entry("/b/clip.mp4", "clip", STAMP, 1).label == "clip-2"
    assert log.entry("/c/clip.mp4", "clip", STAMP, 1).label == "clip-3"
    assert DetectionLog(path).entry("/b/clip.mp4", "clip", STAMP, 1).label == "clip-2"


def test_no_cut_makes_the_log_unreadable_or_wrong(path: Path) -> None:
    whole = path.read_bytes()
    for length in range(0, len(whole), 997):
        path.write_bytes(whole[:length])
        log = DetectionLog(path)
        entry = log.entry("/clip.mp4", "clip", STAMP, 2)
        assert len(entry.faces) == {-1: 0, 2: 2, 6: 3}[entry.through]
        log.add(entry, [found(8)], 8)
        entry = DetectionLog(path).entry("/clip.mp4", "clip", STAMP, 2)
        assert entry.through == 8
        assert len({face.seq for face in entry.faces}) == len(entry.faces)


@pytest.mark.parametrize(
    "lines",
    [["no json"], [json.dumps({"format": "facestream detections", "version": 99})], ["[]"]],
)
def test_another_file_is_refused_and_kept(tmp_path: Path, lines: list[str]) -> None:
    path = tmp_path / "log"
    path.write_text("\n".join(lines) + "\n")
    before = path.read_bytes()
    with pytest.raises(ExtractionError, match="line 1 is not what version 1"):
        DetectionLog(path)
    assert path.read_bytes() == before


def test_a_full_disk_is_named_and_what_was_found_is_kept(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = DetectionLog(path)
    entry = log.entry("/clip.mp4", "clip", STAMP, 2)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", full)
        with pytest.raises(ExtractionError, match="No space left on device; what was found"):
            log.add(entry, [found(8)], 8)
    assert entry.through == 6
    log.add(entry, [found(8)], 8)
    assert len(DetectionLog(path).entry("/clip.mp4", "clip", STAMP, 2).faces) == 4
