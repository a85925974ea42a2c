"""The words that say "synthetic" in metadata, the same in every kind of file."""

from __future__ import annotations

from collections.abc import Mapping

SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
"""IPTC's word for a picture or video of which parts were made by a trained model."""

NOTHING_SWAPPED = "http://cv.iptc.org/newscodes/digitalsourcetype/composite"
"""IPTC's word for what was put together, perhaps of synthetic parts and perhaps not."""

# Containers take these before the first face is known, so they must be true without any.
TITLE = "May contain synthetic media"
COMMENT = "synthetic media where a face was found: processed by facestream"


def says_synthetic(metadata: Mapping[str, str]) -> bool:
    """Whether a file's metadata declares it synthetic, in these words or IPTC's."""
    words = " ".join(metadata.values()).lower()
    return "synthetic media" in words or "trainedalgorithmicmedia" in words
