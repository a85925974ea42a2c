"""Sound by WebRTC, with aiortc in the place of the browser."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aiortc import RTCPeerConnection, RTCRtpReceiver, RTCRtpTransceiver
from aiortc.mediastreams import MediaStreamTrack
from aiortc.rtp import RtcpSrPacket

from stream.frame import Frame
from stream.sources import open_source
from stream.sources.settings import SourceSettings
from stream.web import rtc_sound
from stream.web.server import WebServer
from stream.web.settings import WebSettings
from tests import beeps
from tests.live.test_web_rtc import GENEROUS_S, negotiate, only, peer
from tests.steered_run import until

_SECONDS = 5
_MOST_APART_S = 0.04


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("beeps") / "clip.mp4"
    beeps.clip(path, _SECONDS)
    return path


@contextmanager
def playing(
    server: WebServer, clip: Path, change: Callable[[Frame], Frame] = lambda frame: frame
) -> Iterator[threading.Event]:
    """The panel shows the clip at its own pace; the event says when it has ended."""
    done, ended = threading.Event(), threading.Event()
    with open_source(str(clip), SourceSettings(paced=True)) as source:
        sink = server.sink(source.info.audio)

        def play() -> None:
            for frame in source:
                if done.is_set():
                    break
                sink.write(change(frame))
            ended.set()

        thread = threading.Thread(target=play)
        thread.start()
        try:
            yield ended
        finally:
            done.set()
            thread.join()


class Reported:
    """What of a stream came, on the time of day that the sender's reports tell."""

    def __init__(self, receiver: RTCRtpReceiver, ticks_per_s: int) -> None:
        self._ticks_per_s = ticks_per_s
        self._first: int | None = None
        self._report: tuple[float, int] | None = None
        take_rtp, take_rtcp = receiver._handle_rtp_packet, receiver._handle_rtcp_packet

        async def rtp(packet: Any, arrival_time_ms: int) -> None:
            self._first = packet.timestamp if self._first is None else self._first
            await take_rtp(packet, arrival_time_ms)

        async def rtcp(packet: Any) -> None:
            if isinstance(packet, RtcpSrPacket):
                about = packet.sender_info
                self._report = about.ntp_timestamp / 2**32, about.rtp_timestamp
            await take_rtcp(packet)

        receiver._handle_rtp_packet = rtp  # type: ignore[method-assign]
        receiver._handle_rtcp_packet = rtcp  # type: ignore[method-assign]

    def time_s(self, pts: int) -> float:
        """Of aiortc's count, which begins with the first packet."""
        assert self._first is not None
        assert self._report is not None, "no report came"
        time_s, ticks = self._report
        ahead = (self._first + pts - ticks + 2**31) % 2**32 - 2**31
        return time_s + ahead / self._ticks_per_s


async def flashes(track: MediaStreamTrack, found: list[int]) -> None:
    """Presentation times at which it becomes bright."""
    was = False
    while True:
        frame: Any = await track.recv()
        bright = float(frame.to_ndarray(format="gray").mean()) > 100
        if bright and not was:
            found.append(frame.pts)
        was = bright


async def sounds(track: MediaStreamTrack, found: list[tuple[int, np.ndarray]]) -> None:
    """Presentation times, and (2, N) samples of full scale 1."""
    while True:
        frame: Any = await track.recv()
        found.append((frame.pts, frame.to_ndarray().reshape(-1, 2).T / 32768))


def offered(connection: RTCPeerConnection, codec: str = "video/H264") -> list[RTCRtpTransceiver]:
    sections = [
        connection.addTransceiver(kind, direction="recvonly") for kind in ("audio", "video")
    ]
    sections[1].setCodecPreferences(only(codec))
    return sections


async def listen(connection: RTCPeerConnection, ended: threading.Event) -> list[Any]:
    """All pieces of sound until the clip has ended."""
    heard: list[tuple[int, np.ndarray]] = []
    tracks = [one.receiver.track for one in connection.getTransceivers() if one.kind == "audio"]
    task = asyncio.ensure_future(sounds(tracks[0], heard))
    await asyncio.to_thread(ended.wait)
    task.cancel()
    return heard


@pytest.mark.parametrize("codec", ["video/H264", "video/VP8"])
def test_flash_and_beep_are_of_the_same_moment(clip: Path, codec: str) -> None:
    async def watch() -> tuple[list[float], list[float]]:
        async with peer() as connection:
            audio, video = offered(connection, codec)
            clocks = Reported(audio.receiver, 48_000), Reported(video.receiver, 90_000)
            seen: list[int] = []
            heard: list[tuple[int, np.ndarray]] = []
            with playing(server, clip) as ended:
                answer = await negotiate(connection, server, "view")
                assert answer.json()["sdp"].count("a=sendonly") == 2
                work = [
                    asyncio.ensure_future(flashes(video.receiver.track, seen)),
                    asyncio.ensure_future(sounds(audio.receiver.track, heard)),
                ]
                await asyncio.to_thread(ended.wait)
                for one in work:
                    one.cancel()
            first, _ = heard[0]
            line = np.zeros((2, heard[-1][0] - first + 2000))
            for pts, samples in heard:
                line[:, pts - first : pts - first + samples.shape[1]] = samples
            assert np.abs(line[1]).max() < 0.1  # the beep is on the left
            beeped = [first + round(48_000 * at) for at in beeps.onsets(line[0], 48_000)]
            return [clocks[1].time_s(pts) for pts in seen], [clocks[0].time_s(at) for at in beeped]

    with WebServer(WebSettings(port=0)) as server:
        seen, heard = asyncio.run(watch())
    assert len(heard) >= 3
    apart = [min((flash - beep for flash in seen), key=abs) for beep in heard]
    assert max(map(abs, apart)) <= _MOST_APART_S


@pytest.fixture
def coders(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Grows by one for each decoder that is opened."""
    made: list[object] = []
    coder = rtc_sound.SoundCoder

    def counted(*args: Any) -> object:
        made.append(coder(*args))
        return made[-1]

    monkeypatch.setattr(rtc_sound, "SoundCoder", counted)
    return made


def test_who_wants_no_sound_gets_none_and_nothing_is_decoded(
    clip: Path, coders: list[object]
) -> None:
    async def watch() -> str:
        async with peer() as connection:
            video = connection.addTransceiver("video", direction="recvonly")
            with playing(server, clip):
                answer = await negotiate(connection, server, "view")
                for _ in range(10):
                    await asyncio.wait_for(video.receiver.track.recv(), GENEROUS_S)
            return str(answer.json()["sdp"])

    with WebServer(WebSettings(port=0)) as server:
        assert "m=audio" not in asyncio.run(watch())
    assert not coders


def test_a_source_without_sound_answers_none(tmp_path: Path, coders: list[object]) -> None:
    silent = tmp_path / "silent.mp4"
    beeps.clip(silent, 2, sound=False)

    async def watch() -> str:
        async with peer() as connection:
            _, video = offered(connection)
            with playing(server, silent):
                answer = await negotiate(connection, server, "view")
                await asyncio.wait_for(video.receiver.track.recv(), GENEROUS_S)
            return str(answer.json()["sdp"])

    with WebServer(WebSettings(port=0)) as server:
        audio, video = asyncio.run(watch()).split("m=video")
        assert server._panel.status()["web"]["sound"] is False
    assert "a=inactive" in audio
    assert "a=sendonly" in video
    assert not coders


def test_all_listeners_share_one_decoder_until_the_last_goes(
    clip: Path, coders: list[object]
) -> None:
    async def watch() -> None:
        async with peer() as first:
            for_first, _ = offered(first)
            await negotiate(first, server, "view")
            await asyncio.wait_for(for_first.receiver.track.recv(), GENEROUS_S)
            async with peer() as second:
                for_second, _ = offered(second)
                await negotiate(second, server, "view")
                await asyncio.wait_for(for_second.receiver.track.recv(), GENEROUS_S)
                assert len(coders) == 1
            await asyncio.wait_for(for_first.receiver.track.recv(), GENEROUS_S)
            assert len(coders) == 1
        await until(lambda: server._broadcast.hear is None)
        async with peer() as third:
            for_third, _ = offered(third)
            await negotiate(third, server, "view")
            await asyncio.wait_for(for_third.receiver.track.recv(), GENEROUS_S)
        assert len(coders) == 2

    with WebServer(WebSettings(port=0)) as server, playing(server, clip):
        asyncio.run(watch())


def test_pictures_that_are_held_are_silent(clip: Path) -> None:
    """Sound is lost from 1.7 s on while pictures go on; the stream goes on with silence."""

    def losing(frame: Frame) -> Frame:
        return frame if frame.pts_ns < 1.7e9 else replace(frame, audio=(), held=True)

    async def watch() -> list[tuple[int, np.ndarray]]:
        async with peer() as connection:
            offered(connection)
            with playing(server, clip, losing) as ended:
                await negotiate(connection, server, "view")
                return await listen(connection, ended)

    with WebServer(WebSettings(port=0)) as server:
        heard = asyncio.run(watch())
    times = [pts for pts, _ in heard]
    assert np.diff(times).max() <= 960, "without a gap"
    assert times[-1] - times[0] > 3 * 48_000
    line = np.concatenate([samples[0] for _, samples in heard])
    assert len(beeps.onsets(line, 48_000)) == 1
