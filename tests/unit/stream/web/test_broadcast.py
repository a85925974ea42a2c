from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

import cv2
import numpy as np
import pytest

from stream.web.broadcast import Broadcast, TooManyViewersError
from tests.unit.stream.web.pictures import frame

T = TypeVar("T")


def run(work: Coroutine[None, None, T]) -> T:
    return asyncio.run(work)


@pytest.fixture
def encodings(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows by one for each JPEG that is made."""
    made: list[int] = []
    encode = cv2.imencode

    def counted(suffix: str, image: np.ndarray, options: list[int]) -> tuple[bool, np.ndarray]:
        made.append(1)
        return encode(suffix, image, options)

    monkeypatch.setattr(cv2, "imencode", counted)
    return made


def test_nothing_is_encoded_for_nobody(encodings: list[int]) -> None:
    async def show() -> None:
        broadcast = Broadcast(80, 4)
        broadcast.open()
        for seq in range(3):
            broadcast.show(frame(seq))

    run(show())
    assert not encodings


def test_all_viewers_share_one_encoding(encodings: list[int]) -> None:
    async def show() -> None:
        broadcast = Broadcast(80, 4)
        broadcast.open()
        with broadcast.watching(), broadcast.watching(), broadcast.watching(original=True):
            waiting = [
                asyncio.ensure_future(broadcast.message_after(0, original=original))
                for original in (False, False, True)
            ]
            await asyncio.sleep(0)
            broadcast.show(frame(1, original=True))
            received = [message for message in await asyncio.gather(*waiting) if message]
        assert received[0][1] is received[1][1]
        assert len(received) == 3

    run(show())
    assert len(encodings) == 2  # swapped and original


def test_a_slow_viewer_gets_the_newest(encodings: list[int]) -> None:
    async def show() -> None:
        broadcast = Broadcast(80, 4)
        broadcast.open()
        with broadcast.watching():
            for seq in range(10):
                broadcast.show(frame(seq))
            picture = await broadcast.after(0)
            assert picture is not None
            assert (picture.number, picture.frame.seq) == (10, 9)

    run(show())
    assert not encodings


def test_closing_ends_every_wait() -> None:
    async def wait() -> None:
        broadcast = Broadcast(80, 4)
        broadcast.open()
        waiting = asyncio.ensure_future(broadcast.message_after(0, original=False))
        await asyncio.sleep(0)
        broadcast.close()
        assert await waiting is None
        assert await broadcast.after(0) is None
        broadcast.show(frame(1))  # the pipeline may be later

    run(wait())


def test_room_and_wishes_are_given_back() -> None:
    broadcast = Broadcast(80, 1)
    with broadcast.watching(original=True):
        assert broadcast.wants_original
        with pytest.raises(TooManyViewersError, match="max_clients"), broadcast.watching():
            pass
    assert (broadcast.viewers, broadcast.wants_original) == (0, False)
    with broadcast.watching():
        assert not broadcast.wants_original


def test_a_snapshot_that_does_not_come() -> None:
    async def ask() -> None:
        broadcast = Broadcast(80, 1)
        broadcast.open()
        broadcast.show(frame(0))
        assert await broadcast.snapshot("original", 0.01) is None
        assert not broadcast.wants_original
        jpeg = await broadcast.snapshot("swapped", 0.01)
        assert jpeg is not None
        assert jpeg.startswith(b"\xff\xd8")

    run(ask())


def test_repeated_pictures_are_no_sign_of_life() -> None:
    broadcast = Broadcast(80, 1)
    broadcast.show(frame(0, held=True))
    assert not broadcast.fresh
    broadcast.show(frame(1))
    assert broadcast.fresh
