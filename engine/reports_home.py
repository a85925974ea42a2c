"""Keeping MediaPipe from reporting to its makers that, how often and on what it is used.

It has no switch for that (google-ai-edge/mediapipe#6291). Its uploads are the only transfers in
this program that ask the environment for an HTTPS proxy, so they are given one that leads nowhere.
"""

from __future__ import annotations

import os
import urllib.request

NOWHERE = "http://127.0.0.1:9"
"""This machine's discard port: a connection is refused, and no name is looked up."""

_RECEIVER = "play.googleapis.com"
_HERE = ("localhost", "127.0.0.1", "::1")
_proxies: dict[str, str] | None = None


def lead_nowhere() -> None:
    """Let MediaPipe's reports get no further than this machine, from now on.

    For programs, before they load a landmark model: it changes `https_proxy` and `no_proxy` for the
    whole process and those that it starts. What only imports this package is not touched.
    """
    global _proxies  # noqa: PLW0603 - the environment is as global
    if _proxies is None:
        _proxies = urllib.request.getproxies()
    for name in ("https_proxy", "HTTPS_PROXY"):
        os.environ[name] = NOWHERE
    for name in ("no_proxy", "NO_PROXY"):
        excepted = [host.strip() for host in os.environ.get(name, "").split(",")]
        kept = [host for host in excepted if host and not _excepts_receiver(host)]
        # Clients that ask for a proxy on the way to this machine's own servers are not meant.
        os.environ[name] = ",".join([*kept, *(host for host in _HERE if host not in kept)])


def _excepts_receiver(host: str) -> bool:
    domain = host.lstrip(".").lower()
    return domain == "*" or f".{_RECEIVER}".endswith(f".{domain}")


def users_proxies() -> dict[str, str]:
    """Proxies by protocol that the user has set, for transfers that are asked for."""
    return urllib.request.getproxies() if _proxies is None else _proxies
