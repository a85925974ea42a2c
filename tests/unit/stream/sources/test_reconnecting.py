from __future__ import annotations

import itertools
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Self

import numpy as np
import pytest

from stream.errors import SourceError
from stream.frame import AudioFormat, AudioPacket, Frame, SourceInfo
from stream.sources import SourceSettings
from stream.sources.reconnecting import Reconnecting

MS = 1_000_000
TICK = Fraction(1, 90_000)
SOUND = AudioFormat("aac", 48_000, "stereo", Fraction(1, 48_000), b"")
CAMERA = SourceInfo("rtsp://camera", 64, 48, time_base=TICK, live=True, endless=True, audio=SOUND)


class Clock:
    """Time passes only where somebody waits, or says so."""

    def __init__(self) -> None:
        self.now_ns = 7_000_000 * MS

    def sleep(self, seconds: float) -> None:
        self.now_ns += max(round(seconds * 1e9), 1000)  # Time always passes.


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(time, "monotonic_ns", lambda: made.now_ns)
    monkeypatch.setattr(time, "monotonic", lambda: made.now_ns / 1e9)
    monkeypatch.setattr(time, "sleep", made.sleep)
    return made


class Camera:
    """Pictures 40 ms apart, then the end or an error."""

    def __init__(
        self,
        clock: Clock,
        pictures: int = 3,
        *,
        refused: str = "",
        lost: str = "",
        info: SourceInfo = CAMERA,
        sound_ms: Sequence[int] = (),
        starts_at_ms: int = 0,
    ) -> None:
        self.info = info
        self._clock, self._pictures = clock, pictures
        self._refused, self._lost = refused, lost
        self._sound_ms, self._starts_at_ms = sound_ms, starts_at_ms
        self.is_open = self.stopped = False

    def __enter__(self) -> Self:
        if self._refused:
            raise SourceError(self._refused)
        self.is_open = True
        return self

    def __exit__(self, *_: object) -> None:
        self.is_open = False

    def stop(self) -> None:
        self.stopped = True

    def __iter__(self) -> Iterator[Frame]:
        image = np.zeros((self.info.height, self.info.width, 3), np.uint8)
        for seq in range(self._pictures):
            self._clock.now_ns += 40 * MS
            pts_ns = (self._starts_at_ms + 40 * seq) * MS
            sound = tuple(AudioPacket(b"", 48 * ms, 48 * ms, 1024) for ms in self._sound_ms)
            yield Frame(image, pts_ns, seq, self._clock.now_ns, audio=sound if not seq else ())
        if self._lost:
            raise SourceError(self._lost)


def reconnecting(cameras: Sequence[Camera], **settings: float | bool) -> Reconnecting:
    following = iter(cameras)
    return Reconnecting(lambda: next(following), SourceSettings(**settings))  # type: ignore[arg-type]


def view(source: Reconnecting, count: int) -> list[Frame]:
    with source:
        return list(itertools.islice(source, count))


def states(source: Reconnecting) -> tuple[str, str, int]:
    (health,) = source.health().values()
    return health.state, health.detail, health.losses


@pytest.mark.parametrize("how", ["", "rtsp://camera: source lost: no picture for 5.0 s"])
def test_numbers_and_times_go_on_after_a_loss(clock: Clock, how: str) -> None:
    cameras = [Camera(clock, 3, lost=how), Camera(clock, 3)]
    source = reconnecting(cameras)
    began_ns = clock.now_ns
    frames = view(source, 6)
    assert [frame.seq for frame in frames] == [0, 1, 2, 3, 4, 5]
    times_ms = [frame.pts_ns / MS for frame in frames]
    assert times_ms[:3] == [0, 40, 80]
    # The gap is the time that passed: 50 to 100 ms before the attempt, 40 until its picture.
    assert 80 + 90 <= times_ms[3] <= 80 + 145
    assert times_ms[5] - times_ms[3] == pytest.approx(80, abs=0.1)
    assert [frame.captured_ns - began_ns for frame in frames] == sorted(
        frame.captured_ns - began_ns for frame in frames
    )
    assert not any(camera.is_open for camera in cameras)


def test_all_times_are_ticks_of_the_first_clock(clock: Clock) -> None:
    frames = view(reconnecting([Camera(clock, 1), Camera(clock, 1)]), 2)
    ticks = Fraction(frames[1].pts_ns, 10**9) / TICK
    assert abs(ticks - round(ticks)) < Fraction(1, 1000)


def test_health_tells_the_last_loss_and_what_is_done_about_it(clock: Clock) -> None:
    source = reconnecting(
        [
            Camera(clock, 1, lost="rtsp://camera: source lost: bad cable"),
            Camera(clock, refused="rtsp://camera: connection refused"),
            Camera(clock, 2),
        ]
    )
    with source:
        assert states(source) == ("connecting", "", 0)
        frames = iter(source)
        next(frames)
        assert states(source) == ("running", "", 0)
        next(frames)
        assert states(source) == ("running", "rtsp://camera: connection refused", 1)


def test_waits_grow_to_a_limit_and_begin_anew_after_a_success(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("random.uniform", lambda _low, high: high)
    tried_ms: list[int] = []

    def opened(plan: Iterator[Camera]) -> Callable[[], Camera]:
        def make() -> Camera:
            tried_ms.append(clock.now_ns // MS)
            return next(plan)

        return make

    refused = [Camera(clock, refused="refused") for _ in range(5)]
    plan = [Camera(clock, 1), *refused, Camera(clock, 1), Camera(clock, 1)]
    settings = SourceSettings(retry_first_s=0.1, retry_max_s=0.5)
    view(Reconnecting(opened(iter(plan)), settings), 3)
    waits_ms = [after - before for before, after in itertools.pairwise(tried_ms)]
    assert waits_ms == [140, 200, 400, 500, 500, 500, 140]  # 40 ms of them for a picture


def test_first_opening_fails_at_once(clock: Clock) -> None:
    source = reconnecting([Camera(clock, refused="rtsp://camera: connection refused")])
    with pytest.raises(SourceError, match="refused"), source:
        pytest.fail("was entered")


def test_a_file_on_a_server_has_an_end_and_its_damage_is_an_error(clock: Clock) -> None:
    file = replace(CAMERA, endless=False)
    assert len(view(reconnecting([Camera(clock, 3, info=file)]), 9)) == 3
    source = reconnecting([Camera(clock, 3, info=file, lost="damaged")])
    with pytest.raises(SourceError, match="damaged"):
        view(source, 9)
    assert states(source)[0] == "failed"


def test_a_live_stream_that_has_become_a_recording_is_over(clock: Clock) -> None:
    recording = Camera(clock, 3, info=replace(CAMERA, endless=False))
    source = reconnecting([Camera(clock, 3), recording])
    assert len(view(source, 9)) == 3
    assert states(source)[0] == "ended"
    assert not recording.is_open


def test_without_reconnecting_a_loss_is_raised_and_an_end_is_an_end(clock: Clock) -> None:
    assert len(view(reconnecting([Camera(clock, 3)], reconnect=False), 9)) == 3
    with pytest.raises(SourceError, match="lost"):
        view(reconnecting([Camera(clock, 3, lost="lost")], reconnect=False), 9)


def test_duration_counts_across_losses(clock: Clock) -> None:
    cameras = [Camera(clock, 3) for _ in range(9)]
    frames = view(reconnecting(cameras, duration_s=0.5), 99)
    assert frames[-1].pts_ns < 500 * MS
    assert 6 <= len(frames) <= 9


def test_stop_ends_the_search(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    camera = Camera(clock, 1)
    source = reconnecting([camera], retry_first_s=3600.0, retry_max_s=3600.0)
    naps = []

    def nap(seconds: float) -> None:
        naps.append(seconds)
        clock.sleep(seconds)
        if len(naps) == 3:
            source.stop()

    monkeypatch.setattr(time, "sleep", nap)
    assert len(view(source, 9)) == 1
    assert len(naps) == 3
    assert max(naps) <= 0.05


def test_stop_reaches_the_source_that_is_open(clock: Clock) -> None:
    camera = Camera(clock, 9)
    source = reconnecting([camera])
    with source:
        next(iter(source))
        source.stop()
        assert camera.stopped


def test_sound_moves_along_and_never_overlaps(clock: Clock) -> None:
    cameras = [Camera(clock, 2, sound_ms=(0, 21, 200)), Camera(clock, 2, sound_ms=(-60, 0, 21))]
    frames = view(reconnecting(cameras), 4)
    first = [packet.dts for packet in frames[0].audio]
    second = [packet.dts for packet in frames[2].audio]
    assert first == [0, 48 * 21, 48 * 200]
    shift_ms = frames[2].pts_ns / MS
    expected = [48 * (ms + shift_ms) for ms in (-60, 0, 21) if ms + shift_ms > 200]
    assert second == [pytest.approx(dts, abs=1) for dts in expected]


def test_sound_in_another_time_base_is_converted(clock: Clock) -> None:
    coarse = replace(CAMERA, audio=replace(SOUND, time_base=Fraction(1, 24_000)))
    cameras = [Camera(clock, 1), Camera(clock, 1, info=coarse, sound_ms=(500,))]
    frames = view(reconnecting(cameras), 2)
    shift_ms = frames[1].pts_ns / MS
    (packet,) = frames[1].audio
    assert packet.dts == pytest.approx(48 * (1000 + shift_ms), abs=1)
    assert packet.duration == 2048


def test_sound_of_another_codec_is_left_out(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    other = replace(CAMERA, audio=replace(SOUND, codec="opus"))
    cameras = [Camera(clock, 1), Camera(clock, 1, info=other, sound_ms=(0,))]
    assert view(reconnecting(cameras), 2)[1].audio == ()
    assert "its codec has changed" in caplog.text


def test_another_size_is_passed_on(clock: Clock) -> None:
    cameras = [Camera(clock, 1), Camera(clock, 1, info=replace(CAMERA, width=32, height=16))]
    shapes = [frame.image.shape for frame in view(reconnecting(cameras), 2)]
    assert shapes == [(48, 64, 3), (16, 32, 3)]


def test_a_loss_and_the_return_are_told_once_each(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    broken = "rtsp://camera: source lost: bad cable"
    cameras = [
        Camera(clock, 30, lost=broken),
        Camera(clock, refused="refused"),
        *(Camera(clock, 2) for _ in range(20)),  # comes for a moment, and is lost again
        Camera(clock, 30),
        Camera(clock, 1),
    ]
    frames = view(reconnecting(cameras), 30 + 40 + 30 + 1)
    told = [record.getMessage() for record in caplog.records]
    assert told[0] == f"{broken}; looking for it"
    assert told[2] == "rtsp://camera: source lost: it has ended; looking for it"
    assert len(told) == 3
    away = re.fullmatch(r"rtsp://camera: back, after (\d+\.\d) s without it", told[1])
    assert away is not None
    gaps_ns = [
        after.captured_ns - before.captured_ns for before, after in itertools.pairwise(frames[:72])
    ]
    without_ns = sum(gap_ns for gap_ns in gaps_ns if gap_ns > 41 * MS)
    assert float(away[1]) == pytest.approx(without_ns / 1e9, abs=0.06)
