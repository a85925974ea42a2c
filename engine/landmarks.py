"""MediaPipe's face landmarker behind plain arrays; nothing else imports mediapipe."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

import cv2
import mediapipe as mp
import numpy as np
from mediapipe.tasks.python import BaseOptions, vision
from mediapipe.tasks.python.vision import face_landmarker
from numpy.typing import NDArray

from engine.errors import ModelError
from engine.face import Image, Landmarks
from engine.libraries import loading_native_code

LANDMARK_COUNT = 478

_CHATTER = (
    "WARNING: Logging before InitGoogle() is written to STDERR",
    "INFO: Created TensorFlow Lite XNNPACK delegate",
    "Sets FaceBlendshapesGraph acceleration to xnnpack",
    "Feedback manager requires a model with a single signature",
    "gl_context",
)
_STDERR = threading.Lock()


class Landmarker:
    """Finds faces and their 478 landmarks in single pictures.

    Every call stands alone. MediaPipe's video mode saves a sixth of the time, but it
    smooths with a lag that cannot be switched off for one face, and it loses the face
    when the crop around it moves.

    Calls may come from any thread, one at a time; MediaPipe runs them on a thread of its
    own, ended by `close`.
    """

    def __init__(self, model_path: Path, max_faces: int = 1, min_confidence: float = 0.5) -> None:
        """Load the model and run it once.

        Args:
            model_path: see `engine.assets.landmark_model`.
            max_faces: no more than this are returned by one call; each costs time.
            min_confidence: 0 to 1, for finding a face and for believing its landmarks.

        Raises:
            ModelError: the file cannot be read or MediaPipe does not accept it.
            EngineError: a system library is missing.
        """
        options = vision.FaceLandmarkerOptions(
            base_options=BaseOptions(model_asset_path=str(model_path)),
            running_mode=vision.RunningMode.IMAGE,
            num_faces=max_faces,
            min_face_detection_confidence=min_confidence,
            min_face_presence_confidence=min_confidence,
        )
        with _without_chatter(), loading_native_code():
            self._task = _create(options, model_path)
            try:
                self.detect(np.zeros((128, 128, 3), np.uint8))
            except BaseException:
                self.close()
                raise

    def detect(self, image: Image) -> list[Landmarks]:
        """Find faces.

        Args:
            image: (H, W, 3) uint8 BGR, not changed; any size from 1 x 1.

        Returns:
            (478, 2) float32 per face in pixels of `image`, most confident face first;
            they may lie outside of the picture.
        """
        height, width = image.shape[:2]
        rgb = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)
        picture = mp.Image(image_format=mp.ImageFormat.SRGB, data=rgb)
        # MediaPipe calls its coordinates normalized to the picture's edges, but samples
        # pixels as if integers were their centers: what it reports is half a pixel less, so
        # times the size gives pixel centers as they are. Own measurement, 36 faces at 100 to
        # 900 px, shrunk and mirrored: 0.49 px, standard error 0.03.
        size = np.array([width, height], np.float32)
        return [face * size for face in _run(self._task, picture)]

    def close(self) -> None:
        """Free the model and end its thread; further calls do nothing."""
        # Left to the garbage collector, MediaPipe's own clean-up fails at interpreter exit.
        self._task.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _run(task: vision.FaceLandmarker, picture: mp.Image) -> list[NDArray[np.float32]]:
    """Landmarks of all faces, (478, 2) each, normalized.

    What `task.detect` does, but for its 478 Python objects a face: they cost a millisecond with
    the GIL held, in which no other stage moves. MediaPipe offers no other way to the numbers, so
    this goes through its private parts, and through the public way where they have changed.
    """
    try:
        library, handle, pixels = task._lib, task._handle, picture._image_ptr  # noqa: SLF001
        detect, free = library.MpFaceLandmarkerDetectImage, library.MpFaceLandmarkerCloseResult
        result = face_landmarker.MpFaceLandmarkerResultC()
    except AttributeError:
        return _run_publicly(task, picture)
    detect(handle, pixels, None, ctypes.byref(result))
    try:
        found = result.face_landmarks[: result.face_landmarks_count]
        return [_points(face.landmarks, face.landmarks_count) for face in found]
    finally:
        free(ctypes.byref(result))


def _run_publicly(task: vision.FaceLandmarker, picture: mp.Image) -> list[NDArray[np.float32]]:
    faces = task.detect(picture).face_landmarks
    return [np.array([(point.x, point.y) for point in face], np.float32) for face in faces]


def _points(first: Any, count: int) -> NDArray[np.float32]:
    """A copy of x and y of MediaPipe's array of structures."""
    structure = type(first.contents)
    layout = np.dtype(
        {
            "names": ["x", "y"],
            "formats": [np.float32, np.float32],
            "offsets": [structure.x.offset, structure.y.offset],
            "itemsize": ctypes.sizeof(structure),
        }
    )
    memory = (ctypes.c_char * (count * layout.itemsize)).from_address(
        ctypes.addressof(first.contents)
    )
    points = np.frombuffer(memoryview(memory), layout)
    return np.stack([points["x"], points["y"]], axis=1)


def _create(options: vision.FaceLandmarkerOptions, model_path: Path) -> vision.FaceLandmarker:
    problem = "is missing"
    if model_path.is_file():
        try:
            return vision.FaceLandmarker.create_from_options(options)
        except (RuntimeError, ValueError) as error:
            problem = str(error)
    # MediaPipe's half-made landmarker has begun a thread, which ends when nobody refers to it:
    # no traceback either, so outside of the handler.
    gc.collect()
    raise ModelError(f"landmark model {model_path}: {problem}")


@contextmanager
def _without_chatter() -> Iterator[None]:
    """Keep MediaPipe's start-up lines off the terminal, but nothing else.

    The native code writes to file descriptor 2 and has no switch for it (mediapipe issue
    5737, none in 1.2). What other threads write meanwhile comes out after the block.
    """
    with _STDERR, tempfile.TemporaryFile() as capture:
        with suppress(OSError, ValueError, AttributeError):
            sys.stderr.flush()
        try:
            terminal = os.dup(2)
        except OSError:  # started without a standard error
            yield
            return
        try:
            os.dup2(capture.fileno(), 2)
            yield
        finally:
            os.dup2(terminal, 2)
            capture.seek(0)
            kept = [line for line in capture if not any(word.encode() in line for word in _CHATTER)]
            with suppress(OSError):
                os.write(terminal, b"".join(kept))
            os.close(terminal)
