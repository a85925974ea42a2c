"""No fault of any stage lets a real face out of a live run, and the stream recovers.

The real tracker, model and blender work on the demo clip; each of their stages is broken in
every way, at different times.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import av
import cv2
import numpy as np
import pytest

from engine import assets, models, regions
from engine.blend import Blender
from engine.face import Face, Image
from engine.swap import Swapper
from engine.track import FaceTracker, TrackSettings
from stream import stages
from stream.frame import Frame
from stream.gate import Gate, GateSettings
from stream.pipeline import Pipeline
from stream.worker import Stage
from tests.e2e.conftest import DEMO, RunProgram, read_pictures
from tests.tiny_models import write_model

COUNT = 20
RAW = 8.0
"""Gray levels: a picture that differs less from the real face, on average, shows it."""

Fault = Callable[[Stage, Frame], Frame | None]


@pytest.fixture(scope="module")
def pictures() -> list[Image]:
    with av.open(str(DEMO)) as container:
        frames = [next(decoded) for decoded in [container.decode(video=0)] for _ in range(COUNT)]
    return [cv2.resize(frame.to_ndarray(format="bgr24"), (640, 360)) for frame in frames]


@pytest.fixture(scope="module")
def swapper() -> Swapper:
    return Swapper(models.model_path("maro"), "cpu", 1)


def open_tracker(faces: int) -> FaceTracker:
    return FaceTracker(assets.landmark_model(None), TrackSettings(max_faces=faces))


@pytest.fixture(scope="module")
def tracker() -> Iterator[FaceTracker]:
    with open_tracker(1) as tracker:
        yield tracker


@pytest.fixture(scope="module")
def real_faces(pictures: list[Image], tracker: FaceTracker) -> list[Face]:
    restart(tracker)
    return [tracker.update(image, n * 40_000_000)[0] for n, image in enumerate(pictures)]


def restart(tracker: FaceTracker) -> None:
    tracker.update(np.zeros((16, 17, 3), np.uint8), 0)  # a change of size counts as a cut


def raises(stage: Stage, frame: Frame) -> Frame | None:
    raise RuntimeError("broken")


def hangs(stage: Stage, frame: Frame) -> Frame | None:
    time.sleep(0.3)
    return stage(frame)


def returns_its_input(stage: Stage, frame: Frame) -> Frame | None:
    return frame


def drops(stage: Stage, frame: Frame) -> Frame | None:
    return None


def with_faces(frame: Frame, **changes: Any) -> Frame:
    return replace(frame, faces=tuple(replace(face, **changes) for face in frame.faces))


def returns_nan(stage: Stage, frame: Frame) -> Frame | None:
    result = stage(frame)
    assert result is not None
    if any(face.shown for face in result.faces):
        return replace(result, image=np.full(frame.image.shape, np.nan))  # type: ignore[arg-type]
    if any(face.swap for face in result.faces):
        nothing = replace(result.faces[0].swap, frame_to_crop=np.full((2, 3), np.nan))
        return with_faces(result, swap=nothing)
    return with_faces(result, landmarks=np.full((478, 2), np.nan, np.float32))


def returns_another_shape(stage: Stage, frame: Frame) -> Frame | None:
    result = stage(frame)
    assert result is not None
    if any(face.shown for face in result.faces):
        return replace(result, image=frame.image[:, :, 0])
    if any(face.swap for face in result.faces):
        nothing = replace(result.faces[0].swap, image=np.zeros((3, 5), np.uint8))
        return with_faces(result, swap=nothing)
    return with_faces(result, landmarks=np.zeros((5, 2), np.float32))


FAULTS = [raises, hangs, returns_nan, returns_its_input, returns_another_shape, drops]
TIMES: dict[str, Callable[[int], bool]] = {
    "first": lambda seq: seq == 0,
    "middle": lambda seq: 8 <= seq < 12,
    "every 7th": lambda seq: seq % 7 == 6,
}


class Seen:
    """Keeps what leaves, and asks for the next frame."""

    leaky = False

    def __init__(self, came: threading.Semaphore) -> None:
        self.frames: list[Frame] = []
        self._came = came

    def __enter__(self) -> Self:
        return self

    def write(self, frame: Frame) -> None:
        self.frames.append(frame)
        self._came.release()

    def __exit__(self, *_: object) -> None:
        """Nothing is open."""


def leaked(image: Image, pictures: list[Image], faces: list[Face]) -> bool:
    """Whether a picture shows the inner face of any of the real ones."""
    for picture, face in zip(pictures, faces, strict=True):
        points = face.landmarks[regions.INNER_FACE]
        (left, top), (right, bottom) = points.min(0).astype(int), points.max(0).astype(int)
        inner = np.s_[top:bottom, left:right]
        if np.abs(image[inner].astype(int) - picture[inner]).mean() < RAW:
            return True
    return False


@pytest.mark.parametrize("when", TIMES)
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
@pytest.mark.parametrize("broken", ["detect", "swap", "blend"])
def test_no_real_face_leaves(  # noqa: PLR0917 - fixtures
    broken: str,
    fault: Fault,
    when: str,
    pictures: list[Image],
    real_faces: list[Face],
    tracker: FaceTracker,
    swapper: Swapper,
) -> None:
    restart(tracker)
    healthy: dict[str, Stage] = {
        "detect": lambda frame: replace(frame, faces=tracker.update(frame.image, frame.pts_ns)),
        "swap": stages.Swap(lambda _: swapper, "maro"),
        "blend": stages.Blend(Blender(), lambda: False),
    }

    def faulty(frame: Frame) -> Frame | None:
        stage = healthy[broken]
        return fault(stage, frame) if TIMES[when](frame.seq) else stage(frame)

    may_come = threading.Semaphore(1)

    def source() -> Iterator[Frame]:
        for seq, picture in enumerate(pictures):
            assert may_come.acquire(timeout=20)
            yield Frame(picture.copy(), seq * 40_000_000, seq, time.monotonic_ns())

    sink = Seen(may_come)
    settings = GateSettings(patience_s=0.2, hold_s=1.0, held_rate_hz=50)
    Pipeline(
        source(),
        healthy | {broken: faulty},
        {"out": sink},
        live=True,
        gate=Gate(settings, live=True, size=(640, 360)),
    ).run()

    assert all(frame.image.dtype == np.uint8 for frame in sink.frames)
    assert not any(leaked(frame.image, pictures, real_faces) for frame in sink.frames)
    fresh = [frame.seq for frame in sink.frames if not frame.held]
    assert fresh == sorted(set(fresh))
    assert fresh[-1] == COUNT - 1, "it recovers"
    assert len(fresh) >= 5


def test_the_check_itself_finds_a_real_face(
    pictures: list[Image], real_faces: list[Face], swapper: Swapper
) -> None:
    assert leaked(pictures[3], pictures, real_faces)
    blurred = cv2.GaussianBlur(pictures[3], (5, 5), 0)
    assert leaked(np.asarray(blurred, np.uint8), pictures, real_faces)
    swapped = pictures[3].copy()
    Blender()(swapped, swapper(swapped, (real_faces[3],)))
    assert not leaked(swapped, pictures, real_faces)


@pytest.mark.parametrize("policy", ["hold", "blur", "slate"])
def test_model_that_gives_its_input_back_shows_nobody(
    program: RunProgram, tmp_path: Path, policy: str
) -> None:
    copy = write_model(tmp_path / "copy.onnx")
    options = ["--live", "--duration", "1", "--on-miss", policy, "-o", "out.mkv", "-m", copy]
    done = program(DEMO, *options, "--report", "r.json")
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "r.json").read_text())
    assert report["withheld"] == report["unproven"] > 0
    original = read_pictures(DEMO, end=30)
    with open_tracker(1) as tracker:
        faces = [tracker.update(image, n * 40_000_000)[0] for n, image in enumerate(original)]
    shown = read_pictures(tmp_path / "out.mkv")
    assert shown
    for image in shown:
        assert not leaked(image, original, faces)
