"""Keeping MediaPipe from reporting to its makers that, how often and on what it is used.

It has no switch for that (google-ai-edge/mediapipe#6291). Its uploads are the only transfers in
this program that ask the environment for an HTTPS proxy, so they are given one that leads nowhere.
"""

from __future__ import annotations

import json
import os
import re
import urllib.request
from typing import Any

NOWHERE = "http://127.0.0.1:9"
"""This machine's discard port: a connection is refused, and no name is looked up."""

_RECEIVER = "play.googleapis.com"
_HERE = ("localhost", "127.0.0.1", "::1")
_USERS = "FACESTREAM_USERS_PROXIES"
"""What the user has set, as JSON: processes that this one starts inherit it with the rest."""


def lead_nowhere() -> None:
    """Let MediaPipe's reports get no further than this machine, from now on.

    For programs, before they load a landmark model: it changes `https_proxy` and `no_proxy` for the
    whole process and those that it starts. What only imports this package is not touched.
    """
    if _USERS in os.environ:
        return
    excepted = os.environ.get("no_proxy", os.environ.get("NO_PROXY", ""))
    users = {"proxies": urllib.request.getproxies(), "excepted": excepted}
    os.environ[_USERS] = json.dumps(users)
    for name in ("https_proxy", "HTTPS_PROXY"):
        os.environ[name] = NOWHERE
    hosts = [host for host in re.split(r"[,\s]+", excepted) if host]
    if "*" in hosts:
        # No proxy at all is wanted: without the exception the others must not come into force.
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            os.environ.pop(name, None)
    kept = [host for host in hosts if not _excepts_receiver(host)]
    # Clients that ask for a proxy on the way to this machine's own servers are not meant.
    kept += [host for host in _HERE if host not in kept]
    for name in ("no_proxy", "NO_PROXY"):
        os.environ[name] = ",".join(kept)


def _excepts_receiver(host: str) -> bool:
    domain = host.strip(".").lower()
    return domain == "*" or f".{_RECEIVER}".endswith(f".{domain}")


def users_proxies(host: str) -> dict[str, str]:
    """Proxies by protocol on the way to a host, as the user has set them, for what is asked for."""
    if _USERS not in os.environ:
        return {} if urllib.request.proxy_bypass(host) else urllib.request.getproxies()
    users: dict[str, Any] = json.loads(os.environ[_USERS])
    excepted = {"no": users["excepted"]}
    if urllib.request.proxy_bypass_environment(host, excepted):  # type: ignore[attr-defined]
        return {}
    proxies: dict[str, str] = users["proxies"]
    return proxies
