from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.face_points import landmarks
from engine.face import Face, Image, Swap
from stream import stages
from stream.frame import Frame

FACE = Face(landmarks((60.0, 45.0), 60.0), 0)
FRAME = Frame(np.full((90, 160, 3), 90, np.uint8), 0, 0, 0)


class Tracker:
    """Sees as many faces as it was opened for."""

    def __init__(self, faces: int) -> None:
        self.faces = faces
        self.closed = False
        self.may_answer: threading.Event | None = None
        self.entered = threading.Event()

    def update(self, image: Image, pts_ns: int) -> tuple[Face, ...]:
        assert not self.closed
        self.entered.set()
        if self.may_answer is not None:
            assert self.may_answer.wait(10)
            assert not self.closed
        return tuple(replace(FACE, track=track) for track in range(self.faces))

    def close(self) -> None:
        assert not self.closed
        self.closed = True


class Trackers:
    def __init__(self) -> None:
        self.opened: list[Tracker] = []

    def __call__(self, faces: int) -> Any:
        self.opened.append(Tracker(faces))
        return self.opened[-1]


def test_faces_beyond_the_wanted_number_are_bystanders() -> None:
    detect = stages.Detect(Trackers(), faces=1, aside=2)
    faces = detect(FRAME).faces
    assert [face.bystander for face in faces] == [False, True, True]
    detect.close()


def test_number_of_faces_changes_between_frames() -> None:
    trackers = Trackers()
    detect = stages.Detect(trackers, faces=1, aside=1)
    detect(FRAME)
    detect.follow(3)
    detect.follow(2)
    first, unused, last = trackers.opened
    assert (first.closed, unused.closed, last.closed) == (False, True, False)
    faces = detect(FRAME).faces
    assert [face.bystander for face in faces] == [False, False, True]
    assert first.closed
    detect.close()
    assert all(tracker.closed for tracker in trackers.opened)


def test_tracker_that_hangs_is_closed_by_the_thread_that_hung_in_it() -> None:
    trackers = Trackers()
    detect = stages.Detect(trackers, faces=1, aside=0)
    (hung,) = trackers.opened
    hung.may_answer = threading.Event()
    thread = threading.Thread(target=detect, args=(FRAME,))
    thread.start()
    assert hung.entered.wait(10)
    detect.restart()
    detect(FRAME)
    assert not hung.closed
    hung.may_answer.set()
    thread.join()
    assert hung.closed
    detect.close()
    assert all(tracker.closed for tracker in trackers.opened)


class Swapper:
    def __init__(self, model: str) -> None:
        self.model = model
        self.seen: list[list[int]] = []

    def many(self, pictures: Sequence[tuple[Image, tuple[Face, ...]]]) -> list[tuple[Face, ...]]:
        self.seen.append([face.track for _, faces in pictures for face in faces])
        swap = Swap(np.zeros((8, 8, 3), np.uint8), None, np.eye(2, 3), 30.0)
        return [tuple(replace(face, swap=swap) for face in faces) for _, faces in pictures]


def test_bystanders_are_not_swapped() -> None:
    swap = stages.Swap(Swapper, "one")  # type: ignore[arg-type]
    faces = (FACE, replace(FACE, track=1, bystander=True))
    swapped = swap(replace(FRAME, faces=faces)).faces
    assert [face.swap is not None for face in swapped] == [True, False]
    assert swap(FRAME) is FRAME
    swap.use("two")
    swap(replace(FRAME, faces=faces))
    assert (swap.swapper.model, swap.swapper.seen) == ("two", [[0]])  # type: ignore[attr-defined]


def test_faces_of_several_frames_are_swapped_at_once() -> None:
    swap = stages.Swap(Swapper, "one")  # type: ignore[arg-type]
    bystander = replace(FACE, track=9, bystander=True)
    tracks: list[tuple[int, ...]] = [(1, 2), (), (3,)]
    frames = [
        replace(FRAME, seq=seq, faces=(*(replace(FACE, track=one) for one in each), bystander))
        for seq, each in enumerate(tracks)
    ]
    swapped = swap.many(frames)
    assert swap.swapper.seen == [[1, 2, 3]]  # type: ignore[attr-defined]
    assert [frame.seq for frame in swapped] == [0, 1, 2]
    assert [[face.track for face in frame.faces] for frame in swapped] == [[1, 2, 9], [9], [3, 9]]
    assert all((face.swap is None) == face.bystander for frame in swapped for face in frame.faces)


class Blender:
    def __init__(self) -> None:
        self.shown: dict[int, float] = {}

    def __call__(self, image: Image, faces: tuple[Face, ...]) -> int:
        self.shown = {face.track: 0.9 for face in faces}
        return len(faces)


def test_bystanders_are_covered_and_say_so() -> None:
    blend = stages.Blend(Blender(), lambda: True)  # type: ignore[arg-type]
    noise = np.random.default_rng(1).integers(0, 256, (90, 160, 3)).astype(np.uint8)
    other = Face(landmarks((120.0, 45.0), 40.0), 1, bystander=True)
    result = blend(replace(FRAME, image=noise.copy(), faces=(FACE, other)))
    assert [face.shown for face in result.faces] == [0.9, 1.0]
    assert result.original is not None
    assert np.array_equal(result.original, noise)
    changed = (result.image != noise).any(axis=2)
    assert changed[35:55, 110:130].mean() > 0.9
    assert not changed[:, :80].any()
