"""Who is who from frame to frame."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from engine.errors import EngineError, ModelError
from engine.face import Face, Image
from engine.search import Detector
from engine.track import FaceTracker, TrackSettings
from tests.marked_faces import Detectors, MarkDetector, mark, marked_center, scene

FRAME_NS = 1_000_000_000 // 30


class Video:
    """Feeds pictures to a tracker, 30 a second."""

    def __init__(self, detectors: Detectors | None = None, **settings: object) -> None:
        self.detectors = detectors or Detectors()
        chosen = TrackSettings(**{"smoothing": None, **settings})  # type: ignore[arg-type]
        self.tracker = FaceTracker(Path("model"), chosen, self.detectors)
        self.frame = 0

    def show(self, image: Image, frames: int = 1) -> tuple[Face, ...]:
        faces: tuple[Face, ...] = ()
        for _ in range(frames):
            faces = self.tracker.update(image, self.frame * FRAME_NS)
            self.frame += 1
        return faces


def tracks(faces: tuple[Face, ...]) -> list[int]:
    return [face.track for face in faces]


def two(left: float = 80.0, right: float = 240.0) -> Image:
    return mark(mark(scene(), 0, (left, 90.0), 60.0), 1, (right, 90.0), 50.0)


def test_a_face_is_there_in_its_first_frame() -> None:
    (face,) = Video().show(mark(scene(), 0, (200.0, 90.0), 60.0))
    assert marked_center(face.landmarks) == pytest.approx((200, 90), abs=1)
    assert (face.track, face.age) == (0, 0)
    assert face.landmarks.dtype == np.float32
    assert face.landmarks.shape == (478, 2)


def test_no_face_is_a_result() -> None:
    video = Video()
    assert video.show(scene()) == ()
    assert video.show(scene(), frames=5) == ()


def test_a_moving_turning_face_stays_one_track_with_one_call_a_frame() -> None:
    video = Video()
    video.show(mark(scene(), 0, (60.0, 60.0), 60.0))
    before = video.detectors.calls
    for step in range(1, 40):
        center = (60.0 + 5 * step, 60.0 + step)
        (face,) = video.show(mark(scene(), 0, center, 60.0, angle_deg=3 * step))
        assert marked_center(face.landmarks) == pytest.approx(center, abs=1)
        assert (face.track, face.age) == (0, step)
    assert video.detectors.calls - before == 39


def test_a_jump_out_of_the_narrow_crop_keeps_the_track() -> None:
    video = Video()
    video.show(mark(scene(), 0, (100.0, 90.0), 60.0), frames=3)
    (face,) = video.show(mark(scene(), 0, (170.0, 90.0), 60.0))
    assert marked_center(face.landmarks) == pytest.approx((170, 90), abs=1)
    assert face.track == 0


def test_two_faces_keep_their_tracks_and_their_order() -> None:
    video = Video(max_faces=2)
    first = video.show(two())
    names = {face.track: marked_center(face.landmarks)[0] for face in first}
    for step in range(10):
        faces = video.show(two(80 + 2 * step, 240 - 2 * step))
        assert tracks(faces) == [0, 1]
        for face in faces:
            x = marked_center(face.landmarks)[0]
            assert abs(x - names[face.track]) <= 2 * step + 1


def test_two_faces_close_together_do_not_become_one() -> None:
    video = Video(max_faces=2)
    video.show(two(110, 210))
    for step in range(30):
        faces = video.show(two(110 + step, 210 - step // 2))
        assert tracks(faces) == [0, 1]
    centers = sorted(marked_center(face.landmarks)[0] for face in faces)
    assert centers == pytest.approx([139, 196], abs=1)


def test_no_more_faces_than_wanted_and_the_larger_one_is_taken() -> None:
    (face,) = Video(max_faces=1).show(two(), frames=3)
    assert marked_center(face.landmarks)[0] == pytest.approx(80, abs=1)


def test_a_second_face_that_comes_later_is_found_within_the_interval() -> None:
    video = Video(max_faces=2, search_interval_s=0.4)
    alone = mark(scene(), 0, (80.0, 90.0), 60.0)
    video.show(alone, frames=10)
    faces = video.show(two(), frames=13)
    assert tracks(faces) == [0, 1]
    assert faces[0].age == 22
    assert faces[1].age < 13


def test_while_all_wanted_faces_are_seen_nothing_is_searched() -> None:
    video = Video(max_faces=1)
    video.show(two(), frames=2)
    before = video.detectors.calls
    video.show(two(), frames=30)
    assert video.detectors.calls - before == 30


def test_without_a_face_the_search_keeps_its_budget() -> None:
    video = Video(search_calls=3, first_search_calls=7)
    video.show(scene())
    assert video.detectors.calls == 7
    before = video.detectors.calls
    video.show(scene(), frames=10)
    assert video.detectors.calls - before == 30


def test_a_small_face_is_found_in_its_first_frame_with_a_large_budget() -> None:
    image = mark(scene(360, 640), 0, (500.0, 280.0), 40.0)
    assert Video(Detectors(min_share=0.11), first_search_calls=30).show(image)


def test_a_small_face_is_found_soon_with_a_small_budget() -> None:
    video = Video(Detectors(min_share=0.11), first_search_calls=2, search_calls=2)
    image = mark(scene(360, 640), 0, (500.0, 280.0), 40.0)
    assert not video.show(image)
    assert any(video.show(image) for _ in range(60))


def test_a_face_missed_for_a_moment_is_held_and_comes_back() -> None:
    video = Video(hold_s=0.1, keep_s=1.0)
    image = mark(scene(), 0, (100.0, 90.0), 60.0)
    video.show(image, frames=3)
    video.detectors.blind()
    held = [video.show(image) for _ in range(10)]
    assert [len(faces) for faces in held] == [1, 1, 1, 0, 0, 0, 0, 0, 0, 0]
    assert [faces[0].held for faces in held[:3]] == [1, 2, 3]
    assert marked_center(held[0][0].landmarks) == pytest.approx((100, 90), abs=1)
    video.detectors.blind(False)
    (face,) = video.show(image)
    assert (face.track, face.age, face.held) == (0, 13, 0)


def test_a_face_that_comes_back_elsewhere_or_late_is_a_new_track() -> None:
    video = Video(hold_s=0.1, keep_s=0.5)
    video.show(mark(scene(), 0, (80.0, 90.0), 50.0), frames=3)
    video.show(scene(), frames=6)
    assert tracks(video.show(mark(scene(), 0, (260.0, 90.0), 50.0))) == [1]
    video.show(scene(), frames=20)
    assert tracks(video.show(mark(scene(), 0, (260.0, 90.0), 50.0))) == [2]


def test_a_held_face_gives_way_to_none_but_itself() -> None:
    video = Video(max_faces=1, hold_s=0.1)
    video.show(two(), frames=3)
    other_only = mark(scene(), 1, (240.0, 90.0), 50.0)
    assert tracks(video.show(other_only)) == [0]
    assert tracks(video.show(other_only, frames=4)) == [1]


def test_two_tracks_on_one_face_become_the_older_one() -> None:
    video = Video(max_faces=2)
    video.show(two(80, 240), frames=2)
    one = mark(scene(), 1, (90.0, 90.0), 60.0)
    for x in range(230, 80, -10):
        video.show(two(80, x) if x > 150 else one)
    faces = video.show(one, frames=40)
    assert len(faces) == 1


def test_a_lost_track_does_not_take_the_face_of_a_seen_one() -> None:
    video = Video(max_faces=1, hold_s=0.05, search_calls=1)
    video.show(mark(scene(), 0, (60.0, 90.0), 60.0), frames=3)
    (face,) = video.show(mark(scene(), 0, (250.0, 90.0), 60.0), frames=5)
    assert face.track == 1
    # Back to where track 0 was lost half a second ago, in steps that can be followed.
    for x in range(250, 50, -12):
        faces = video.show(mark(scene(), 0, (float(x), 90.0), 60.0))
        assert tracks(faces) == [1], x


@pytest.mark.parametrize("apart", [50.0, 60.0, 75.0])
def test_a_face_that_goes_does_not_take_its_neighbor(apart: float) -> None:
    video = Video(max_faces=2)
    faces = video.show(two(110, 110 + apart), frames=10)
    names = {round(marked_center(face.landmarks)[0]): face.track for face in faces}
    neighbor = names[round(110 + apart)]
    alone = mark(scene(), 1, (110 + apart, 90.0), 50.0)
    for _ in range(10):
        found = {face.track: marked_center(face.landmarks)[0] for face in video.show(alone)}
        assert found[neighbor] == pytest.approx(110 + apart, abs=1)
    assert list(found) == [neighbor]


@pytest.mark.parametrize("face_there", [True, False])
def test_a_cut_ends_all_tracks(face_there: bool) -> None:
    video = Video()
    video.show(mark(scene(seed=1), 0, (100.0, 90.0), 60.0), frames=5)
    after = scene(seed=2)
    faces = video.show(mark(after, 1, (105.0, 92.0), 60.0) if face_there else after)
    assert [(face.track, face.age) for face in faces] == ([(1, 0)] if face_there else [])


def test_time_that_steps_back_and_a_new_size_begin_anew() -> None:
    video = Video()
    image = mark(scene(), 0, (100.0, 90.0), 60.0)
    video.show(image, frames=5)
    video.frame = 1
    assert tracks(video.show(image)) == [1]
    assert tracks(video.show(mark(scene(200, 320), 0, (100.0, 90.0), 60.0))) == [2]


def test_the_same_time_twice_is_no_reason_to_begin_anew() -> None:
    video = Video()
    image = mark(scene(), 0, (100.0, 90.0), 60.0)
    for _ in range(3):
        (face,) = video.tracker.update(image, 5)
    assert (face.track, face.age) == (0, 2)


def test_a_phantom_is_never_a_face() -> None:
    video = Video(Detectors(phantoms=frozenset({3})), max_faces=2)
    image = mark(mark(scene(), 0, (80.0, 90.0), 60.0), 3, (240.0, 90.0), 60.0)
    for _ in range(30):
        assert tracks(video.show(image)) == [0]


def test_landmarks_are_smoothed_and_belong_to_the_caller() -> None:
    detectors = Detectors()
    with FaceTracker(Path("model"), TrackSettings(), detectors) as tracker:
        first = tracker.update(mark(scene(), 0, (100.0, 90.0), 60.0), 0)[0]
        first.landmarks[:] = 0
        second = tracker.update(mark(scene(), 0, (101.0, 90.0), 60.0), FRAME_NS)[0]
    assert 100.02 < marked_center(second.landmarks)[0] < 100.9


def test_pictures_too_small_for_a_face_have_none() -> None:
    for height, width in ((1, 1), (15, 640), (1, 2000)):
        assert Video().show(np.zeros((height, width, 3), np.uint8)) == ()


def test_close_closes_both_detectors() -> None:
    video = Video()
    with video.tracker:
        pass
    assert [detector.closed for detector in video.detectors.opened] == [True, True]


def test_a_detector_that_does_not_open_leaves_none_open() -> None:
    detectors = Detectors()
    answers: Iterator[Detector] = iter([MarkDetector()])

    def open_detector(path: Path, faces: int, confidence: float) -> Detector:
        for detector in answers:
            detectors.opened.append(detector)  # type: ignore[arg-type]
            return detector
        raise ModelError("no second one")

    with pytest.raises(ModelError):
        FaceTracker(Path("model"), None, open_detector)
    assert detectors.opened[0].closed


@pytest.mark.parametrize(
    "setting",
    [
        {"max_faces": 0},
        {"search_calls": 0},
        {"first_search_calls": -1},
        {"hold_s": -0.1},
        {"keep_s": float("nan")},
        {"min_confidence": 1.5},
        {"max_faces": 17},
    ],
)
def test_settings_without_a_meaning_are_refused(setting: dict[str, float]) -> None:
    (name,) = setting
    with pytest.raises(EngineError, match=rf"{name} is .*expected"):
        TrackSettings(**setting)  # type: ignore[arg-type]
