"""Sound in the panel, in a real browser on a real run."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests import beeps
from tests.live.browser import DESK, chromium, opened
from tests.live.needs import needs
from tests.live.panel_run import PanelRun

pytestmark = needs("chromium")

_SETTLED_MS = 8000
_WATCHED_MS = 8000
# Generous, as the machine may be busy; docs/panel.md has what was measured.
_MOST_APART_MS = 150

# When the video becomes bright and each channel loud, in ms of the page's clock.
_WATCH = """async ([settled, watched]) => {
    const video = document.getElementById('result-video');
    const canvas = new OffscreenCanvas(8, 8).getContext('2d', { willReadFrequently: true });
    const context = new AudioContext();
    await context.resume();
    const split = context.createChannelSplitter(2);
    context.createMediaStreamSource(video.srcObject).connect(split);
    const channels = [0, 1].map((channel) => {
        const analyser = new AnalyserNode(context, { fftSize: 2048 });
        split.connect(analyser, channel);
        return analyser;
    });
    const found = { flashes: [], beeps: [], right: 0 };
    const [heard, end] = [new Float32Array(2048), performance.now() + settled + watched];
    let bright = true;
    const seen = (now, { expectedDisplayTime }) => {
        canvas.drawImage(video, 0, 0, 8, 8);
        const white = canvas.getImageData(4, 4, 1, 1).data[1] > 128;
        if (white && !bright) found.flashes.push(expectedDisplayTime);
        bright = white;
        video.requestVideoFrameCallback(seen);
    };
    video.requestVideoFrameCallback(seen);
    let last = 0;
    while (performance.now() < end) {
        channels[0].getFloatTimeDomainData(heard);
        const now = performance.now();
        const at = heard.findIndex((sample) => Math.abs(sample) > 0.1);
        if (at > 0 && now - last > 500) {
            last = now - (1000 * (heard.length - at)) / context.sampleRate;
            found.beeps.push(last);
        }
        channels[1].getFloatTimeDomainData(heard);
        found.right = Math.max(found.right, ...heard.map(Math.abs));
        await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await context.close();
    const after = (time) => time > end - watched;
    return { ...found, flashes: found.flashes.filter(after), beeps: found.beeps.filter(after) };
}"""
_SOUND_TRACKS = """count =>
    document.getElementById('result-video').srcObject?.getAudioTracks().length === count"""
_PLAYED = "() => document.getElementById('result-video').currentTime > 1"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PanelRun]:
    folder = tmp_path_factory.mktemp("panel-sound")
    beeps.clip(folder / "clip.mp4", 90)
    with PanelRun(folder, "clip.mp4", "--on-miss", "pass") as run:
        yield run


@pytest.fixture
def page(browser: Browser, run: PanelRun) -> Iterator[Page]:
    with opened(browser, run.url, **DESK) as page:
        expect(page.locator("#veil")).to_be_hidden(timeout=30_000)
        yield page


def test_sound_is_switched_on_by_who_wants_it(page: Page) -> None:
    button = page.get_by_role("button", name="Sound")
    expect(button).to_be_hidden()
    page.get_by_label("WebRTC").check()
    expect(button).to_be_visible()
    expect(button).to_have_attribute("aria-pressed", "false")
    page.wait_for_function(_SOUND_TRACKS, arg=0)
    page.keyboard.press("m")
    expect(button).to_have_attribute("aria-pressed", "true")
    page.wait_for_function(_SOUND_TRACKS, arg=1)
    assert not page.evaluate("document.getElementById('result-video').muted")
    page.wait_for_function(_PLAYED)
    button.click()
    page.wait_for_function(_SOUND_TRACKS, arg=0)
    assert page.evaluate("document.getElementById('result-video').muted")
    page.get_by_label("JPEG").check()
    expect(button).to_be_hidden()


def test_flash_and_beep_come_together(page: Page) -> None:
    page.get_by_label("WebRTC").check()
    page.get_by_role("button", name="Sound").click()
    page.wait_for_function(_SOUND_TRACKS, arg=1)
    page.wait_for_function(_PLAYED)
    found = page.evaluate(_WATCH, [_SETTLED_MS, _WATCHED_MS])
    assert len(found["beeps"]) >= 3
    apart = [min((at - beep for at in found["flashes"]), key=abs) for beep in found["beeps"]]
    assert abs(statistics.median(apart)) <= _MOST_APART_MS
    assert found["right"] < 0.1, "the beep is on the left"
