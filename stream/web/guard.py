"""What stands before every route: access, limits, headers, and errors in one line."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from h11 import LocalProtocolError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stream.web.access import Access, Refusal
from stream.web.bodies import LARGEST_BODY

logger = logging.getLogger(__name__)

OPEN_PATHS = frozenset({"/health"})
"""Need no token: they tell nothing but yes or no."""

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "media-src 'self' blob:; connect-src 'self'; font-src 'self'; manifest-src 'self'; "
    "worker-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
_HEADERS = {
    "content-security-policy": _POLICY,
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(self), microphone=(self), display-capture=(self)",
}


class Guard:
    """Wraps the application; nothing reaches it that has no right to."""

    def __init__(self, app: ASGIApp, access: Access, *, secure: bool) -> None:
        """Takes the application.

        Args:
            app: behind the guard.
            access: the judge.
            secure: the cookie travels encrypted only.
        """
        self._app = app
        self._access = access
        self._secure = secure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request or WebSocket."""
        headers = {
            key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]
        }
        started = False

        async def guarded_send(message: Message) -> None:
            nonlocal started
            if message["type"].endswith(".start"):
                _add_headers(message)
            started = True
            await send(message)

        try:
            if scope["type"] == "websocket":
                refused = self._access.refusal("GET", headers, websocket=True)
                if refused is not None:
                    await _refuse_websocket(refused, receive, guarded_send)
                    return
                await self._app(scope, receive, guarded_send)
            else:
                await self._http(scope, headers, receive, guarded_send)
        except LocalProtocolError as error:
            # Who sent no HTTP, or went away, gets no answer.
            logger.debug("%s: %s", scope["path"], error)
        except Exception as error:  # a browser gets a line, never a traceback
            logger.warning("%s: %s: %s", scope["path"], type(error).__name__, error)
            logger.debug("the failure of %s", scope["path"], exc_info=error)
            if not started and scope["type"] == "http":
                await _answer(
                    guarded_send, 500, _problem("failed; the server's log has the reason")
                )

    async def _http(
        self, scope: Scope, headers: Mapping[str, str], receive: Receive, send: Send
    ) -> None:
        if scope["path"] in OPEN_PATHS:
            refused = self._access.wrong_host(headers)
        elif scope["path"] == "/" and b"token=" in scope["query_string"]:
            refused = self._access.wrong_host(headers)
            if refused is None and await self._signed_in(scope, send):
                return
            refused = refused or Refusal(401, "the token is wrong; open the address shown at start")
        else:
            refused = self._access.refusal(scope["method"], headers)
        if refused is not None:
            await _answer(send, refused.status, _problem(refused.reason))
            return
        await self._app(scope, _limited(receive), send)

    async def _signed_in(self, scope: Scope, send: Send) -> bool:
        """Swaps the token in the address for a cookie, so that it stays in no history."""
        query = parse_qs(scope["query_string"].decode("latin-1"))
        token = query.get("token", [""])[0]
        if scope["method"] != "GET" or not self._access.accepts(token):
            return False
        attributes = "Path=/; HttpOnly; SameSite=Lax" + ("; Secure" if self._secure else "")
        cookie = f"{self._access.cookie}={token}; {attributes}"
        await _answer(send, 303, b"", {"location": "/", "set-cookie": cookie})
        return True


def _limited(receive: Receive) -> Receive:
    left = LARGEST_BODY

    async def counted() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise HTTPException(413, f"the body has more than {LARGEST_BODY} bytes")
        return message

    return counted


def _add_headers(message: Message) -> None:
    have = {key.lower() for key, _ in message.get("headers", [])}
    message["headers"] = [
        *message.get("headers", []),
        *(
            (key.encode(), value.encode())
            for key, value in {"cache-control": "no-store", **_HEADERS}.items()
            if key.encode() not in have
        ),
    ]


def _problem(reason: str) -> bytes:
    return json.dumps({"error": reason}).encode()


async def _answer(
    send: Send, status: int, body: bytes, headers: Mapping[str, str] | None = None
) -> None:
    lines = {
        "content-type": "application/json",
        "content-length": str(len(body)),
        **(headers or {}),
    }
    encoded: list[tuple[bytes, Any]] = [
        (key.encode(), value.encode()) for key, value in lines.items()
    ]
    await send({"type": "http.response.start", "status": status, "headers": encoded})
    await send({"type": "http.response.body", "body": body})


async def _refuse_websocket(refused: Refusal, receive: Receive, send: Send) -> None:
    await receive()  # the handshake
    headers = [(b"content-type", b"application/json")]
    await send(
        {"type": "websocket.http.response.start", "status": refused.status, "headers": headers}
    )
    await send({"type": "websocket.http.response.body", "body": _problem(refused.reason)})
