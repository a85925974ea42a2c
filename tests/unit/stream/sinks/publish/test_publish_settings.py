from __future__ import annotations

from typing import Any

import pytest

from stream import config
from stream.errors import ConfigError
from stream.sinks.publish import PublishSettings


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("stall_s", 0.0, "stall_s is 0; expected more than 0"),
        ("retry_max_s", float("nan"), "retry_max_s is nan; expected more than 0"),
        ("queue_s", -1.0, "queue_s is -1; expected more than 0"),
        ("ffmpeg", "", "ffmpeg is empty; expected a command"),
        ("keyframe_s", 0.0, "keyframe_s is 0"),
    ],
)
def test_senseless_values_are_refused(name: str, value: Any, expected: str) -> None:
    with pytest.raises(ConfigError, match=expected):
        PublishSettings(**{name: value})


def test_settings_of_the_encoder_are_among_them() -> None:
    made = config.load(None, ["publish.bitrate_kbps=900", "publish.encoder=libx264"], {})
    assert made.publish.bitrate_kbps == 900
    assert made.publish.encoder == "libx264"
    with pytest.raises(ConfigError, match=r"publish\.encoder is 'x265', expected one of auto"):
        config.load(None, ["publish.encoder=x265"], {})
