"""A network camera that dies, freezes, comes back and comes back changed."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from stream.errors import SourceError
from stream.frame import Frame
from stream.sources import SourceSettings, open_source
from stream.sources.reconnecting import Reconnecting
from tests.live.needs import needs
from tests.live.servers.rtsp import RtspServer, live_picture

pytestmark = needs("gst-rtsp-server")

PATIENCE_S = 20.0  # For what takes a second or two on a machine with nothing else to do.
IMPATIENT = SourceSettings(read_timeout_s=0.8, open_timeout_s=5.0)


class Viewer:
    """Reads on a thread of its own, as a pipeline does, and keeps what it is told about."""

    def __init__(self, source: Reconnecting) -> None:
        self.source = source
        self.frames: list[Frame] = []
        self._arrived = threading.Condition()
        self._thread = threading.Thread(target=self._view)
        self._thread.start()

    def _view(self) -> None:
        for frame in self.source:
            with self._arrived:
                self.frames.append(frame)
                self._arrived.notify_all()

    def wait(self, condition: Callable[[Frame], bool] = lambda _: True) -> Frame:
        """The next frame that satisfies the condition."""
        with self._arrived:
            seen = len(self.frames)
            assert self._arrived.wait_for(
                lambda: any(map(condition, self.frames[seen:])), PATIENCE_S
            ), f"no such frame; {self.source.health()}"
            return next(frame for frame in self.frames[seen:] if condition(frame))

    def leave(self) -> float:
        """Stop; returns the seconds that took."""
        began_s = time.monotonic()
        self.source.stop()
        self._thread.join()
        return time.monotonic() - began_s


@contextmanager
def viewing(url: str, settings: SourceSettings = IMPATIENT) -> Iterator[Viewer]:
    source = open_source(url, settings)
    assert isinstance(source, Reconnecting)
    with source:
        viewer = Viewer(source)
        try:
            yield viewer
        finally:
            viewer.leave()


def state(viewer: Viewer) -> str:
    (health,) = viewer.source.health().values()
    return health.state


def wait_until(condition: Callable[[], bool]) -> None:
    until_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < until_s, "it never happened"
        time.sleep(0.01)


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_a_killed_server_is_found_again_each_time(transport: str) -> None:
    settings = SourceSettings(read_timeout_s=0.8, rtsp_transport=transport)
    rounds = 3 if transport == "tcp" else 1
    with RtspServer() as server, viewing(server.url(), settings) as viewer:
        viewer.wait()
        for _ in range(rounds):
            server.kill()
            wait_until(lambda: state(viewer) == "lost")
            server.start()
            viewer.wait()
        ((name, health),) = viewer.source.health().items()
        assert (name, health.state, health.losses) == (server.url(), "running", rounds)
        frames = viewer.frames
    assert [frame.seq for frame in frames] == list(range(len(frames)))
    steps = [b.pts_ns - a.pts_ns for a, b in itertools.pairwise(frames)]
    assert min(steps) > 0
    # Time goes on while nothing comes.
    passed_ns = frames[-1].captured_ns - frames[0].captured_ns
    assert abs((frames[-1].pts_ns - frames[0].pts_ns) - passed_ns) < 10**9


def test_it_begins_with_the_newest_picture_without_waiting_for_a_key_frame() -> None:
    rare_key_frames = {"/test": live_picture(gop_s=60)}
    with RtspServer(rare_key_frames) as server, viewing(server.url()) as viewer:
        for _ in range(3):
            viewer.wait()
        wait_until(lambda: len(viewer.frames) >= 12)
        frames = viewer.frames[:12]
    # What piled up while the stream was examined would come all at once.
    steps_ms = [
        (after.captured_ns - before.captured_ns) / 1e6
        for before, after in itertools.pairwise(frames)
    ]
    assert sorted(steps_ms)[len(steps_ms) // 2] > 25
    assert sum(steps_ms) > 11 * 40 - 100


def test_a_frozen_server_is_lost_by_our_clock_and_found_again() -> None:
    with RtspServer() as server, viewing(server.url()) as viewer:
        viewer.wait()
        server.pause()
        paused_s = time.monotonic()
        wait_until(lambda: state(viewer) == "lost")
        # FFmpeg's own timeouts need twice the read timeout, and those of sockets far more.
        assert time.monotonic() - paused_s < 5
        server.resume()
        viewer.wait()


def test_leaving_ends_every_wait_soon() -> None:
    patient = SourceSettings(open_timeout_s=60, read_timeout_s=60)
    with RtspServer() as server, viewing(server.url(), patient) as viewer:
        viewer.wait()
        server.pause()
        assert viewer.leave() < 3, "a silent connection"
    with RtspServer() as server:
        source = open_source(server.url(), SourceSettings(read_timeout_s=0.5, open_timeout_s=60))
        assert isinstance(source, Reconnecting)
        with source:
            viewer = Viewer(source)
            viewer.wait()
            server.pause()
            wait_until(lambda: state(viewer) == "lost")
            assert viewer.leave() < 3, "an opening that nobody answers"


def test_another_size_and_codec_pass_through() -> None:
    with RtspServer() as server, viewing(server.url()) as viewer:
        assert viewer.wait().image.shape == (240, 320, 3)
        for picture, height in ((live_picture(160, 120), 120), (live_picture(codec="hevc"), 240)):
            server.kill()
            server.play["/test"] = picture
            server.start()
            viewer.wait(lambda frame, height=height: len(frame.image) == height)


def test_sound_goes_on_behind_the_gap() -> None:
    with RtspServer({"/sound": live_picture(sound=True)}) as server:
        with viewing(server.url("/sound")) as viewer:
            viewer.wait(lambda frame: bool(frame.audio))
            server.kill()
            server.start()
            viewer.wait(lambda frame: frame.seq > 0 and bool(frame.audio))
            viewer.wait(lambda frame: bool(frame.audio))
            audio = viewer.source.info.audio
            frames = viewer.frames
        assert audio is not None
        sound = [(packet.dts, frame) for frame in frames for packet in frame.audio]
        ticks = [dts for dts, _ in sound]
        assert ticks == sorted(set(ticks))
        for dts, frame in sound:
            assert abs(dts * audio.time_base * 10**9 - frame.pts_ns) < 10**9


def test_without_reconnecting_the_first_loss_is_the_end() -> None:
    once = SourceSettings(read_timeout_s=0.8, reconnect=False)
    with RtspServer() as server, open_source(server.url(), once) as source:
        frames = iter(source)
        next(frames)
        server.kill()
        # FFmpeg takes a closed connection for a mistake in the data, or for the end.
        with suppress(SourceError):
            for frame in frames:
                assert frame.seq < 100
