"""An RTMP server that tests may kill, freeze and start again on the same port."""

from __future__ import annotations

import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from tests.live.servers.process import ServerProcess

_MODULE = "/usr/lib/nginx/modules/ngx_rtmp_module.so"
_START_TIMEOUT_S = 20.0
_CONFIG = """
load_module {module};
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{ worker_connections 64; }}
rtmp {{
    access_log off;
    server {{
        listen 127.0.0.1:{port};
        chunk_size 4096;
        application live {{ live on; record off; }}
    }}
}}
"""


class RtmpServer(ServerProcess[bytes]):
    """nginx with its RTMP module in one process of its own, on loopback.

    Whatever is published to `url("name")` is played from there.
    """

    def __init__(self, folder: Path) -> None:
        """Choose a port; nothing runs before the block is entered.

        Args:
            folder: for its configuration and log.
        """
        self._folder = folder
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            self.port: int = found.getsockname()[1]

    def url(self, name: str = "stream") -> str:
        """Where a stream is published and played."""
        return f"rtmp://127.0.0.1:{self.port}/live/{name}"

    def start(self) -> None:
        """Return once it accepts connections."""
        assert self._process is None, "it runs already"
        config = self._folder / "nginx.conf"
        config.write_text(
            _CONFIG.format(module=_MODULE, folder=self._folder, port=self.port), encoding="utf-8"
        )
        self._process = subprocess.Popen(
            ["/usr/sbin/nginx", "-c", str(config), "-p", str(self._folder)],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline_s = time.monotonic() + _START_TIMEOUT_S
        while time.monotonic() < deadline_s:
            with suppress(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            time.sleep(0.02)
        self.kill()
        raise RuntimeError(f"nginx did not start: {(self._folder / 'nginx.log').read_text()}")
