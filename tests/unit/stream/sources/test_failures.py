from __future__ import annotations

import pytest

from stream.sources.failures import without_credentials


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rtsp://user:secret@host/a", "rtsp://host/a"),
        ("rtsp:/user:secret@host/a", "rtsp:/host/a"),
        (
            "no such file 'rtmp://u:p@h/x', and http://k@h",
            "no such file 'rtmp://h/x', and http://h",
        ),
        ("http://host/user@place", "http://host/user@place"),
        ("C:/clip@home.mp4", "C:/clip@home.mp4"),
    ],
)
def test_credentials_are_left_out(text: str, expected: str) -> None:
    assert without_credentials(text) == expected
