from __future__ import annotations

from typing import Any

import pytest

from stream.errors import ConfigError
from stream.sinks import SinkSettings


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("crf", 52, r"crf is 52; expected 0 \(lossless\) to 51"),
        ("preset", "quick", "preset is 'quick'; expected one of ultrafast, .*veryslow"),
        ("image_quality", 0, "image_quality is 0; expected 1 to 100"),
        ("threads", -1, "threads is -1; expected 1 or more, or 0 for its share"),
    ],
)
def test_senseless_values_are_refused(name: str, value: Any, expected: str) -> None:
    with pytest.raises(ConfigError, match=expected):
        SinkSettings(**{name: value})


def test_lossless_is_x264s() -> None:
    assert SinkSettings(crf=0, encoder="libx264").crf == 0
    with pytest.raises(ConfigError, match="expected 1 to 51 for h264_nvenc"):
        SinkSettings(crf=0, encoder="h264_nvenc")
