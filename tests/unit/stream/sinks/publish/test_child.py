from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from stream.sinks.publish.child import Child
from stream.sinks.publish.target import target_of


def test_a_child_is_reaped_whoever_is_canceled_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    reaps: list[asyncio.Event] = []
    gone = Child._gone

    async def slowly(child: Child) -> None:
        reaps[0].set()
        await asyncio.sleep(0.01)
        await gone(child)

    monkeypatch.setattr(Child, "_gone", slowly)

    async def serve() -> None:
        async with Child(target_of("udp://127.0.0.1:9", stall_s=1, keyframe_s=1)):
            pass

    async def canceled_while_it_reaps() -> int:
        reaps.append(asyncio.Event())
        task = asyncio.ensure_future(serve())
        await reaps[0].wait()
        for _ in range(2):
            task.cancel()
            await asyncio.sleep(0)
        with suppress(asyncio.CancelledError):
            await task
        assert task.cancelled()
        return len(asyncio.all_tasks())

    assert asyncio.run(canceled_while_it_reaps()) == 1, "only the one that looks"
