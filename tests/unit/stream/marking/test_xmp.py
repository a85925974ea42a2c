from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from stream.marking import xmp
from stream.marking.synthetic import SOURCE_TYPE, says_synthetic
from stream.sinks.pictures import save

IMAGE = np.random.default_rng(0).integers(0, 256, (24, 32, 3), np.uint8)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".jpeg", ".webp"])
def test_every_picture_says_that_it_is_synthetic(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"picture{suffix}"
    save(path, IMAGE, 95)
    packet = xmp.read(path.read_bytes())
    assert SOURCE_TYPE in packet
    assert says_synthetic({"xmp": packet})
    seen = cv2.imread(str(path))
    assert seen is not None
    assert seen.shape == IMAGE.shape


def test_what_is_no_marked_picture_has_no_packet() -> None:
    _, plain = cv2.imencode(".png", IMAGE)
    for data in (b"", b"no picture", plain.tobytes(), plain.tobytes()[:40]):
        assert xmp.read(data) == ""


def test_metadata_of_others_does_not_count() -> None:
    assert not says_synthetic({"title": "holiday", "comment": "by the sea"})
    assert says_synthetic({"digital_source_type": SOURCE_TYPE})
