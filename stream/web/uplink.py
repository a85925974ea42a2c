"""A browser that sends its camera by WebSocket."""

from __future__ import annotations

import asyncio
import time
from functools import partial

from fastapi import WebSocket, WebSocketDisconnect

from stream.web import viewers
from stream.web.camera import BrowserCamera, Seat, decode_jpeg
from stream.web.messages import unpack_camera
from stream.web.sender_clock import SenderClock

LARGEST_MESSAGE = 8 * 1024 * 1024
"""Bytes; a 4K picture of good quality has about 3 MB."""

REPLACED = 4001
"""Close code: another browser is the camera now; do not come back by yourself."""


async def camera(socket: WebSocket, source: BrowserCamera) -> None:
    """Takes pictures from one accepted WebSocket until it closes or is replaced.

    Args:
        socket: accepted; closed on return. What is larger than `LARGEST_MESSAGE` does not get
            here.
        source: gets the pictures.
    """
    loop = asyncio.get_running_loop()
    replaced = asyncio.Event()
    seat = source.seat(lambda: _soon(loop, replaced))
    try:
        await viewers.first_of(_receive(socket, seat), _give_way(socket, replaced))
    finally:
        seat.leave()
    await viewers.close(socket, viewers.GOING_AWAY)


async def _receive(socket: WebSocket, seat: Seat) -> None:
    clock = SenderClock()
    while True:
        message = await socket.receive()
        arrived_ns = time.monotonic_ns()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message["code"])
        try:
            picture = unpack_camera(message.get("bytes") or b"")
        except ValueError as error:
            await viewers.close(socket, viewers.POLICY, str(error))
            return
        captured_ns = clock.captured_ns(picture.sent_ms, arrived_ns)
        seat.offer(partial(decode_jpeg, picture.jpeg), captured_ns)
        await viewers.send(socket, "ack")


def _soon(loop: asyncio.AbstractEventLoop, event: asyncio.Event) -> None:
    loop.call_soon_threadsafe(event.set)


async def _give_way(socket: WebSocket, replaced: asyncio.Event) -> None:
    await replaced.wait()
    await viewers.close(socket, REPLACED, "another browser is the camera now")
