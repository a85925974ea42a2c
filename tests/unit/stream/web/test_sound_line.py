from __future__ import annotations

import numpy as np
import pytest

from stream.web.sound_line import BLOCK, RATE, Samples, SoundLine

_MS = 1_000_000
_FRAME_NS = 40 * _MS
_CHUNK = 1024


class Played:
    """Pictures every 40 ms and a rising count as sound, on a clock of its own."""

    def __init__(self) -> None:
        self.line = SoundLine()
        self.blocks: list[tuple[int, Samples]] = []
        self.waited: list[int] = []
        self.now_ns = 10**12
        self._zero_ns = self.now_ns

    @property
    def pts_ns(self) -> int:
        return self.now_ns - self._zero_ns

    def run(self, seconds: float, *, late_ms: float = 0, sound: bool = True) -> None:
        """Sound of `late_ms` before each picture comes with it."""
        for _ in range(round(seconds * 1e9 / _FRAME_NS)):
            self.line.shown(self.pts_ns, self.now_ns)
            if sound:
                end = round((self.pts_ns / 1e9 - late_ms / 1e3) * RATE)
                for position in range(end - RATE * 40 // 1000, end, 480):
                    if position >= 0:
                        self.line.write(position, counted(position, 480), self.now_ns)
            for _ in range(2):
                self._take()
                self.now_ns += _FRAME_NS // 2

    def _take(self) -> None:
        now = self.pts_ns * RATE // 10**9
        for position, samples in self.line.take(self.now_ns):
            self.blocks.append((position, samples))
            self.waited.append(now - position)


def counted(position: int, length: int) -> Samples:
    count = np.arange(position, position + length) % 30_000 + 1
    return np.stack([count, -count], axis=1).astype(np.int16)


def in_place(block: tuple[int, Samples]) -> bool:
    position, samples = block
    return np.array_equal(samples, counted(position, BLOCK))


def is_silent(block: tuple[int, Samples]) -> bool:
    return not block[1].any()


def no_gap(played: Played) -> bool:
    positions = [position for position, _ in played.blocks]
    return bool((np.diff(positions) == BLOCK).all())


@pytest.mark.parametrize("late_ms", [-500, 0, 100, 700])
def test_sound_leaves_at_its_place_and_no_later_than_it_came(late_ms: float) -> None:
    played = Played()
    played.run(10, late_ms=late_ms)
    settled = played.blocks[len(played.blocks) // 2 :]
    assert no_gap(played)
    assert all(map(in_place, settled))
    most = max(late_ms + 40, 0) + 45
    assert max(played.waited[-100:]) <= most * RATE / 1000


def test_early_sound_leaves_with_its_picture() -> None:
    played = Played()
    played.run(10, late_ms=-500)
    assert min(played.waited[-100:]) >= 0


def test_what_does_not_come_is_silence_without_delay() -> None:
    played = Played()
    played.run(3)
    played.run(3, sound=False)
    assert no_gap(played)
    assert is_silent(played.blocks[-1])
    assert max(played.waited[-100:]) <= 0.09 * RATE
    played.run(3)
    assert no_gap(played)
    assert all(map(in_place, played.blocks[-100:]))
    assert max(played.waited[-100:]) <= 0.09 * RATE


def test_the_delay_of_late_sound_passes() -> None:
    played = Played()
    played.run(3, late_ms=600)
    played.run(15, late_ms=0)
    assert no_gap(played)
    assert all(map(in_place, played.blocks[-100:]))
    assert max(played.waited[-100:]) <= 0.09 * RATE


def test_worthless_sound_is_left_out() -> None:
    played = Played()
    played.run(3, late_ms=5000)
    assert all(map(is_silent, played.blocks))
    assert max(played.waited) <= 0.05 * RATE


def test_sound_that_comes_twice_is_heard_once() -> None:
    line = SoundLine()
    line.shown(0, 0)
    line.write(0, counted(0, 4800), 0)
    line.write(2400, counted(2400, 4800), 0)
    line.shown(100 * _MS, 100 * _MS)
    blocks = line.take(100 * _MS)
    assert [position for position, _ in blocks] == list(range(0, 4801, BLOCK))
    assert all(map(in_place, blocks))


def test_timestamps_that_jitter_make_no_holes() -> None:
    line = SoundLine()
    line.shown(0, 0)
    for number in range(6):
        jitter = (number % 2) * 200
        line.write(number * _CHUNK + jitter, counted(number * _CHUNK, _CHUNK), 0)
    line.shown(100 * _MS, 100 * _MS)
    blocks = line.take(100 * _MS)
    assert len(blocks) >= 5
    assert all(map(in_place, blocks))


def test_time_stands_still_without_pictures() -> None:
    played = Played()
    played.run(2)
    count = len(played.blocks)
    played.now_ns += 60 * 10**9
    for _ in range(100):
        played._take()
    assert len(played.blocks) - count <= 25


def test_another_time_is_followed_at_once() -> None:
    played = Played()
    played.run(2)
    before = played.blocks[-1][0]
    played._zero_ns -= 100 * 10**9
    count = len(played.blocks)
    played.run(2)
    after = played.blocks[count:]
    assert after[0][0] > before
    assert len(after) <= 120
    assert all(map(in_place, after[-50:]))
    assert max(played.waited[-50:]) <= 0.09 * RATE


def test_nothing_leaves_before_the_first_picture() -> None:
    assert SoundLine().take(0) == []
