from __future__ import annotations

import pytest

from stream import stamp
from stream.errors import ConfigError
from stream.health import Health
from stream.sources.stamped import Stamped
from tests.barcode import BarcodeSource


class Camera(BarcodeSource):
    stopped = False

    def stop(self) -> None:
        self.stopped = True

    def health(self) -> dict[str, Health]:
        return {"camera": Health("running")}


def test_every_picture_tells_when_it_was_captured() -> None:
    with Stamped(BarcodeSource([0, 3000, 6000], size=(320, 180))) as source:
        frames = list(source)
        assert source.info.frames == 3
    assert [frame.seq for frame in frames] == [0, 1, 2]
    read = [stamp.read(frame.image) for frame in frames]
    assert read == [frame.captured_ns // 1_000_000 % stamp.PERIOD_MS for frame in frames]


def test_pictures_too_small_for_it_are_refused_and_the_source_is_closed() -> None:
    small = BarcodeSource([0], size=(300, 180))
    with pytest.raises(ConfigError, match="300x180; expected 320x180 or more"), Stamped(small):
        pass
    assert not small.is_open


def test_it_is_stopped_and_asked_like_the_source_itself() -> None:
    camera = Camera([0], size=(320, 180))
    stamped = Stamped(camera)
    stamped.stop()
    assert camera.stopped
    assert stamped.health() == {"camera": Health("running")}


def test_a_source_without_connections_says_nothing() -> None:
    stamped = Stamped(BarcodeSource([0], size=(320, 180)))
    stamped.stop()
    assert stamped.health() == {}
