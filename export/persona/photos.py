"""Portraits of real people, used as input only, and only where they are free."""

from __future__ import annotations

import csv
import zlib
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from engine.face import Image
from export.persona.errors import AssetError

_FREE_LICENCES = ("public domain", "cc0")


@dataclass(frozen=True, slots=True)
class Photo:
    """A portrait that may be used."""

    path: Path
    identity: int

    def read(self) -> Image:
        """(H, W, 3) uint8 BGR; raises AssetError if there is no readable picture."""
        image = cv2.imread(str(self.path), cv2.IMREAD_COLOR)
        if image is None:
            raise AssetError(f"{self.path}: expected a picture, got an unreadable file")
        return np.asarray(image, np.uint8)


def free_photos(manifest: Path) -> list[Photo]:
    """Portraits of a manifest whose licence says public domain or CC0.

    Args:
        manifest: CSV with the columns file (relative to it), identity and licence.

    Raises:
        AssetError: there is no such file, or it lacks a column.
    """
    try:
        with manifest.open(newline="") as file:
            rows = list(csv.DictReader(file))
        return [
            Photo(manifest.parent / row["file"], zlib.crc32(row["identity"].encode()) >> 1)
            for row in rows
            if any(words in row["licence"].lower() for words in _FREE_LICENCES)
        ]
    except (OSError, KeyError) as error:
        raise AssetError(
            f"{manifest}: expected a CSV with file, identity and licence, got {error!r}"
        ) from error
