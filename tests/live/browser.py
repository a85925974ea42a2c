"""A real Chromium without a window, and what a page of it complained about."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

_FLAGS = (
    "--no-sandbox",  # needs rights that containers lack; only own pages are opened
    "--disable-gpu",
    "--mute-audio",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PHONE = MappingProxyType(
    {
        "viewport": {"width": 390, "height": 844},
        "device_scale_factor": 2,
        "has_touch": True,
        "is_mobile": True,
    }
)
DESK = MappingProxyType({"viewport": {"width": 1440, "height": 900}})


@contextmanager
def chromium(camera: Path | None = None) -> Iterator[Browser]:
    """Run a browser with a profile of its own, which is gone afterwards.

    Args:
        camera: motion JPEG or Y4M file that plays the role of the camera.
    """
    flags = list(_FLAGS)
    if camera is not None:
        flags += [
            "--use-fake-device-for-media-stream",
            "--use-fake-ui-for-media-stream",
            f"--use-file-for-fake-video-capture={camera}",
        ]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def opened(browser: Browser, url: str, **look: Any) -> Iterator[Page]:
    """Open a page in a context of its own, and fail if it complained about anything.

    Complaints are errors of scripts, errors on the console, which violations of the content
    security policy are as well, and files that the server does not have. A server that is not
    there is none, nor one that refuses: tests see to both.

    Args:
        browser: to open it in.
        url: address.
        look: options of the context, such as `PHONE`.
    """
    complaints: list[str] = []
    context = browser.new_context(**(look or DESK))
    try:
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: complaints.append(f"script: {error}"))
        page.on(
            "console",
            lambda message: (
                complaints.append(f"console: {message.text}")
                if message.type in {"error", "warning"} and not _is_refusal(message.text)
                else None
            ),
        )
        page.goto(url)
        yield page
        assert not complaints, complaints
    finally:
        context.close()


def _is_refusal(text: str) -> bool:
    """Whether the browser only says that a server is not there, or refused what was asked."""
    return (
        "net::ERR_" in text
        or "WebSocket connection to" in text
        or re.search("status of (401|422)", text) is not None
    )
