"""A trained model as the stream would run it, from a model file or from a checkpoint."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper

from engine.session import Session
from engine.swap import ModelInfo
from export import checkpoint as checkpoints
from export.graph import build_graph
from export.model import Side
from export.onnx import Identity, metadata, store_weights_as_half, training_summary

_WARM_UP: Final = 10


@dataclass(frozen=True)
class Deployed:
    """One session a decoder, on one thread of the CPU.

    Attributes:
        info: what the file says of itself.
        facts: its whole metadata, without the "facestream." in front.
        megabytes: size of the file; of a checkpoint, that of decoder B's as fp16.
        sessions: by decoder; a model file has only the persona's, "b".
    """

    info: ModelInfo
    facts: Mapping[str, str]
    megabytes: float
    sessions: Mapping[Side, Session]

    def draw(self, faces: NDArray[np.uint8], side: Side = "b") -> NDArray[np.uint8]:
        """Let a decoder draw what faces do.

        Args:
            faces: (N, S, S, 3) BGR at the input size.
            side: whose decoder; a KeyError if there is none.

        Returns:
            (N, T, T, 3) BGR, rounded as the stream does.
        """
        drawn = [self._run(face[None], side) for face in faces]
        return np.concatenate(drawn)

    def _run(self, face: NDArray[np.uint8], side: Side) -> NDArray[np.uint8]:
        (picture,) = self.sessions[side].run(["swapped"], {"face": _blob(face)})
        levels = np.clip(picture[:, ::-1] * 255 + 0.5, 0, 255).astype(np.uint8)
        return np.ascontiguousarray(levels.transpose(0, 2, 3, 1))

    def latency_ms(self, runs: int) -> tuple[float, float]:
        """Median and best time of decoder B for one face."""
        return latency_ms(self.sessions["b"], self.info.input_size, runs)


def latency_ms(session: Session, size: int, runs: int) -> tuple[float, float]:
    """Median and best time of a session for one face, in milliseconds, after a warm-up.

    A session of one thread computes in the caller's: its processor time is the latency on an
    idle machine, and still about that on a busy one.
    """
    face = {"face": _blob(np.full((1, size, size, 3), 127, np.uint8))}
    times = []
    for number in range(_WARM_UP + runs):
        began = time.thread_time()
        session.run(["swapped"], face)
        if number >= _WARM_UP:
            times.append((time.thread_time() - began) * 1e3)
    return statistics.median(times), min(times)


def open_model(path: Path) -> Deployed:
    """Load a model file (.onnx), or build one of each decoder of a checkpoint.

    Args:
        path: model file, checkpoint, or the folder of a training, whose best weights are used.

    Raises:
        ModelError: the model file is damaged or breaks the contract.
        CheckpointError: the checkpoint is damaged or of another version.
    """
    if path.suffix == ".onnx":
        return _deployed({"b": path}, path)
    saved = checkpoints.load_best(path)
    network = checkpoints.load_network(saved).eval()
    identity = Identity(path.stem, "decoder B", "facestream-full-26", "-", "-")
    facts = metadata(identity, network.plan, "fp16", training_summary(saved.state))
    files: dict[Side, Path] = {}
    with tempfile.TemporaryDirectory() as folder:
        sides: tuple[Side, Side] = ("a", "b")
        for side in sides:
            model = build_graph(network, side)
            store_weights_as_half(model)
            helper.set_model_props(model, facts)
            files[side] = Path(folder, f"{side}.onnx")
            onnx.save(model, files[side])
        return _deployed(files, path)


def _deployed(files: Mapping[Side, Path], origin: Path) -> Deployed:
    sessions = {side: Session(file, "cpu", threads=1) for side, file in files.items()}
    stated = sessions["b"].metadata
    return Deployed(
        ModelInfo.from_metadata(stated, origin),
        {key.removeprefix("facestream."): value for key, value in stated.items()},
        files["b"].stat().st_size / 1e6,
        sessions,
    )


def _blob(faces: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(N, S, S, 3) BGR to (N, 3, S, S) float32 RGB 0..1."""
    blob = cv2.dnn.blobFromImages(list(faces), scalefactor=1 / 255, swapRB=True)
    return np.asarray(blob, np.float32)
