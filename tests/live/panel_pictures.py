"""Screenshots of the panel for the documentation: `python -m tests.live.panel_pictures FOLDER`.

The picture is the demo clip, a rendered head, swapped by a run of the program.
"""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.live.browser import DESK, PHONE, chromium, opened
from tests.live.panel_run import PanelRun, looped_demo

_PLOTTED_S = 28  # half of what the plots show
_COLORS = 256
_PLAIN = ("good", "warn", "bad", "accent", "second", "surface", "raised", "ground", "text")


def main(folder: Path) -> None:
    """Make all pictures."""
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        looped_demo(work / "demo.mp4", 40)
        with PanelRun(work, "demo.mp4") as run, chromium() as browser:
            desk(browser, run, folder)
            for scheme, tab in (("dark", "Look"), ("light", "Timing")):
                with opened(browser, run.url, **PHONE, color_scheme=scheme) as page:
                    settled(page, 8)
                    page.get_by_role("tab", name=tab).tap()
                    page.wait_for_timeout(1000)
                    save(page, folder / f"panel-phone-{scheme}.png")


def desk(browser: Browser, run: PanelRun, folder: Path) -> None:
    """Dark with a split picture, light with both side by side while recording."""
    with opened(browser, run.url, **DESK, color_scheme="dark") as page:
        settled(page, _PLOTTED_S)
        save(page, folder / "panel-desk-dark.png")
        page.emulate_media(color_scheme="light")
        page.keyboard.press("s")
        page.keyboard.press("r")
        page.wait_for_timeout(6000)  # the notice has gone
        save(page, folder / "panel-desk-light.png")
        page.keyboard.press("r")
        page.wait_for_timeout(2000)


def settled(page: Page, seconds: int) -> None:
    """Let the plots fill."""
    expect(page.locator("#veil")).to_be_hidden(timeout=30_000)
    page.wait_for_timeout(1000 * seconds)


def save(page: Page, path: Path) -> None:
    """Write a screenshot with few colors: it looks the same, at a third of the size."""
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    # Small signs in colors of their own would lose them to the many shades of the picture.
    counted = Image.new("RGB", (picture.width, picture.height + len(_PLAIN) * 40))
    counted.paste(picture)
    for number, name in enumerate(_PLAIN):
        color = page.evaluate(
            "name => getComputedStyle(document.documentElement).getPropertyValue(name)", f"--{name}"
        )
        top = picture.height + 40 * number
        counted.paste(color.strip(), (0, top, picture.width, top + 40))
    palette = counted.quantize(_COLORS, Image.Quantize.MEDIANCUT, kmeans=2)
    few = picture.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG)
    few.save(path, optimize=True)
    sys.stdout.write(f"{path}: {path.stat().st_size / 1e3:.0f} kB\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
