"""How alike two faces are to a network that tells people apart.

The embedder is dlib's ResNet (Boost Software License), its weights come in the package
face_recognition_models (public domain): both are the extra `report`, nothing is downloaded
at run time. Distances below 0.6 count as one person on photographs.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine.align import FULL_FACE
from engine.errors import EngineError

_WEIGHTS: Final = "dlib_face_recognition_resnet_model_v1.dat"
# Corners of both eyes and the base of the nose, in the order of dlib's five landmarks.
_FIVE: Final = (263, 362, 33, 133, 2)


class MissingEmbedderError(EngineError):
    """The packages that tell people apart are not installed."""


class Embedder:
    """Turns aligned faces into points; near ones are the same person.

    Raises:
        MissingEmbedderError: the extra `report` is not installed.
    """

    def __init__(self) -> None:
        models = find_spec("face_recognition_models")
        if find_spec("dlib") is None or models is None or models.origin is None:
            raise MissingEmbedderError(
                "no embedder to tell people apart; pip install 'facestream[report]'"
            )
        import dlib  # noqa: PLC0415  # an extra

        self._dlib: Any = dlib
        # The package itself cannot be imported without setuptools' old pkg_resources.
        weights = Path(models.origin).parent / "models" / _WEIGHTS
        self._network = dlib.face_recognition_model_v1(str(weights))

    def __call__(self, faces: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Embed faces.

        Args:
            faces: (N, S, S, 3) uint8 BGR, aligned as `engine.align.FULL_FACE`.

        Returns:
            (N, 128).
        """
        size = faces.shape[1]
        outline = self._landmarks(size)
        describe = self._network.compute_face_descriptor
        rgb = np.ascontiguousarray(faces[..., ::-1])
        return np.array([describe(face, outline) for face in rgb])

    def _landmarks(self, size: int) -> Any:
        """Where the alignment puts dlib's five landmarks in every crop."""
        template = dict(zip(FULL_FACE.indices.tolist(), FULL_FACE.template, strict=True))
        points = [
            self._dlib.point(*(round(float(value) * size - 0.5) for value in template[index]))
            for index in _FIVE
        ]
        return self._dlib.full_object_detection(
            self._dlib.rectangle(0, 0, size - 1, size - 1), points
        )


def distances(ones: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Euclidean distance of each row to the row beside it: (N, D), (N, D) or (D,) -> (N,)."""
    return np.asarray(np.linalg.norm(ones - others, axis=-1), np.float64)
