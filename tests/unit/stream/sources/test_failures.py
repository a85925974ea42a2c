from __future__ import annotations

import errno
import re

import av
import pytest

from stream.sources.failures import open_failure, without_credentials


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


@pytest.mark.parametrize(
    ("url", "error", "expected"),
    [
        ("rtsp://h/x", av.error.InvalidDataError(0, "Invalid data"), "no rtsp stream came"),
        ("http://h/x", av.error.InvalidDataError(0, "Invalid data"), "the server sent no video"),
        ("rtmp://h/x", av.error.EOFError(0, "End of file"), "the connection was closed"),
        ("http://h/x", OSError(errno.EIO, "Input/output error"), "the host cannot be reached"),
        ("rtsp://h/x", OSError(errno.EHOSTUNREACH, "No route"), r"reached \(No route\)"),
        ("clip.mp4", av.error.InvalidDataError(0, "Invalid data"), "not a video .* cut short"),
    ],
)
def test_the_network_is_named_where_it_is_one(url: str, error: Exception, expected: str) -> None:
    failure = open_failure(url, error, waited_s=0.1, timeout_s=5)
    assert re.search(expected, str(failure))
    assert str(failure).startswith(f"{url}: ")
