from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import islice, pairwise
from pathlib import Path
from typing import Self

import pytest

from stream.errors import ConfigError, SourceError
from stream.frame import Frame, SourceInfo
from stream.sources import SourceSettings, open_source
from stream.sources.looping import Looping
from stream.timebase import to_ns
from tests import barcode
from tests.contract import media

LOOP = SourceSettings(loop=True)


def test_file_goes_on_without_a_seam(tmp_path: Path) -> None:
    clip = media.write_video(tmp_path / "clip.mp4", media.STEADY[:10], sound_s=0.4)
    with open_source(str(clip), LOOP) as source:
        assert source.info.frames is None
        frames = list(islice(source, 35))
    assert [barcode.read(frame.image) for frame in frames] == [n % 10 for n in range(35)]
    assert [frame.seq for frame in frames] == list(range(35))
    assert {b.pts_ns - a.pts_ns for a, b in pairwise(frames)} == {40_000_000}
    packets = [packet for frame in frames for packet in frame.audio]
    assert all(later.dts > packet.dts for packet, later in pairwise(packets))
    assert source.info.audio is not None
    last_ns = to_ns(packets[-1].pts, source.info.audio.time_base)
    assert abs(last_ns - frames[-1].pts_ns) < 120_000_000, "sound stays with the picture"


def test_stop_ends_it_after_the_frames_on_their_way(tmp_path: Path) -> None:
    clip = media.write_video(tmp_path / "clip.mp4", media.STEADY[:5])
    count = 0
    with open_source(str(clip), LOOP) as source:
        for frame in source:
            count += 1
            if frame.seq == 7:
                source.stop()  # type: ignore[attr-defined]
    assert 8 <= count <= 10


def test_still_folder_of_pictures_loops_too(tmp_path: Path) -> None:
    folder = media.folder_of_pictures(tmp_path / "shots", 3)
    with open_source(str(folder), LOOP) as source:
        numbers = [barcode.read(frame.image) for frame in islice(source, 8)]
    assert numbers == [0, 1, 2, 0, 1, 2, 0, 1]


def test_what_has_no_end_is_refused() -> None:
    class Camera:
        info = SourceInfo("/dev/video0", 64, 48, endless=True)
        closed = False

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            self.closed = True

        def __iter__(self) -> Iterator[Frame]:
            return iter(())

        def stop(self) -> None:
            pass

    camera = Camera()
    with pytest.raises(ConfigError, match="--loop"), Looping(lambda: camera):
        pass
    assert camera.closed


def test_file_that_is_gone_at_the_next_pass_ends_the_run(tmp_path: Path) -> None:
    clip = media.write_video(tmp_path / "clip.mp4", media.STEADY[:5])
    seen = []
    with open_source(str(clip), LOOP) as source:
        iterator = iter(source)
        seen += [next(iterator) for _ in range(5)]
        clip.unlink()
        with pytest.raises(SourceError, match="no such file"):
            next(iterator)
    assert len(seen) == 5


def test_unknown_rate_is_no_obstacle(tmp_path: Path) -> None:
    clip = media.write_video(tmp_path / "clip.mkv", media.uneven(6))
    with open_source(str(clip), LOOP) as source:
        info = replace(source.info, rate=None)
        source.info = info
        frames = list(islice(source, 8))
    assert frames[6].pts_ns - frames[5].pts_ns == pytest.approx(
        float(1 / Fraction(25)) * 1e9, abs=1e6
    )
