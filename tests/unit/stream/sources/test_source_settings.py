from __future__ import annotations

from typing import Any

import pytest

from stream.errors import ConfigError
from stream.sources import SourceSettings


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("start_s", -1.0, "start_s is -1; expected 0 or more seconds"),
        ("duration_s", 0.0, "duration_s is 0; expected more than 0"),
        ("image_rate_hz", -25.0, "image_rate_hz is -25"),
        ("camera_width", 0, "camera_width is 0"),
        ("read_timeout_s", 0.0, "read_timeout_s is 0"),
        ("start_s", float("nan"), "start_s is nan; expected 0 or more"),
        ("duration_s", float("nan"), "duration_s is nan; expected more than 0"),
        ("threads", -1, "threads is -1; expected 1 or more, or 0 for its share"),
    ],
)
def test_senseless_values_are_refused(name: str, value: Any, expected: str) -> None:
    with pytest.raises(ConfigError, match=expected):
        SourceSettings(**{name: value})
