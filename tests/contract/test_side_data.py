"""What stands beside the pixels: profiles and EXIF crash nobody, and turn pictures upright."""

from __future__ import annotations

import gc
from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.face import Image
from stream.frame import Frame
from stream.sources import SourceSettings, open_source
from tests.contract import media
from tests.contract.pictures_as_video import jpeg, png, write_mov_of_png

IMAGE = np.zeros((48, 64, 3), np.uint8)
IMAGE[:16, :16], IMAGE[:16, 48:], IMAGE[32:, :16] = (0, 0, 255), (0, 255, 0), (255, 0, 0)
ORIENTATIONS = {
    1: IMAGE,
    2: IMAGE[:, ::-1],
    3: np.rot90(IMAGE, 2),
    4: IMAGE[::-1],
    5: IMAGE.transpose(1, 0, 2),
    6: np.rot90(IMAGE, -1),
    7: np.rot90(IMAGE, 2).transpose(1, 0, 2),
    8: np.rot90(IMAGE, 1),
}
"""What is to be seen, by the value that EXIF has for it."""


def frames_of(url: str, shown: Image) -> list[Frame]:
    """All frames, after memory that was freed twice has had its chance to be noticed."""
    with open_source(url, SourceSettings()) as source:
        frames = list(source)
        assert (source.info.height, source.info.width) == shown.shape[:2]
    gc.collect()
    return frames


@pytest.mark.parametrize("name", ["picture.mp4", "picture.mkv", "picture"])
def test_a_png_with_a_color_profile_may_be_called_a_video(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(png(IMAGE))
    (frame,) = frames_of(str(path), IMAGE)
    assert np.array_equal(frame.image, IMAGE)


@pytest.mark.parametrize(("turn", "quarters"), [(0, 0), (90, 1)])
def test_a_movie_of_pngs_with_color_profiles(tmp_path: Path, turn: int, quarters: int) -> None:
    path = write_mov_of_png(tmp_path / "clip.mov", png(IMAGE), turn)
    shown = np.rot90(IMAGE, quarters)
    frames = frames_of(str(path), shown)
    assert len(frames) == 2
    assert all(np.array_equal(frame.image, shown) for frame in frames)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_exif_turns_a_png_upright(tmp_path: Path, orientation: int) -> None:
    path, shown = tmp_path / "picture.mp4", ORIENTATIONS[orientation]
    path.write_bytes(png(IMAGE, orientation=orientation))
    (frame,) = frames_of(str(path), shown)
    assert np.array_equal(frame.image, shown)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_exif_turns_a_jpeg_upright(tmp_path: Path, orientation: int) -> None:
    path, shown = tmp_path / "picture.mp4", ORIENTATIONS[orientation]
    path.write_bytes(jpeg(IMAGE, orientation))
    (frame,) = frames_of(str(path), shown)
    assert np.abs(frame.image.astype(int) - shown).mean() < 8


class ByParts(media.Quiet):
    """Sends a PNG without telling its size before."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:  # noqa: N802 - named by http.server
        data = png(IMAGE)
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(data), data))


@pytest.mark.parametrize("kind", ["png", "jpg", "bmp"])
def test_a_picture_on_a_server_is_one_picture(tmp_path: Path, kind: str) -> None:
    data = {"png": png(IMAGE), "jpg": jpeg(IMAGE, 1), "bmp": cv2.imencode(".bmp", IMAGE)[1]}
    (tmp_path / f"picture.{kind}").write_bytes(bytes(data[kind]))
    with media.served(tmp_path) as url:
        assert len(frames_of(f"{url}/picture.{kind}", IMAGE)) == 1


def test_a_picture_of_unknown_size_is_one_picture(tmp_path: Path) -> None:
    with media.served(tmp_path, ByParts) as url:
        assert len(frames_of(f"{url}/now", IMAGE)) == 1
