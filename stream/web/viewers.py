"""Browsers that watch by WebSocket or as motion JPEG."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import suppress
from typing import Any

from fastapi import WebSocket, WebSocketDisconnect

from stream.web.broadcast import Broadcast

IN_FLIGHT = 2
"""Pictures under way to one browser: one on the wire while the other one is shown."""

BOUNDARY = "picture"
_LONGEST_TEXT = 256
_LONGEST_TIME = 1e15

# Close codes of RFC 6455, section 7.4.1.
GOING_AWAY, ABNORMAL, POLICY, TRY_AGAIN = 1001, 1006, 1008, 1013


class _Credit:
    """How many pictures may still be sent before the browser acknowledges one."""

    def __init__(self) -> None:
        self._in_flight = 0
        self._room = asyncio.Event()
        self._room.set()

    async def room(self) -> None:
        await self._room.wait()

    def take(self) -> None:
        self._in_flight += 1
        if self._in_flight >= IN_FLIGHT:
            self._room.clear()

    def give_back(self) -> None:
        # More acknowledgments than pictures buy nothing.
        self._in_flight = max(self._in_flight - 1, 0)
        self._room.set()


async def view(socket: WebSocket, broadcast: Broadcast, *, original: bool) -> None:
    """Sends pictures to one accepted WebSocket until either side ends.

    At most `IN_FLIGHT` pictures wait for the browser's "ack"; those that come meanwhile are
    left out, so a browser that never answers costs no memory.

    Args:
        socket: accepted; closed on return.
        broadcast: the pictures.
        original: send the picture before blending, too, if there is one.
    """
    credit = _Credit()
    await first_of(_send(socket, broadcast, credit, original=original), _answer(socket, credit))
    await close(socket, GOING_AWAY)


async def _send(
    socket: WebSocket, broadcast: Broadcast, credit: _Credit, *, original: bool
) -> None:
    number = 0
    while True:
        await credit.room()
        following = await broadcast.message_after(number, original=original)
        if following is None:
            return
        number, message = following
        credit.take()
        await send(socket, message)
        broadcast.sent += 1


async def _answer(socket: WebSocket, credit: _Credit) -> None:
    while True:
        text = await receive_text(socket)
        if text == "ack":
            credit.give_back()
            continue
        sent = _ping(text)
        if sent is None:
            await close(socket, POLICY, 'expected "ack" or {"ping": a number}')
            return
        now_ms = time.monotonic_ns() / 1e6
        await send(socket, json.dumps({"pong": sent, "now": now_ms}))


def _ping(text: str | None) -> float | None:
    if text is None or len(text) > _LONGEST_TEXT:
        return None
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(message, dict) or set(message) != {"ping"}:
        return None
    sent = message["ping"]
    # JSON knows numbers that no clock shows, and Python's parser some that JSON does not.
    return sent if isinstance(sent, int | float) and abs(sent) < _LONGEST_TIME else None


async def motion_jpeg(broadcast: Broadcast) -> AsyncIterator[bytes]:
    """Parts of a `multipart/x-mixed-replace` answer; the connection's own pace is the limit."""
    with broadcast.watching():
        number = 0
        while (picture := await broadcast.after(number)) is not None:
            number = picture.number
            jpeg = await asyncio.to_thread(picture.jpeg, "swapped")
            assert jpeg is not None, "each frame has a picture"
            head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n"
            yield b"".join((head.encode(), b"\r\n", jpeg, b"\r\n"))
            broadcast.sent += 1


async def receive_text(socket: WebSocket) -> str | None:
    """The next message if it is text, None if it is binary; raises WebSocketDisconnect."""
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message["code"])
    text: str | None = message.get("text")
    return text


async def send(socket: WebSocket, message: bytes | str) -> None:
    """Send a binary or text message; raises WebSocketDisconnect."""
    try:
        if isinstance(message, bytes):
            await socket.send_bytes(message)
        else:
            await socket.send_text(message)
    except RuntimeError as error:
        # The server has closed it by itself: what came was against the protocol.
        raise WebSocketDisconnect(ABNORMAL) from error


async def close(socket: WebSocket, code: int, reason: str = "") -> None:
    """Close a WebSocket, which may be gone already."""
    with suppress(WebSocketDisconnect, RuntimeError):  # the latter: closed before
        await socket.close(code, reason)


async def first_of(*coroutines: Coroutine[Any, Any, None]) -> None:
    """Runs coroutines until the first one ends, and cancels the others.

    A browser that left is no failure.
    """
    tasks = [asyncio.ensure_future(coroutine) for coroutine in coroutines]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception) and not isinstance(result, WebSocketDisconnect):
            raise result
