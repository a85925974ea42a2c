"""Distillation: a trained network, often a larger one, says what decoder B shall draw of A.

Two folders of faces hold no pairs: nobody knows how B looks doing what A does. A teacher
knows, so a small student need not find it out, and the faces of A train its decoder B too.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from export.model import FaceSwapper
from export.preview import tensor_to_pictures
from export.samples import Batch, Source, pictures_to_tensor


class Taught:
    """A source whose batches for decoder B also hold A's faces with a teacher's answers.

    The student sees a face as the source varied it; the teacher sees the undisturbed target
    of the same sample, and draws B in its place.

    Args:
        source: has batches of both sides.
        teacher: trained network of any plan, on the device where it shall run; its decoder B
            teaches.
    """

    def __init__(self, source: Source, teacher: FaceSwapper) -> None:
        self.source = source
        self.teacher = teacher.eval()
        self._device = next(teacher.parameters()).device

    def refresh(self) -> int:
        """Look for new data; how much there is."""
        return self.source.refresh()

    def counts(self) -> dict[str, int]:
        """How much data there is, by kind."""
        return self.source.counts()

    def draw(self, step: int) -> list[Batch]:
        """The batches of a step; that of B has the faces of A's behind its own."""
        batches = self.source.draw(step)
        taught = [
            batch._replace(side="b", target=self.answer(batch.target))
            for batch in batches
            if batch.side == "a"
        ]
        return [_joined([batch, *taught]) if batch.side == "b" else batch for batch in batches]

    def validation(self, count: int) -> list[Batch]:
        """Held-out batches of the source, without the teacher."""
        return self.source.validation(count)

    def answer(self, faces: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Let the teacher draw B doing what faces do.

        Args:
            faces: (N, T, T, 3) BGR, of any size; not changed.

        Returns:
            (N, T, T, 3) BGR, the same size.
        """
        plan, size = self.teacher.plan, faces.shape[1]
        seen = pictures_to_tensor(_resized(faces, plan.input_size), self._device)
        with torch.inference_mode():
            return _resized(tensor_to_pictures(self.teacher(seen, "b")), size)


def _resized(pictures: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    shrinks = size < pictures.shape[1]
    method = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    resized = [cv2.resize(picture, (size, size), interpolation=method) for picture in pictures]
    return np.stack(resized).astype(np.uint8, copy=False)


def _joined(batches: list[Batch]) -> Batch:
    """One batch of the samples of several."""
    arrays = zip(*(batch[1:] for batch in batches), strict=True)
    return Batch(batches[0].side, *(np.concatenate(parts) for parts in arrays))
