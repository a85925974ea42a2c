"""A browser as the camera of a real run: its pictures come back with another face."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from engine.face import Image
from stream import stamp
from tests.live.browser import DESK, chromium, opened
from tests.live.needs import needs
from tests.live.panel_run import PanelRun, camera_file

pytestmark = needs("chromium")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    pictures = tmp_path_factory.mktemp("camera") / "camera.mjpeg"
    camera_file(pictures)
    with chromium(pictures) as browser:
        yield browser


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PanelRun]:
    with PanelRun(tmp_path_factory.mktemp("run"), "browser", "--stamp") as run:
        yield run


@pytest.fixture
def page(browser: Browser, run: PanelRun) -> Iterator[Page]:
    with opened(browser, run.url, **DESK) as page:
        yield page


def jpeg(image: Image) -> str:
    """Base64 of a JPEG of mean quality."""
    encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 70])[1]
    return base64.b64encode(encoded.tobytes()).decode()


def camera_switch(page: Page) -> None:
    page.locator("#camera-switch").click()


def test_the_browser_is_the_camera(page: Page, run: PanelRun) -> None:
    expect(page.locator("#veil")).to_contain_text("Waiting for a camera")
    page.locator("#veil").get_by_role("button").click()
    expect(page.locator("#veil")).to_be_hidden(timeout=30_000)
    expect(page.locator("#camera-switch")).to_have_text("Stop this device's camera")
    expect(page.locator("#run")).to_contain_text("640 × 360")  # noqa: RUF001 - the sign for sizes
    expect(page.locator("#delay")).to_have_text(re.compile(r"^\d+$"))
    page.wait_for_function("() => document.getElementById('result-canvas').width === 640")
    status = run.status()
    assert status["source"]["url"] == "browser"
    assert status["report"]["faces_swapped"] > 0
    camera_switch(page)
    expect(page.locator("#source li")).to_have_attribute("data-state", "lost")
    expect(page.locator("#held")).to_be_visible()


def test_both_ways_by_webrtc_and_the_stamp_is_read_from_the_video(page: Page) -> None:
    page.get_by_label("WebRTC").check()
    expect(page.locator("#camera")).to_be_visible(timeout=30_000)
    camera_switch(page)
    expect(page.locator("#source li")).to_have_attribute("data-state", "running", timeout=30_000)
    expect(page.locator("#veil")).to_be_hidden(timeout=30_000)
    # There is nothing else than the stamp that tells how old a picture of WebRTC is.
    expect(page.locator("#delay")).to_have_text(re.compile(r"^\d+$"), timeout=30_000)
    assert page.locator("#result-video").is_visible()


def test_a_face_that_was_not_replaced_is_withheld_and_said_so(page: Page) -> None:
    expect(page.locator("#camera")).to_be_visible()
    camera_switch(page)
    expect(page.locator("#source li")).to_have_attribute("data-state", "running", timeout=30_000)
    page.get_by_label("Opacity", exact=True).fill("0")
    expect(page.locator("#held")).to_have_text("Withheld: a face was not replaced")
    page.get_by_role("button", name="Undo changes").click()
    expect(page.locator("#held")).to_be_hidden(timeout=20_000)


def test_stamps_are_read_as_python_paints_them(page: Page) -> None:
    read = """async jpegs => {
        const { StampReader } = await import('/static/stamp.js');
        const reader = new StampReader();
        return Promise.all(jpegs.map(async jpeg => {
            const bytes = Uint8Array.from(atob(jpeg), letter => letter.charCodeAt(0));
            const picture = await createImageBitmap(new Blob([bytes], { type: 'image/jpeg' }));
            return reader.read(picture, picture.width, picture.height);
        }));
    }"""
    times = [0, 1, 2**32 - 1, 3_141_592_653]
    jpegs = []
    for width, height in ((640, 360), (853, 479)):
        noise = np.random.default_rng(0).integers(0, 255, (height, width, 3), np.uint8)
        jpegs.append(jpeg(noise))
        for time_ms in times:
            stamp.paint(noise, time_ms * 1_000_000)
            jpegs.append(jpeg(noise))
    assert page.evaluate(read, jpegs) == [None, *times, None, *times]


def test_the_camera_of_the_file_is_in_the_list(page: Page) -> None:
    choice = page.locator("#camera-choice")
    assert choice.locator("option").all_inner_texts() == ["Front", "Back"]
    camera_switch(page)
    expect(choice.locator("option")).to_have_count(3)
    choice.select_option(index=2)
    expect(page.locator("#camera-switch")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#camera-error")).to_be_hidden()
