"""Who may do what: one secret, and nothing that a foreign page can make a browser do."""

from __future__ import annotations

import hmac
import ipaddress
import secrets
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is turned away.

    Attributes:
        status: HTTP status.
        reason: one line for people; says nothing about what the right answer would be.
    """

    status: int
    reason: str


@dataclass(frozen=True, slots=True)
class Access:
    """Judges requests by their headers alone.

    A request needs the token, as a cookie or in an `Authorization: Bearer` header. Browsers
    send cookies along with whatever any page makes them ask for, so a request by cookie that
    changes something, and each WebSocket, must also name the panel itself as its `Origin`.
    The `Host` must be an address or one of this machine's names: with a name of its own that
    points here, a foreign page would otherwise be of the same origin (DNS rebinding).

    Attributes:
        token: the secret.
        cookie: name of the cookie that carries it; cookies of all ports share one jar.
        names: allowed host names in lower case.
    """

    token: str = field(repr=False)
    cookie: str
    names: frozenset[str]

    @classmethod
    def of(cls, token: str, port: int, names: Iterable[str]) -> Access:
        """Access by `token`, or by a new random one if that is empty."""
        machine = socket.gethostname().lower()
        return cls(
            token=token or secrets.token_urlsafe(18),
            cookie=f"facestream-{port}",
            names=frozenset(
                {"localhost", machine, f"{machine.partition('.')[0]}.local"}
                | {name.lower() for name in names}
            ),
        )

    def accepts(self, token: str) -> bool:
        """Compares in constant time."""
        return hmac.compare_digest(token.encode(), self.token.encode())

    def refusal(
        self, method: str, headers: Mapping[str, str], *, websocket: bool = False
    ) -> Refusal | None:
        """Judges one request.

        Args:
            method: HTTP method in capitals.
            headers: by lower-case name.
            websocket: the request opens a WebSocket.

        Returns:
            None if it may pass.
        """
        if (wrong := self.wrong_host(headers)) is not None:
            return wrong
        scheme, _, credentials = headers.get("authorization", "").partition(" ")
        by_header = scheme.lower() == "bearer" and self.accepts(credentials.strip())
        if not by_header and not self.accepts(self._cookie_in(headers)):
            return Refusal(401, "the token is missing or wrong; open the address shown at start")
        origin = headers.get("origin")
        if origin is None and by_header:
            return None
        if not websocket and (by_header or method in _SAFE_METHODS):
            return None
        if origin is None or urlsplit(origin).netloc.lower() != headers.get("host", "").lower():
            return Refusal(403, "the request comes from another page")
        return None

    def wrong_host(self, headers: Mapping[str, str]) -> Refusal | None:
        """Judges the host that a request was made for."""
        try:
            host = urlsplit(f"//{headers.get('host', '')}").hostname or ""
        except ValueError:
            host = ""
        if host in self.names or _is_address(host):
            return None
        return Refusal(421, "unknown host name; add it to web.names if it is this machine's")

    def _cookie_in(self, headers: Mapping[str, str]) -> str:
        try:
            found = SimpleCookie(headers.get("cookie", "")).get(self.cookie)
        except CookieError:
            return ""
        return "" if found is None else found.value


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
