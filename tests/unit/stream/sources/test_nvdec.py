from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import av
import pytest

from stream.errors import SourceError
from stream.sources import SourceSettings, nvdec, open_source

WANTED = SourceSettings(decoder="nvdec")


def stream(size: tuple[int, int], codec: str = "h264", **context: Any) -> Any:
    """What of a stream is looked at, with FFmpeg's own decoder."""
    described = SimpleNamespace(codec=av.codec.Codec(codec, "r"), name=codec, **context)
    return SimpleNamespace(width=size[0], height=size[1], codec_context=described)


@pytest.mark.parametrize(
    ("size", "codec", "why", "expected"),
    [
        ((3840, 2160), "h264", "", True),
        ((2560, 1440), "hevc", "", True),
        ((1920, 1080), "h264", "", False),
        ((3840, 2160), "prores", "", False),
        ((3840, 2160), "h264", "no driver", False),
    ],
)
def test_auto_takes_it_for_large_pictures_of_a_codec_that_it_may_know(
    size: tuple[int, int],
    codec: str,
    why: str,
    expected: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(nvdec, "obstacle", lambda: why)
    assert nvdec.pays(stream(size, codec)) == expected


def test_without_a_device_the_error_says_why_and_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(nvdec, "obstacle", lambda: "no driver")
    with pytest.raises(
        SourceError, match=r"clip: .*: no driver; it needs .* auto or cpu"
    ) as caught:
        nvdec.check_device("clip")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (PermissionError(1, "Operation not permitted"), "driver library cannot be loaded"),
        (NotImplementedError("No supported hardware config"), "built without NVDEC"),
        (av.error.ExternalError(5, "Generic error in an external library"), "Generic error"),
        (None, ""),
    ],
)
def test_why_there_is_no_device(
    error: Exception | None, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def create(_codec: object) -> None:
        if error is not None:
            raise error

    monkeypatch.setattr(nvdec, "accelerator", lambda: SimpleNamespace(create=create))
    nvdec.obstacle.cache_clear()
    try:
        assert says in nvdec.obstacle()
        assert bool(says) == bool(nvdec.obstacle())
    finally:
        nvdec.obstacle.cache_clear()


def test_a_picture_tells_who_decoded_it() -> None:
    size = {"width": 96, "height": 64, "profile": None}
    nvdec.check_decoded(stream((96, 64), is_hwaccel=True, pix_fmt="cuda", **size), "clip")
    for context in (
        {"is_hwaccel": True, "pix_fmt": "yuv422p10le"},
        {"is_hwaccel": False, "pix_fmt": "yuv422p10le"},
    ):
        with pytest.raises(SourceError, match="h264, yuv422p10le, 96x64 is beyond"):
            nvdec.check_decoded(stream((96, 64), **context, **size), "clip")


@pytest.mark.parametrize("url", ["screen", "portrait.jpg", "0"])
def test_it_is_an_error_where_nothing_is_decoded_by_ffmpeg(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(SourceError, match=f"{url}: NVDEC cannot decode it"):
        open_source(url, WANTED)
