from __future__ import annotations

import dataclasses
import errno
from pathlib import Path

import cv2
import numpy as np
import pytest

from export.crop_folder import PICTURES
from export.errors import ExtractionError, InputError
from export.extraction import crops, scan, store
from export.extraction.alignments import Aligned, read_alignments
from export.extraction.quality import Limits
from export.extraction.run import Summary, extract
from export.extraction.settings import Settings
from tests.marked_faces import MarkDetector
from tests.unit.export.extraction.faked import Clips, FakeMonitor, Searcher, shot

# Painted heads are turned oddly.
LOOSE = Limits(0.0, 0.0, 180.0, 180.0, 180.0, 0.0, 1.0, 1.0, 0.0)
ALL = Settings(size=64, limits=LOOSE, distance=0.0)

LEFT = (0, (80.0, 90.0), 60.0)
RIGHT = (1, (220.0, 90.0), 70.0)


class Folder:
    """An extraction's folder and what goes into it."""

    def __init__(self, path: Path, clips: Clips) -> None:
        self.clips = clips
        self.out = path / "out"
        self.searcher = Searcher()
        self._path = path

    def clip(self, name: str, frames: list[np.ndarray]) -> str:
        (self._path / name).write_bytes(b"clip")
        self.clips.frames[name] = frames
        return str(self._path / name)

    def picture(self, name: str, data: np.ndarray | bytes) -> str:
        path = self._path / name
        path.parent.mkdir(exist_ok=True)
        if isinstance(data, bytes):
            path.write_bytes(data)
        else:
            cv2.imwrite(str(path), data)
        return str(path)

    def extract(
        self, *sources: str, settings: Settings = ALL, monitor: FakeMonitor | None = None
    ) -> Summary:
        finder = self.searcher.finder()
        return extract(sources, self.out, settings, monitor or FakeMonitor(), finder)

    @property
    def crops(self) -> list[Aligned]:
        return read_alignments(self.out) or []

    @property
    def files(self) -> list[str]:
        return sorted(each.name for each in self.out.glob("*.png") if each.name != "contact.png")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    clips = Clips()
    monkeypatch.setattr(scan, "open_source", clips.open)
    monkeypatch.setattr(store, "open_source", clips.open)
    return Folder(tmp_path, clips)


def test_crops_show_the_face_where_the_landmarks_say(folder: Folder) -> None:
    summary = folder.extract(folder.clip("clip.mp4", shot(LEFT, count=3)))
    assert (summary.crops, summary.found, summary.complete) == (3, 3, True)
    assert folder.files == [f"clip-{seq:06}-0.png" for seq in range(3)]
    for crop in folder.crops:
        picture = cv2.imread(str(folder.out / crop.file))
        (found,) = MarkDetector().detect(np.asarray(picture, np.uint8))
        assert picture.shape == (64, 64, 3)
        np.testing.assert_allclose(found[[33, 263]], crop.landmarks_px(64)[[33, 263]], atol=1.0)
    assert (folder.out / "contact.png").suffix in PICTURES


def test_people_do_not_mix_unless_all_are_asked_for(folder: Folder) -> None:
    clip = folder.clip("clip.mp4", [*shot(LEFT, RIGHT), *shot(RIGHT, count=2)])
    monitor = FakeMonitor()
    folder.extract(clip, monitor=monitor)
    (taken,) = {crop.track for crop in folder.crops}
    assert len(folder.crops) == 8
    assert "--person" in monitor.lines[0]
    assert all(crop.box[0] > 150 for crop in folder.crops)
    folder.extract(clip, settings=Settings(size=64, limits=LOOSE, distance=0.0, person="all"))
    assert len(folder.crops) == 14
    folder.extract(clip, settings=Settings(size=64, limits=LOOSE, distance=0.0, person=1 - taken))
    assert len(folder.files) == len(folder.crops) == 6
    assert all(crop.box[0] < 150 for crop in folder.crops)


def test_another_size_or_limit_looks_for_no_face_again(folder: Folder) -> None:
    clip = folder.clip("clip.mp4", shot(LEFT))
    folder.extract(clip)
    looked_at = folder.searcher.looked_at
    summary = folder.extract(clip, settings=Settings(96, 2, LOOSE, distance=0.0))
    assert folder.searcher.looked_at == looked_at
    assert summary.new_faces == 0
    assert [crop.seq for crop in folder.crops] == [0, 2, 4]
    assert cv2.imread(str(folder.out / folder.files[0])).shape == (96, 96, 3)


def test_an_interrupted_run_keeps_what_it_has_and_goes_on(folder: Folder) -> None:
    clip = folder.clip("clip.mp4", shot(LEFT, count=9))
    first = folder.extract(clip, monitor=FakeMonitor(stop_after=4))
    assert (first.complete, first.crops) == (False, 4)
    assert folder.searcher.looked_at == 4
    second = folder.extract(clip)
    assert (second.complete, second.crops, second.new_faces) == (True, 9, 5)
    assert folder.searcher.looked_at == 9
    assert {crop.track for crop in folder.crops} == {0}


def test_an_interrupted_second_pass_keeps_the_crops_of_before(folder: Folder) -> None:
    clip = folder.clip("clip.mp4", shot(LEFT, count=6))
    folder.extract(clip)
    strict = Settings(96, limits=LOOSE, distance=0.0, every=2)
    summary = folder.extract(clip, settings=strict, monitor=FakeMonitor(stop_after=1))
    assert (summary.complete, summary.crops) == (False, 1)
    assert len(folder.crops) == len(folder.files) == 6


def test_a_clip_ends_where_the_user_says_and_can_be_gone_on_with(folder: Folder) -> None:
    """Frames are 40 ms apart."""
    clip = folder.clip("clip.mp4", shot(LEFT, count=9))
    short = dataclasses.replace(ALL, duration_s=0.16)
    for _ in range(2):
        summary = folder.extract(clip, settings=short)
        assert (summary.complete, summary.crops, summary.found) == (True, 4, 4)
        assert folder.searcher.looked_at == 4
    whole = folder.extract(clip)
    assert (whole.complete, whole.crops, whole.new_faces) == (True, 9, 5)
    assert folder.extract(clip, settings=short).crops == len(folder.files) == 4
    assert folder.searcher.looked_at == 9


def test_crops_of_other_sources_stay(folder: Folder) -> None:
    folder.extract(folder.clip("one.mp4", shot(LEFT, count=2)))
    folder.extract(folder.clip("two.mp4", shot(RIGHT, count=3)))
    assert [crop.file[:3] for crop in folder.crops] == ["one"] * 2 + ["two"] * 3


def test_pictures_stand_alone_and_the_largest_face_is_taken(folder: Folder) -> None:
    image = shot(LEFT, RIGHT, count=1)[0]
    for name in ("photos/a.png", "photos/b.png"):
        folder.picture(name, image)
    photos = folder.picture("photos/broken.jpg", b"no picture")
    folder.picture("photos/tiny.png", np.zeros((1, 1, 3), np.uint8))
    monitor = FakeMonitor()
    summary = folder.extract(str(Path(photos).parent), monitor=monitor)
    assert folder.files == ["a-0.png", "b-0.png"]
    assert all(crop.box[0] > 150 for crop in folder.crops)
    assert summary.complete
    assert len(monitor.lines) == 1
    assert "broken.jpg" in monitor.lines[0]


def test_damage_is_told_and_what_came_before_is_used(folder: Folder) -> None:
    clip = folder.clip("clip.mp4", shot(LEFT, count=3))
    folder.clips.damage["clip.mp4"] = "clip.mp4: damaged after frame 3"
    monitor = FakeMonitor()
    assert folder.extract(clip, monitor=monitor).crops == 3
    assert monitor.lines == ["note: clip.mp4: damaged after frame 3"]


def test_nothing_found_changes_nothing(folder: Folder) -> None:
    folder.extract(folder.clip("clip.mp4", shot(LEFT, count=2)))
    with pytest.raises(ExtractionError, match="no face was found"):
        folder.extract(folder.clip("wall.mp4", shot(count=2)))
    with pytest.raises(ExtractionError, match=r"none of 2 faces is good enough \(2 too small\)"):
        folder.extract(
            folder.clip("far.mp4", shot((0, (80.0, 90.0), 40.0), count=2)),
            settings=Settings(limits=Limits(min_size_px=100)),
        )
    assert len(folder.crops) == len(folder.files) == 2


def test_what_cannot_be_used_at_all_is_an_input_error(folder: Folder) -> None:
    broken = folder.picture("broken.jpg", b"no picture")
    with pytest.raises(InputError, match=r"broken\.jpg: not a picture"):
        folder.extract(broken)
    clip = folder.clip("clip.mp4", shot(LEFT, count=2))
    with pytest.raises(InputError, match="has no track 7, expected one of 0"):
        folder.extract(clip, settings=Settings(person=7))
    with pytest.raises(InputError, match="one by one"):
        folder.extract(clip, folder.clip("b.mp4", shot(LEFT)), settings=Settings(person=0))


def test_a_full_disk_loses_no_crop_that_was_written(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = folder.clip("clip.mp4", shot(LEFT, count=4))
    write_bytes, written = Path.write_bytes, []

    def fills_up(path: Path, data: bytes) -> int:
        written.append(path)
        if len(written) == 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write_bytes(path, data)

    with monkeypatch.context() as patch:
        patch.setattr(crops.Path, "write_bytes", fills_up)
        with pytest.raises(ExtractionError, match="No space left on device"):
            folder.extract(clip)
    assert len(folder.crops) == len(folder.files) == 2
    assert folder.extract(clip).new_faces == 0
    assert len(folder.crops) == 4


def test_a_camera_is_recorded_as_it_goes(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.clips.frames["0"] = shot(LEFT, count=9)
    summary = folder.extract("0", settings=Settings(64, limits=LOOSE, distance=0.0, duration_s=0.2))
    assert summary.crops == len(folder.crops) == len(folder.files) == 5
    assert all(crop.source.startswith("camera0-") for crop in folder.crops)
    assert not (folder.out / ".live").exists()
