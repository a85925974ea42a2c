"""What the user can choose about the browser panel."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from stream.errors import ConfigError

SHORTEST_TOKEN = 12
_TOKEN = re.compile(r"[A-Za-z0-9._~-]+")


@dataclass(frozen=True, slots=True)
class WebSettings:
    """How the panel is served.

    Attributes:
        host: address to listen on; `0.0.0.0` is every network that this machine is in.
        port: 0 takes any free one.
        names: host names under which browsers may reach the panel, besides addresses,
            `localhost` and this machine's own name. Others are refused, because a foreign
            page may have its own name point here.
        token: secret that opens the panel, empty for a new random one at each start.
        tls: encrypt, with a certificate that is made once for this machine.
        tls_certificate, tls_key: PEM files to use instead of it; both or none.
        jpeg_quality: of the pictures for browsers, 1 to 100.
        max_clients: browsers that may watch at the same time.
    """

    host: str = "127.0.0.1"
    port: int = 8765
    names: tuple[str, ...] = ()
    token: str = field(default="", repr=False)
    tls: bool = False
    tls_certificate: str = ""
    tls_key: str = ""
    jpeg_quality: int = 80
    max_clients: int = 8

    def __post_init__(self) -> None:
        if not self.host:
            raise ConfigError("host is empty; expected an address such as 127.0.0.1 or 0.0.0.0")
        if not 0 <= self.port <= 65_535:
            raise ConfigError(f"port is {self.port}; expected 1 to 65535, or 0 for any free one")
        if self.token and (
            len(self.token) < SHORTEST_TOKEN or not _TOKEN.fullmatch(self.token)
        ):  # the token itself is no matter for a terminal
            raise ConfigError(
                f"token has {len(self.token)} characters; expected at least {SHORTEST_TOKEN} "
                "letters, digits or . _ ~ - or nothing for a random one"
            )
        if bool(self.tls_certificate) != bool(self.tls_key):
            raise ConfigError("tls_certificate and tls_key belong together; give both or none")
        if not 1 <= self.jpeg_quality <= 100:
            raise ConfigError(f"jpeg_quality is {self.jpeg_quality}; expected 1 to 100")
        if self.max_clients < 1:
            raise ConfigError(f"max_clients is {self.max_clients}; expected 1 or more")

    @property
    def encrypted(self) -> bool:
        """Whether the panel is served by HTTPS."""
        return self.tls or bool(self.tls_certificate)
