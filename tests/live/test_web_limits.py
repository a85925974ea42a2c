"""What is too large is turned away by the panel's server before it takes memory."""

from __future__ import annotations

import asyncio

import pytest
from websockets.exceptions import ConnectionClosed

from stream.sources.settings import SourceSettings
from stream.web.server import WebServer
from stream.web.settings import WebSettings
from stream.web.uplink import LARGEST_MESSAGE
from tests.steered_run import open_socket

TOO_BIG = 1009  # RFC 6455, section 7.4.1


@pytest.mark.parametrize("path", ["/ws/camera", "/ws/view"])
def test_a_message_beyond_the_limit_closes_the_connection(path: str) -> None:
    async def send(server: WebServer) -> int | None:
        async with open_socket(server, path) as socket:
            with pytest.raises(ConnectionClosed) as closed:
                await socket.send(bytes(LARGEST_MESSAGE + 1))
                await asyncio.wait_for(socket.recv(), 10)
            assert closed.value.rcvd is not None
            return closed.value.rcvd.code

    with WebServer(WebSettings(port=0)) as server:
        server.camera(SourceSettings())
        assert asyncio.run(send(server)) == TOO_BIG
