"""The panel's server, on a thread of its own."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import Self

import uvicorn

from stream.errors import ConfigError, SinkError
from stream.frame import AudioFormat
from stream.sources.settings import SourceSettings
from stream.web import uplink
from stream.web.access import Access
from stream.web.app import create_app
from stream.web.broadcast import Broadcast
from stream.web.camera import BrowserCamera
from stream.web.control import Control
from stream.web.guard import Guard
from stream.web.panel import Panel
from stream.web.rtc import Peers
from stream.web.settings import WebSettings
from stream.web.sink import WebPanel
from stream.web.tls import certificate_files

_LINGER_S = 1
"""How long connections may take to end by themselves."""

_WORKERS = 4


class WebServer:
    """Serves the panel from entering to leaving, whether or not anything streams.

    Entering takes the port and returns when browsers can connect; leaving ends all
    connections and joins the thread.
    """

    def __init__(self, settings: WebSettings) -> None:
        """Listens to nothing yet.

        Args:
            settings: address, token, encryption, limits.
        """
        self._settings = settings
        self._broadcast = Broadcast(settings.jpeg_quality, settings.max_clients)
        self._panel = Panel(self._broadcast, Peers(settings.max_clients))
        self._started = threading.Event()
        self._failure: BaseException | None = None
        self._leave: Callable[[], object] = lambda: None

    def __enter__(self) -> Self:
        settings = self._settings
        listening = _listen(settings.host, settings.port)
        try:
            self.port: int = listening.getsockname()[1]
            self.access = Access.of(settings.token, self.port, settings.names)
            self._host = _reachable(settings.host)
            self._uvicorn = uvicorn.Server(self._uvicorn_config())
        except BaseException:
            listening.close()
            raise
        self._thread = threading.Thread(
            target=self._run, args=(listening,), name="facestream-web-server"
        )
        self._thread.start()
        self._started.wait()
        if self._failure is not None:
            self.__exit__(None, None, None)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with suppress(RuntimeError):  # The thread failed before; why is raised below.
            self._leave()
        self._thread.join()
        if self._failure is not None and error is None:
            raise SinkError(f"web: the server failed: {self._failure}") from self._failure

    @property
    def url(self) -> str:
        """What to open in a browser; the token is in it."""
        scheme = "https" if self._settings.encrypted else "http"
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{scheme}://{host}:{self.port}/?token={self.access.token}"

    @property
    def wants_original(self) -> bool:
        """Whether a browser would like frames to keep the picture before blending."""
        return self._broadcast.wants_original

    def attach(self, control: Control) -> None:
        """Say what browsers may see and steer."""
        self._panel.control = control

    def sink(self, audio: AudioFormat | None = None) -> WebPanel:
        """A sink that shows its frames in the panel.

        Args:
            audio: of the sound that browsers may hear; None for none. It has to come at the
                pace at which it is played.
        """
        self._broadcast.audio = audio
        return WebPanel(self._broadcast)

    def camera(self, settings: SourceSettings) -> BrowserCamera:
        """The source whose pictures browsers send."""
        camera = BrowserCamera(settings)
        self._panel.camera = camera
        return camera

    def _uvicorn_config(self) -> uvicorn.Config:
        settings = self._settings
        certificate = key = None
        if settings.encrypted:
            names = {"localhost", "127.0.0.1", "::1", self._host, *self.access.names}
            certificate, key = certificate_files(settings, names)
        return uvicorn.Config(
            Guard(create_app(self._panel), self.access, secure=settings.encrypted),
            loop="asyncio",
            http="h11",
            ws="websockets-sansio",
            ws_max_size=uplink.LARGEST_MESSAGE,
            ws_per_message_deflate=False,  # pictures are compressed already
            lifespan="off",
            # Nothing of it is for the terminal: requests hold tokens, and strangers' noise.
            log_config=None,
            log_level=logging.CRITICAL,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=_LINGER_S,
            limit_concurrency=4 * settings.max_clients + 64,
            ssl_certfile=certificate,
            ssl_keyfile=key,
        )

    def _run(self, listening: socket.socket) -> None:
        try:
            with asyncio.Runner() as runner:
                runner.run(self._serve(listening))
        except BaseException as error:  # noqa: BLE001 - raised by the owner
            self._failure = error
        finally:
            listening.close()
            self._started.set()

    async def _serve(self, listening: socket.socket) -> None:
        server = self._uvicorn
        loop = asyncio.get_running_loop()
        # Joined by the runner.
        loop.set_default_executor(
            ThreadPoolExecutor(_WORKERS, thread_name_prefix="facestream-web-worker")
        )
        leaving = asyncio.Event()
        self._leave = partial(loop.call_soon_threadsafe, leaving.set)
        self._broadcast.open()
        serving = loop.create_task(server.serve(sockets=[listening]))
        waiting = loop.create_task(leaving.wait())
        self._started.set()
        try:
            await asyncio.wait({serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
            # Those that stream without end have to be told first.
            self._broadcast.close()
            await self._panel.peers.close()
            server.should_exit = True
            await serving
            for connection in list(server.server_state.connections):
                # A browser that reads nothing more would hold what is written to it for ever.
                connection.transport.abort()
            await asyncio.sleep(0)  # transports close in the next round


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (socket.gaierror, UnicodeError) as error:
        raise ConfigError(f"web.host {host}: no such address of this machine") from error
    listening = socket.socket(family, kind, protocol)
    try:
        if sys.platform != "win32":  # There it would mean sharing the port with anybody.
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen()
        listening.setblocking(False)  # noqa: FBT003 - has no keyword
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRINUSE:
            raise ConfigError(
                f"web.port {port} on {host} is taken; end the program that has it, or choose "
                "another one with --port"
            ) from error
        raise ConfigError(f"web.host {host}, port {port}: {error.strerror}") from error
    return listening


def _reachable(host: str) -> str:
    """An address under which browsers find a server that listens to `host`."""
    if host not in {"0.0.0.0", "::"}:  # noqa: S104 - the user's own choice, shown by name
        return host
    # Connecting a UDP socket sends nothing; it shows the address that other machines see.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"
