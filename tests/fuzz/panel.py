"""The panel's real server, over sockets: requests, WebSocket frames, a browser's camera."""

from __future__ import annotations

import logging
import socket
import struct
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from stream.sources import SourceSettings
from stream.web.camera import BrowserCamera
from stream.web.server import WebServer
from stream.web.settings import WebSettings
from tests import barcode
from tests.fuzz.kind import SECRET, Kind, Reader
from tests.steered_run import SteeredRun, camera_message, frame

_PATIENCE_S = 10.0
_ENOUGH_S = 0.25  # Whoever says nothing for so long waits for more of a request.
_ENOUGH_BYTES = 1 << 16
_PICTURE = barcode.picture(7, 96, 64)
_PLACE = b"@HOST@"


class _Complaints(logging.Handler):
    """Collects what the server would have logged: it met something that it does not expect."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.name}: {record.getMessage()}")


@dataclass
class _Panel:
    server: WebServer
    complaints: _Complaints = field(default_factory=_Complaints)

    @property
    def host(self) -> bytes:
        return f"127.0.0.1:{self.server.port}".encode()

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.server.port), timeout=_PATIENCE_S)

    def check(self) -> None:
        """The server still answers, and complained of nothing."""
        with self.connect() as connection:
            connection.sendall(b"GET /health HTTP/1.0\r\nHost: localhost\r\n\r\n")
            answer = connection.recv(_ENOUGH_BYTES)
        assert answer.startswith(b"HTTP/1.1 "), answer[:200]
        lines, self.complaints.lines = self.complaints.lines, []
        assert not lines, "; ".join(lines)


@contextmanager
def _serving() -> Iterator[_Panel]:
    settings = WebSettings(port=0, token=SECRET, max_clients=64)
    with WebServer(settings) as server:
        panel = _Panel(server)
        server.attach(SteeredRun())
        server.sink().write(frame(1, _PICTURE, _PICTURE))
        loggers = [logging.getLogger(name) for name in ("stream", "asyncio", "aiortc")]
        for logger in loggers:
            logger.addHandler(panel.complaints)
        try:
            yield panel
        finally:
            for logger in loggers:
                logger.removeHandler(panel.complaints)


def _answer(connection: socket.socket) -> bytes:
    """What comes until nothing more does."""
    parts, count = [], 0
    with suppress(TimeoutError, ConnectionError):
        while count < _ENOUGH_BYTES and (part := connection.recv(_ENOUGH_BYTES)):
            parts.append(part)
            count += len(part)
    return b"".join(parts)


def _send(connection: socket.socket, data: bytes) -> None:
    with suppress(OSError):  # It may have heard enough.
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)


@contextmanager
def _requests(_: Path) -> Iterator[Reader]:
    with _serving() as panel:

        def read(data: bytes) -> None:
            with panel.connect() as connection:
                _send(connection, data.replace(_PLACE, panel.host))
                connection.settimeout(_ENOUGH_S)
                answer = _answer(connection)
            assert b" 500 " not in answer.partition(b"\r\n")[0], answer[:300]
            assert b"Traceback" not in answer, answer[:2000]
            panel.check()

        yield read


def _opening(path: str) -> bytes:
    lines = (
        f"GET {path} HTTP/1.1",
        "Host: @HOST@",
        "Origin: http://@HOST@",
        f"Authorization: Bearer {SECRET}",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    )
    return "\r\n".join((*lines, "\r\n")).encode()


def _message(payload: bytes, opcode: int = 1) -> bytes:
    """A frame as a browser sends it, RFC 6455 section 5.2; masked with zeros."""
    size = len(payload)
    head = bytes([0x80 | opcode])
    if size < 126:
        head += bytes([0x80 | size])
    elif size < 65536:
        head += struct.pack(">BH", 0x80 | 126, size)
    else:
        head += struct.pack(">BQ", 0x80 | 127, size)
    return head + bytes(4) + payload


def _speak(panel: _Panel, path: str, data: bytes) -> None:
    with panel.connect() as connection:
        connection.sendall(_opening(path).replace(_PLACE, panel.host))
        assert connection.recv(_ENOUGH_BYTES).startswith(b"HTTP/1.1 101")
        _send(connection, data)
        connection.settimeout(_ENOUGH_S)
        _answer(connection)


@contextmanager
def _viewers(_: Path) -> Iterator[Reader]:
    with _serving() as panel:

        def read(data: bytes) -> None:
            _speak(panel, "/ws/view?original=1", data)
            panel.check()

        yield read


@contextmanager
def _cameras(_: Path) -> Iterator[Reader]:
    with ExitStack() as stack:
        panel = stack.enter_context(_serving())
        camera = panel.server.camera(SourceSettings())
        failures: list[BaseException] = []
        watching = threading.Thread(target=_watch, args=(panel, camera, failures))
        watching.start()
        stack.callback(watching.join)
        stack.callback(camera.stop)

        def read(data: bytes) -> None:
            _speak(panel, "/ws/camera", _message(data, opcode=2))
            panel.check()
            assert not failures, repr(failures[0])

        yield read


def _watch(panel: _Panel, camera: BrowserCamera, failures: list[BaseException]) -> None:
    try:
        with camera:
            for each in camera:
                panel.server.sink().write(each)
    except Exception as error:  # noqa: BLE001 - for the reader to tell
        if not str(error).startswith("browser: stopped"):
            failures.append(error)


def _request_seeds() -> Sequence[bytes]:
    access = f"Host: @HOST@\r\nAuthorization: Bearer {SECRET}\r\n"
    by_cookie = f"Host: @HOST@\r\nCookie: facestream-1={SECRET}\r\nOrigin: http://@HOST@\r\n"
    offer = '{"type": "offer", "sdp": "' + _SDP.replace("\n", "\\r\\n") + '"}'
    bodies = {
        "PATCH /api/settings": '{"opacity": 0.5, "mask": "hull"}',
        "POST /api/recording": '{"on": true}',
        "POST /api/latency": '{"p50": 10.5, "p95": 20, "p99": 30, "count": 100}',
        "POST /api/webrtc/view": offer,
        "POST /api/webrtc/camera": offer,
    }
    made = [
        f"{line} HTTP/1.1\r\n{access}Content-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
        for line, body in bodies.items()
    ]
    made += [
        f"GET {path} HTTP/1.1\r\n{headers}\r\n"
        for headers in (access, by_cookie)
        for path in (
            *("/", "/static/panel.js", "/docs", "/openapi.json", "/metrics", "/health"),
            *("/api/status", "/api/settings", "/api/snapshot.jpg?which=swapped", "/stream.mjpeg"),
            f"/?token={SECRET}",
        )
    ]
    chunked = f"POST /api/recording HTTP/1.1\r\n{access}Transfer-Encoding: chunked\r\n\r\n"
    made.append(chunked + 'c\r\n{"on": false}\r\n0\r\n\r\n')
    return [*(each.encode() for each in made), _opening("/ws/view")]


_SDP = """v=0
o=- 1 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0
m=video 9 UDP/TLS/RTP/SAVPF 96
c=IN IP4 0.0.0.0
a=mid:0
a=recvonly
a=ice-ufrag:abcd
a=ice-pwd:abcdefghijklmnopqrstuvwx
a=fingerprint:sha-1 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33
a=setup:actpass
a=rtcp-mux
a=rtpmap:96 VP8/90000
"""

_WORDS = [
    *(b"%00", b"../", b"%2e%2e/", b"\r\n\r\n", b"\r\n", b"?token=", b"Content-Length: 99999999999"),
    *(b"Transfer-Encoding: chunked\r\n", b"Host: evil.example\r\n", b"NaN", b"[" * 500, b"\xff"),
    *(b"Origin: http://evil.example\r\n", b"Cookie: a=b; a=\r\n", b"Range: bytes=0-\r\n"),
    *(b"Expect: 100-continue\r\n", b'"model": "/etc/passwd"', b"Host: [::1\r\n", b"HEAD ", b"PUT "),
]


def _frame_seeds() -> Sequence[bytes]:
    acks = _message(b"ack") * 3
    ping = _message(b'{"ping": 12.5}')
    return [acks, ping, acks + ping, _message(b"", 9) + _message(b"\x03\xe8", 8), _message(ping, 2)]


KINDS = {
    "http": Kind(_request_seeds, _requests, (), _WORDS),
    "websocket": Kind(_frame_seeds, _viewers, (), [b"ack", b'{"ping": 1e400}', b"[" * 200]),
    "camera": Kind(
        lambda: [camera_message(_PICTURE, 1.0), camera_message(_PICTURE[:16, :16], 2.0)],
        _cameras,
        (),
        [b"\xff\xd8", b"\xff\xd9", b"\xff\xc0\x00\x11\x08\xff\xff\xff\xff"],
    ),
}
