from __future__ import annotations

import sys
from pathlib import Path

import pytest

from stream import sources
from stream.errors import SourceError
from stream.sources import SourceSettings, open_source
from stream.sources.camera import OpenCVCamera
from stream.sources.container import ContainerSource
from stream.sources.failures import without_credentials
from stream.sources.pictures import PictureSource, natural
from stream.sources.reconnecting import Reconnecting

WHOLE = SourceSettings()


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("demo", ContainerSource),
        ("clip.mp4", ContainerSource),
        ("clip without suffix", ContainerSource),
        ("rtsp://camera.local/stream", Reconnecting),
        ("HTTP://example.org/clip.mp4", Reconnecting),
        ("/dev/video3", Reconnecting),
        ("/dev/v4l/by-id/usb-camera", Reconnecting),
        ("screen", Reconnecting),
        ("screen:2", Reconnecting),
        ("portrait.JPG", PictureSource),
    ],
)
def test_url_chooses_the_source(url: str, kind: type) -> None:
    assert isinstance(open_source(url, WHOLE), kind)


@pytest.mark.parametrize(
    ("platform", "kind"), [("linux", ContainerSource), ("win32", OpenCVCamera)]
)
def test_number_is_a_camera(platform: str, kind: type, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    source = open_source("0", WHOLE)
    assert isinstance(source, Reconnecting)
    assert isinstance(source._sources._open(), kind)


def test_unknown_scheme_is_refused_with_the_known_ones() -> None:
    with pytest.raises(SourceError, match=r"gopher://: unknown.*expected one of http, .*udp"):
        open_source("gopher://host/clip", WHOLE)


def test_demo_is_looked_up_in_the_package() -> None:
    assert sources._demo().parts[-3:] == ("stream", "bundled", "demo.mp4")


def test_pictures_are_in_natural_order() -> None:
    names = ["b1.png", "a10.png", "a2.png", "A1.png", "7.png", "a2b3.png"]
    ordered = sorted((Path(name) for name in names), key=natural)
    assert [path.name for path in ordered] == [
        "7.png", "A1.png", "a2.png", "a2b3.png", "a10.png", "b1.png",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("rtsp://me:se:cret@host:554/a@b", "rtsp://host:554/a@b"),
        ("rtsp://host/a@b", "rtsp://host/a@b"),
        ("/home/me@work/clip.mp4", "/home/me@work/clip.mp4"),
    ],
)
def test_credentials_are_not_shown(url: str, shown: str) -> None:
    assert without_credentials(url) == shown
