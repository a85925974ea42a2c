from __future__ import annotations

from pathlib import Path

import pytest

from stream.errors import SinkError
from stream.sinks.publish.target import SCHEMES, Target, is_receiver, shown, target_of


def target(url: str) -> Target:
    return target_of(url, stall_s=2.0, keyframe_s=1.5)


@pytest.mark.parametrize(
    "url", [f"{scheme}://host:1/a/b" for scheme in SCHEMES] + ["live.m3u8", "out/LIVE.M3U8"]
)
def test_receivers_are_recognized(url: str) -> None:
    assert is_receiver(url)
    assert is_receiver(url.upper())
    target(url)


@pytest.mark.parametrize(
    "url", ["http://host/x.m3u8", "out.mp4", "null", "shots/", "side:rtsp://h"]
)
def test_what_is_no_receiver(url: str) -> None:
    assert not is_receiver(url)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("rtsp://user:secret@host/cam", "rtsp://host/cam"),
        ("srt://host:9?mode=caller&passphrase=secret1234", "srt://host:9"),
        ("rtmp://host/live/cam", "rtmp://host/live/cam"),
        ("rtmps://host/app/live_1234_secretsecret?x=secret", "rtmps://host/app/live..."),
        ("out/live.m3u8", "out/live.m3u8"),
    ],
)
def test_secrets_are_not_shown(url: str, name: str) -> None:
    assert shown(url) == name
    assert target(url).name == name
    assert "secret" not in repr(target(url).name)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("rtsp:///path", "no host in it; expected rtsp://HOST"),
        ("udp://host", "no port in it; expected udp://HOST:PORT"),
        ("srt://host:port", "not a URL"),
        ("rtmp://user:secret@host/", "rtmp://host/: no stream in it"),
    ],
)
def test_urls_that_lead_nowhere_are_refused(url: str, expected: str) -> None:
    with pytest.raises(SinkError, match=expected) as caught:
        target(url)
    assert "secret" not in str(caught.value)


def test_who_listens_is_given_time() -> None:
    assert target("tcp://0.0.0.0:9?listen=1").waits
    assert target("srt://0.0.0.0:9?mode=listener").waits
    assert not target("tcp://host:9").waits


def test_srt_goes_through_the_ffmpeg_command_and_nothing_else_does() -> None:
    command = target("srt://host:9?mode=caller").relay("my-ffmpeg")
    assert command[0] == "my-ffmpeg"
    assert command[-1] == "srt://host:9?mode=caller"
    assert target("rtsp://host/cam").relay("my-ffmpeg") == []


def test_datagrams_hold_whole_transport_packets_unless_told_otherwise() -> None:
    assert target("udp://host:9").url == "udp://host:9?pkt_size=1316"
    assert target("udp://host:9?ttl=4").url == "udp://host:9?ttl=4&pkt_size=1316"
    assert target("udp://host:9?pkt_size=188").url == "udp://host:9?pkt_size=188"


def test_a_playlist_cuts_at_key_frames() -> None:
    made = target("out/live.m3u8")
    assert made.container == "hls"
    assert made.options["hls_time"] == "1.5"
    assert made.url == f"file:{Path('out/live.m3u8').absolute()}"
