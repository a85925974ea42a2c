"""The swap: crops of all faces, of one frame or several, through the model in one batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.align import FULL_FACE, Alignment, crop, rescale
from engine.compiled import compiled
from engine.errors import ModelError
from engine.face import Face, Image, Swap
from engine.session import Device, Session

CONTRACT = "1"
_ALIGNMENTS = {FULL_FACE.name: FULL_FACE}


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What a model says of itself in its metadata.

    Attributes:
        name, persona, licence, consent: free text; the last three are empty where it says nothing.
        input_size, output_size: sides of the square pictures in pixels.
        alignment: where in its crop it expects the face.
    """

    name: str
    persona: str
    licence: str
    consent: str
    input_size: int
    output_size: int
    alignment: Alignment

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str], path: Path) -> ModelInfo:
        """Read and check the `facestream.*` keys.

        Raises:
            ModelError: a key is missing or has a value that this version cannot serve.
        """

        def value(key: str) -> str:
            try:
                return metadata[f"facestream.{key}"]
            except KeyError:
                raise ModelError(
                    f"model {path}: metadata key facestream.{key} is missing; "
                    "expected a file exported by `python -m export onnx`"
                ) from None

        def one_of(key: str, *allowed: str) -> str:
            got = value(key)
            if got not in allowed:
                raise ModelError(
                    f"model {path}: facestream.{key} is {got!r}, expected "
                    f"{' or '.join(map(repr, allowed))}; export it again with this version"
                )
            return got

        def stated(key: str) -> str:
            return metadata.get(f"facestream.{key}", "").strip()

        one_of("contract", CONTRACT)
        one_of("color_order", "RGB")
        one_of("range", "0..1")
        alignment = _ALIGNMENTS[one_of("alignment", *_ALIGNMENTS)]
        sizes = {}
        for key in ("input_size", "output_size"):
            text = value(key)
            if not text.isdecimal() or not 16 <= int(text) <= 1024:
                raise ModelError(f"model {path}: facestream.{key} is {text!r}, expected 16 to 1024")
            sizes[key] = int(text)
        return cls(
            name=value("name"),
            persona=stated("persona"),
            licence=stated("licence"),
            consent=stated("consent"),
            alignment=alignment,
            **sizes,
        )


class Swapper:
    """Turns the faces of a frame into the model's persona.

    Attributes:
        info: what the model says of itself.
        device: what it runs on.
    """

    def __init__(
        self, path: Path, device: Device = "auto", threads: int = 1, *, graphs: bool = True
    ) -> None:
        """Load a model, check that it keeps the contract, and run it once to warm it up.

        The contract: input `face` (N, 3, S, S) and outputs `swapped` (N, 3, T, T) and,
        optionally, `mask` (N, 1, T, T); float32, RGB, 0 to 1.

        Args:
            path: an ONNX file.
            device: where to run; `auto` takes the best that works.
            threads: processor threads inside one run.
            graphs: let CUDA replay recorded runs, see `Session`.

        Raises:
            ModelError: the file is missing, damaged, or breaks the contract.
            DeviceError: the device that was asked for cannot be had here.
        """
        self._session = Session(path, device, threads, graphs=graphs)
        self.device = self._session.device
        self.info = ModelInfo.from_metadata(self._session.metadata, path)
        self._check_tensors(path)
        self._outputs = [name for name in ("swapped", "mask") if name in self._session.outputs]
        self._check_values(path)

    def _check_tensors(self, path: Path) -> None:
        size, out = self.info.input_size, self.info.output_size
        expected_inputs = {"face": (None, 3, size, size)}
        expected_outputs = {"swapped": (None, 3, out, out), "mask": (None, 1, out, out)}
        session = self._session
        if set(session.inputs) != {"face"} or "swapped" not in session.outputs:
            raise ModelError(
                f"model {path}: tensors are {sorted(session.inputs)} -> "
                f"{sorted(session.outputs)}, expected ['face'] -> ['swapped', 'mask']"
            )
        for tensors, expected in (
            (session.inputs, expected_inputs),
            (session.outputs, expected_outputs),
        ):
            for name, wanted in expected.items():
                if name not in tensors:
                    continue
                shape, dtype = tensors[name]
                if dtype is not np.float32 or not _matches(shape, wanted):
                    raise ModelError(
                        f"model {path}: tensor {name} is {shape} of "
                        f"{dtype.__name__ if dtype else 'another type'}, "
                        f"expected {wanted} of float32 (None is the batch)"
                    )

    def _check_values(self, path: Path) -> None:
        """Run a gray picture: warms up; finds other shapes, NaN and ranges other than 0 to 1."""
        out = self.info.output_size
        gray = np.full((1, 3, self.info.input_size, self.info.input_size), 0.5, np.float32)
        results = self._run(gray)
        for name, value in zip(self._outputs, results, strict=True):
            expected = (1, 3 if name == "swapped" else 1, out, out)
            if value.shape != expected:
                raise ModelError(
                    f"model {path}: output {name} is {value.shape} for one picture, expected "
                    f"{expected}; export it again"
                )
            low, high = float(np.min(value)), float(np.max(value))
            if not (-0.05 <= low <= high <= 1.05):
                raise ModelError(
                    f"model {path}: output {name} has values from {low:.3g} to {high:.3g} for "
                    "a gray picture, expected 0 to 1; export it again, as fp32 if it is fp16"
                )
        _to_images(results[0])  # Compiled now, not when the first face comes.

    def _run(self, faces: NDArray[np.float32]) -> list[NDArray[np.floating]]:
        return self._session.run(self._outputs, {"face": faces})

    def __call__(self, image: Image, faces: tuple[Face, ...]) -> tuple[Face, ...]:
        """Swap all faces of a frame in one batch.

        Args:
            image: (H, W, 3) uint8 BGR, not changed.
            faces: with landmarks.

        Returns:
            The faces with `swap` set, in the same order. A face whose landmarks span no
            area stays without swap.
        """
        return self.many([(image, faces)])[0]

    def many(self, pictures: Sequence[tuple[Image, tuple[Face, ...]]]) -> list[tuple[Face, ...]]:
        """Swap all faces of several frames in one batch; for each frame what a call returns."""
        size, out = self.info.input_size, self.info.output_size
        swapped = [list(faces) for _, faces in pictures]
        places, matrices, crops = [], [], []
        for number, (image, faces) in enumerate(pictures):
            for index, face in enumerate(faces):
                matrix = self.info.alignment.frame_to_crop(face.landmarks, size)
                if np.isfinite(matrix).all():
                    places.append((number, index))
                    matrices.append(matrix)
                    crops.append(crop(image, matrix, size))
        if crops:
            batch = cv2.dnn.blobFromImages(crops, scalefactor=1 / 255, swapRB=True)
            results = self._run(np.asarray(batch, np.float32))
            images = _to_images(results[0])
            for row, (number, index) in enumerate(places):
                swap = Swap(
                    image=images[row],
                    mask=np.clip(results[1][row, 0], 0, 1) if len(results) > 1 else None,
                    frame_to_crop=rescale(matrices[row], size, out),
                    change=_change(crops[row], images[row]),
                )
                swapped[number][index] = replace(swapped[number][index], swap=swap)
        return [tuple(faces) for faces in swapped]


def _matches(shape: tuple[int | None, ...], wanted: tuple[int | None, ...]) -> bool:
    return len(shape) == len(wanted) and all(
        got is None or got == want for got, want in zip(shape, wanted, strict=True)
    )


def _change(before: Image, after: Image) -> float:
    """Mean absolute difference in gray levels, of pictures of any two sizes."""
    size = before.shape[1], before.shape[0]
    same_size = cv2.resize(after, size, interpolation=cv2.INTER_AREA)
    return float(cv2.norm(before, same_size, cv2.NORM_L1)) / before.size


@compiled
def _to_images(tensor: NDArray[np.float32]) -> NDArray[np.uint8]:
    """(N, 3, T, T) RGB 0..1 to (N, T, T, 3) uint8 BGR, in one pass.

    A picture with anything in it that is no number becomes black, which blending leaves out.
    """
    count, channels, height, width = tensor.shape
    images = np.empty((count, height, width, channels), np.uint8)
    for number in range(count):
        finite = True
        for y in range(height):
            for x in range(width):
                for channel in range(channels):
                    value = tensor[number, channels - 1 - channel, y, x]
                    finite &= np.isfinite(value)
                    level = value * np.float32(255) + np.float32(0.5)
                    # A comparison with what is no number is false.
                    level = level if level > 0 else np.float32(0)
                    images[number, y, x, channel] = level if level < 255 else np.float32(255)
        if not finite:
            images[number] = 0
    return images
